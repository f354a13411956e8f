import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import { createHost } from '../host/host.ts';
import { digestWhileWritten } from './written-digest.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-written-'));
});
afterEach(() => rm(folder, { recursive: true }));

const ctx: Context = { host: createHost(), signal: new AbortController().signal, emit: () => undefined, step: '' };

/** Writes pieces, each after another program could see the one before; then bytes at an offset. */
async function digestOf(pieces: readonly Buffer[], changed: { readonly at: number; readonly data: string }) {
  const path = join(folder, 'file');
  const sha256 = await digestWhileWritten(
    path,
    async () => {
      const file = await open(path, 'r+');
      for (const piece of pieces) {
        await file.write(piece);
        await ctx.host.sleep(20, ctx.signal);
      }
      if (changed.data !== '') await file.write(changed.data, changed.at);
      await file.close();
    },
    ctx,
  );
  const bytes = await readFile(path);
  expect(bytes.length).toBe(pieces.reduce((sum, { length }) => sum + length, 0));
  return { sha256, really: createHash('sha256').update(bytes).digest('hex') };
}

test.each([[[]], [[1]], [[70_000, 3, 1_100_000]], [[1_048_576, 1_048_576]], [[2048, 3_000_000, 2048]]])(
  'a file written in pieces of %j bytes has its digest when it is whole',
  async (sizes) => {
    const { sha256, really } = await digestOf(
      sizes.map((size) => randomBytes(size)),
      { at: 0, data: '' },
    );
    expect(sha256).toBe(really);
  },
);

test.each([0, 32_768, 65_530])('a writer that comes back to the head at %i is noticed', async (at) => {
  const { sha256, really } = await digestOf([randomBytes(40_000), randomBytes(2_000_000)], { at, data: 'other' });
  expect(sha256).toBe(really);
});

test('what stops the writer is what is told', async () => {
  const failing = digestWhileWritten(join(folder, 'file'), () => Promise.reject(new Error('no more room')), ctx);
  await expect(failing).rejects.toThrow('no more room');
});
