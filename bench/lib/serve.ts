import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { machineLine, median, repository, roundsAsked, say, withFolder } from './compare.ts';
import {
  abortDownloads,
  dripSeconds,
  type Load,
  latencies,
  markStride,
  openIdle,
  rangesPerSecond,
  streamPerSecond,
} from './http-load.ts';

const fileBytes = 5 * 1024 ** 3;
const path = '/files/big.img';

type Server = Load & { readonly name: string; readonly child: ChildProcess };

// The artifact service beside nginx (1 worker, sendfile) on one file, round by round; then what only Ingot is asked.
await withFolder(async (folder) => {
  const home = join(folder, 'home');
  const artifacts = join(home, 'artifacts');
  writeMarked(join(artifacts, 'files', 'big.img'));
  say(machineLine());
  const nginx = await startNginx(folder, artifacts);
  const ingot = await startIngot(home);
  try {
    const times = await inRounds(roundsAsked(), [nginx, ingot]);
    await idle(ingot);
    await slow(ingot);
    await aborted(ingot);
    say(`one stream ratio ${ratioOf(times.streams).toFixed(2)}`);
    say(`64 range clients ratio ${ratioOf(times.ranges).toFixed(2)}`);
  } finally {
    for (const { child } of [nginx, ingot]) {
      child.kill();
      await once(child, 'exit');
    }
  }
});

type Rates = readonly (readonly [nginx: number, ingot: number])[];

function ratioOf(rates: Rates): number {
  return median(rates.map(([theirs, ours]) => ours / theirs));
}

async function inRounds(rounds: number, servers: readonly Server[]): Promise<{ streams: Rates; ranges: Rates }> {
  const all: Record<'streams' | 'ranges', [number, number][]> = { streams: [], ranges: [] };
  // The first of each brings the file into memory, and the servers to their speed.
  for (const server of servers) {
    await streamPerSecond(server);
    await rangesPerSecond(server, 64, 32);
  }
  for (let round = 1; round <= rounds; round++) {
    const [streams, ranges]: [number[], number[]] = [[], []];
    for (const server of servers) {
      ranges.push(await rangesPerSecond(server, 64, 32));
      streams.push(await streamPerSecond(server));
      const gigabytes = [ranges.at(-1), streams.at(-1)].map((rate) => ((rate ?? 0) / 1e9).toFixed(2));
      say(
        `round ${round}  ${server.name.padEnd(8)} 64 range clients ${gigabytes[0]} GB/s, one stream ${gigabytes[1]} GB/s`,
      );
    }
    all.ranges.push(ranges as [number, number]);
    all.streams.push(streams as [number, number]);
  }
  return all;
}

async function idle({ port, child }: Server): Promise<void> {
  const count = 10_000;
  const before = residentBytes(child);
  const sockets = await openIdle(port, count);
  // What was accepted last is there when a request behind it is answered.
  const timer = AbortSignal.timeout(3000);
  const times = await latencies({ port, path, fileBytes }, timer);
  const each = (residentBytes(child) - before) / count;
  const open = sockets.filter((socket) => !socket.destroyed).length;
  say(`${open} idle connections of ${(each / 1024).toFixed(1)} KiB, others' p99 ${percentile(times).toFixed(1)} ms`);
  for (const socket of sockets) socket.destroy();
  await setTimeout(1000);
}

async function slow(server: Server): Promise<void> {
  const ending = new AbortController();
  const others = latencies(server, ending.signal);
  const seconds = await dripSeconds(server.port, 500);
  ending.abort();
  const p99 = percentile(await others).toFixed(1);
  say(`500 slow headers cut after ${Math.max(...seconds).toFixed(1)} s at most, others' p99 ${p99} ms`);
}

async function aborted(server: Server): Promise<void> {
  await setTimeout(1000);
  const before = openFiles(server.child);
  await abortDownloads(server, 300);
  await setTimeout(2000);
  say(`300 aborted downloads leave ${openFiles(server.child) - before} open files`);
}

function percentile(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}

function residentBytes({ pid }: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function openFiles({ pid }: ChildProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Mostly holes, so that it is the server that is measured and not the disk, with marks to know each place by. */
function writeMarked(file: string): void {
  mkdirSync(join(file, '..'), { recursive: true });
  const handle = openSync(file, 'w');
  ftruncateSync(handle, fileBytes);
  const mark = Buffer.alloc(8);
  for (let at = 0; at < fileBytes; at += markStride) {
    mark.writeBigUInt64LE(BigInt(at));
    writeSync(handle, mark, 0, 8, at);
  }
  closeSync(handle);
}

async function startIngot(home: string): Promise<Server> {
  const port = await freePort();
  const argv = ['serve', '--listen', `127.0.0.1:${port}`, '--home', home, '-q'];
  // The launcher ends in Node itself (exec), so that this is the server's own process.
  const child = spawn(join(repository, 'ingot'), argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  return { name: 'ingot', child, port, path, fileBytes: await upBytes(child, port) };
}

async function startNginx(folder: string, root: string): Promise<Server> {
  const port = await freePort();
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const conf = `daemon off; master_process off; ${user} worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; sendfile on; ${places.join(' ')} server { listen 127.0.0.1:${port}; root ${root}; } }`;
  writeFileSync(join(folder, 'nginx.conf'), conf);
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  return { name: 'nginx', child, port, path, fileBytes: await upBytes(child, port) };
}

/** Wait until it listens. */
async function upBytes(child: ChildProcess, port: number): Promise<number> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`a server ended with ${child.exitCode}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isUp) return fileBytes;
    await setTimeout(50);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
