import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type FileBytes, pump } from './pump.ts';

/** A request as it came. */
export type Asked = {
  readonly method: string;
  /** The request target, percent-encoded, with its query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes that come with it; whoever waits for leave to send them (`Expect: 100-continue`) gets it now. */
  body(): AsyncIterable<Uint8Array>;
  /** Aborted when the other side is gone, or the server must end. */
  readonly signal: AbortSignal;
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Not sent in answer to HEAD. */
  readonly body?: string | Uint8Array | FileBytes;
};

export type Access = {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** Bytes that went to the system, headers among them. */
  readonly bytes: number;
  readonly seconds: number;
  readonly remote: string;
  /** Whether the whole answer went out. */
  readonly whole: boolean;
};

export type ListenOptions = {
  /** `fd`: a socket that listens already, as service managers hand over. */
  readonly at: { readonly host: string; readonly port: number } | { readonly fd: number };
  answer(asked: Asked): Promise<Answer>;
  onAccess(access: Access): void;
  onError(error: unknown): void;
  readonly limits?: Partial<Limits>;
};

type Limits = {
  readonly connections: number;
  /** Until a request's header is whole. */
  readonly headerMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** Between two requests of one connection. */
  readonly keepAliveMs: number;
};

const usual: Limits = { connections: 16_384, headerMs: 20_000, idleMs: 60_000, keepAliveMs: 15_000 };

export type Listening = {
  readonly address: { readonly host: string; readonly port: number };
  /** Take no more requests, let answers under way end for so long, then cut them off. */
  close(graceMs: number): Promise<void>;
};

/** An HTTP server with limits on time and connections. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const limits = { ...usual, ...options.limits };
  const server = createServer({
    headersTimeout: limits.headerMs,
    // An upload may take hours; the idle limit ends one that stalls.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, limits.headerMs),
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: 16 * 1024,
  });
  server.maxConnections = limits.connections;
  server.timeout = limits.idleMs;
  const ending = new AbortController();
  const open = new Map<Socket, number>();
  let isClosing = false;
  server.on('connection', (socket: Socket) => {
    open.set(socket, 0);
    socket.once('close', () => open.delete(socket));
  });
  parseWhenAsked(server, limits);
  const take = (request: IncomingMessage, reply: ServerResponse, isWaiting: boolean) => {
    const { socket } = request;
    open.set(socket, (open.get(socket) ?? 0) + 1);
    reply.once('close', () => {
      if (!open.has(socket)) return;
      open.set(socket, (open.get(socket) ?? 1) - 1);
      if (isClosing && open.get(socket) === 0) socket.destroySoon();
    });
    if (isClosing) reply.shouldKeepAlive = false;
    void serve({ options, limits, ending: ending.signal }, request, reply, isWaiting);
  };
  server.on('request', (request, reply) => take(request, reply, false));
  server.on('checkContinue', (request, reply) => take(request, reply, true));
  await start(server, options.at);
  return {
    address: addressOf(server),
    async close(graceMs) {
      isClosing = true;
      const closed = new Promise((resolve) => server.close(resolve));
      // Node counts a connection on which nothing was asked yet as a busy one.
      for (const [socket, requests] of open) if (requests === 0) socket.destroy();
      const timer = setTimeout(() => {
        ending.abort(new Error('the server ends'));
        server.closeAllConnections();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/**
 * Give a connection its parser, which takes three times the memory of all else, when the first byte comes: browsers and
 * proxies open connections that they use later or never.
 */
function parseWhenAsked(server: Server, { headerMs }: Limits): void {
  // The one of node:http stands first.
  const [parse] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  if (parse === undefined) throw new Error('node:http does not listen for connections');
  server.off('connection', parse);
  const cut = function (this: Socket) {
    this.destroy();
  };
  const begin = function (this: Socket) {
    this.off('error', cut).off('timeout', cut);
    parse.call(server, this);
  };
  server.on('connection', (socket: Socket) => {
    socket.on('error', cut).on('timeout', cut).setTimeout(headerMs).once('readable', begin);
  });
}

function start(server: Server, at: ListenOptions['at']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function addressOf(server: Server): Listening['address'] {
  const found = server.address();
  if (found === null || typeof found === 'string') return { host: found ?? '', port: 0 };
  return { host: found.address, port: found.port };
}

type Around = { readonly options: ListenOptions; readonly limits: Limits; readonly ending: AbortSignal };

async function serve(
  { options, limits, ending }: Around,
  request: IncomingMessage,
  reply: ServerResponse,
  isWaiting: boolean,
): Promise<void> {
  const begin = { ms: performance.now(), bytes: request.socket.bytesWritten };
  const { socket } = request;
  const remote = socket.remoteAddress ?? '';
  const gone = new AbortController();
  reply.once('close', () => gone.abort(new Error('the other side is gone')));
  try {
    const signal = AbortSignal.any([gone.signal, ending]);
    await send(request, reply, await options.answer(askedOf(request, reply, { isWaiting, signal })), limits);
  } catch (error) {
    if (!gone.signal.aborted) {
      options.onError(error);
      if (reply.headersSent) reply.destroy();
      else reply.writeHead(500, { connection: 'close' }).end();
    }
  }
  options.onAccess({
    method: request.method ?? '',
    target: request.url ?? '',
    status: reply.headersSent ? reply.statusCode : 0,
    bytes: socket.bytesWritten - begin.bytes,
    seconds: (performance.now() - begin.ms) / 1000,
    remote,
    whole: reply.writableFinished,
  });
}

type Waiting = { readonly isWaiting: boolean; readonly signal: AbortSignal };

function askedOf(request: IncomingMessage, reply: ServerResponse, { isWaiting, signal }: Waiting): Asked {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    // Of several Host lines Node keeps the first: whoever sends two wants to be taken for somebody else.
    headers: { ...request.headers, host: request.headersDistinct['host']?.join(', ') },
    async *body() {
      if (isWaiting) reply.writeContinue();
      for await (const chunk of request) yield chunk as Uint8Array;
      // What was sent is now brought onto the disk, in silence.
      request.socket.setTimeout(0);
    },
    signal,
  };
}

async function send(request: IncomingMessage, reply: ServerResponse, answer: Answer, limits: Limits): Promise<void> {
  const { body } = answer;
  const isFile = typeof body === 'object' && 'close' in body;
  if (reply.destroyed) {
    if (isFile) await body.close();
    return;
  }
  request.socket.setTimeout(limits.idleMs);
  // What was sent along and not read ends the connection, else it would be taken for the next request.
  if (!request.complete) reply.shouldKeepAlive = false;
  reply.writeHead(answer.status, { ...answer.headers });
  if (!isFile) {
    await new Promise<void>((resolve) => {
      reply.once('close', resolve);
      reply.end(request.method === 'HEAD' ? undefined : body, () => resolve());
    });
    return;
  }
  if (request.method !== 'HEAD') return pump(body, reply);
  await body.close();
  reply.end();
}
