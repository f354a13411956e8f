import { createHash } from 'node:crypto';
import { suite } from './archive.ts';
import { xzCompress } from './compression.ts';
import type { Made } from './repack.ts';
import { formatStanza, type Stanza } from './stanzas.ts';

export const installerIndex = 'main/debian-installer/binary-amd64';

/** What stands in for files of a mirror, by path, so that it has this index of the installer's packages, and these. */
export async function mirrorFiles(
  release: string,
  index: readonly Stanza[],
  made: readonly Made[],
): Promise<ReadonlyMap<string, Buffer>> {
  const packages = await xzCompress(index.map(formatStanza).join('\n'));
  const listed = new Map([[`${installerIndex}/Packages.xz`, packages]]);
  return new Map([
    // The installer reads this one; the system that is installed reads InRelease, which stays as it is signed.
    [`dists/${suite}/Release`, Buffer.from(withFiles(release, listed))],
    ...[...listed].map(([path, bytes]) => [`dists/${suite}/${path}`, bytes] as const),
    ...made.map(({ stanza, bytes }) => [stanza.get('Filename') ?? '', bytes] as const),
  ]);
}

/** A Release file with the digests and sizes of these files. */
function withFiles(release: string, files: ReadonlyMap<string, Buffer>): string {
  const lines = release.split('\n').map((line) => {
    const [, digest = '', path = ''] = /^ ([0-9a-f]+) +\d+ (\S+)$/.exec(line) ?? [];
    const bytes = files.get(path);
    if (bytes === undefined) return line;
    const kind = digest.length === 32 ? 'md5' : 'sha256';
    return ` ${createHash(kind).update(bytes).digest('hex')} ${bytes.length} ${path}`;
  });
  return lines.join('\n');
}
