import { z } from 'zod';
import type { Json } from '../../core/keys.ts';
import { type DiskFile, defineSource, type SourceContext, type SourceRequest, type Tool } from '../../core/kinds.ts';
import { checkPublished, publishedFields } from '../../core/published.ts';
import { convertForeign } from '../../qemu/convert.ts';
import { type DiskFormat, diskFormats, vetDisk } from '../../qemu/vet.ts';
import {
  bringPublished,
  digestOfPublished,
  listOfPublished,
  materialOf,
  nameOfPublished,
  pinPublished,
  projectFilesOf,
} from '../../upstream/published.ts';

const fields = z.strictObject({
  ...publishedFields,
  format: z.enum(diskFormats).optional().describe('What it must be; default: as its name ends, else as it begins.'),
});

const options = fields.superRefine(checkPublished);
type Options = z.infer<typeof options>;

/**
 * A whole disk that somebody else made, such as a vendor's cloud image. Its bytes must have the digest that was asked for;
 * they are unpacked where they are compressed, and looked at before any program opens them.
 */
export const diskImage = defineSource<Options>({
  name: 'disk-image',
  version: 1,
  bench: 'guest',
  summary: 'A disk image from elsewhere: qcow2, raw, vmdk, vhdx or vdi; also compressed as xz, zst, gz or bz2.',
  options,
  example: {
    url: 'https://example.org/cloud/server-cloudimg-amd64.img',
    checksum: {
      file: 'https://example.org/cloud/SHA256SUMS',
      signature: 'https://example.org/cloud/SHA256SUMS.gpg',
      keyring: 'keys/vendor.asc',
    },
  },
  title: (o) => `start from ${nameOfPublished(o)}`,
  files: (o) => projectFilesOf(o),
  tools: (o) => toolsFor(o),
  asks: (o) => listOfPublished(o) !== undefined,
  pin: (o, _, ctx) => pinPublished(o, ctx),
  base: (o, pin) => materialOf(o, pin),
  disk: (o, request, ctx) => bringDisk(o, request, ctx),
});

const packings: Readonly<Record<string, Tool>> = {
  xz: { program: 'xz', debian: 'xz-utils', why: 'unpacks disk images' },
  bz2: { program: 'bzip2', debian: 'bzip2', why: 'unpacks disk images' },
};

function toolsFor(o: Options): readonly Tool[] {
  const packing = packings[nameOfPublished(o).split('.').at(-1) ?? ''];
  const why = 'keeps the program that reads foreign disk images away from the files of this machine';
  const format = saidFormat(o);
  return [
    ...(packing === undefined ? [] : [packing]),
    ...(projectFilesOf({ checksum: o.checksum }).length === 0
      ? []
      : [{ program: 'gpgv', debian: 'gpgv', why: 'checks signatures' }]),
    ...(format === 'qcow2' || format === 'raw'
      ? []
      : [
          { program: 'qemu-img', debian: 'qemu-utils', why: 'converts disk images' },
          { program: 'bwrap', debian: 'bubblewrap', why },
          { program: 'prlimit', debian: 'util-linux', why: 'limits the program that reads foreign disk images' },
        ]),
  ];
}

async function bringDisk(o: Options, { pin }: SourceRequest, ctx: SourceContext): Promise<DiskFile> {
  const name = nameOfPublished(o);
  const path = await bringFile(o, pin, ctx);
  const vetted = await vetDisk({ path, name, format: saidFormat(o) }, ctx);
  if (vetted.format === 'qcow2' || vetted.format === 'raw') return { path, format: vetted.format };
  ctx.emit({ type: 'log', id: ctx.step, line: `converting ${name} from ${vetted.format} to qcow2` });
  return { path: await convertForeign({ path, name, ...vetted }, ctx.folder, ctx), format: 'qcow2' };
}

/** The file with the right digest, unpacked. */
async function bringFile(o: Options, pin: Json, ctx: SourceContext): Promise<string> {
  const name = nameOfPublished(o);
  const known = digestOfPublished(o, pin);
  const fetch = () => bringPublished(o, pin, ctx);
  if (known !== undefined) return ctx.unpack({ name, digest: known, fetch });
  const path = await fetch();
  if (!isPacked(name)) return path;
  const sha256 = await ctx.host.files.sha256(path, ctx.signal);
  return ctx.unpack({ name, digest: { sha256 }, fetch });
}

const packedEnding = /\.(xz|zst|gz|bz2)$/;

function isPacked(name: string): boolean {
  return packedEnding.test(name);
}

/** What the image file or the name says the disk is; `.img` says nothing. */
function saidFormat(o: Options): DiskFormat | undefined {
  const ending = nameOfPublished(o).replace(packedEnding, '').split('.').at(-1);
  return o.format ?? diskFormats.find((format) => format === ending);
}
