import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { nameOf, parseStanzas, type Stanza } from './stanzas.ts';

const magic = '070701';
const headerLength = 110;

/** The packages that an installer has in its initial RAM disk from the start. */
export async function installedIn(initrd: string): Promise<readonly Stanza[]> {
  const status = fileIn(gunzipSync(await readFile(initrd)), 'var/lib/dpkg/status');
  if (status === undefined) throw new Error(`${initrd} is no installer's`);
  return parseStanzas(status.toString());
}

/** The version of the kernel that these packages are of. */
export function kernelOf(installed: readonly Stanza[]): string {
  const names = installed.flatMap((stanza) => /^kernel-image-(.+)-di$/.exec(nameOf(stanza))?.[1] ?? []);
  return names[0] ?? '';
}

/** A file of an archive as cpio(5) describes its "new ASCII format": sizes in hexadecimal, all of it in units of four bytes. */
function fileIn(archive: Buffer, wanted: string): Buffer | undefined {
  let at = 0;
  while (archive.toString('latin1', at, at + magic.length) === magic) {
    const field = (number: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + number * 8, at + 14 + number * 8), 16);
    const [size, nameLength] = [field(6), field(11)];
    const name = archive.toString('latin1', at + headerLength, at + headerLength + nameLength - 1);
    const data = padded(at + headerLength + nameLength);
    if (name.replace(/^\.\//, '') === wanted) return archive.subarray(data, data + size);
    at = padded(data + size);
  }
  return undefined;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
