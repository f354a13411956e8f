import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Files for one installer, at an address that nobody can guess. */
export type AnswerServer = {
  /** On 127.0.0.1. */
  readonly port: number;
  /** The folder of the files, with slashes around it. */
  readonly path: string;
  close(): Promise<void>;
};

/**
 * Give out files on loopback, each once: to whoever asks first, who must know a random path. One whose delivery broke
 * off may be asked for again. Proxmox VE's installer asks by POST. `onServed` is told the names of delivered files.
 */
export async function serveOnce(
  files: ReadonlyMap<string, string | Uint8Array>,
  onServed: (name: string) => void = () => undefined,
): Promise<AnswerServer> {
  const path = `/${randomBytes(16).toString('hex')}/`;
  const given = new Set<string>();
  const server = createServer((request, reply) => answer({ files, path, given, onServed }, request, reply));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    path,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Serving = {
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly path: string;
  /** Names of the files that are gone or on their way. */
  readonly given: Set<string>;
  readonly onServed: (name: string) => void;
};

const methods = new Set(['GET', 'HEAD', 'POST']);

function answer({ files, path, given, onServed }: Serving, request: IncomingMessage, reply: ServerResponse): void {
  const method = request.method ?? '';
  const [asked = ''] = (request.url ?? '').split('?');
  const name = asked.startsWith(path) ? decoded(asked.slice(path.length)) : undefined;
  const data = name === undefined ? undefined : files.get(name);
  request.resume();
  const refusal = name === undefined || data === undefined ? 404 : given.has(name) ? 410 : undefined;
  if (name === undefined || data === undefined || refusal !== undefined || !methods.has(method)) {
    reply.writeHead(refusal ?? 405, { connection: 'close' }).end();
    return;
  }
  const bytes = Buffer.from(data);
  reply.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': bytes.length,
    connection: 'close',
  });
  if (method === 'HEAD') {
    reply.end();
    return;
  }
  given.add(name);
  reply.once('close', () => {
    if (reply.writableFinished) onServed(name);
    else given.delete(name);
  });
  reply.end(bytes);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
