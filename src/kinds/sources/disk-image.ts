import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type Digest, digestText, parseDigest } from '../../core/digests.ts';
import { IngotError } from '../../core/errors.ts';
import type { Json } from '../../core/keys.ts';
import {
  type DiskFile,
  defineSource,
  type PinContext,
  type SourceContext,
  type SourceRequest,
  type Tool,
} from '../../core/kinds.ts';
import { convertForeign } from '../../qemu/convert.ts';
import { type DiskFormat, diskFormats, vetDisk } from '../../qemu/vet.ts';
import { type ChecksumList, fileNameOf, isAddress, lookUpDigest, sidecarOf } from '../../upstream/look-up.ts';
import { projectPath } from '../image-files.ts';

const sidecar = 'sidecar';
const address = z
  .string()
  .refine(isAddress, 'expected an address that starts with https://, http:// or file:/// and holds no password');

const checksumList = z
  .strictObject({
    file: address.describe('A list of checksums: SHA256SUMS, SHA512SUMS, CHECKSUM.'),
    signature: address.optional().describe('Its detached signature; without one it must be signed within.'),
    keyring: projectPath.optional().describe('A file of the project with the keys that may sign it.'),
  })
  .refine((o) => o.signature === undefined || o.keyring !== undefined, {
    message: 'a signature needs `keyring`: a file of the project with the keys that may sign',
    path: ['keyring'],
  });

const checksum = z.union([
  z
    .string()
    .refine(
      (text) => text === sidecar || parseDigest(text) !== undefined,
      'expected sha256: and 64 hexadecimal digits (lower case), sha512: and 128, `sidecar`, or { file: URL of SHA256SUMS }',
    ),
  checksumList,
]);

const fields = z.strictObject({
  url: address.optional().describe('Where it is: https, http or file.'),
  file: projectPath.optional().describe('A file of the project, in place of `url`.'),
  checksum: checksum
    .optional()
    .describe(
      '`sha256:…` or `sha512:…`; `sidecar`: what stands at URL`.sha256`, as beside artifacts of Ingot; or `{ file, signature, keyring }`: a list of checksums that vendors publish, with its signature. Needed with `url`.',
    ),
  format: z.enum(diskFormats).optional().describe('What it must be; default: as its name ends, else as it begins.'),
});

const options = fields
  .refine((o) => (o.url === undefined) !== (o.file === undefined), 'expected either `url` or `file`')
  .refine((o) => o.url === undefined || o.checksum !== undefined, {
    message:
      'a `url` needs its `checksum`: sha256:HEX, sha512:HEX, { file: URL of SHA256SUMS }, or `sidecar` for an artifact of Ingot',
    path: ['url'],
  })
  .refine((o) => o.checksum !== sidecar || o.url !== undefined, {
    message: '`sidecar` is for a `url`',
    path: ['checksum'],
  });
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
  title: (o) => `start from ${nameOf(o)}`,
  files: (o) => [o.file, keyringOf(o)].filter((path) => path !== undefined),
  tools: (o) => toolsFor(o),
  asks: (o) => listOf(o) !== undefined,
  pin: (o, _, ctx) => pinDigest(o, ctx),
  disk: (o, request, ctx) => bringDisk(o, request, ctx),
});

function nameOf({ url, file }: Pick<Options, 'url' | 'file'>): string {
  return url === undefined ? (file?.split('/').at(-1) ?? '') : fileNameOf(url);
}

/** Where the digest is looked up; undefined: it is written in the image file, or there is none. */
function listOf(o: Options): ChecksumList | undefined {
  if (o.checksum === sidecar) return sidecarOf(o.url ?? '');
  return typeof o.checksum === 'object' ? o.checksum : undefined;
}

function keyringOf(o: Options): string | undefined {
  return typeof o.checksum === 'object' ? o.checksum.keyring : undefined;
}

