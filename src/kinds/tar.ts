import { IngotError } from '../core/errors.ts';
import type { Files } from '../core/host.ts';
import { fileBytes } from './image-files.ts';

export type TarRequest = {
  /** Absolute path of a folder on the build machine; what it holds is packed, not the folder itself. */
  readonly folder: string;
  /** `user:group` of everything in it. */
  readonly owner: string;
  /** Of files, octal. Folders, and files that are executable for somebody, get x wherever this has r. */
  readonly mode: string;
};

/**
 * A folder tree as a tar stream that depends on names, bytes, links and executable bits only: sorted, times 0, no numbers
 * of the build machine's users. Links stay links; anything but files, folders and links is refused.
 */
export async function* packTar(request: TarRequest, files: Files): AsyncGenerator<Uint8Array> {
  yield* packFolder('', request, files);
  yield new Uint8Array(2 * block);
}

async function* packFolder(within: string, request: TarRequest, files: Files): AsyncGenerator<Uint8Array> {
  const names = [...(await files.list(`${request.folder}/${within}`))];
  names.sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) yield* packEntry(within === '' ? name : `${within}/${name}`, request, files);
}

async function* packEntry(name: string, request: TarRequest, files: Files): AsyncGenerator<Uint8Array> {
  const path = `${request.folder}/${name}`;
  const found = await files.stat(path);
  const base = Number.parseInt(request.mode, 8);
  const wide = base | ((base & 0o444) >> 2);
  if (found?.kind === 'directory') {
    yield* tarHeader({ name: `${name}/`, type: '5', mode: wide & 0o777, owner: request.owner });
    yield* packFolder(name, request, files);
  } else if (found?.kind === 'link') {
    const link = await files.readLink(path);
    yield* tarHeader({ name, type: '2', mode: 0o777, owner: request.owner, link });
  } else if (found?.kind === 'file') {
    const mode = (found.mode & 0o111) === 0 ? base : wide;
    yield* tarHeader({ name, type: '0', mode, owner: request.owner, size: found.size });
    yield* fileContent(path, found.size, files);
  } else {
    throw new IngotError({
      code: 'INPUT_REFUSED',
      message: `${path} is not a file, folder or link, so it cannot be copied into an image`,
    });
  }
}

async function* fileContent(path: string, size: number, files: Files): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of fileBytes(files, path)) {
    written += chunk.length;
    yield chunk;
  }
  if (written !== size) {
    throw new IngotError({
      code: 'BUSY',
      message: `${path} changed while it was read`,
      hint: 'run the same command again',
    });
  }
  const rest = size % block;
  if (rest > 0) yield new Uint8Array(block - rest);
}

const block = 512;

type Entry = {
  readonly name: string;
  readonly type: '0' | '2' | '5' | 'K' | 'L';
  readonly mode: number;
  readonly owner: string;
  readonly size?: number;
  readonly link?: string;
};

/** The header blocks of one entry in GNU format (tar(5)): long names come before it as entries of their own. */
function* tarHeader(entry: Entry): Generator<Uint8Array> {
  const name = Buffer.from(entry.name);
  const link = Buffer.from(entry.link ?? '');
  if (link.length > 100) yield* longWord('K', link);
  if (name.length > 100) yield* longWord('L', name);
  const [user = '', group = ''] = entry.owner.split(':');
  const header = Buffer.alloc(block);
  name.copy(header, 0, 0, 100);
  header.write(octal(entry.mode, 7), 100);
  // Numbers for tools without names; extraction looks the names up in the image first.
  header.write(octal(idOf(user), 7), 108);
  header.write(octal(idOf(group), 7), 116);
  writeSize(header, entry.size ?? 0);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write(entry.type, 156);
  link.copy(header, 157, 0, 100);
  header.write('ustar  \0', 257, 'latin1');
  header.write(user, 265, 31);
  header.write(group, 297, 31);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  yield header;
}

function* longWord(type: 'K' | 'L', word: Buffer): Generator<Uint8Array> {
  yield* tarHeader({ name: '././@LongLink', type, mode: 0o644, owner: 'root:root', size: word.length + 1 });
  const padded = Buffer.alloc(Math.ceil((word.length + 1) / block) * block);
  word.copy(padded);
  yield padded;
}

function idOf(name: string): number {
  return /^[0-9]+$/.test(name) ? Number(name) : 0;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

// 8 GiB and more do not fit eleven octal digits: the first bit set means binary.
function writeSize(header: Buffer, size: number): void {
  if (size < 8 ** 11) {
    header.write(octal(size, 11), 124);
    return;
  }
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
}
