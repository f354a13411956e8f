import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { firmwareFolders, fittingFirmware, parseDescriptor, prepareUefi } from './firmware.ts';

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

const known = parsed(
  text('/enrolled', ['secure-boot', 'enrolled-keys', 'requires-smm']),
  text('/arm-enrolled', ['secure-boot', 'enrolled-keys'], 'aarch64', 'virt-*'),
  text('/arm-smm', ['secure-boot', 'enrolled-keys', 'requires-smm'], 'aarch64', 'virt-*'),
  text('/secure', ['secure-boot', 'requires-smm']),
  text('/keys', ['enrolled-keys']),
  text('/smm', ['requires-smm']),
  text('/arm', [], 'aarch64', 'virt-*'),
  text('/plain', ['acpi-s3']),
  text('/later'),
  text('/soft', ['secure-boot', 'enrolled-keys']),
  text('/microvm', [], 'x86_64', 'microvm'),
);

test.each([
  ['x86_64', false, ['/plain', '/later']],
  ['x86_64', true, ['/enrolled', '/soft']],
  ['aarch64', false, ['/arm']],
  ['aarch64', true, ['/arm-enrolled']],
] as const)('for %s guests with Secure Boot %s fit, in this order: %j', (arch, secureBoot, expected) => {
  const found = fittingFirmware(known, { arch, secureBoot });
  expect(found.map((one) => one.mapping.executable.filename)).toEqual(expected);
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

const plain = { arch: 'x86_64', secureBoot: false } as const;
const secure = { arch: 'x86_64', secureBoot: true } as const;

/** A machine with these text files, and any other file but those that are missing. */
function machine(
  texts: Readonly<Record<string, string>>,
  missing: readonly string[] = [],
): { ctx: Context; written: Map<string, string> } {
  const written = new Map<string, string>();
  const files = {
    list: async (folder: string) =>
      Object.keys(texts).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [])),
    readText: async (path: string) => texts[path],
    stat: async (path: string) => (missing.includes(path) ? undefined : { kind: 'file' }),
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
  expect(await prepareUefi(plain, '/s/vars.fd', ctx)).toEqual({
    code: { path: '/etc/code', format: 'raw' },
    vars: { path: '/s/vars.fd', format: 'raw' },
  });
  expect(written.get('/s/vars.fd')).toBe('bytes of /etc/code.vars');
});

test('firmware that is described and not there is passed over', async () => {
  const texts = {
    '/usr/share/qemu/firmware/50-edk2.json': text('/first'),
    '/usr/share/qemu/firmware/60-edk2.json': text('/second'),
  };
  for (const missing of ['/first', '/first.vars'])
    expect(await prepareUefi(plain, '/s/vars.fd', machine(texts, [missing]).ctx)).toMatchObject({
      code: { path: '/second' },
    });
});

test('Secure Boot takes the firmware with keys, and says when it wants SMM', async () => {
  const features = ['secure-boot', 'enrolled-keys', 'requires-smm'];
  const texts = {
    '/usr/share/qemu/firmware/40-edk2.json': text('/secure', features),
    '/usr/share/qemu/firmware/60-edk2.json': text('/plain'),
  };
  const { ctx, written } = machine(texts);
  expect(await prepareUefi(secure, '/s/vars.fd', ctx)).toEqual({
    code: { path: '/secure', format: 'raw' },
    vars: { path: '/s/vars.fd', format: 'raw' },
    smm: true,
  });
  expect(written.get('/s/vars.fd')).toBe('bytes of /secure.vars');
  expect(await prepareUefi(plain, '/s/vars.fd', ctx)).toMatchObject({ code: { path: '/plain' } });
  await expect(prepareUefi(secure, '/s/vars.fd', machine(texts, ['/secure']).ctx)).rejects.toMatchObject({
    message: 'no UEFI firmware with Secure Boot and its keys for x86_64 is on this machine',
  });
});

test('without firmware the package to install is named', async () => {
  const failed = prepareUefi(plain, '/s/vars.fd', machine({}).ctx);
  await expect(failed).rejects.toMatchObject({ code: 'TOOL_MISSING', hint: expect.stringContaining('ovmf') });
});
