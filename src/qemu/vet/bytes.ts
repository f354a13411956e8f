import { IngotError } from '../../core/errors.ts';
import { harmless } from '../../core/harmless.ts';
import type { Files } from '../../core/host.ts';

const chunkBytes = 256 * 1024;

/** The bytes of a disk image that nobody has vouched for. Read in small pieces, never by a program. */
export class ImageBytes {
  readonly name: string;
  readonly size: number;
  readonly #path: string;
  readonly #files: Pick<Files, 'read'>;

  constructor(
    files: Pick<Files, 'read'>,
    image: { readonly path: string; readonly name: string; readonly size: number },
  ) {
    this.#files = files;
    this.#path = image.path;
    this.name = image.name;
    this.size = image.size;
  }

  /** At most `length` bytes (1 MiB); fewer where the file ends. */
  async read(offset: number, length: number): Promise<Buffer> {
    return this.#files.read(this.#path, { offset, length });
  }

  /** All of something that must be there. */
  async readWhole(offset: number, length: number, what: string): Promise<Buffer> {
    this.requireInside(offset, length, what);
    const bytes = await this.read(offset, length);
    if (bytes.length < length) throw this.refusal(`it ends within its ${what}`, `byte ${offset + bytes.length}`);
    return bytes;
  }

  /** A table of any length, piece by piece; `length` and what `read` is handed are multiples of 64. */
  async eachPiece(offset: number, length: number, look: (piece: Buffer, at: number) => void): Promise<void> {
    for (let done = 0; done < length; ) {
      const piece = await this.read(offset + done, Math.min(chunkBytes, length - done));
      if (piece.length === 0) return;
      look(piece, offset + done);
      done += piece.length;
    }
  }

  requireInside(offset: number, length: number, what: string): void {
    if (offset + length > this.size) {
      throw this.refusal(`its ${what} would lie outside the file`, `${length} bytes from byte ${offset} on`);
    }
  }

  /** Why the image is not used and where that stands; both may quote it. */
  refusal(why: string, where: string, hint = trustHint): IngotError {
    return new IngotError({
      code: 'INPUT_REFUSED',
      message: `the disk image ${this.name} is refused: ${harmless(why)}`,
      hint,
      detail: [`at: ${harmless(where)}`],
    });
  }
}

const trustHint = 'no program has opened it; ask where it comes from, or make it whole on a machine you trust';

/** What to do about a disk that is one of several files. */
export const flattenHint = 'on a machine you trust: qemu-img convert -O qcow2 IMAGE WHOLE.qcow2';

/** A text field as it may be shown: without what follows a NUL, cut. */
export function quoted(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return JSON.stringify(bytes.toString('latin1', 0, Math.min(end === -1 ? bytes.length : end, 200)));
}

/** 64 bits; beyond 2^53 not exact, and then refused for its size anyway. */
export function u64be(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
}

/** The same, little endian. */
export function u64le(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * 2 ** 32 + bytes.readUInt32LE(offset);
}
