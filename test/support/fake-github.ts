import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerApi, answerStorage, answerUpload } from './fake-github-api.ts';
import type { Asked, FakeOptions, Fault, HeldRelease, Origins, Reply, State } from './fake-github-data.ts';

export type FakeGitHub = {
  readonly origins: Origins;
  readonly releases: HeldRelease[];
  /** `METHOD path` of every request, without queries. */
  readonly asked: string[];
  /** Called after each change, with what anybody can see. */
  onChange: (releases: readonly HeldRelease[]) => void;
  fail(...faults: readonly Fault[]): void;
  /** Nothing goes wrong any more. */
  calm(): void;
  /** From the given request that changes something on, answer nobody; that one may be done all the same. */
  dieAt(request: number, isDone: boolean): void;
  /** Put everything back to an earlier state. */
  restore(releases: readonly HeldRelease[]): void;
  /** Names of the assets of a release, sorted. */
  names(tag: string): readonly string[];
  close(): Promise<void>;
};

/** A stand-in for GitHub's releases, strict where GitHub is: API, uploads and storage are three servers on loopback. */
export async function startFakeGitHub(options: Partial<FakeOptions> = {}): Promise<FakeGitHub> {
  const state: State = {
    options: { mostBytes: 2 ** 31 - 1, isPrivate: false, immutable: false, lateDigests: false, ...options },
    origins: { api: '', upload: '', storage: '' },
    releases: [],
    faults: [],
    asked: [],
    nextId: 100,
    death: undefined,
    onChange: () => {},
  };
  const servers = [serverOf(state, answerApi), serverOf(state, answerUpload), serverOf(state, answerStorage)];
  const [api = '', upload = '', storage = ''] = await Promise.all(servers.map(listen));
  state.origins = { api, upload, storage };
  return {
    origins: state.origins,
    releases: state.releases,
    asked: state.asked,
    set onChange(told: FakeGitHub['onChange']) {
      state.onChange = told;
    },
    fail: (...faults) => void state.faults.push(...faults),
    calm: () => {
      state.faults.splice(0);
      state.death = undefined;
    },
    dieAt: (request, isDone) => {
      state.death = { left: request, isDone };
    },
    restore: (releases) => {
      const copies = releases.map((one) => ({ ...one, assets: one.assets.map((asset) => ({ ...asset })) }));
      state.releases.splice(0, state.releases.length, ...copies);
    },
    names: (tag) => (state.releases.find((one) => one.tag === tag)?.assets ?? []).map(({ name }) => name).sort(),
    close: async () => {
      await Promise.all(servers.map(stop));
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function serverOf(state: State, answer: (state: State, asked: Asked) => Reply): Server {
  return createServer((request, response) => void serve(state, answer, request, response));
}

async function serve(
  state: State,
  answer: (state: State, asked: Asked) => Reply,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://fake');
  const method = request.method ?? '';
  const line = `${method} ${url.pathname}`;
  state.asked.push(line);
  const fault = takeFault(state, `${line}${url.search}`);
  const chunks: Buffer[] = [];
  let got = 0;
  try {
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      got += (chunk as Buffer).length;
      if (fault?.cutAfter !== undefined && got >= fault.cutAfter) {
        leaveStarter(state, method, url);
        request.socket.resetAndDestroy();
        return;
      }
    }
  } catch {
    // The other side went away in the middle of an upload.
    leaveStarter(state, method, url);
    return;
  }
  const asked = { method, url, headers: request.headers, body: Buffer.concat(chunks) };
  if (isDead(state, method)) {
    if (state.death?.isDone === true && state.death.left === 0) answer(state, asked);
    request.socket.resetAndDestroy();
    return;
  }
  const reply = fault?.status === undefined ? answer(state, asked) : faultReply(state, fault, asked);
  if (fault?.loseAnswer === true) {
    request.socket.resetAndDestroy();
    return;
  }
  const limits = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': '1795000000' };
  const bytes = reply.bytes ?? (reply.body === undefined ? undefined : Buffer.from(JSON.stringify(reply.body)));
  const type = reply.bytes === undefined ? 'application/json; charset=utf-8' : 'application/octet-stream';
  response.writeHead(reply.status, { 'content-type': type, ...limits, ...reply.headers }).end(bytes);
}

/** Whether nobody is answered any more; the request at which that begins is number 0. */
function isDead({ death }: State, method: string): boolean {
  if (death === undefined || (method === 'GET' && death.left > 0)) return false;
  return --death.left <= 0;
}

function takeFault(state: State, line: string): Fault | undefined {
  const index = state.faults.findIndex(({ on }) => {
    const pattern = on.replaceAll(/[.?+^$()[\]{}|\\]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${pattern}$`).test(line);
  });
  return index === -1 ? undefined : state.faults.splice(index, 1)[0];
}

function faultReply(state: State, fault: Fault, { method, url }: Asked): Reply {
  const status = fault.status ?? 500;
  if (status >= 500) leaveStarter(state, method, url);
  return { status, body: { message: fault.message ?? 'Server Error' }, headers: fault.headers ?? {} };
}

/** What GitHub keeps of an upload that failed. */
function leaveStarter(state: State, method: string, url: URL): void {
  const [, id] = /\/releases\/(\d+)\/assets$/.exec(url.pathname) ?? [];
  const release = state.releases.find((one) => String(one.id) === id);
  const name = url.searchParams.get('name');
  if (method !== 'POST' || release === undefined || name === null) return;
  if (release.assets.some((one) => one.name === name)) return;
  release.assets.push({ id: state.nextId++, name, state: 'starter', data: Buffer.alloc(0), digestIn: 0 });
}
