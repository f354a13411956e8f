import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How far apart the marks of the file lie: at each multiple stands its own offset, 64 bits, little endian. */
export const markStride = 64 * 1024;

export type Range = { readonly start: number; readonly end: number };

/** A connection that asks for one thing after another. */
class Client {
  readonly #socket: Socket;
  #onData: (bytes: Buffer) => void = () => undefined;
  #onEnd: (error: Error) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', (error) => this.#onEnd(error));
    socket.on('close', () => this.#onEnd(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** Ask for a range and look at its marks; gives how many bytes came. Fails when any is wrong. */
  get(path: string, range?: Range): Promise<number> {
    const wanted = range === undefined ? '' : `Range: bytes=${range.start}-${range.end - 1}\r\n`;
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${wanted}\r\n`);
    return new Promise((resolve, reject) => {
      const reading = new Reading(range?.start ?? 0);
      this.#onEnd = reject;
      this.#onData = (bytes) => {
        try {
          if (reading.take(bytes)) resolve(reading.bytes);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
    });
  }

  close(): void {
    this.#onEnd = () => undefined;
    this.#socket.destroy();
  }
}

/** An answer as it comes. */
class Reading {
  bytes = 0;
  readonly #start: number;
  #head: Buffer | undefined = Buffer.alloc(0);
  #length = 0;

  constructor(start: number) {
    this.#start = start;
  }

  /** True when all of it is here. */
  take(bytes: Buffer): boolean {
    if (this.#head === undefined) return this.#body(bytes);
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#head.subarray(0, end).toString('latin1');
    if (!/^HTTP\/1\.1 20[06] /.test(head)) throw new Error(`the server answered ${head.split('\r\n')[0]}`);
    this.#length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    const rest = this.#head.subarray(end + 4);
    this.#head = undefined;
    return this.#body(rest);
  }

  #body(bytes: Buffer): boolean {
    const at = this.#start + this.bytes;
    for (let mark = Math.ceil(at / markStride) * markStride; mark + 8 <= at + bytes.length; mark += markStride) {
      if (bytes.readUInt32LE(mark - at) !== mark % 2 ** 32) throw new Error(`wrong bytes at ${mark}`);
      if (bytes.readUInt32LE(mark - at + 4) !== Math.floor(mark / 2 ** 32)) throw new Error(`wrong bytes at ${mark}`);
    }
    this.bytes += bytes.length;
    return this.bytes >= this.#length;
  }
}

export type Load = { readonly port: number; readonly path: string; readonly fileBytes: number };

/** Bytes a second of so many clients that ask for random ranges of 1 MiB, each for so many. */
export async function rangesPerSecond({ port, path, fileBytes }: Load, clients: number, each: number): Promise<number> {
  const mebibyte = 1024 * 1024;
  const open = await Promise.all(Array.from({ length: clients }, () => Client.open(port)));
  const started = performance.now();
  const bytes = await Promise.all(
    open.map(async (client) => {
      let came = 0;
      for (let number = 0; number < each; number++) {
        const start = Math.floor(Math.random() * (fileBytes - mebibyte));
        came += await client.get(path, { start, end: start + mebibyte });
      }
      return came;
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const client of open) client.close();
  const all = bytes.reduce((sum, one) => sum + one, 0);
  if (all !== clients * each * mebibyte) throw new Error(`${all} bytes came`);
  return all / seconds;
}

/** Bytes a second of one download of the whole file. */
export async function streamPerSecond({ port, path, fileBytes }: Load): Promise<number> {
  const client = await Client.open(port);
  const started = performance.now();
  const bytes = await client.get(path);
  const seconds = (performance.now() - started) / 1000;
  client.close();
  if (bytes !== fileBytes) throw new Error(`${bytes} bytes came`);
  return bytes / seconds;
}

/** So many connections on which nothing is said. */
export async function openIdle(port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(250, count - sockets.length) }, () => connect(port, '127.0.0.1'));
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    for (const socket of some) socket.on('error', () => undefined);
    sockets.push(...some);
  }
  return sockets;
}

/** Milliseconds of each of the requests that a few clients make, one after another, until the signal. */
export async function latencies({ port, path }: Load, signal: AbortSignal): Promise<readonly number[]> {
  const times: number[] = [];
  const ask = async () => {
    const client = await Client.open(port);
    while (!signal.aborted) {
      const started = performance.now();
      await client.get(path, { start: 0, end: markStride });
      times.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.close();
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  return times.toSorted((a, b) => a - b);
}

/** Seconds until each of so many connections that send a header letter by letter was cut. */
export async function dripSeconds(port: number, count: number): Promise<readonly number[]> {
  const sockets = await openIdle(port, count);
  const started = performance.now();
  return Promise.all(
    sockets.map(async (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
      const drip = setInterval(() => socket.write('a'), 1000);
      // What it says before it cuts is read, else nothing is noticed.
      socket.resume();
      await once(socket, 'close');
      clearInterval(drip);
      return (performance.now() - started) / 1000;
    }),
  );
}

/** Begin so many downloads and break each off after its first bytes. */
export async function abortDownloads({ port, path }: Load, count: number): Promise<void> {
  for (let number = 0; number < count; number += 20) {
    const some = Array.from({ length: 20 }, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await once(socket, 'data');
      socket.resetAndDestroy();
    });
    await Promise.all(some);
  }
}
