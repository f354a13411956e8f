import { expect, test } from 'vitest';
import { type MachineConfig, optionText, qemuArgv } from './argv.ts';

const config: MachineConfig = {
  arch: 'x86_64',
  accelerator: { name: 'tcg', cpu: 'max,-cx16' },
  memory: 1024 ** 3,
  cpus: 2,
  firmware: 'bios',
  drives: [
    {
      id: 'disk',
      file: { path: '/s/overlay.qcow2', format: 'qcow2' },
      below: [{ path: '/a/x,file=y.qcow2', format: 'qcow2' }],
      boot: true,
    },
    { id: 'seed', file: { path: '/s/seed.img', format: 'raw' }, readOnly: true },
  ],
  sockets: '/tmp/g',
  serialLog: '/logs/a,b/console.log',
};

/** The values that follow each use of an option. */
function values(argv: readonly string[], option: string): readonly string[] {
  return argv.flatMap((word, index) => (argv[index - 1] === option ? [word] : []));
}

test('a machine starts stopped, without defaults, and ends when the guest restarts', () => {
  const argv = qemuArgv(config);
  expect(argv[0]).toBe('qemu-system-x86_64');
  expect(argv).toEqual(expect.arrayContaining(['-nodefaults', '-no-user-config', '-S']));
  expect(values(argv, '-display')).toEqual(['none']);
  expect(values(argv, '-action')).toEqual(['reboot=shutdown,shutdown=poweroff,panic=pause']);
  expect(values(argv, '-m')).toEqual(['size=1048576k']);
  expect(values(argv, '-smp')).toEqual(['2']);
});

test('Debian 13 gets a processor without cmpxchg16b under translation', () => {
  expect(values(qemuArgv(config), '-accel')).toEqual(['tcg,thread=multi']);
  expect(values(qemuArgv(config), '-cpu')).toEqual(['max,-cx16']);
});

test('every drive has its format pinned, and a base image may not lead to another file', () => {
  const [disk, seed] = values(qemuArgv(config), '-blockdev').map((node) => JSON.parse(node));
  expect(disk).toMatchObject({
    driver: 'qcow2',
    file: { driver: 'file', filename: '/s/overlay.qcow2' },
    backing: {
      driver: 'qcow2',
      'read-only': true,
      backing: null,
      file: { driver: 'file', filename: '/a/x,file=y.qcow2' },
    },
  });
  expect(seed).toMatchObject({ driver: 'raw', 'read-only': true, file: { filename: '/s/seed.img' } });
  const devices = values(qemuArgv(config), '-device').filter((device) => device.includes('virtio-blk-pci'));
  expect(devices.map((device) => JSON.parse(device).bootindex)).toEqual([0, undefined]);
});

test('the only way in is a port of loopback that the kernel picks', () => {
  const [network] = values(qemuArgv(config), '-netdev').map((node) => JSON.parse(node));
  expect(network.hostfwd).toEqual([{ str: 'tcp:127.0.0.1:0-:22' }]);
});

test('the network is in a slot of its own, and so has the same name in every guest', () => {
  for (const drives of [config.drives, []]) {
    const [network] = values(qemuArgv({ ...config, drives }), '-device').filter((device) => device.includes('-net-'));
    expect(JSON.parse(network ?? '')).toMatchObject({ driver: 'virtio-net-pci', addr: '10' });
  }
});

test('QMP and serial are unix sockets, and a comma in a path stays part of it', () => {
  expect(values(qemuArgv(config), '-chardev')).toEqual([
    'socket,id=qmp,path=/tmp/g/qmp,server=on,wait=off',
    'socket,id=serial,path=/tmp/g/serial,server=on,wait=off,logfile=/logs/a,,b/console.log,logappend=on',
    'socket,id=debug,path=/tmp/g/debug,server=on,wait=off',
  ]);
});

test('UEFI is two flash drives: code that is read only, and variables', () => {
  const code = { path: '/usr/code.fd', format: 'raw' } as const;
  const argv = qemuArgv({ ...config, firmware: { code, vars: { path: '/s/vars.fd', format: 'raw' } } });
  expect(values(argv, '-machine')).toEqual(['q35,pflash0=uefi-code,pflash1=uefi-vars']);
  const nodes = values(argv, '-blockdev').map((node) => JSON.parse(node));
  expect(nodes.slice(0, 2)).toMatchObject([
    { 'node-name': 'uefi-code', 'read-only': true, file: { filename: '/usr/code.fd' } },
    { 'node-name': 'uefi-vars', file: { filename: '/s/vars.fd' } },
  ]);
  expect(nodes[1]['read-only']).toBeUndefined();
});

test('UEFI whose variables are guarded by SMM gets it, on the machine and on its flash', () => {
  const file = (path: string) => ({ path, format: 'raw' }) as const;
  const argv = qemuArgv({ ...config, firmware: { code: file('/c'), vars: file('/v'), smm: true } });
  expect(values(argv, '-machine')).toEqual(['q35,smm=on,pflash0=uefi-code,pflash1=uefi-vars']);
  expect(values(argv, '-global')).toEqual(['driver=cfi.pflash01,property=secure,value=on']);
  expect(values(qemuArgv(config), '-global')).toEqual([]);
});

test('an arm machine is a virt machine without PC devices', () => {
  const argv = qemuArgv({ ...config, arch: 'aarch64' });
  expect(argv[0]).toBe('qemu-system-aarch64');
  expect(values(argv, '-machine')).toEqual(['virt']);
  expect(argv.join(' ')).not.toContain('isa-debugcon');
  expect(values(argv, '-device')).not.toContain('VGA');
});

test('credentials come from a file, never as text in the argument list', () => {
  expect(values(qemuArgv({ ...config, credentials: '/s/cred' }), '-smbios')).toEqual(['type=11,path=/s/cred']);
  expect(values(qemuArgv(config), '-smbios')).toEqual([]);
});

test('a kernel is booted with its command line when there is one', () => {
  const argv = qemuArgv({ ...config, kernel: { file: '/s/vmlinuz', append: 'console=ttyS0' } });
  expect(values(argv, '-kernel')).toEqual(['/s/vmlinuz']);
  expect(values(argv, '-append')).toEqual(['console=ttyS0']);
  // QEMU gives the kernel the first place itself, and refuses a second one.
  expect(argv.join(' ')).not.toContain('bootindex');
});

test('a CD is in a drive that every installer knows', () => {
  const cd = { id: 'cd', file: { path: '/s/vendor.iso', format: 'raw' as const }, readOnly: true, cdrom: true };
  const devices = (arch: MachineConfig['arch']) =>
    values(qemuArgv({ ...config, arch, drives: [cd] }), '-device').filter((device) => /cd|scsi/.test(device));
  expect(devices('x86_64')).toEqual(['{"driver":"ide-cd","drive":"cd"}']);
  expect(devices('aarch64')).toEqual(['virtio-scsi-pci', '{"driver":"scsi-cd","drive":"cd"}']);
});

test('commas in option values are doubled', () => {
  expect(optionText('socket', { path: 'a,b', id: 'x' })).toBe('socket,path=a,,b,id=x');
  expect(optionText(undefined, { path: '/x' })).toBe('path=/x');
});
