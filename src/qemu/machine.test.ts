import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Child, Host } from '../core/host.ts';
import type { MachineConfig } from './argv.ts';
import { endOf, startMachine } from './machine.ts';

const config: MachineConfig = {
  ...{ arch: 'x86_64', accelerator: { name: 'tcg', cpu: 'max' }, memory: 1024, cpus: 1, firmware: 'bios', drives: [] },
  ...{ sockets: '/tmp/g', serialLog: '/l/console.log' },
};

/** A QEMU made of nothing: it answers on QMP, and does what the test tells it. */
function fakeQemu(usernet = 'TCP[HOST_FORWARD] 13 127.0.0.1 4022 10.0.2.15 22 0 0') {
  const asked: string[] = [];
  const kills: string[] = [];
  const feeds = new Map<string, (text: string) => void>();
  let end: (exit: { exitCode: number | undefined; signal: string | undefined }) => void = () => undefined;
  const exited = new Promise<{ exitCode: number | undefined; signal: string | undefined }>((resolve) => {
    end = resolve;
  });
  const answer = (text: string): void => {
    const { execute, arguments: options, id } = JSON.parse(text);
    asked.push(`${execute} ${JSON.stringify(options)}`);
    const result = execute === 'human-monitor-command' ? `  ${usernet} ` : {};
    if (execute === 'quit') end({ exitCode: 0, signal: undefined });
    feeds.get('qmp')?.(`${JSON.stringify({ return: result, id })}\n`);
  };
  const connect: Host['connect'] = async (address, { onData }) => {
    const name = 'path' in address ? (address.path.split('/').at(-1) ?? '') : '';
    feeds.set(name, (text) => onData(Buffer.from(text)));
    return { write: answer, close: () => undefined, closed: new Promise(() => undefined) };
  };
  const kill = (signal: string): void => {
    kills.push(signal);
    end({ exitCode: undefined, signal });
  };
  const child = { pid: 1, kill, exited, lastLines: () => ['qemu: it broke'] } as unknown as Child;
  const sleep: Host['sleep'] = () => new Promise(() => undefined);
  const host = { start: async () => child, connect, sleep } as unknown as Host;
  const ctx: Context = { host, signal: new AbortController().signal, emit: () => undefined, step: 's' };
  const event = (name: string, data: object) => feeds.get('qmp')?.(`${JSON.stringify({ event: name, data })}\n`);
  return { ctx, asked, kills, end, event, say: (socket: string, text: string) => feeds.get(socket)?.(text) };
}

const silent = { onSerial: () => undefined };

test('the guest runs only when everything it says is heard', async () => {
  const qemu = fakeQemu();
  let heard = '';
  const onSerial = (bytes: Uint8Array): void => {
    heard += Buffer.from(bytes).toString();
  };
  const machine = await startMachine(config, { onSerial }, qemu.ctx);
  qemu.say('serial', 'Linux version');
  expect(heard).toBe('Linux version');
  expect(machine.sshPort).toBe(4022);
  expect(qemu.asked.at(-1)).toContain('cont');
});

test('a machine that ends by itself says why, and one that was told to end does not', async () => {
  const reset = fakeQemu();
  const first = await startMachine(config, silent, reset.ctx);
  reset.event('SHUTDOWN', { guest: true, reason: 'guest-reset' });
  reset.end({ exitCode: 0, signal: undefined });
  expect((await first.ended).message).toBe('the guest restarted by itself');

  const quit = fakeQemu();
  const second = await startMachine(config, silent, quit.ctx);
  let told = false;
  void second.ended.then(() => {
    told = true;
  });
  await second.stop();
  expect([told, quit.kills]).toEqual([false, []]);
});

test('a machine whose guest is told to restart ends without an error', async () => {
  const qemu = fakeQemu();
  const machine = await startMachine(config, silent, qemu.ctx);
  let told = false;
  void machine.ended.then(() => {
    told = true;
  });
  await machine.untilOff(async (off) => {
    qemu.event('SHUTDOWN', { guest: true, reason: 'guest-reset' });
    qemu.end({ exitCode: 0, signal: undefined });
    expect(await off).toBe(true);
  });
  expect([told, qemu.kills]).toEqual([false, []]);
});

test('a guest that powers off is not taken for one that restarts', async () => {
  const qemu = fakeQemu();
  const machine = await startMachine(config, silent, qemu.ctx);
  await machine.untilOff(async (off) => {
    qemu.event('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
    qemu.end({ exitCode: 0, signal: undefined });
    expect(await off).toBe(false);
  });
});

test('a QEMU that does not start as it should is killed, and its words are told', async () => {
  const qemu = fakeQemu('no forward');
  await expect(startMachine(config, silent, qemu.ctx)).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    detail: expect.arrayContaining(['qemu: it broke']),
  });
  expect(qemu.kills).toEqual(['SIGKILL']);
});

test('a killed QEMU is named with its signal', () => {
  const end = endOf(undefined, { exitCode: undefined, signal: 'SIGKILL' }, ['last']);
  expect(end.message).toBe('QEMU was ended by SIGKILL (likely for want of memory on this machine)');
  expect(endOf(undefined, { exitCode: 1, signal: undefined }, []).message).toBe('QEMU ended with exit code 1');
});

test('a guest that rests because this machine has no room for its disk is told as that', async () => {
  const qemu = fakeQemu();
  const machine = await startMachine(config, silent, qemu.ctx);
  qemu.event('BLOCK_IO_ERROR', { action: 'report', operation: 'read', nospace: false });
  qemu.event('BLOCK_IO_ERROR', { action: 'stop', operation: 'write', nospace: true });
  expect(await machine.ended).toMatchObject({ code: 'NO_SPACE', message: expect.stringContaining('no space left') });
  await machine.stop();
});
