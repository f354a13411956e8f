import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import program from '../../package.json' with { type: 'json' };
import type { Host } from '../core/host.ts';
import { digest, type Json } from '../core/keys.ts';
import type { Builder, CheckRecord, Manifest, Material } from '../core/manifest.ts';
import type { ImageSpec } from '../core/spec.ts';
import { type FinishedBuild, findByKey, updateManifest } from '../store/artifacts.ts';
import { writeDurable } from '../store/durable.ts';
import { bomFile, cycloneDx } from '../trace/cyclonedx.ts';
import type { Signer } from '../trace/keys.ts';
import { minisignText } from '../trace/minisign.ts';
import { provenanceFile, provenanceText } from '../trace/provenance.ts';
import type { Workshop } from './workshop.ts';

/** What the manifest says of where an image came from, beyond its plan. */
export async function originOf(
  workshop: Workshop,
  spec: ImageSpec,
  pin: Json,
): Promise<Required<Pick<Manifest, 'spec' | 'materials' | 'builder'>> & Pick<Manifest, 'base'>> {
  const base = await baseOf(workshop, spec, pin);
  const materials = spec.steps.flatMap(
    ({ kind, options }) => workshop.kinds.steps.get(kind)?.materials?.(options) ?? [],
  );
  return {
    spec: specDigest(spec),
    ...(base === undefined ? {} : { base }),
    materials,
    builder: builderOf(workshop.host),
  };
}

async function baseOf({ kinds, paths }: Workshop, spec: ImageSpec, pin: Json): Promise<Material | undefined> {
  const { kind, options } = spec.source;
  const source = kinds.sources.get(kind);
  const [parent] = source?.parents?.(options) ?? [];
  if (parent === undefined) return source?.base?.(options, pin);
  const key = z.record(z.string(), z.string()).parse(pin)[parent] ?? '';
  const file = (await findByKey(paths, parent, spec.arch, key))?.manifest.artifacts[0];
  return file === undefined ? undefined : { name: `${parent}/${file.file}`, digest: { sha256: file.sha256 } };
}

/** Of all that the project's files say of an image, wherever they say it. */
function specDigest(spec: ImageSpec): string {
  const uses = (list: ImageSpec['steps']): Json => list.map(({ kind, options }) => ({ kind, options }));
  const { name, arch, site, description, labels, disk, filesystem, firmware } = spec;
  return digest({
    ...{ name, arch, description, labels, disk, filesystem, firmware },
    ...(site === undefined ? {} : { site }),
    source: uses([spec.source]),
    steps: uses(spec.steps),
    checks: uses(spec.checks),
    formats: uses(spec.formats),
  });
}

function builderOf({ platform, arch }: Host): Builder {
  return { ingot: program.version, platform, arch };
}

export type TraceRequest = {
  readonly signer: Signer | undefined;
  readonly signal: AbortSignal;
  /** What it starts from is in it as it is, and is told as one thing; default: what is in it is known. */
  readonly isOnBase?: boolean;
};

/** What tells of a build to others, by the names of its files: bill of materials, provenance, signatures, key. */
export async function traceFiles(
  { host }: Pick<Workshop, 'host'>,
  folder: string,
  manifest: Manifest,
  { signer, signal, isOnBase = false }: TraceRequest,
): Promise<Readonly<Record<string, string>>> {
  const { base, materials = [] } = manifest;
  const whole = isOnBase && base !== undefined ? { ...manifest, materials: [base, ...materials] } : manifest;
  const bom = bomText(whole, host.env['SOURCE_DATE_EPOCH']);
  const beside = { [bomFile]: createHash('sha256').update(bom).digest('hex') };
  const files: Record<string, string> = {
    '.cache-key': `${manifest.key}\n`,
    [bomFile]: bom,
    [provenanceFile]: provenanceText(manifest, beside, signer),
  };
  if (signer === undefined) return files;
  for (const { file, sha256 } of manifest.artifacts) {
    const blake2b = await blake2bOf(host, join(folder, file), signal);
    files[`${file}.minisig`] = minisignText(signer, blake2b, `file:${file}\tsha256:${sha256}`);
  }
  return files;
}

function bomText(manifest: Manifest, epoch: string | undefined): string {
  const seconds = /^\d{1,11}$/.test(epoch ?? '') ? { epoch: Number(epoch) } : {};
  return cycloneDx({ ...manifest, sha256: manifest.artifacts[0]?.sha256 ?? '', ...seconds });
}

const blockBytes = 1024 * 1024;

/** The BLAKE2b-512 of a file, which minisign signs. */
export async function blake2bOf(host: Pick<Host, 'files'>, path: string, signal: AbortSignal): Promise<Buffer> {
  const hash = createHash('blake2b512');
  const file = await host.files.open(path, 'read');
  try {
    for (let at = 0; ; ) {
      signal.throwIfAborted();
      const block = await file.read(at, blockBytes);
      if (block.length === 0) return hash.digest();
      hash.update(block);
      at += block.length;
    }
  } finally {
    await file.close();
  }
}

/** Write down new check results of a finished build, in its provenance too. */
export async function recordChecks(
  { host, paths }: Pick<Workshop, 'host' | 'paths'>,
  build: FinishedBuild,
  checks: readonly CheckRecord[],
  signer: Signer | undefined,
): Promise<FinishedBuild> {
  const manifest = { ...build.manifest, checks };
  const bom = join(build.folder, bomFile);
  const hasBom = (await host.files.stat(bom)) !== undefined;
  const beside = hasBom ? { [bomFile]: await host.files.sha256(bom) } : {};
  const path = join(build.folder, provenanceFile);
  await writeDurable({ path, staging: paths.work }, provenanceText(manifest, beside, signer));
  return updateManifest(paths, build, manifest);
}
