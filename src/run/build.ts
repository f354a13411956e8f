import { join } from 'node:path';
import { type Context, log } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { CheckRecord, Manifest, ManifestStep } from '../core/manifest.ts';
import type { History, Lock, Plan } from '../core/plan.ts';
import { withRoom } from '../core/space.ts';
import type { ImageSpec } from '../core/spec.ts';
import { withLock } from '../host/lock.ts';
import { openPackageCache } from '../host/package-cache.ts';
import { sourceId } from '../plan/inputs.ts';
import { type FinishedBuild, findByKey, markUsed, publishBuild, selectBuild } from '../store/artifacts.ts';
import { withLedger } from '../store/ledger.ts';
import { writeHistory } from '../store/records.ts';
import { retireBuilds } from '../store/retire.ts';
import type { OpenTree } from '../tree/session.ts';
import { bootMedia, writeFormats, writeSidecars } from './finish.ts';
import { buildInGuest, type FailedGuest } from './guest/guest-build.ts';
import { gitState, toolVersions } from './machine-facts.ts';
import { type ImageKeys, pinImages } from './pin.ts';
import { planWithStore } from './plan.ts';
import { proveMedia } from './prove.ts';
import { readBackCheck } from './read-back.ts';
import { placeSidecars } from './sidecars.ts';
import { openSigner } from './signing.ts';
import { originOf, recordChecks } from './trace.ts';
import { buildTree, LostLayerError, type SealedDisk, stepsOn, type TreeBuild } from './tree.ts';
import { type Workshop, withStep } from './workshop.ts';

export type BuildOptions = {
  /** Names the build: its folder of logs, its folder of artifacts. */
  readonly build: string;
  readonly force: boolean;
  readonly refresh: boolean;
  readonly checks: boolean;
  /** Keys of the images that this one is made from, as they were built. */
  readonly parents: ImageKeys;
  /** Go on from saved states of guests, and save them. */
  readonly warm: boolean;
  /** Called with what a step failed in, before it is dropped. */
  readonly onFailure?: FailureActions | undefined;
};

export type FailureActions = {
  readonly tree: (tree: OpenTree, ctx: Context) => Promise<void>;
  readonly guest: (failed: FailedGuest, ctx: Context) => Promise<void>;
};

export type Built = { readonly finished: FinishedBuild; readonly cached: boolean };

/** Bring one image to a finished, proven, published build; what is already there is used. */
export async function buildImage(
  workshop: Workshop,
  spec: ImageSpec,
  options: BuildOptions,
  ctx: Context,
): Promise<Built> {
  // What needs more than a block says so itself.
  return withRoom(workshop.paths.home, 0, () => findOrBuild(workshop, spec, options, ctx));
}

async function findOrBuild(workshop: Workshop, spec: ImageSpec, options: BuildOptions, ctx: Context): Promise<Built> {
  const planned = await planNow(workshop, spec, options, ctx);
  const ready = options.force ? undefined : await alreadyBuilt(workshop, spec, planned.plan, options, ctx);
  if (ready !== undefined) return ready;
  const lock = join(workshop.paths.locks, `build-${spec.name}-${spec.arch}.lock`);
  const message = `another build of ${spec.name} for ${spec.arch} is running: waiting for it`;
  const onWait = () => ctx.emit({ type: 'warning', message });
  return withLock(lock, { signal: ctx.signal, onWait }, () => buildLocked(workshop, spec, options, ctx));
}

type Planned = { readonly plan: Plan; readonly lock: Lock };

async function planNow(workshop: Workshop, spec: ImageSpec, options: BuildOptions, ctx: Context): Promise<Planned> {
  const ask = options.refresh ? 'all' : 'unknown';
  const lock = await pinImages(workshop, [spec], { ask, keys: options.parents }, ctx);
  return { plan: planWithStore(workshop, spec, lock, { force: options.force }), lock };
}

/** A whole build with this key, proven if that was asked for. */
async function alreadyBuilt(
  workshop: Workshop,
  spec: ImageSpec,
  plan: Plan,
  options: BuildOptions,
  ctx: Context,
): Promise<Built | undefined> {
  if (plan.key === undefined) return undefined;
  const found = await findByKey(workshop.paths, spec.name, spec.arch, plan.key);
  if (found === undefined) return undefined;
  const unproven = options.checks && spec.checks.length > 0 && !isProven(spec, found.manifest.checks);
  if (unproven) await markUsed(found, workshop.host.now());
  const finished = unproven ? await proveAgain(workshop, spec, found, options, ctx) : found;
  const isThere = await selectBuild(workshop.paths, finished, ctx.signal);
  return isThere ? { finished, cached: !unproven } : undefined;
}

