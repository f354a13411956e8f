import { expect, test } from 'vitest';
import { IngotError } from '../core/errors.ts';
import type { Files, Host } from '../core/host.ts';
import { type Need, stateFacts } from './doctor-facts.ts';

type Machine = {
  readonly files?: Readonly<Record<string, string>>;
  readonly refused?: readonly string[];
  readonly free?: number;
  readonly uid?: number;
  readonly arch?: string;
};

const ids = { '/etc/subuid': 'ann:100000:65536\n', '/etc/subgid': 'ann:100000:65536\n' };

/** A Linux machine with these files, that refuses to run commands with these words in them. */
function machine({ files = ids, refused = [], free = 50e9, uid = 1000, arch = 'x64' }: Machine): Host {
  const port: Partial<Files> = {
    readText: async (path) => files[path],
    read: async () => Buffer.alloc(0),
    stat: async (path) => (path in files ? { kind: 'file', size: 0, mode: 0, modifiedMs: 0 } : undefined),
    list: async (folder) => Object.keys(files).flatMap((path) => path.split(`${folder}/`).slice(1)),
    realPath: async (path) => path,
    freeBytes: async () => free,
  };
  const host: Partial<Host> = {
    ...{ platform: 'linux', arch, env: {}, user: { uid, gid: uid, name: 'ann' }, files: port as Files },
    which: async (program) => (program.startsWith('qemu') ? `/usr/bin/${program}` : undefined),
    run: async ({ argv }) => {
      const isRefused = refused.some((word) => argv.some((arg) => arg.includes(word)));
      return { exitCode: isRefused ? 1 : 0, stdout: '', stderr: '' };
    },
  };
  return host as Host;
}

const need: Need = {
  ...{ image: 'lab', arch: 'x86_64', inTree: true, boots: true },
  ...{ firmware: ['bios'], secureBoot: false, virtualization: 'auto' },
};

async function factsOf(host: Host, needs: readonly Need[] = [need]) {
  const facts = await stateFacts(needs, { host, home: '/home/ann/ingot' });
  return Object.fromEntries(facts.map(({ name, ...rest }) => [name, rest]));
}

test('an ordinary user with a range of ids and namespaces lacks nothing', async () => {
  const facts = await factsOf(machine({}));
  expect(facts['user namespaces']).toMatchObject({ state: 'ok', found: 'allowed' });
  expect(facts['subordinate ids']).toMatchObject({ state: 'ok', found: '65536 for ann' });
  expect(facts['space']).toMatchObject({ state: 'ok', found: '50 GB free for /home/ann/ingot' });
});

