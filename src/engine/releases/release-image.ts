import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Asset, Release, Upload } from '../../host/github-types.ts';
import type { Entry } from '../../release/entry.ts';
import { comingName, goingName, settledName } from '../../release/names.ts';
import { type AssetPlan, type HeldAsset, planAssets } from '../../release/plan.ts';
import { withStep } from '../../run/workshop.ts';
import type { FinishedBuild } from '../../store/artifacts.ts';
import { tellProgress } from '../../store/inputs.ts';
import { guessedDigests, knownDigests, type ReleaseFile, readDigests, uploadsOf } from './release-files.ts';
import type { Remote } from './remote.ts';

/** A build that is to be in a release, and what the release held of its image. */
export type ReleaseWork = {
  readonly build: FinishedBuild;
  readonly files: readonly ReleaseFile[];
  readonly before: Entry | undefined;
  readonly held: readonly Asset[];
  /** The address of the release's assets for browsers. */
  readonly web: string;
  readonly force: boolean;
};

/** What would be done; reads nothing of the images. */
export function planImage({ build, files, before, held, web, force }: ReleaseWork): AssetPlan<Upload> {
  const digests = files.map((file) => [file, guessedDigests(file, before)] as const);
  return planAssets(held, uploadsOf(build, digests, web).uploads, { subject: build.manifest, before, force });
}

/**
 * Have a release hold a build. In a draft, which nobody sees, assets get their names at once. In one that is published
 * they are all uploaded under other names first; then, one after another, each takes the name of the one before it.
 */
export async function releaseImage(
  remote: Remote,
  release: Release,
  work: ReleaseWork,
  ctx: Context,
): Promise<AssetPlan<Upload>> {
  const { build, before, held, web, force } = work;
  const { uploads } = uploadsOf(build, await digestsOf(work, ctx), web);
  const plan = planAssets(held, uploads, { subject: build.manifest, before, force });
  if (release.isDraft) await fillDraft(remote, release, plan, ctx);
  else await exchange(remote, release, plan, ctx);
  return plan;
}

async function digestsOf({ files, before }: ReleaseWork, ctx: Context) {
  const found: (readonly [ReleaseFile, readonly string[]])[] = [];
  for (const file of files) {
    const known = knownDigests(file, before);
    const step = { id: `read-${file.file}`, title: `read ${file.file} for the digests of its parts` };
    const digests =
      known ??
      (
        await withStep(step, ctx, (inner) => {
          const tell = tellProgress(inner);
          return readDigests(inner, file, (done) => tell(done, file.bytes));
        })
      ).value;
    found.push([file, digests]);
  }
  return found;
}

async function fillDraft(remote: Remote, release: Release, plan: AssetPlan<Upload>, ctx: Context): Promise<void> {
  const rest = await clearTheWay(remote, plan.remove, plan.upload);
  for (const upload of plan.upload) await bring(remote, release, upload, ctx);
  // An earlier run found the release published, and somebody made a draft of it again.
  for (const { wanted, held } of plan.arrived) await remote.github.rename(held, wanted.name);
  for (const asset of rest) await remote.github.removeAsset(asset);
}

async function exchange(remote: Remote, release: Release, plan: AssetPlan<Upload>, ctx: Context): Promise<void> {
  const { github } = remote;
  const coming = plan.upload.map((upload) => ({ ...upload, name: comingName(upload.name, upload.sha256) }));
  const rest = await clearTheWay(remote, plan.remove, coming);
  for (const upload of coming) await bring(remote, release, upload, ctx);
  const turns = [...plan.arrived.map(({ wanted }) => wanted), ...plan.upload];
  if (turns.length + rest.length === 0) return;
  const title = turns.length > 0 ? 'turn the names to the new assets' : 'remove what is of no use';
  await withStep({ id: 'exchange', title }, ctx, async (inner) => {
    const now = await github.assets(release);
    // The entry tells of all others, so it is the last.
    const order = turns.toSorted((a, b) => Number(isEntry(a)) - Number(isEntry(b)));
    for (const upload of order) await turnName(remote, now, upload, inner);
    for (const asset of rest) await github.removeAsset(asset);
  });
}

function isEntry({ name }: Upload): boolean {
  return name.endsWith('.release.json');
}

/** Remove what has the name of an upload and cannot be used, such as the rest of one that failed; gives the others. */
async function clearTheWay(
  { github }: Remote,
  remove: readonly HeldAsset[],
  uploads: readonly Upload[],
): Promise<readonly HeldAsset[]> {
  const names = new Set(uploads.map(({ name }) => name));
  for (const asset of remove) if (names.has(asset.name)) await github.removeAsset(asset);
  return remove.filter(({ name }) => !names.has(name));
}

/** Between the two requests the name stands for nothing. */
async function turnName(remote: Remote, now: readonly Asset[], upload: Upload, ctx: Context): Promise<void> {
  const { name, sha256, bytes } = upload;
  const coming = now.find((one) => one.name === comingName(name, sha256));
  const isRight = coming?.isWhole === true && coming.bytes === bytes && (coming.sha256 ?? sha256) === sha256;
  if (coming === undefined || !isRight) {
    const hint = 'run the same command again: it uploads what is wrong once more';
    throw new IngotError({ code: 'TOOL_FAILED', message: `${name} did not arrive as it was sent`, hint });
  }
  const current = now.find((one) => one.name === name);
  if (current !== undefined) await remote.github.rename(current, goingName(name, current.id));
  await remote.github.rename(coming, name);
  ctx.emit({ type: 'log', id: ctx.step, line: name });
}

async function bring(remote: Remote, release: Release, upload: Upload, ctx: Context): Promise<void> {
  const title = `upload ${settledName(upload.name).name}`;
  await withStep({ id: `upload-${upload.name}`, title }, ctx, (inner) => {
    const tell = tellProgress(inner);
    return remote.github.upload(release, upload, (sent) => tell(sent, upload.bytes));
  });
}
