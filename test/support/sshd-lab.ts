import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export type SshLab = {
  /** An empty folder, gone at the end. */
  readonly folder: string;
  readonly port: number;
  /** A settings file for ssh that knows `far` (and `unknown`, `changed`, `stranger`, all the same machine). */
  readonly config: string;
  /** Connections go through here: cut each after so many bytes in one direction; undefined: none. */
  cutAfter(bytes: number | undefined): void;
  close(): Promise<void>;
};

/** An sshd of our own on loopback, with its own keys, that only our key lets in. */
export async function openSshLab(): Promise<SshLab> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-sshd-'));
  const path = (name: string) => join(folder, name);
  for (const key of ['host', 'login', 'stranger']) {
    await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', path(key)]);
  }
  await writeFile(path('authorized'), await readFile(path('login.pub')));
  const port = await freePort();
  await writeFile(
    path('sshd.conf'),
    [
      ...[
        'ListenAddress 127.0.0.1',
        `Port ${port}`,
        `HostKey ${path('host')}`,
        `AuthorizedKeysFile ${path('authorized')}`,
      ],
      ...['StrictModes no', 'UsePAM no', 'PidFile none', 'PasswordAuthentication no', 'PermitRootLogin yes'],
      ...['KbdInteractiveAuthentication no', 'MaxStartups 100', 'LogLevel INFO', ''],
    ].join('\n'),
  );
  // sshd wants it when it is root, and only a package's own start makes it.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  const { stdout: program } = await exec('sh', ['-c', 'PATH=$PATH:/usr/sbin; command -v sshd']);
  const sshd = spawn(program.trim(), ['-D', '-e', '-f', path('sshd.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(sshd.stderr);
  const proxy = await openProxy(port);
  await writeSettings(path, proxy.port);
  return {
    folder,
    port,
    config: path('config'),
    cutAfter: (bytes) => proxy.cutAfter(bytes),
    close: async () => {
      proxy.close();
      sshd.kill();
      await once(sshd, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

async function listening(stderr: NodeJS.ReadableStream): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    if (line.includes('Server listening')) {
      // What it says later is of no interest, and must not fill the pipe.
      stderr.on('data', () => undefined);
      stderr.resume();
      return;
    }
  }
  throw new Error(`sshd did not start: ${said.join('\n')}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function writeSettings(path: (name: string) => string, port: number): Promise<void> {
  const known = async (key: string) => (await readFile(path(`${key}.pub`), 'utf8')).split(' ').slice(0, 2).join(' ');
  await writeFile(path('known'), `far,stranger ${await known('host')}\nchanged ${await known('stranger')}\n`);
  const host = (name: string, key: string) => [
    `Host ${name}`,
    ...['HostName 127.0.0.1', `Port ${port}`, `User ${userInfo().username}`, `HostKeyAlias ${name}`],
    ...[`UserKnownHostsFile ${path('known')}`, 'GlobalKnownHostsFile none', `IdentityFile ${path(key)}`],
    ...['IdentitiesOnly yes', 'IdentityAgent none', 'LogLevel INFO'],
  ];
  const all = [host('far', 'login'), host('unknown', 'login'), host('changed', 'login'), host('stranger', 'stranger')];
  // What a person may have written, and does not count here.
  const careless = ['Host *', 'StrictHostKeyChecking no'];
  await writeFile(path('config'), `${[...all.flat(), ...careless].join('\n')}\n`);
}

/** A way to a port that can be cut off in the middle. */
async function openProxy(to: number) {
  let most: number | undefined;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    let passed = 0;
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', end).on('close', () => {
        open.delete(socket);
        end();
      });
    }
    near.on('data', (bytes: Buffer) => {
      passed += bytes.length;
      if (most !== undefined && passed > most) end();
    });
    near.pipe(far);
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter: (bytes: number | undefined) => {
      most = bytes;
    },
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