function isProven(spec: ImageSpec, checks: readonly CheckRecord[]): boolean {
  const own = checks.filter(({ check }) => check !== readBackCheck);
  return own.length >= spec.checks.length && checks.every((check) => check.outcome === 'done');
}

async function proveAgain(
  workshop: Workshop,
  spec: ImageSpec,
  found: FinishedBuild,
  options: BuildOptions,
  ctx: Context,
): Promise<FinishedBuild> {
  return withLedger(workshop.paths, options.build, ctx.signal, async (ledger) => {
    const scratch = join(workshop.paths.work, options.build);
    await ledger.record({ folder: scratch });
    const { packages, artifacts } = found.manifest;
    const media = bootMedia(workshop, found.folder, artifacts);
    if (media.length === 0) throw notBootable(spec);
    const signer = await openSigner(workshop);
    const files = { media, artifacts, folder: found.folder, packages, scratch };
    const checks = await proveMedia(workshop, { spec, ...files, build: options.build, force: false }, ctx);
    return recordChecks(workshop, found, checks, signer);
  });
}

function notBootable(spec: ImageSpec): IngotError {
  return new IngotError({
    code: 'CHECK_FAILED',
    message: `no format of ${spec.name} can be booted as it is`,
    hint: 'add `qcow2` to its formats',
  });
}

async function buildLocked(workshop: Workshop, spec: ImageSpec, options: BuildOptions, ctx: Context): Promise<Built> {
  // Whoever held the lock before us may have built just this.
  const planned = await planNow(workshop, spec, { ...options, refresh: false }, ctx);
  const ready = options.force ? undefined : await alreadyBuilt(workshop, spec, planned.plan, options, ctx);
  if (ready !== undefined) return ready;
  return withLedger(workshop.paths, options.build, ctx.signal, async (ledger) => {
    const folder = join(workshop.paths.work, options.build);
    await ledger.record({ folder });
    await workshop.host.files.makeDirectory(folder, 0o755);
    const cache = await openPackageCache(workshop.paths.packages, join(folder, 'downloads'));
    try {
      return {
        finished: await makeAndPublish({ workshop, spec, options, folder, proxy: cache.url }, planned, ctx),
        cached: false,
      };
    } finally {
      await cache.close();
    }
  });
}

type Making = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly options: BuildOptions;
  readonly folder: string;
  readonly proxy: string;
};

async function makeAndPublish(making: Making, planned: Planned, ctx: Context): Promise<FinishedBuild> {
  const { workshop, spec, options, folder } = making;
  const started = workshop.host.monotonic();
  // A key that does not open is told now, not after the work.
  const signer = await openSigner(workshop);
  const tools = Promise.all([
    toolVersions(workshop.host, ctx.signal),
    gitState(workshop.host, workshop.root, ctx.signal),
  ]);
  tools.catch(() => undefined);
  const { sealed, plan } = await makeDisk(making, planned, ctx);
  const staged = join(folder, 'artifacts');
  await workshop.host.files.makeDirectory(staged, 0o755);
  const artifacts = await writeFormats(workshop, spec, { disk: sealed.disk, folder: staged }, ctx);
  const first = artifacts[0];
  if (first === undefined) throw new Error('an image has at least one format');
  const bootable = bootMedia(workshop, staged, artifacts);
  const asIs = { path: sealed.disk, format: 'raw' as const, sha256: first.sha256 };
  const proof = {
    spec,
    media: bootable.length === 0 ? [asIs] : bootable,
    sealed: { path: sealed.disk, format: 'raw' as const },
    artifacts,
    folder: staged,
    packages: sealed.packages,
    scratch: folder,
    build: options.build,
    force: options.force,
  };
  const checks = options.checks && spec.checks.length > 0 ? await proveMedia(workshop, proof, ctx) : [];
  const [versions, git] = await tools;
  const { value } = await withStep({ id: 'publish', title: 'publish' }, ctx, async (stepCtx) => {
    const sidecars = await placeSidecars(workshop.paths, plan, { folder: staged, artifacts }, stepCtx);
    const described = describe(spec, plan, planned.lock);
    const manifest: Manifest = {
      ...described,
      ...(await originOf(workshop, spec, described.source.pin)),
      build: options.build,
      builtAt: new Date(workshop.host.now()).toISOString(),
      seconds: (workshop.host.monotonic() - started) / 1000,
      ...(git === undefined ? {} : { git }),
      system: sealed.system,
      packages: sealed.packages,
      tools: versions,
      steps: sealed.steps,
      artifacts,
      sidecars,
      checks,
    };
    const { signal } = stepCtx;
    await writeSidecars(workshop, staged, manifest, { contents: sealed.contents, signer, signal });
    const published = await publishBuild(workshop.paths, staged, manifest, stepCtx.signal);
    await retireEarlier(workshop, spec, stepCtx);
    return published;
  });
  return value;
}

