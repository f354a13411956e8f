import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Json } from '../core/keys.ts';
import type { Lock } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import { filesToDigest, sourceId } from '../plan/inputs.ts';
import { readPin, writePin } from '../store/records.ts';
import type { Workshop } from './workshop.ts';

/**
 * Find out what images are made from: digests of the project's files, and the state of each source. `ask`: a source
 * that was never pinned is asked now, or every one is; without it, what is not known stays unknown.
 */
export async function pinImages(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  ask: 'none' | 'unknown' | 'all',
  ctx: Context,
): Promise<Lock> {
  const files: Record<string, string> = {};
  for (const path of new Set(specs.flatMap((spec) => filesToDigest(spec, workshop.kinds)))) {
    files[path] = await digestNamed(workshop, path);
  }
  const sources: Record<string, Json> = {};
  for (const spec of specs) {
    const id = sourceId(spec.source, spec.arch);
    if (sources[id] !== undefined) continue;
    const pin = await pinSource(workshop, spec, ask, ctx);
    if (pin !== undefined) sources[id] = pin;
  }
  return { files, sources };
}

async function pinSource(
  workshop: Workshop,
  spec: ImageSpec,
  ask: 'none' | 'unknown' | 'all',
  ctx: Context,
): Promise<Json | undefined> {
  const kind = workshop.kinds.sources.get(spec.source.kind);
  if (kind?.pin === undefined) return null;
  const id = sourceId(spec.source, spec.arch);
  const known = ask === 'all' ? undefined : await readPin(workshop.paths, id);
  if (known !== undefined || ask === 'none') return known;
  const pin = await kind.pin(spec.source.options, spec.arch, ctx);
  await writePin(workshop.paths, id, pin);
  return pin;
}

/** The digest of what a path of the project stands for: steps follow a link that they are given by name. */
async function digestNamed(workshop: Workshop, path: string): Promise<string> {
  const absolute = join(workshop.root, path);
  const target = await workshop.host.files.realPath(absolute).catch(() => undefined);
  if (target === undefined)
    throw new IngotError({ code: 'SPEC_INVALID', message: `the file ${path} is not in the project` });
  return digestPath(workshop, target);
}

/** SHA-256 of a file with its executable bit, or of a folder's sorted listing of the same. */
async function digestPath(workshop: Workshop, absolute: string): Promise<string> {
  const { files } = workshop.host;
  const stat = await files.stat(absolute);
  if (stat === undefined || stat.kind === 'other') {
    const why = stat === undefined ? 'is gone' : 'is neither a file nor a folder nor a link';
    throw new IngotError({ code: 'SPEC_INVALID', message: `${absolute} ${why}` });
  }
  const hash = createHash('sha256');
  if (stat.kind === 'directory') {
    for (const name of [...(await files.list(absolute))].sort())
      hash.update(`${name}\0${await digestPath(workshop, join(absolute, name))}\0`);
  } else if (stat.kind === 'link') {
    hash.update(`link ${await files.readLink(absolute)}`);
  } else {
    hash.update(`file ${(stat.mode & 0o100) === 0 ? 'data' : 'program'} ${await files.sha256(absolute)}`);
  }
  return hash.digest('hex');
}
