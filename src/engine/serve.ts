import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { ServeRequest } from '../cli/requests/artifacts.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { type Listening, type ListenOptions, listen } from '../host/listen.ts';
import { answer } from '../serve/answers.ts';
import { refreshArtifacts } from '../store/artifacts.ts';
import type { StorePaths } from '../store/paths.ts';
import { publishFile } from '../store/publish-file.ts';
import { openServedTree } from '../store/served-tree.ts';
import { lookIntoCards } from './cards.ts';
import { numbered } from './numbered.ts';
import type { Home } from './publish.ts';

/** How long downloads may go on when the server is told to end. */
const graceMs = 10_000;

/** Serve the artifacts until the signal, then let what is under way end. */
export async function serveArtifacts(home: Home, request: ServeRequest, io: Io): Promise<void> {
  const { paths, host } = home;
  const emit = numbered(io, host, 'serve');
  const tokenFile = request.tokenFile === undefined ? undefined : resolve(home.cwd, request.tokenFile);
  const token = tokenFile === undefined ? await ownToken(paths, host) : await readToken(tokenFile, host);
  const serving = {
    tree: openServedTree(paths.artifacts),
    names: namesOf(request),
    token,
    publish: (file: Parameters<typeof publishFile>[1], signal: AbortSignal) => publishFile(paths, file, signal),
  };
  const warn = (what: string, error: unknown) => {
    if (!io.signal.aborted) emit({ type: 'warning', message: `${what}: ${String(error)}` });
  };
  // What cannot be brought up to date, such as on a disk that is read-only, is served as it is.
  await refreshArtifacts(paths, io.signal).catch((error: unknown) => warn('the lists of the artifacts', error));
  io.signal.throwIfAborted();
  const cards = once(() =>
    lookIntoCards(paths, host, io.signal).catch((error: unknown) => warn('images for SD cards', error)),
  );
  const listening = await listenThere(handedOver(host) ?? { host: request.host, port: request.port }, {
    answer: (asked) => {
      if (asked.target.startsWith('/os_list.json')) cards();
      return answer(serving, asked);
    },
    onAccess: ({ target, ...access }) => emit({ type: 'access', path: target, ...access }),
    onError: (error) => warn('a request failed', error),
  });
  emit({ type: 'serve.start', url: urlOf(listening), tokenFile: tokenFile ?? ownTokenFile(paths) });
  cards();
  await aborted(io.signal);
  await listening.close(graceMs);
}

/** Start something unless it is running. */
function once(act: () => Promise<void>): () => void {
  let isRunning = false;
  return () => {
    if (isRunning) return;
    isRunning = true;
    void act().finally(() => {
      isRunning = false;
    });
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

function namesOf({ names }: ServeRequest): ReadonlySet<string> {
  const own = hostname().toLowerCase();
  return new Set(['localhost', own, `${own}.local`, ...names.map((name) => name.toLowerCase())]);
}

/** A socket that systemd opened for us (sd_listen_fds(3)): the first is number 3. */
export function handedOver({ env, pid }: Pick<Host, 'env' | 'pid'>): { readonly fd: number } | undefined {
  if (env['LISTEN_PID'] !== String(pid)) return undefined;
  if (env['LISTEN_FDS'] === '1') return { fd: 3 };
  const message = `${env['LISTEN_FDS']} sockets were handed over, and this server takes one`;
  throw new IngotError({ code: 'USAGE', message, hint: 'give the socket unit one ListenStream=' });
}

async function listenThere(at: ListenOptions['at'], options: Omit<ListenOptions, 'at'>): Promise<Listening> {
  try {
    return await listen({ ...options, at });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const where = 'fd' in at ? 'the socket that was handed over' : `${at.host} port ${at.port}`;
    const why = code === 'EADDRINUSE' ? 'another program listens there' : String(error);
    const hint = '--listen ADDRESS:PORT names another; port 0 takes any that is free';
    throw new IngotError({ code: 'HOST_UNFIT', message: `cannot listen on ${where}: ${why}`, hint, cause: error });
  }
}

function urlOf({ address: { host, port } }: Listening): string {
  // Behind a unix socket there is no port.
  return port === 0 ? host : `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

function ownTokenFile({ home }: StorePaths): string {
  return join(home, 'serve-token');
}

async function ownToken(paths: StorePaths, host: Host): Promise<string> {
  const file = ownTokenFile(paths);
  if ((await host.files.stat(file)) === undefined) {
    await host.files.makeDirectory(paths.home);
    await host.files.write(file, `${host.randomBytes(32).toString('base64url')}\n`, 0o600);
  }
  return readToken(file, host);
}

async function readToken(file: string, host: Host): Promise<string> {
  const token = ((await host.files.readText(file)) ?? '').trim();
  if (/^\S{16,}$/.test(token)) return token;
  throw new IngotError({
    code: 'USAGE',
    message: `${file} holds no token: one line of at least 16 characters without spaces`,
    hint: `head -c 24 /dev/urandom | base64 >${file} makes one`,
  });
}
