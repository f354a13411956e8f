import { z } from 'zod';
import { IngotError } from '../core/errors.ts';
import type { Address, Host } from '../core/host.ts';
import type { Json } from '../core/keys.ts';

export type QmpEvent = { readonly event: string; readonly data: Readonly<Record<string, unknown>> };

/** A conversation with one QEMU (QEMU, docs/interop/qmp-spec). */
export type Qmp = {
  /** Run a command; fails with QEMU's own words, or when the connection ends first. */
  execute(command: string, args?: Readonly<Record<string, Json>>): Promise<unknown>;
  close(): void;
};

const message = z.union([
  z.object({ return: z.unknown(), id: z.number() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.number() }),
  z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).default({}) }),
  z.object({ QMP: z.unknown() }),
]);

export type QmpMessage = z.infer<typeof message>;

/** Cut a stream of bytes into QMP messages, one a line. */
export function messageReader(onMessage: (message: QmpMessage) => void): (bytes: Uint8Array) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      const line = rest.subarray(0, end).toString('utf8').trim();
      rest = rest.subarray(end + 1);
      if (line !== '') onMessage(message.parse(JSON.parse(line)));
    }
  };
}

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void };

/** Open QMP on a socket and leave its greeting behind; `onEvent` gets every event from then on. */
export async function connectQmp(
  host: Pick<Host, 'connect'>,
  request: { address: Address; signal: AbortSignal; onEvent: (event: QmpEvent) => void },
): Promise<Qmp> {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  const settle = (incoming: QmpMessage): void => {
    if ('event' in incoming) request.onEvent(incoming);
    if (!('id' in incoming)) return;
    const asked = waiting.get(incoming.id);
    waiting.delete(incoming.id);
    if ('error' in incoming) asked?.reject(new IngotError({ code: 'TOOL_FAILED', message: incoming.error.desc }));
    else asked?.resolve(incoming.return);
  };
  const options = { signal: request.signal, onData: messageReader(settle) };
  const connection = await host.connect(request.address, options);
  let open = true;
  void connection.closed.then(() => {
    open = false;
    for (const { reject } of waiting.values()) reject(gone());
  });
  const execute: Qmp['execute'] = (command, args = {}) =>
    new Promise((resolve, reject) => {
      if (!open) return reject(gone());
      last += 1;
      waiting.set(last, { resolve, reject });
      connection.write(`${JSON.stringify({ execute: command, arguments: args, id: last })}\n`);
    });
  await execute('qmp_capabilities');
  return { execute, close: () => connection.close() };
}

function gone(): IngotError {
  return new IngotError({ code: 'TOOL_FAILED', message: 'QEMU closed its control connection' });
}

/** The loopback port that leads to the guest's port 22, from the monitor's `info usernet`. */
export function forwardedPort(usernet: string): number | undefined {
  const port = /TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\s/.exec(usernet)?.[1];
  return port === undefined ? undefined : Number(port);
}
