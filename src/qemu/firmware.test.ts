import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { chooseFirmware, firmwareFolders, parseDescriptor, prepareUefi } from './firmware.ts';

function descriptor(code: string, features: readonly string[] = [], architecture = 'x86_64', machine = 'pc-q35-*') {
  const image = (filename: string) => ({ filename, format: 'raw' });
  return {
    description: 'made up',
    'interface-types': ['uefi'],
    mapping: { device: 'flash', executable: image(code), 'nvram-template': image(`${code}.vars`) },
    targets: [{ architecture, machines: [machine] }],
    features,
    tags: [],
  };
}

const text = (...parameters: Parameters<typeof descriptor>) => JSON.stringify(descriptor(...parameters));
const parsed = (...texts: readonly string[]) => texts.flatMap((one) => parseDescriptor(one) ?? []);

test('the first plain firmware of the architecture is chosen, never one with Secure Boot', () => {
  const known = parsed(
    text('/secure', ['secure-boot', 'enrolled-keys']),
    text('/smm', ['requires-smm']),
    text('/arm', [], 'aarch64', 'virt-*'),
    text('/plain', ['acpi-s3']),
    text('/later'),
  );
  expect(chooseFirmware(known, 'x86_64')?.mapping.executable.filename).toBe('/plain');
  expect(chooseFirmware(known, 'aarch64')?.mapping.executable.filename).toBe('/arm');
});

test('firmware for another machine type is none of ours', () => {
  expect(chooseFirmware(parsed(text('/microvm', [], 'x86_64', 'microvm')), 'x86_64')).toBeUndefined();
});

test.each([['not json'], ['{}'], [''], [JSON.stringify({ ...descriptor('/x'), mapping: { device: 'memory' } })]])(
  'a file that describes no flash firmware is passed over: %s',
  (one) => expect(parseDescriptor(one)).toBeUndefined(),
);

test("descriptors are looked for in the user's, the system's and QEMU's own folders", () => {
  expect(firmwareFolders({ HOME: '/home/u' }, '/opt/homebrew/Cellar/qemu/9/bin/qemu-system-x86_64')).toEqual([
    '/home/u/.config/qemu/firmware',
    '/etc/qemu/firmware',
    '/opt/homebrew/Cellar/qemu/9/share/qemu/firmware',
    '/usr/local/share/qemu/firmware',
    '/usr/share/qemu/firmware',
  ]);
});

/** A machine with these text files. */
function machine(texts: Readonly<Record<string, string>>): { ctx: Context; written: Map<string, string> } {
  const written = new Map<string, string>();
  const files = {
    list: async (folder: string) =>
      Object.keys(texts).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [])),
    readText: async (path: string) => texts[path],
    read: async (path: string) => Buffer.from(`bytes of ${path}`),
    realPath: async (path: string) => path,
    write: async (path: string, data: Uint8Array) => void written.set(path, Buffer.from(data).toString()),
  };
  const host = { files, env: {}, which: async () => '/usr/bin/qemu-system-x86_64' } as unknown as Host;
  return { ctx: { host, signal: new AbortController().signal, emit: () => undefined, step: 's' }, written };
}

test("the administrator's descriptor hides the distribution's of the same name, and variables are copied", async () => {
  const { ctx, written } = machine({
    '/usr/share/qemu/firmware/60-edk2.json': text('/usr/code'),
    '/etc/qemu/firmware/60-edk2.json': text('/etc/code'),
  });
  expect(await prepareUefi('x86_64', '/s/vars.fd', ctx)).toEqual({
    code: { path: '/etc/code', format: 'raw' },
    vars: { path: '/s/vars.fd', format: 'raw' },
  });
  expect(written.get('/s/vars.fd')).toBe('bytes of /etc/code.vars');
});

test('without firmware the package to install is named', async () => {
  const failed = prepareUefi('x86_64', '/s/vars.fd', machine({}).ctx);
  await expect(failed).rejects.toMatchObject({ code: 'TOOL_MISSING', hint: expect.stringContaining('ovmf') });
});
