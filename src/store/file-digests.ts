import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurable } from './durable.ts';
import type { StorePaths } from './paths.ts';

/** Smaller files are read again: that takes no time. */
const leastBytes = 8n * 1024n * 1024n;
/** A file that was changed so shortly before it was looked at may be changed again without its times showing it. */
const racyMs = 2_000;

/**
 * The SHA-256 of a file, remembered while the file is the same to the system: disk images of the project are large, and
 * each plan asks for them. The time of change (ctime, inode(7)) cannot be set by a program.
 */
export async function rememberedDigest(
  paths: Pick<StorePaths, 'pins' | 'work'>,
  file: string,
  { nowMs, compute }: { readonly nowMs: number; readonly compute: (file: string) => Promise<string> },
): Promise<string> {
  const before = await stat(file, { bigint: true });
  if (before.size < leastBytes) return compute(file);
  const path = join(paths.pins, `file-${createHash('sha256').update(file).digest('hex')}`);
  const [known, sha256] = ((await readFile(path, 'utf8').catch(() => '')) || '').split(' ');
  if (known === identity(before) && sha256 !== undefined) return sha256;
  const computed = await compute(file);
  const isSettled = nowMs - Number(before.ctimeMs) > racyMs;
  if (isSettled && identity(await stat(file, { bigint: true })) === identity(before)) {
    // Without a record the file is read again: no reason to fail.
    await writeDurable({ path, staging: paths.work }, `${identity(before)} ${computed}`).catch(() => undefined);
  }
  return computed;
}

function identity({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join('/');
}
