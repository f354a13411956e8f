import { expect, test } from 'vitest';
import { facts, formatLab, sha256 } from '../../../test/support/format-lab.ts';
import { utm } from './utm.ts';

const lab = formatLab();

const plist = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';

async function unpacked(options: { readonly [key: string]: string | number }, image = facts) {
  const disk = await lab.disk();
  const archive = await lab.write(utm, options, disk, lab.path('lab.utm.zip'), image);
  await lab.run('python3', '-m', 'zipfile', '-t', archive);
  await lab.run('unzip', '-q', archive, '-d', lab.path('out'));
  const settings: unknown = JSON.parse(await lab.run('python3', '-c', plist, lab.path('out/lab.utm/config.plist')));
  return { disk, archive, settings };
}

/** The keys without which UTM does not open a machine (the decoders in Configuration/*.swift). */
const needed: Readonly<Record<string, readonly string[]>> = {
  Information: ['Name', 'IconCustom', 'UUID'],
  System: [
    ...['Architecture', 'Target', 'CPU', 'CPUFlagsAdd', 'CPUFlagsRemove', 'CPUCount', 'ForceMulticore'],
    ...['MemorySize', 'JITCacheSize'],
  ],
  QEMU: [
    ...['DebugLog', 'UEFIBoot', 'RNGDevice', 'BalloonDevice', 'TPMDevice', 'Hypervisor', 'RTCLocalTime'],
    ...['PS2Controller', 'AdditionalArguments'],
  ],
  Input: ['UsbBusSupport', 'UsbSharing', 'MaximumUsbShare'],
  Sharing: ['DirectoryShareMode', 'DirectoryShareReadOnly', 'ClipboardSharing'],
  Display: ['Hardware', 'DynamicResolution', 'UpscalingFilter', 'DownscalingFilter', 'NativeResolution'],
  Drive: ['Identifier', 'ImageType', 'Interface', 'InterfaceVersion', 'ImageName', 'ReadOnly'],
  Network: ['Mode', 'Hardware', 'MacAddress', 'IsolateFromHost', 'PortForward'],
};

test('its settings have all that UTM needs, as plistlib reads them', async () => {
  const { settings } = await unpacked({ memory: '1G', cpus: 3 });
  const all = settings as Readonly<Record<string, object | readonly object[]>>;
  for (const [part, keys] of Object.entries(needed)) {
    const found = all[part];
    for (const one of Array.isArray(found) ? found : [found]) expect(Object.keys(one).sort()).toEqual([...keys].sort());
  }
  expect(settings).toMatchObject({
    ...{ Backend: 'QEMU', ConfigurationVersion: 4, Serial: [], Sound: [], Information: { Name: 'lab' } },
    System: { Architecture: 'x86_64', Target: 'q35', MemorySize: 1024, CPUCount: 3 },
    QEMU: { UEFIBoot: false },
    Network: [{ MacAddress: expect.stringMatching(/^52:54:00(:[0-9a-f]{2}){3}$/) }],
  });
});

test('on aarch64 it is a virt machine with UEFI', async () => {
  const { settings } = await unpacked({}, { ...facts, arch: 'aarch64', firmware: ['uefi'] });
  expect(settings).toMatchObject({
    System: { Architecture: 'aarch64', Target: 'virt' },
    QEMU: { UEFIBoot: true },
    Display: [{ Hardware: 'virtio-ramfb' }],
  });
});

test('the disk that the settings name is the very disk, and nothing else is there', async () => {
  const { disk, archive } = await unpacked({});
  const listed = await lab.run('sh', '-c', 'cd "$0" && find . | sort', lab.path('out'));
  expect(listed.trim().split('\n').slice(1)).toEqual([
    ...['./lab.utm', './lab.utm/Data', './lab.utm/Data/disk.qcow2', './lab.utm/config.plist'],
  ]);
  const inside = lab.path('out/lab.utm/Data/disk.qcow2');
  await lab.run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', disk, inside);
  expect(await utm.unpack?.({ memory: '1G', cpus: 1 }, { file: archive, output: lab.path('back') }, lab.ctx)).toBe(
    'qcow2',
  );
  await lab.run('cmp', inside, lab.path('back'));
  await lab.write(utm, {}, disk, lab.path('two.utm.zip'));
  expect(await sha256(lab.path('two.utm.zip'))).toBe(await sha256(archive));
});
