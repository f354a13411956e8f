import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Manifest } from '../../core/manifest.ts';
import { withRoom } from '../../core/space.ts';
import type { Asset } from '../../host/github-types.ts';
import type { Entry, EntryFile } from '../../release/entry.ts';
import { withStep } from '../../run/workshop.ts';
import { manifestFile } from '../../store/artifacts.ts';
import { tellProgress } from '../../store/inputs.ts';
import { provenanceFile } from '../../trace/provenance.ts';
import type { Terms } from '../../trace/verify.ts';
import { verifyFile } from '../verify.ts';
import { joinParts } from './join-parts.ts';
import { bringAsset, type Remote } from './remote.ts';
import { findAsset } from './remote-entries.ts';

export type Brought = {
  /** Absolute paths of the images. */
  readonly paths: readonly string[];
  readonly isNew: boolean;
  readonly signedBy?: string;
};

type Bringing = {
  readonly remote: Remote;
  readonly assets: readonly Asset[];
  readonly folder: string;
  readonly terms: Terms;
};

/**
 * Have all files of a build in a folder: what is there with the right bytes stays, the manifest comes last. The images are
 * what their provenance says, where the release has one; else they have the digests that the release tells.
 */
export async function bringImage(bringing: Bringing, entry: Entry, ctx: Context) {
  const { folder } = bringing;
  const { files } = ctx.host;
  const isManifest = ({ file }: EntryFile) => file === manifestFile;
  let isNew = false;
  for (const file of entry.files.toSorted((a, b) => Number(isManifest(a)) - Number(isManifest(b)))) {
    const fresh = await bringFile(bringing, file, ctx);
    isNew ||= fresh;
  }
  const manifest = readManifest(await files.readText(join(folder, manifestFile)), entry);
  const signedBy = await prove(bringing, entry, manifest, ctx);
  const paths = manifest.artifacts.map(({ file }) => join(folder, file));
  return { paths, isNew, manifest, ...(signedBy === undefined ? {} : { signedBy }) };
}

/** Whether the images are what their provenance says, and who signed that; those that are not lose their names. */
async function prove({ folder, terms }: Bringing, entry: Entry, { artifacts }: Manifest, ctx: Context) {
  const { files } = ctx.host;
  const isTold = entry.files.some(({ file }) => file === provenanceFile);
  let signedBy: string | undefined;
  for (const { file, sha256 } of artifacts) {
    const path = join(folder, file);
    await withRoom(path, 0, () => files.write(`${path}.sha256`, `${sha256}  ${file}\n`));
    if (!isTold && terms.trusted.length === 0) continue;
    try {
      signedBy = (await verifyFile(ctx.host, path, terms, ctx.signal)).signedBy;
    } catch (error) {
      if (!ctx.signal.aborted) await files.rename(path, `${path}.refused`);
      throw error;
    }
  }
  return signedBy;
}

/** The manifest, when it is of the very build that the entry tells of. */
function readManifest(text: string | undefined, entry: Entry): Manifest {
  const manifest = text === undefined ? undefined : (JSON.parse(text) as Manifest);
  const { image, arch, build, key } = entry;
  const digests = new Map(entry.files.map(({ file, sha256 }) => [file, sha256]));
  const isSame =
    manifest !== undefined &&
    [manifest.image, manifest.arch, manifest.build, manifest.key].join('/') === [image, arch, build, key].join('/') &&
    manifest.artifacts.every(({ file, sha256 }) => digests.get(file) === sha256);
  if (isSame) return manifest;
  const message = `the release contradicts itself about ${image} ${arch}: its manifest is of something else`;
  throw new IngotError({ code: 'INPUT_REFUSED', message, hint: 'ask those who released it; do not use it' });
}

/** Whether a file had to be fetched. */
async function bringFile(bringing: Bringing, file: EntryFile, ctx: Context): Promise<boolean> {
  const { files } = ctx.host;
  const to = join(bringing.folder, file.file);
  const here = await files.stat(to);
  if (here?.kind === 'file' && here.size === file.bytes && (await files.sha256(to, ctx.signal)) === file.sha256) {
    return false;
  }
  await withStep({ id: `fetch-${file.file}`, title: `fetch ${file.file}` }, ctx, async (inner) => {
    const tell = tellProgress(inner);
    const fetchPart = async (part: EntryFile['assets'][number], path: string, before: number) => {
      const asset = findAsset(bringing.assets, part);
      if (asset === undefined) throw gone(part.name);
      await bringAsset(bringing.remote, asset, {
        to: path,
        signal: inner.signal,
        sha256: part.sha256,
        maxBytes: part.bytes,
        onProgress: (done) => tell(before + done, file.bytes),
        onRetry: (why) => inner.emit({ type: 'log', id: inner.step, line: `${why}; trying again` }),
      });
    };
    await joinParts({ file, to, fetchPart }, inner);
  });
  return true;
}

function gone(name: string): IngotError {
  return new IngotError({ code: 'NOT_FOUND', message: `the release does not hold ${name} any more` });
}