const packings: Readonly<Record<string, Tool>> = {
  xz: { program: 'xz', debian: 'xz-utils', why: 'unpacks disk images' },
  bz2: { program: 'bzip2', debian: 'bzip2', why: 'unpacks disk images' },
};

function toolsFor(o: Options): readonly Tool[] {
  const packing = packings[nameOf(o).split('.').at(-1) ?? ''];
  const why = 'keeps the program that reads foreign disk images away from the files of this machine';
  const format = saidFormat(o);
  return [
    ...(packing === undefined ? [] : [packing]),
    ...(keyringOf(o) === undefined ? [] : [{ program: 'gpgv', debian: 'gpgv', why: 'checks signatures' }]),
    ...(format === 'qcow2' || format === 'raw'
      ? []
      : [
          { program: 'qemu-img', debian: 'qemu-utils', why: 'converts disk images' },
          { program: 'bwrap', debian: 'bubblewrap', why },
          { program: 'prlimit', debian: 'util-linux', why: 'limits the program that reads foreign disk images' },
        ]),
  ];
}

async function pinDigest(o: Options, ctx: PinContext): Promise<Json> {
  const list = listOf(o);
  if (list === undefined) return null;
  const url = o.url ?? pathToFileURL(`/${nameOf(o)}`).href;
  return { ...(o.url === undefined ? {} : { url }), digest: digestText(await lookUpDigest(url, list, ctx)) };
}

const pinned = z.object({ digest: z.string() });

function digestOf(o: Options, pin: Json): Digest | undefined {
  if (listOf(o) !== undefined) return parseDigest(pinned.parse(pin).digest);
  return typeof o.checksum === 'string' ? parseDigest(o.checksum) : undefined;
}

async function bringDisk(o: Options, { pin }: SourceRequest, ctx: SourceContext): Promise<DiskFile> {
  const name = nameOf(o);
  const path = await bringFile(o, digestOf(o, pin), ctx);
  const vetted = await vetDisk({ path, name, format: saidFormat(o) }, ctx);
  if (vetted.format === 'qcow2' || vetted.format === 'raw') return { path, format: vetted.format };
  ctx.emit({ type: 'log', id: ctx.step, line: `converting ${name} from ${vetted.format} to qcow2` });
  return { path: await convertForeign({ path, name, ...vetted }, ctx.folder, ctx), format: 'qcow2' };
}

/** The file with the right digest, unpacked. */
async function bringFile(o: Options, digest: Digest | undefined, ctx: SourceContext): Promise<string> {
  const name = nameOf(o);
  if (digest === undefined) {
    const path = ctx.projectFile(o.file ?? '');
    if (!isPacked(name)) return path;
    const sha256 = await ctx.host.files.sha256(path, ctx.signal);
    return ctx.unpack({ name, digest: { sha256 }, fetch: async () => path });
  }
  const url = o.url ?? pathToFileURL(ctx.projectFile(o.file ?? '')).href;
  const fetch = () =>
    ctx.fetch(url, digest).catch((error: unknown) => {
      throw listOf(o) === undefined ? error : movedOn(error);
    });
  return ctx.unpack({ name, digest, fetch });
}

/** Where a digest was looked up once, the likely cause of another one is a new release in the place of the old. */
function movedOn(error: unknown): unknown {
  if (!(error instanceof IngotError) || (error.code !== 'INPUT_REFUSED' && error.code !== 'NOT_FOUND')) return error;
  const { code, message, detail } = error;
  const hint = 'if the vendor has released another one since: `ingot pins update`, or build with --refresh';
  return new IngotError({ code, message, hint, detail, cause: error });
}

const packedEnding = /\.(xz|zst|gz|bz2)$/;

function isPacked(name: string): boolean {
  return packedEnding.test(name);
}

/** What the image file or the name says the disk is; `.img` says nothing. */
function saidFormat(o: Options): DiskFormat | undefined {
  const ending = nameOf(o).replace(packedEnding, '').split('.').at(-1);
  return o.format ?? diskFormats.find((format) => format === ending);
}
