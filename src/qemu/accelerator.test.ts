import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { EventBody } from '../core/events.ts';
import type { Host } from '../core/host.ts';
import { type AcceleratorRequest, findAccelerator, hardware, parseVerdicts } from './accelerator.ts';
import { translator } from './translator.ts';

test('only a machine of the same architecture can carry a guest by hardware', () => {
  const names = (platform: NodeJS.Platform, arch: string) =>
    hardware('x86_64', { platform, arch }).map(({ name, cpu }) => `${name} ${cpu}`);
  expect(names('linux', 'x64')).toEqual(['kvm host', 'kvm host,-arch-capabilities']);
  expect(names('darwin', 'x64')).toEqual(['hvf host']);
  expect(names('linux', 'arm64')).toEqual([]);
  expect(names('freebsd', 'x64')).toEqual([]);
});

test('a damaged memory of verdicts is as good as none', () => {
  for (const text of [undefined, '', '{', '[]', '{"a": 1}']) expect(parseVerdicts(text)).toEqual({});
});

/** An x86 machine with or without /dev/kvm that remembers one verdict for every question. */
function machine(facts: { kvm: boolean; verdict?: object }) {
  const events: EventBody[] = [];
  let written = '';
  const files = {
    stat: async (path: string) => (path === '/dev/kvm' && facts.kvm ? { kind: 'other' } : undefined),
    readText: async (path: string) => (path.endsWith('accelerator.json') ? written : 'text'),
    read: async () => Buffer.alloc(0),
    list: async () => [],
    write: async (_: string, text: string) => {
      written = text;
    },
    makeDirectory: async () => undefined,
    rename: async () => undefined,
  };
  const host = {
    ...{ platform: 'linux', arch: 'x64', user: { uid: 1 }, files },
    randomBytes: (size: number) => Buffer.alloc(size),
    run: async () => ({ stdout: 'QEMU 7.2', exitCode: 0, stderr: '' }),
  } as unknown as Host;
  const emit = (event: EventBody) => void events.push(event);
  const ctx: Context = { host, signal: new AbortController().signal, emit, step: 's' };
  return { ctx, events };
}

const request: AcceleratorRequest = {
  ...{ arch: 'x86_64', virtualization: 'auto', state: '/state', sockets: '/tmp/g' },
  kernel: async () => undefined,
};

test('without a device file guests are translated, and one warning names the price', async () => {
  const { ctx, events } = machine({ kvm: false });
  expect(await findAccelerator(request, ctx)).toEqual(translator('x86_64'));
  expect(events).toMatchObject([{ type: 'warning', message: expect.stringContaining('6 times') }]);
});

test('an image that wants hardware virtualization is refused where there is none', async () => {
  const { ctx } = machine({ kvm: false });
  await expect(findAccelerator({ ...request, virtualization: 'required' }, ctx)).rejects.toMatchObject({
    code: 'HOST_UNFIT',
    message: expect.stringContaining('does not work here: the processor shows no VT-x'),
    hint: expect.stringContaining("in the firmware's setup"),
  });
});

test('a device file alone proves nothing: without a kernel to boot, guests are translated', async () => {
  const { ctx, events } = machine({ kvm: true });
  expect(await findAccelerator(request, ctx)).toEqual(translator('x86_64'));
  expect(events).toMatchObject([{ message: expect.stringContaining('no kernel at hand') }]);
});

test('the version of the kernel decides how many processors are handed out', async () => {
  const { ctx } = machine({ kvm: false });
  expect(await findAccelerator({ ...request, kernelVersion: '6.1.0-31-amd64' }, ctx)).toMatchObject({ cpus: 2 });
});

test('another architecture is translated with the processor that is known to work', async () => {
  const { ctx } = machine({ kvm: true });
  expect(await findAccelerator({ ...request, arch: 'aarch64' }, ctx)).toEqual({ name: 'tcg', cpu: 'cortex-a57' });
});
