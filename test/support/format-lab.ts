import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { EventBody } from '../../src/core/events.ts';
import type { Json } from '../../src/core/keys.ts';
import type { Format, ImageFacts } from '../../src/core/kinds.ts';
import { createHost } from '../../src/host/host.ts';

const exec = promisify(execFile);
const mebibyte = 1024 ** 2;

export const facts: ImageFacts = { name: 'lab', arch: 'x86_64', firmware: ['bios', 'uefi'] };

/** A folder for each test, with what a format needs to write a real file. */
export function formatLab() {
  let folder = '';
  const events: EventBody[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-format-'));
    events.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));
  const ctx: Context = {
    host: createHost(),
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    step: 'format',
  };
  const path = (name: string) => join(folder, name);
  return {
    ctx,
    events,
    path,
    /** A disk of so many MiB with data here and there; the same for the same words. */
    disk: async (mib = 64, words = 'a disk') => {
      await writeDisk(path('disk.raw'), mib * mebibyte, words);
      return path('disk.raw');
    },
    write: async (format: Format, options: Json, disk: string, output: string, image = facts) => {
      await format.write(format.options.parse(options), { disk, output, image }, ctx);
      return output;
    },
    /** Run a program; gives stdout, fails with what it said. */
    run: async (...[program, ...args]: readonly [string, ...string[]]) =>
      (
        await exec(program, args, {
          env: { ...process.env, LC_ALL: 'C.UTF-8', PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
        })
      ).stdout,
  };
}

async function writeDisk(path: string, bytes: number, words: string): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(bytes);
  await file.write(noise(`${words} boot`, 440), 0, 440, 0);
  await file.write(Buffer.from([0x55, 0xaa]), 0, 2, 510);
  const pieces = [1, 3.25, 20, bytes / mebibyte / 2, bytes / mebibyte - 1.0625];
  for (const [index, at] of pieces.entries()) {
    const piece = Buffer.concat([noise(`${words} ${index}`, 70_000), Buffer.alloc(130_000, `${words} ${index}\n`)]);
    await file.write(piece, 0, Math.min(piece.length, bytes - at * mebibyte), Math.floor(at * mebibyte));
  }
  // Zeros that are written are no different from a hole.
  await file.write(Buffer.alloc(mebibyte), 0, mebibyte, 10 * mebibyte);
  await file.write(noise(`${words} end`, 512), 0, 512, bytes - 512);
  await file.close();
}

/** Bytes that cannot be compressed and are the same for the same words. */
export function noise(words: string, length: number): Buffer {
  const parts = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash('sha256').update(`${words} ${i}`).digest(),
  );
  return Buffer.concat(parts).subarray(0, length);
}

export async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
