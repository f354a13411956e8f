import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { defineFormat, type WriteRequest } from '../../core/kinds.ts';
import { packStream } from '../disk-files/compression.ts';
import { qemuImg } from '../disk-files/convert.ts';
import { bytesOf, diskBytes } from '../disk-files/data.ts';
import { firmwareOf, machineFields, memoryMiB } from '../disk-files/machine.ts';
import { controllers, ovfText } from '../disk-files/ovf.ts';
import { tarEnd, tarHeader, tarPadding } from '../disk-files/tar-header.ts';
import { writeVmdk } from '../disk-files/vmdk.ts';

const options = z.strictObject({
  ...machineFields,
  controller: z
    .enum(controllers)
    .default('scsi')
    .describe(
      'scsi (LSI Logic) is imported everywhere; sata (AHCI) and paravirtual (VMware alone) need a newer program.',
    ),
});
type Options = z.infer<typeof options>;

/** A whole machine in one file: its description, a manifest of digests, and its disk for import. */
export const ova = defineFormat<Options>({
  name: 'ova',
  version: 2,
  summary: 'A machine to import into VMware, VirtualBox or Proxmox VE: description, manifest and disk in one file.',
  options,
  example: { memory: '4G', cpus: 2 },
  title: () => 'ova',
  tools: () => [qemuImg],
  extension: () => 'ova',
  boots: () => undefined,
  unpack: async (_, { file, output }, { host, signal }) => {
    const script = 'tar -xOf "$0" --wildcards "*.vmdk" > "$1"';
    await host.run({ argv: ['sh', '-c', script, file, output] }, { signal });
    return 'vmdk';
  },
  write: async (o, request, ctx) => {
    const work = `${request.output}.work`;
    await ctx.host.files.makeDirectory(work);
    try {
      await writeArchive(o, request, work, ctx);
    } finally {
      await ctx.host.files.remove(work);
    }
  },
});

async function writeArchive(o: Options, request: WriteRequest, work: string, ctx: Context): Promise<void> {
  const { disk, output, image } = request;
  // Proxmox takes no other characters in the name of a file.
  const name = image.name.replaceAll(/[^A-Za-z0-9._-]+/g, '-');
  const vmdk = `${name}-disk1.vmdk`;
  const path = `${work}/${vmdk}`;
  await writeVmdk('streamOptimized', disk, path, ctx);
  const bytes = await diskBytes(path, ctx);
  const ovf = ovfText({
    ...{ name, arch: image.arch, firmware: firmwareOf(o, image), controller: o.controller },
    ...{ cpus: o.cpus, memoryMiB: memoryMiB(o.memory) },
    disk: { file: vmdk, bytes, capacity: await diskBytes(disk, ctx) },
  });
  const digests = { [`${name}.ovf`]: sha256(ovf), [vmdk]: await ctx.host.files.sha256(path, ctx.signal) };
  const manifest = Object.entries(digests).map(([file, digest]) => `SHA256(${file})= ${digest}\n`);
  const texts = { [`${name}.ovf`]: ovf, [`${name}.mf`]: manifest.join('') };
  await packStream('none', archive(texts, { name: vmdk, path, bytes }, ctx), output, ctx);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The description must come first (DSP0243). A disk of 8 GiB and more has its size as GNU tar writes it. */
async function* archive(
  texts: Readonly<Record<string, string>>,
  disk: { readonly name: string; readonly path: string; readonly bytes: number },
  ctx: Context,
): AsyncGenerator<Uint8Array> {
  let written = 0;
  const parts = Object.entries(texts).flatMap(([name, text]) => {
    const data = Buffer.from(text);
    return [tarHeader({ name, type: '0', mode: 0o644, size: data.length }, 'posix'), data, tarPadding(data.length)];
  });
  for (const part of [...parts, tarHeader({ name: disk.name, type: '0', mode: 0o644, size: disk.bytes }, 'posix')]) {
    yield part;
    written += part.length;
  }
  const file = await ctx.host.files.open(disk.path, 'read');
  try {
    yield* bytesOf(file, { start: 0, end: disk.bytes });
  } finally {
    await file.close();
  }
  const padding = tarPadding(disk.bytes);
  yield padding;
  yield tarEnd(written + disk.bytes + padding.length);
}
