import { join } from 'node:path';
import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { defineFormat, type ImageFacts } from '../../core/kinds.ts';
import { compressions, packStream, suffixes, toolsOf, unpackFile } from '../disk-files/compression.ts';
import { idBytes, qemuImg } from '../disk-files/convert.ts';
import { diskBytes } from '../disk-files/data.ts';
import { diskIdentity } from '../disk-files/identity.ts';
import { firmwareOf, machineFields, memoryMiB } from '../disk-files/machine.ts';
import { checkVma, compareVma, extractVma } from '../vma/read.ts';
import { vmaOf } from '../vma/write.ts';

const options = z.strictObject({
  compression: z.enum(compressions).exclude(['xz']).default('zstd'),
  ...machineFields,
  bridge: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,14}$/, 'expected the name of a bridge, such as vmbr0')
    .default('vmbr0')
    .describe('Which bridge of the node the network card is on.'),
  'cloud-init': z
    .boolean()
    .default(false)
    .describe('Describe a cloud-init drive too; Proxmox makes it anew on the storage that is restored to.'),
});
type Options = z.infer<typeof options>;

/** A backup of Proxmox VE: the disk with the settings of a machine, for qmrestore. */
export const vma = defineFormat<Options>({
  name: 'vma',
  version: 2,
  summary: 'A backup archive of Proxmox VE: `qmrestore` makes a machine of it.',
  options,
  example: { memory: '4G', cpus: 2 },
  title: (o) => `vma${suffixes[o.compression]}`,
  tools: (o) => [qemuImg, ...toolsOf(o.compression)],
  extension: (o) => `vma${suffixes[o.compression]}`,
  boots: () => undefined,
  unpack: async (o, { file, output }, ctx) => {
    await withArchive(o, file, output, ctx, (archive) => extractVma(archive, output, ctx));
    return 'raw';
  },
  prove: (o, { file, scratch, disk }, ctx) =>
    withArchive(o, file, join(scratch, 'archive'), ctx, (archive) =>
      disk === undefined ? checkVma(archive, ctx) : compareVma(archive, disk, ctx),
    ),
  write: async (o, { disk, output, image }, ctx) => {
    const identity = await diskIdentity(disk, ctx);
    const data = Buffer.from(serverConfig(o, { image, identity, bytes: await diskBytes(disk, ctx) }));
    const configs = [{ name: 'qemu-server.conf', data }];
    const uuid = idBytes(identity, 'vma');
    await packStream(o.compression, vmaOf({ uuid, configs, disk, device: 'drive-scsi0' }, ctx), output, ctx);
  },
});

/** Do something with the archive as it is when it is not compressed; it lies beside `near` for as long. */
async function withArchive(
  { compression }: Options,
  file: string,
  near: string,
  ctx: Context,
  action: (archive: string) => Promise<unknown>,
): Promise<void> {
  if (compression === 'none') {
    await action(file);
    return;
  }
  const archive = `${near}.vma`;
  try {
    await unpackFile(compression, file, archive, ctx);
    await action(archive);
  } finally {
    await ctx.host.files.remove(archive);
  }
}

type ConfigFacts = { readonly image: ImageFacts; readonly identity: string; readonly bytes: number };

/**
 * The machine as Proxmox VE writes it down; the last line says which disk of the archive is which drive. Volumes are named
 * anew where it is restored.
 */
export function serverConfig(o: Options, { image, identity, bytes }: ConfigFacts): string {
  const isArm = image.arch === 'aarch64';
  const size = bytes % 1024 ** 3 === 0 ? `${bytes / 1024 ** 3}G` : `${Math.ceil(bytes / 1024 ** 2)}M`;
  const settings: Readonly<Record<string, string | number | undefined>> = {
    agent: 'enabled=1',
    arch: isArm ? 'aarch64' : undefined,
    bios: firmwareOf(o, image) === 'uefi' ? 'ovmf' : undefined,
    boot: 'order=scsi0',
    cores: o.cpus,
    cpu: isArm ? undefined : 'x86-64-v2-AES',
    ide2: o['cloud-init'] && !isArm ? 'local:vm-100-cloudinit,media=cdrom' : undefined,
    memory: memoryMiB(o.memory),
    name: hostName(image.name),
    net0: `virtio=${macFrom(identity)},bridge=${o.bridge}`,
    ostype: 'l26',
    scsi0: `local:vm-100-disk-0,discard=on,iothread=1,size=${size},ssd=1`,
    scsi1: o['cloud-init'] && isArm ? 'local:vm-100-cloudinit,media=cdrom' : undefined,
    scsihw: 'virtio-scsi-single',
    serial0: 'socket',
  };
  const lines = Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`]));
  return `${lines.join('\n')}\n#qmdump#map:scsi0:drive-scsi0::raw:\n`;
}

/** Of Proxmox's own range. Restored without `--unique`, two machines would have the same. */
function macFrom(identity: string): string {
  const digits = idBytes(identity, 'network card').toString('hex').toUpperCase();
  return `BC:24:11:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}`;
}

function hostName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'image';
}
