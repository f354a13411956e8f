import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { IngotError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import type { ArtifactFile } from '../../core/manifest.ts';
import type { Upload } from '../../host/github-types.ts';
import { assembleScript } from '../../release/assemble.ts';
import { type Entry, type EntryFile, entryText, sumsText } from '../../release/entry.ts';
import { assetName, entryName, scriptName, sumsName } from '../../release/names.ts';
import { type Part, partsOf } from '../../release/parts.ts';
import type { FinishedBuild } from '../../store/artifacts.ts';
import { sumsFile } from '../../store/served-names.ts';
import { systemName } from '../show.ts';

/** A file of a build, and the pieces in which it is released. */
export type ReleaseFile = {
  readonly file: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly format?: string;
  readonly parts: readonly Part[];
};

/** The files of a build that belong into a release, the images first. Lists of checksums are written anew there. */
export async function releaseFiles(
  { host, signal }: { readonly host: Host; readonly signal: AbortSignal },
  { folder, manifest }: FinishedBuild,
  partBytes: number,
): Promise<readonly ReleaseFile[]> {
  // Files that belong to an image, such as its map of blocks, have no options of their own.
  const isImage = manifest.artifacts.some(({ options }) => options !== undefined)
    ? ({ options }: ArtifactFile) => options !== undefined
    : () => true;
  const known = new Map([...manifest.artifacts, ...(manifest.sidecars ?? [])].map((one) => [one.file, one]));
  const names = (await host.files.list(folder)).filter((name) => !name.endsWith('.sha256') && name !== sumsFile).sort();
  const images = manifest.artifacts.map(({ file }) => file);
  const found: ReleaseFile[] = [];
  for (const file of [...images, ...names.filter((name) => !images.includes(name))]) {
    const path = join(folder, file);
    const stat = await host.files.stat(path);
    const told = known.get(file);
    if (stat?.kind === 'directory' && told === undefined) continue;
    if (stat?.kind !== 'file' || (told !== undefined && told.bytes !== stat.size)) throw damaged(path);
    const sha256 = told?.sha256 ?? (await host.files.sha256(path, signal));
    const format = manifest.artifacts.find((one) => one.file === file && isImage(one))?.format;
    const parts = partsOf(assetName(manifest, file), stat.size, partBytes);
    found.push({ file, path, bytes: stat.size, sha256, parts, ...(format === undefined ? {} : { format }) });
  }
  refuseSameNames(found);
  return found;
}

function damaged(path: string): IngotError {
  const hint = 'build it again: ingot build NAME --force';
  return new IngotError({ code: 'INPUT_REFUSED', message: `${path} is not what its manifest tells`, hint });
}

function refuseSameNames(files: readonly ReleaseFile[]): void {
  const seen = new Map<string, string>();
  for (const { file, parts } of files) {
    for (const { name } of parts) {
      const other = seen.get(name);
      if (other !== undefined) {
        const message = `${other} and ${file} would both be called ${name} in the release`;
        throw new IngotError({ code: 'USAGE', message, hint: 'give one of them another name' });
      }
      seen.set(name, file);
    }
  }
}

/** The digests of a file's parts, in order. */
export type PartDigests = readonly string[];

/** Those that a release tells of the very same file, split in the same way; undefined where it does not. */
export function knownDigests(file: ReleaseFile, before: Entry | undefined): PartDigests | undefined {
  if (file.parts.length === 1) return [file.sha256];
  const told = before?.files.find((one) => one.file === file.file && one.sha256 === file.sha256);
  const isSame = told?.assets.length === file.parts.length && told.assets.every((one, i) => sameAs(one, file.parts[i]));
  return isSame ? told.assets.map(({ sha256 }) => sha256) : undefined;
}

function sameAs(told: EntryFile['assets'][number], part: Part | undefined): boolean {
  return told.name === part?.name && told.bytes === part.bytes;
}

/** As long as a digest, and none. */
const unknownDigest = '0'.repeat(64);

/** For a plan: nothing is read. */
export function guessedDigests(file: ReleaseFile, before: Entry | undefined): PartDigests {
  return knownDigests(file, before) ?? file.parts.map(() => unknownDigest);
}

const blockBytes = 1024 * 1024;

/** Read a file once for the digests of its parts. Fails with INPUT_REFUSED when it is not what its manifest tells. */
export async function readDigests(
  { host, signal }: { readonly host: Host; readonly signal: AbortSignal },
  { path, parts, sha256 }: ReleaseFile,
  onProgress: (done: number) => void,
): Promise<PartDigests> {
  const whole = createHash('sha256');
  const digests: string[] = [];
  const file = await host.files.open(path, 'read');
  const block = Buffer.allocUnsafe(blockBytes);
  try {
    for (const part of parts) {
      const hash = createHash('sha256');
      for (let at = 0; at < part.bytes; ) {
        signal.throwIfAborted();
        const read = await file.read(part.offset + at, Math.min(blockBytes, part.bytes - at), block);
        if (read.length === 0) throw damaged(path);
        for (const one of [hash, whole]) one.update(read);
        at += read.length;
        onProgress(part.offset + at);
      }
      digests.push(hash.digest('hex'));
    }
  } finally {
    await file.close();
  }
  if (whole.digest('hex') !== sha256) throw damaged(path);
  return digests;
}

/** What a release is to hold of an image: its files, then lists and script that speak of them; the entry is the last. */
export function uploadsOf(
  { manifest }: FinishedBuild,
  files: readonly (readonly [file: ReleaseFile, digests: PartDigests])[],
  web: string,
): { readonly entry: Entry; readonly uploads: readonly Upload[] } {
  const entry = entryFor(manifest, files);
  const pieces = files.flatMap(([{ path, parts }, digests]) =>
    parts.map(({ name, offset, bytes }, i) => ({
      ...{ name, bytes, sha256: digests[i] ?? '' },
      from: { file: path, offset },
    })),
  );
  const script = assembleScript(entry, web);
  const uploads = [
    ...pieces,
    textUpload(sumsName(manifest), sumsText(entry)),
    ...(script === undefined ? [] : [textUpload(scriptName(manifest), script)]),
    textUpload(entryName(manifest), entryText(entry)),
  ];
  return { entry, uploads };
}

function entryFor(
  manifest: FinishedBuild['manifest'],
  files: readonly (readonly [file: ReleaseFile, digests: PartDigests])[],
): Entry {
  const { image, arch, description, build, key, builtAt } = manifest;
  const system = systemName(manifest.system);
  return {
    ...{ schemaVersion: 1, image, arch, description, build, key, builtAt },
    ...(system === undefined ? {} : { system }),
    files: files.map(([{ file, bytes, sha256, format, parts }, digests]) => ({
      ...{ file, bytes, sha256 },
      ...(format === undefined ? {} : { format }),
      assets: parts.map((part, i) => ({ name: part.name, bytes: part.bytes, sha256: digests[i] ?? '' })),
    })),
  };
}

function textUpload(name: string, text: string): Upload {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { name, bytes: Buffer.byteLength(text), sha256, from: { text } };
}
