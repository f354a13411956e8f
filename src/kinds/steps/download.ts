import { z } from 'zod';
import { IngotError } from '../../core/errors.ts';
import type { Files } from '../../core/host.ts';
import { defineStep } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import { fileBytes, fileMode, imageFolder, owner, placeFileScript, unpackWords } from '../image-files.ts';

const options = z
  .strictObject({
    url: z
      .string()
      .refine(isPlainUrl, 'expected an address that starts with https:// or http:// and holds no password')
      .describe('Where it is; ${pins.x.url} keeps one address per architecture.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 of 64 hexadecimal digits (lower case)')
      .describe('What it must be.'),
    to: imageFolder.describe('The path of the file itself; with unpack, the folder to unpack into.'),
    unpack: z.boolean().default(false).describe('Unpack a tar (plain, gzip, bzip2, xz, zstd) or a zip.'),
    strip: z.int().min(0).max(64).default(0).describe('With unpack: leading folders to drop from each name.'),
    owner: owner.default('root:root').describe('user:group of what is written.'),
    mode: fileMode.default('0644').describe('Of the file; what is unpacked keeps the modes of its archive.'),
  })
  .refine((o) => o.unpack || o.strip === 0, { message: 'strip is only for unpack', path: ['strip'] })
  .refine((o) => o.unpack || o.to !== '/', { message: 'expected the path of a file', path: ['to'] })
  .refine((o) => !o.unpack || o.mode === '0644', { message: 'mode is only for a single file', path: ['mode'] });

export type DownloadOptions = z.infer<typeof options>;

/**
 * Bring a file of known digest into the image, or unpack one there. It is fetched by the build machine, checked, kept and
 * shared between builds. Unpacked files lose setuid and the archive's owners; the image needs the program that
 * unpacks them (xz-utils, zstd, bzip2 or unzip).
 */
export const download = defineStep<DownloadOptions>({
  name: 'download',
  version: 1,
  summary: 'Bring a file of known SHA-256 into the image, or unpack an archive there.',
  on: ['tree', 'guest'],
  options,
  example: {
    url: 'https://example.org/tool-1.2.tar.gz',
    sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    to: '/opt/tool',
    unpack: true,
    strip: 1,
  },
  title: (o) => `${o.unpack ? 'unpack' : 'download'} ${fileName(o.url)} to ${o.to}`,
  materials: (o) => [{ name: fileName(o.url), uri: o.url, digest: { sha256: o.sha256 } }],
  run: async (o, work, ctx) => {
    const path = await ctx.fetch(o.url, o.sha256);
    const { files } = ctx.host;
    const stdin = fileBytes(files, path);
    if (!o.unpack) return work.exec(placeFileScript(o), { stdin });
    return work.exec(unpackScript(o, await archiveOf(files, path, o.url)), { stdin });
  },
});

function isPlainUrl(text: string): boolean {
  if (!/^https?:\/\/[^\s\x00-\x1f\x7f]+$/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.username === '' && url.password === '';
}

function fileName(url: string): string {
  const { pathname, hostname } = new URL(url);
  return pathname.split('/').findLast((part) => part !== '') ?? hostname;
}

const archives = ['tar', 'gzip', 'bzip2', 'xz', 'zstd', 'zip'] as const;
export type Archive = (typeof archives)[number];

/** What an archive is, from its first 262 bytes and not from its name; undefined when it is none. */
export function archiveFrom(head: Buffer): Archive | undefined {
  const hex = head.toString('hex', 0, 6);
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('425a68')) return 'bzip2';
  if (hex === 'fd377a585a00') return 'xz';
  if (hex.startsWith('28b52ffd')) return 'zstd';
  if (hex.startsWith('504b0304') || hex.startsWith('504b0506')) return 'zip';
  return head.toString('latin1', 257, 262) === 'ustar' ? 'tar' : undefined;
}

async function archiveOf(files: Files, path: string, url: string): Promise<Archive> {
  const archive = archiveFrom(await files.read(path, { length: 262 }));
  if (archive !== undefined) return archive;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${fileName(url)} is no archive that Ingot can unpack`,
    hint: 'it takes tar (plain, gzip, bzip2, xz, zstd) and zip; without `unpack` the file is copied as it is',
  });
}

const programs: Readonly<Record<Archive, { readonly program: string; readonly package: string }>> = {
  tar: { program: 'tar', package: 'tar' },
  gzip: { program: 'gzip', package: 'gzip' },
  bzip2: { program: 'bzip2', package: 'bzip2' },
  xz: { program: 'xz', package: 'xz-utils' },
  zstd: { program: 'zstd', package: 'zstd' },
  zip: { program: 'unzip', package: 'unzip' },
};

/**
 * Unpacks stdin. Through a folder of its own where all of it must be there first: to give it an owner, or because a zip
 * cannot be read as a stream.
 */
export function unpackScript(o: Pick<DownloadOptions, 'to' | 'owner' | 'strip'>, archive: Archive): Script {
  const { program, package: name } = programs[archive];
  const unpack = [...unpackWords, '--no-same-owner', '--no-same-permissions'].join(' ');
  const strip = `--strip-components=${o.strip}`;
  const filter = archive === 'tar' ? '' : ` --use-compress-program=${program}`;
  const direct = archive !== 'zip' && o.owner === 'root:root';
  const lines = [
    'set -eu',
    'to=$1 owner=$2',
    'umask 022',
    `command -v ${program} >/dev/null || { echo 'the image lacks ${program}: install ${name} first' >&2; exit 1; }`,
    'mkdir -p -- "$to"',
    ...(direct ? [`${unpack}${filter} ${strip} --directory="$to"`] : stagedLines(archive, { unpack, filter, strip })),
    '',
  ];
  return { text: lines.join('\n'), args: [o.to, o.owner] };
}

type TarWords = { readonly unpack: string; readonly filter: string; readonly strip: string };

function stagedLines(archive: Archive, { unpack, filter, strip }: TarWords): readonly string[] {
  const fill =
    archive === 'zip'
      ? ['cat > "$work/zip"', 'unzip -q -d "$work/all" "$work/zip"', 'rm -f -- "$work/zip"']
      : ['mkdir "$work/all"', `${unpack}${filter} --directory="$work/all"`];
  return [
    'work=$(mktemp -d -- "$to/.ingot.XXXXXXXX")',
    `trap 'rm -rf -- "$work"' EXIT`,
    ...fill,
    'chown -hR -- "$owner" "$work/all"',
    'cd "$work/all"',
    // `find` and not `.`, which would be a leading folder of its own.
    `find . -mindepth 1 -maxdepth 1 -printf '%P\\0' | sort -z > "$work/names"`,
    'pack() { tar --create --null --verbatim-files-from --files-from="$work/names" || touch "$work/failed"; }',
    `pack | ${unpack.replace('--no-same-owner', '--same-owner')} ${strip} --directory="$to"`,
    '[ ! -e "$work/failed" ]',
  ];
}
