import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { uuidFrom } from '../../core/keys.ts';
import { defineFormat, type ImageFacts } from '../../core/kinds.ts';
import { packStream } from '../disk-files/compression.ts';
import { convert, convertArgv, qemuImg, whileIdentified } from '../disk-files/convert.ts';
import { bytesOf, diskBytes } from '../disk-files/data.ts';
import { firmwareOf, machineFields, memoryMiB } from '../disk-files/machine.ts';
import { type Plist, plistText } from '../disk-files/plist.ts';
import { zipFolder, zipOf, zipText } from '../disk-files/zip.ts';

const options = z.strictObject(machineFields);
type Options = z.infer<typeof options>;

/** A machine of UTM: a folder that macOS shows as one file, in a zip. */
export const utm = defineFormat<Options>({
  name: 'utm',
  version: 2,
  summary: 'A machine for UTM on macOS and iOS: a bundle with settings and disk, zipped.',
  options,
  example: { memory: '4G', cpus: 4 },
  title: () => 'utm',
  tools: () => [qemuImg, { program: 'unzip', debian: 'unzip', why: 'takes disks out of bundles for UTM' }],
  extension: () => 'utm.zip',
  boots: () => undefined,
  unpack: async (_, { file, output }, { host, signal }) => {
    // It is stored as it is: everything that unpacks a zip can do this.
    const script = 'unzip -p "$0" "*/Data/disk.qcow2" > "$1"';
    await host.run({ argv: ['sh', '-c', script, file, output] }, { signal });
    return 'qcow2';
  },
  write: async (o, { disk, output, image }, ctx) => {
    const qcow2 = `${output}.disk`;
    try {
      // UTM is not always built with zstd.
      const argv = convertArgv('qcow2', ['-c', '-o', 'compression_type=zlib'], disk, qcow2);
      const identity = await whileIdentified(disk, (one) => convert(argv, disk, one), ctx);
      await writeBundle(settingsOf(o, image, identity), { qcow2, output, name: image.name }, ctx);
    } finally {
      await ctx.host.files.remove(qcow2);
    }
  },
});

async function writeBundle(
  settings: Plist,
  { qcow2, output, name }: { readonly qcow2: string; readonly output: string; readonly name: string },
  ctx: Context,
): Promise<void> {
  const folder = `${name}.utm/`;
  const size = await diskBytes(qcow2, ctx);
  const file = await ctx.host.files.open(qcow2, 'read');
  const bytes = () => bytesOf(file, { start: 0, end: size });
  try {
    let sum = 0;
    for await (const piece of bytes()) sum = crc32(piece, sum);
    const entries = [
      ...[zipFolder(folder), zipText(`${folder}config.plist`, plistText(settings)), zipFolder(`${folder}Data/`)],
      { name: `${folder}Data/disk.qcow2`, size, sum, bytes },
    ];
    await packStream('none', zipOf(entries), output, ctx);
  } finally {
    await file.close();
  }
}

/** The settings of a machine as UTM 4 reads them (utmapp/UTM, Configuration/UTMQemuConfiguration*.swift): all of these are needed. */
function settingsOf(o: Options, image: ImageFacts, identity: string): Plist {
  const isArm = image.arch === 'aarch64';
  const id = (what: string) => uuidFrom(identity, what).toUpperCase();
  const mac = Buffer.from(id('utm network').slice(0, 6), 'hex');
  const macAddress = ['52', '54', '00', ...[...mac].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
  return {
    Backend: 'QEMU',
    ConfigurationVersion: 4,
    Information: { IconCustom: false, Name: image.name, UUID: id('utm machine') },
    System: {
      ...{ Architecture: image.arch, Target: isArm ? 'virt' : 'q35', CPU: 'default', CPUFlagsAdd: [] },
      ...{
        CPUFlagsRemove: [],
        CPUCount: o.cpus,
        ForceMulticore: false,
        MemorySize: memoryMiB(o.memory),
        JITCacheSize: 0,
      },
    },
    QEMU: {
      ...{ DebugLog: false, UEFIBoot: firmwareOf(o, image) === 'uefi', RNGDevice: true, BalloonDevice: false },
      ...{ TPMDevice: false, Hypervisor: true, RTCLocalTime: false, PS2Controller: false, AdditionalArguments: [] },
    },
    Input: { UsbBusSupport: '3.0', UsbSharing: false, MaximumUsbShare: 3 },
    Sharing: { DirectoryShareMode: 'None', DirectoryShareReadOnly: false, ClipboardSharing: false },
    Display: [
      {
        ...{ Hardware: isArm ? 'virtio-ramfb' : 'virtio-vga', DynamicResolution: true, NativeResolution: false },
        ...{ UpscalingFilter: 'Nearest', DownscalingFilter: 'Linear' },
      },
    ],
    Drive: [
      {
        ...{ Identifier: id('utm disk'), ImageName: 'disk.qcow2', ImageType: 'Disk' },
        ...{ Interface: 'VirtIO', InterfaceVersion: 1, ReadOnly: false },
      },
    ],
    Network: [
      {
        ...{ Mode: 'Shared', Hardware: 'virtio-net-pci', MacAddress: macAddress },
        ...{ IsolateFromHost: false, PortForward: [] },
      },
    ],
    Serial: [],
    Sound: [],
  };
}