/** Earlier builds go as the image says. The new one is published, whatever comes of that. */
async function retireEarlier(
  { paths, host }: Workshop,
  { name: image, arch, keep }: ImageSpec,
  ctx: Context,
): Promise<void> {
  if (keep === undefined) return;
  try {
    const gone = await retireBuilds(paths, { image, arch, keep }, host.now(), ctx.signal);
    for (const build of gone) log(ctx, `removed ${image}@${build}, as \`keep\` says`);
  } catch (error) {
    if (ctx.signal.aborted) return;
    const message = `earlier builds of ${image} stay: ${error instanceof Error ? error.message : String(error)}`;
    ctx.emit({ type: 'warning', message, hint: 'ingot gc' });
  }
}

function describe(spec: ImageSpec, plan: Plan, lock: Lock) {
  const uses = [spec.source, ...spec.steps, ...spec.formats];
  return {
    schemaVersion: 1 as const,
    image: spec.name,
    arch: spec.arch,
    ...(spec.site === undefined ? {} : { site: spec.site }),
    description: spec.description,
    ...(spec.keep === undefined ? {} : { keep: spec.keep }),
    key: plan.key ?? '',
    source: {
      kind: spec.source.kind,
      options: spec.source.options,
      pin: lock.sources[sourceId(spec.source, spec.arch)] ?? null,
    },
    pins: Object.assign({}, ...uses.map((use) => use.refs.pins)) as Readonly<Record<string, string>>,
  };
}

/** The sealed disk; planned again when a stored layer turns out to be lost. How the steps went is kept either way. */
async function makeDisk(
  making: Making,
  planned: Planned,
  ctx: Context,
): Promise<{ readonly sealed: SealedDisk; readonly plan: Plan }> {
  const { workshop, spec, options, folder, proxy } = making;
  const pin = planned.lock.sources[sourceId(spec.source, spec.arch)] ?? null;
  let { plan } = planned;
  for (;;) {
    const build = { workshop, spec, plan, pin, folder, proxy };
    try {
      const sealed = await make(build, options, ctx);
      await writeHistory(workshop.paths, spec.name, spec.arch, historyOf(plan, sealed.steps));
      return { sealed, plan };
    } catch (error) {
      if (!(error instanceof LostLayerError)) throw error;
      ctx.emit({ type: 'warning', message: `the stored layer of "${error.message}" was not whole: making it again` });
      await workshop.host.files.remove(join(folder, 'tree'));
      plan = planWithStore(workshop, spec, planned.lock, { force: options.force });
    }
  }
}

/** On the bench of the source; what then leaves the tree for a guest goes on there. */
function make(build: Omit<TreeBuild, 'onFailure'>, options: BuildOptions, ctx: Context): Promise<SealedDisk> {
  const { force, warm, onFailure } = options;
  const inTree = () => buildTree({ ...build, onFailure: onFailure?.tree }, ctx);
  if (build.plan.stages.every(({ bench }) => bench === 'tree')) return inTree();
  const logs = join(build.workshop.paths.builds, options.build);
  const tree = stepsOn(build.plan, 'tree');
  const base = tree.length === 0 ? {} : { tree: { steps: tree, build: inTree } };
  return buildInGuest({ ...build, ...base, logs, force, warm, onFailure: onFailure?.guest }, ctx);
}

function historyOf(plan: Plan, done: readonly ManifestStep[]): History {
  const seconds = new Map(done.filter((step) => step.outcome === 'done').map((step) => [step.id, step.seconds]));
  const steps = plan.stages.flatMap((stage) => stage.steps);
  return {
    steps: steps.map((step) => ({
      id: step.id,
      key: step.key ?? '',
      inputs: step.inputs,
      seconds: seconds.get(step.id) ?? step.expectedSeconds ?? 0,
    })),
  };
}
