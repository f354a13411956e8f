import { expect, test } from 'vitest';
import type { Child, Host } from '../core/host.ts';
import { commandArgv, endOf, forSsh, masterArgv, type Ssh, shellArgv } from './ssh.ts';

const target = {
  ...{ host: '127.0.0.1', port: 4022, user: 'ingot', keyFile: '/k/login' },
  ...{ knownHostsFile: '/k/known_hosts', hostKeyAlias: 'ingot-guest', lostAfterSeconds: 9 },
};

test("nothing is trusted on first use and nothing comes from the user's own settings", () => {
  for (const argv of [masterArgv(target, '/k/s'), commandArgv(target, '/k/s', 'id'), shellArgv(target, '/k/s')]) {
    expect(argv.join(' ')).toMatch(/^ssh (-o LogLevel=INFO )?-F none -o /);
    for (const option of [
      'StrictHostKeyChecking=yes',
      'UserKnownHostsFile=/k/known_hosts',
      'GlobalKnownHostsFile=/dev/null',
      'HostKeyAlias=ingot-guest',
      'BatchMode=yes',
      'ServerAliveInterval=3',
      'ServerAliveCountMax=2',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
    ]) {
      expect(argv).toContain(option);
    }
  }
});

test('the connection that stays is a child of ours, and commands go through its socket as one word', () => {
  expect(masterArgv(target, '/k/s').slice(-6)).toEqual(['-N', '-T', '-M', '-S', '/k/s', '127.0.0.1']);
  expect(masterArgv(target, '/k/s').join(' ')).not.toContain('ControlPersist');
  expect(commandArgv(target, '/k/s', 'echo a b').slice(-5)).toEqual(['-T', '-S', '/k/s', '127.0.0.1', 'echo a b']);
});

test('a password is asked of a program of ours, and the key of a guest that brings its own is kept from then on', () => {
  const { keyFile: _, ...own } = { ...target, askpass: '/k/askpass', newHostKey: true };
  const argv = masterArgv(own, '/k/s');
  expect(argv).toEqual(expect.arrayContaining(['PasswordAuthentication=yes', 'StrictHostKeyChecking=accept-new']));
  expect(argv).not.toContain('-i');
});

/** A guest whose port says one banner after another, and whose ssh lets us in or not. */
function guest(banners: readonly string[], exits: readonly (number | undefined)[] = [undefined]) {
  const calls = { logins: 0, runs: [] as string[], kills: [] as string[] };
  const left = [...banners];
  const connect: Host['connect'] = async (_, { onData }) => {
    onData(Buffer.from(left.shift() ?? 'SSH-2.0-x'));
    return { write: () => undefined, close: () => undefined, closed: Promise.resolve() };
  };
  const start: Host['start'] = async () => {
    const exit = exits[calls.logins];
    calls.logins += 1;
    const exited =
      exit === undefined ? new Promise<never>(() => undefined) : Promise.resolve({ exitCode: exit, signal: undefined });
    const kill = (signal: string) => void calls.kills.push(signal);
    return { exited, kill, lastLines: () => [] } as unknown as Child;
  };
  const files = {
    remove: async () => undefined,
    // The socket is there when the login was good.
    stat: async () => (exits[calls.logins - 1] === undefined ? {} : undefined),
  };
  const sleep: Host['sleep'] = (milliseconds, signal) =>
    milliseconds < 1000
      ? new Promise((resolve) => setImmediate(resolve))
      : new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const run: Host['run'] = async ({ argv }) => {
    calls.runs.push(argv.at(-1) ?? '');
    return { exitCode: 255, stdout: '', stderr: '' };
  };
  return { host: { connect, start, files, sleep, run } as unknown as Host, calls };
}

async function login(host: Host): Promise<Ssh> {
  let opened: Ssh | undefined;
  const wait = forSsh(target, '/k/s', host, (ssh) => {
    opened = ssh;
  });
  await wait.run(new AbortController().signal);
  if (opened === undefined) throw new Error('no login');
  return opened;
}

test('no login is tried before sshd has shown itself', async () => {
  const { host, calls } = guest(['', 'garbage', 'SSH-2.0-OpenSSH']);
  await login(host);
  expect(calls.logins).toBe(1);
});

test('a login that is refused is tried again', async () => {
  const { host, calls } = guest([], [255, undefined]);
  await login(host);
  expect(calls.logins).toBe(2);
});

test('exit code 255 is a result while the connection stands', async () => {
  const { host } = guest([]);
  const ssh = await login(host);
  expect((await ssh.run('exit 255', { signal: new AbortController().signal })).exitCode).toBe(255);
});

test('a guest that fell silent is told from one that closed the connection', () => {
  expect(endOf(['Warning: Permanently added x', 'Timeout, server 127.0.0.1 not responding.'])).toBe('silent');
  expect(endOf(['Connection to 127.0.0.1 closed by remote host.'])).toBe('closed');
  expect(endOf([])).toBe('closed');
});

test('a connection can rest with its guest', async () => {
  const { host, calls } = guest([]);
  const ssh = await login(host);
  ssh.rest();
  ssh.goOn();
  expect(calls.kills).toEqual(['SIGSTOP', 'SIGCONT']);
});
