import { expect, test } from 'vitest';
import type { ConnectOptions, Host } from '../core/host.ts';
import { connectQmp, forwardedPort, messageReader, type QmpEvent, type QmpMessage } from './qmp.ts';

test('messages are put together from bytes however they are cut', () => {
  const text = '{"QMP": {}}\r\n{"return": {"a": "é"}, "id": 1}\r\n';
  for (const size of [1, 3, 7, 100]) {
    const got: QmpMessage[] = [];
    const add = messageReader((message) => got.push(message));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) add(bytes.subarray(at, at + size));
    expect(got).toEqual([{ QMP: {} }, { return: { a: 'é' }, id: 1 }]);
  }
});

/** A QEMU that answers commands with what is given. */
function fakeQemu(answers: Readonly<Record<string, object>>) {
  let say: (bytes: Uint8Array) => void = () => undefined;
  let hangUp: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    hangUp = resolve;
  });
  const write = (text: string): void => {
    const { execute, id } = JSON.parse(text);
    const answer = answers[execute];
    if (answer !== undefined) say(Buffer.from(`${JSON.stringify({ ...answer, id })}\n`));
  };
  const connect: Host['connect'] = async (_, options: ConnectOptions) => {
    say = options.onData;
    say(Buffer.from('{"QMP": {"version": {}}}\n'));
    return { write, close: hangUp, closed };
  };
  return { host: { connect }, say: (text: string) => say(Buffer.from(text)), hangUp };
}

const request = { address: { path: '/q' }, signal: new AbortController().signal };
const ready = { qmp_capabilities: { return: {} } };

test('a command gives what QEMU returned, and its error is told in its own words', async () => {
  const error = { error: { class: 'GenericError', desc: 'Device not found' } };
  const qemu = fakeQemu({ ...ready, 'query-status': { return: { running: true } }, eject: error });
  const qmp = await connectQmp(qemu.host, { ...request, onEvent: () => undefined });
  expect(await qmp.execute('query-status')).toEqual({ running: true });
  await expect(qmp.execute('eject', { id: 'x' })).rejects.toThrow('Device not found');
});

test('events are told as they come', async () => {
  const events: QmpEvent[] = [];
  const qemu = fakeQemu(ready);
  await connectQmp(qemu.host, { ...request, onEvent: (event) => events.push(event) });
  qemu.say('{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}, "timestamp": {"seconds": 1}}\n');
  expect(events).toMatchObject([{ event: 'SHUTDOWN', data: { reason: 'guest-reset' } }]);
});

test('a command that QEMU can no longer answer fails, before and after it hung up', async () => {
  const qemu = fakeQemu(ready);
  const qmp = await connectQmp(qemu.host, { ...request, onEvent: () => undefined });
  const waiting = qmp.execute('query-status');
  qemu.hangUp();
  await expect(waiting).rejects.toThrow('closed its control connection');
  await expect(qmp.execute('query-status')).rejects.toThrow('closed its control connection');
});

test('the port that leads to ssh is found in what the monitor says', () => {
  const usernet = `Hub -1 (net):\r
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
  TCP[HOST_FORWARD]  13       127.0.0.1 46625       10.0.2.15    22     0     0\r\n`;
  expect(forwardedPort(usernet)).toBe(46625);
  expect(forwardedPort('Hub -1 (net):')).toBeUndefined();
});