test.each([
  [
    'kernel.apparmor_restrict_unprivileged_userns',
    '1',
    'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  ['kernel.unprivileged_userns_clone', '0', 'sudo sysctl -w kernel.unprivileged_userns_clone=1'],
  ['user.max_user_namespaces', '0', 'sudo sysctl -w user.max_user_namespaces=28633'],
])('when the kernel refuses user namespaces, the setting that does is named: %s', async (key, value, fix) => {
  const files = { ...ids, [`/proc/sys/${key.replaceAll('.', '/')}`]: `${value}\n` };
  const facts = await factsOf(machine({ files, refused: ['--user'] }));
  expect(facts['user namespaces']).toEqual({
    state: 'missing',
    found: `refused by ${key}=${value}`,
    fix,
    images: ['lab'],
  });
});

test('a user without ids is told a range that nobody has, and where it is missing', async () => {
  const files = { '/etc/subuid': 'ann:100000:65536\nbob:165536:65536\n', '/etc/subgid': 'bob:165536:65536\n' };
  const facts = await factsOf(machine({ files }));
  expect(facts['subordinate ids']).toEqual({
    state: 'missing',
    found: 'no 65536 for ann in /etc/subgid',
    fix: 'sudo usermod --add-subuids 231072-296607 --add-subgids 231072-296607 ann',
    images: ['lab'],
  });
});

test('root needs no ids', async () => {
  const facts = await factsOf(machine({ files: {}, uid: 0 }));
  expect(facts['subordinate ids']).toMatchObject({ state: 'ok', found: 'root needs none' });
});

const kvm = { ...ids, '/dev/kvm': '' };

test.each([
  [
    'there is no device',
    {},
    'slow',
    'emulated, about 6 times slower: the processor shows no VT-x: it has none, or it is switched off in the firmware (BIOS setup)',
  ],
  [
    'the device is not open',
    { files: kvm, refused: ['/dev/kvm'] },
    'slow',
    'emulated, about 6 times slower: /dev/kvm is not open to ann',
  ],
  ['it was never tried', { files: kvm }, 'ok', 'virtualization is there; proven when the first guest boots'],
  [
    'the processor is another one',
    { files: kvm, arch: 'arm64' },
    'slow',
    'emulated, about 6 times slower: the processor of this machine is not x86_64',
  ],
] as const)('virtualization in words, when %s', async (_, given, state, found) => {
  expect((await factsOf(machine(given)))['x86_64 guests']).toMatchObject({ state, found, images: [] });
});

test('what stands in the way of virtualization comes with what mends it', async () => {
  const given = { files: kvm, refused: ['/dev/kvm'] };
  expect((await factsOf(machine(given)))['x86_64 guests']?.fix).toBe(
    'sudo usermod --append --groups kvm ann   (then log in again)',
  );
});

test('an image that is made in a guest needs no namespaces', async () => {
  const facts = await factsOf(machine({ files: {}, refused: ['--user'] }), [{ ...need, inTree: false }]);
  expect(facts['user namespaces']).toMatchObject({ state: 'missing', images: [] });
  expect(facts['subordinate ids']).toMatchObject({ images: [] });
});

test('an image that wants virtualization is told that it is missing', async () => {
  const facts = await factsOf(machine({}), [need, { ...need, image: 'fast', virtualization: 'required' }]);
  expect(facts['x86_64 guests']).toMatchObject({ state: 'missing', images: ['fast'] });
});

const ovmf = {
  'interface-types': ['uefi'],
  mapping: {
    device: 'flash',
    executable: { filename: '/usr/share/OVMF/OVMF_CODE_4M.fd', format: 'raw' },
    'nvram-template': { filename: '/usr/share/OVMF/OVMF_VARS_4M.fd', format: 'raw' },
  },
  targets: [{ architecture: 'x86_64', machines: ['pc-q35-*'] }],
  features: [],
};

test('UEFI firmware is looked for where QEMU says it is, only for images that boot with it', async () => {
  const uefi: Need = { ...need, firmware: ['uefi'] };
  const name = 'x86_64 UEFI firmware';
  const vars = { [ovmf.mapping['nvram-template'].filename]: '' };
  const descriptor = { ...ids, ...vars, '/usr/share/qemu/firmware/60-edk2.json': JSON.stringify(ovmf) };
  const code = ovmf.mapping.executable.filename;
  expect((await factsOf(machine({})))[name]).toBeUndefined();
  expect((await factsOf(machine({ files: { ...descriptor, [code]: '' } }), [uefi]))[name]).toMatchObject({
    state: 'ok',
    found: code,
  });
  const fix = 'sudo apt-get install ovmf';
  expect((await factsOf(machine({ files: descriptor }), [uefi]))[name]).toMatchObject({ state: 'missing', fix });
  const secure = await factsOf(machine({ files: { ...descriptor, [code]: '' } }), [{ ...uefi, secureBoot: true }]);
  expect(secure[name]).toBeUndefined();
  expect(secure['x86_64 Secure Boot firmware']).toMatchObject({ state: 'missing', images: ['lab'], fix });
});

test.each([
  [3e9, 'slow'],
  [1e8, 'missing'],
])('with %d bytes free it says so', async (free, state) => {
  expect((await factsOf(machine({ free })))['space']).toMatchObject({ state, fix: 'ingot gc' });
});

test('too little memory is told, and no memory where the system does not say', async () => {
  const files = { ...ids, '/proc/meminfo': 'MemTotal: 1000000 kB\nMemAvailable:   500000 kB\n' };
  expect((await factsOf(machine({ files })))['memory']).toMatchObject({ state: 'slow' });
  expect((await factsOf(machine({})))['memory']).toBeUndefined();
});

test('a machine without unshare is told that it cannot be tried', async () => {
  const host = machine({});
  const run: Host['run'] = async () => {
    throw new IngotError({ code: 'TOOL_MISSING', message: 'unshare is missing' });
  };
  const facts = await factsOf({ ...host, run });
  expect(facts['user namespaces']).toMatchObject({ state: 'missing', found: 'cannot be tried without unshare' });
});
