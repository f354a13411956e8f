import { basename, dirname, join } from 'node:path';
import { type ChunkIndex, idOf } from '../chunks/index-file.ts';
import type { Host, OpenFile } from '../core/host.ts';
import { NoSpaceError } from '../core/space.ts';
import type { ByteRange } from '../host/fetch-ranges.ts';

/** Frames of one kind: how long they are, and at which places of the file they stand. */
type Places = { readonly bytes: number; readonly offsets: readonly number[] };

/** A file that is put together from its chunks, under a hidden name beside its own. */
export class Assembly {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #index: ChunkIndex;
  readonly #missing: Map<string, Places>;
  readonly #lengths: ReadonlySet<number>;
  /** Of each chunk's frame. */
  readonly #offsets: readonly number[];

  private constructor(path: string, file: OpenFile, index: ChunkIndex) {
    this.path = path;
    this.#file = file;
    this.#index = index;
    this.#missing = placesOf(index);
    this.#lengths = new Set(index.chunks.map(({ frameBytes }) => frameBytes));
    this.#offsets = offsetsOf(index);
  }

  /** Begin, or go on with what an earlier run left: whatever is in its place there is kept. */
  static async open(output: string, index: ChunkIndex, host: Host): Promise<Assembly> {
    const path = join(dirname(output), `.${basename(output)}.ingot-fetch`);
    const isThere = (await host.files.stat(path))?.kind === 'file';
    const file = await host.files.open(path, isThere ? 'change' : 'new');
    const assembly = new Assembly(path, file, index);
    await file.truncate(index.bytes);
    if (isThere) await assembly.#findOwn();
    return assembly;
  }

  async #findOwn(): Promise<void> {
    const here = new Set<string>();
    for (const [id, { bytes, offsets }] of this.#missing) {
      const isHere = async (at: number) => idOf(await this.#file.read(at, bytes)) === id;
      let all = true;
      for (const at of offsets) all &&= await isHere(at);
      if (all) here.add(id);
    }
    for (const id of here) this.#missing.delete(id);
  }

  get missingBytes(): number {
    return [...this.#missing.values()].reduce((all, { bytes, offsets }) => all + bytes * offsets.length, 0);
  }

  /** Whether this frame is missing. */
  wants(id: string): boolean {
    return this.#missing.has(id);
  }

  /** Whether a frame of this length may be. */
  mayWant(bytes: number): boolean {
    return this.#lengths.has(bytes);
  }

  /** Put a frame wherever it belongs; false where it is not missing. */
  async put(frame: Buffer): Promise<boolean> {
    const id = idOf(frame);
    const places = this.#missing.get(id);
    if (places === undefined) return false;
    for (const at of places.offsets) await this.#file.write(at, frame);
    this.#missing.delete(id);
    return true;
  }

  /** Fails where the disk has no room for what is missing. */
  async requireRoom(host: Host): Promise<void> {
    if ((await host.files.freeBytes(dirname(this.path))) < this.missingBytes) {
      throw new NoSpaceError(this.path, this.missingBytes, {});
    }
  }

  /** What must be fetched: each missing frame once, those that are neighbours in one range. */
  missingRanges(): readonly ByteRange[] {
    const starts = [...this.#missing.values()].map(({ bytes, offsets }) => ({ start: offsets[0] ?? 0, bytes }));
    const ranges: { start: number; end: number }[] = [];
    for (const { start, bytes } of starts.toSorted((a, b) => a.start - b.start)) {
      const last = ranges.at(-1);
      const end = start + bytes;
      if (last !== undefined && start - last.end <= nearBytes && end - last.start <= mostRange) last.end = end;
      else ranges.push({ start, end });
    }
    return ranges;
  }

  /** Put the frames of a range that was fetched; false where they are not what the index says. */
  async putRange({ start, end }: ByteRange, bytes: Buffer): Promise<boolean> {
    for (const chunk of this.#framesFrom(start)) {
      if (chunk.offset + chunk.bytes > end) break;
      const frame = bytes.subarray(chunk.offset - start, chunk.offset - start + chunk.bytes);
      if (idOf(frame) !== chunk.id) return false;
      await this.put(frame);
    }
    return true;
  }

  *#framesFrom(start: number) {
    const { chunks } = this.#index;
    for (let number = firstAt(this.#offsets, start); number < chunks.length; number++) {
      const { frameId: id, frameBytes: bytes } = chunks[number] ?? { frameId: '', frameBytes: 0 };
      yield { id, bytes, offset: this.#offsets[number] ?? 0 };
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Frames between two missing ones that are shorter than a request are fetched along. */
const nearBytes = 512;
const mostRange = 4 * 1024 * 1024;

function placesOf(index: ChunkIndex): Map<string, Places> {
  const places = new Map<string, { bytes: number; offsets: number[] }>();
  let offset = 0;
  for (const { frameId, frameBytes } of index.chunks) {
    const known = places.get(frameId);
    if (known === undefined) places.set(frameId, { bytes: frameBytes, offsets: [offset] });
    else known.offsets.push(offset);
    offset += frameBytes;
  }
  return places;
}

function offsetsOf({ chunks }: ChunkIndex): readonly number[] {
  let offset = 0;
  return chunks.map(({ frameBytes }) => {
    offset += frameBytes;
    return offset - frameBytes;
  });
}

/** The number of the frame that begins there. */
function firstAt(offsets: readonly number[], start: number): number {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
