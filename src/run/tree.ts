import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Json } from '../core/keys.ts';
import type { InstalledPackage, ManifestStep } from '../core/manifest.ts';
import type { Bench, Inputs, Plan, PlannedStep } from '../core/plan.ts';
import { fillSecrets } from '../core/secrets.ts';
import { isNoSpace, withRoom } from '../core/space.ts';
import type { ImageSpec } from '../core/spec.ts';
import { dropLayer, findLayer, packedFile, saveLayer } from '../store/layers.ts';
import { assembleDisk } from '../tree/disk.ts';
import {
  applyLayer,
  clampTimes,
  difference,
  packLayer,
  type Snapshot,
  takeSnapshot,
  treeBytes,
} from '../tree/layers.ts';
import { diskLayout, layoutVersion } from '../tree/layout.ts';
import { sealScript, sealVersion } from '../tree/seal.ts';
import { type OpenTree, openTree } from '../tree/session.ts';
import { imageFactsScript, parseImageFacts } from './image-facts.ts';
import { withRoomForTools } from './room.ts';
import { Saving } from './saving.ts';
import { withStepContext } from './step-context.ts';
import { type Workshop, withStep } from './workshop.ts';

export type TreeBuild = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly plan: Plan;
  /** The source's pin. */
  readonly pin: Json;
  /** A work folder that is gone after the build. */
  readonly folder: string;
  readonly proxy: string | undefined;
  /** Called with the failed tree before it is dropped. */
  readonly onFailure?: ((tree: OpenTree, ctx: Context) => Promise<void>) | undefined;
};

export type SealedDisk = {
  /** The raw disk, a path of the build machine inside the work folder. */
  readonly disk: string;
  readonly steps: readonly ManifestStep[];
  readonly packages: readonly InstalledPackage[];
  readonly system: Readonly<Record<string, string>>;
  /** See `listContents`. */
  readonly contents: string;
};

/** Make the sealed disk of an image on the tree bench, starting after the last step whose layer is stored. */
export async function buildTree(build: TreeBuild, ctx: Context): Promise<SealedDisk> {
  const { tree, epoch } = await openBuildTree(build, ctx);
  const saving = new Saving();
  try {
    const steps = await runSteps({ build, tree, epoch, saving }, ctx);
    saving.throwIfFailed();
    const sealed = await sealAndAssemble({ build, tree, epoch }, ctx);
    await saving.done();
    return { ...sealed, steps: [...steps, ...sealed.steps] };
  } catch (error) {
    // A layer that could not be stored came first, and may be why the rest failed.
    const first = (await saving.settled()) ?? error;
    if (!ctx.signal.aborted) await build.onFailure?.(tree, ctx);
    throw first;
  } finally {
    await tree.close();
  }
}

type TreePlace = Pick<TreeBuild, 'workshop' | 'spec' | 'pin' | 'folder' | 'proxy'>;

async function openBuildTree(build: TreePlace, ctx: Context) {
  const { workshop, spec, folder } = build;
  const place = join(folder, 'tree');
  await workshop.host.files.makeDirectory(place, 0o755);
  const epoch = epochOf(build);
  const projectFile = (path: string) => join(workshop.root, path);
  const proxy = build.proxy === undefined ? {} : { proxy: build.proxy };
  const tree = await openTree({ arch: spec.arch, place, epoch, projectFile, ...proxy }, ctx);
  return { tree, epoch };
}

/** Open the tree as it is after some first steps, whose layers are stored. */
export async function openTreeAfter(steps: readonly PlannedStep[], build: TreePlace, ctx: Context): Promise<OpenTree> {
  const { tree } = await openBuildTree(build, ctx);
  try {
    await restore({ build, tree }, steps, ctx);
    return tree;
  } catch (error) {
    await tree.close();
    throw error;
  }
}

/** The steps of one bench, in order. */
export function stepsOn(plan: Plan, bench: Bench): readonly PlannedStep[] {
  return plan.stages.filter((stage) => stage.bench === bench).flatMap((stage) => stage.steps);
}

type Running = { readonly build: TreeBuild; readonly tree: OpenTree; readonly epoch: number };

function epochOf({ workshop, spec, pin }: TreePlace): number {
  return workshop.kinds.sources.get(spec.source.kind)?.epoch?.(pin) ?? Date.UTC(2025, 0, 1) / 1000;
}

async function runSteps(running: Running & { readonly saving: Saving }, ctx: Context): Promise<ManifestStep[]> {
  const { build, tree, epoch } = running;
  const planned = stepsOn(build.plan, 'tree');
  const restored = await restore(running, planned, ctx);
  const done: ManifestStep[] = planned.slice(0, restored).map((step) => finished(step, 'cached', 0));
  let before: Snapshot = restored === 0 ? new Map() : await takeSnapshot(tree.as(ctx));
  for (const [index, step] of planned.entries()) {
    if (index < restored) continue;
    running.saving.throwIfFailed();
    const { value, seconds } = await withStep(step, ctx, async (stepCtx) => {
      const started = stepCtx.host.monotonic();
      const session = tree.as(stepCtx);
      return withRoom(
        inMemory,
        () => treeBytes(session),
        async () => {
          await makeLayerFolder(build, step, stepCtx);
          await runStep(running, index, step, stepCtx);
          await clampTimes(session, epoch);
          const after = await takeSnapshot(session);
          const took = (stepCtx.host.monotonic() - started) / 1000;
          running.saving.add((await saveDifference({ running, step, took }, { before, after }, stepCtx)).saved);
          return after;
        },
      );
    });
    before = value;
    done.push(finished(step, 'done', seconds));
  }
  return done;
}

const inMemory = { inMemory: "the image's files" };

function finished(step: PlannedStep, outcome: 'cached' | 'done', seconds: number): ManifestStep {
  return { id: step.id, title: step.title, key: step.key ?? '', outcome, seconds, inputs: step.inputs };
}

/** Put the stored layers of the first steps on the empty tree; says of how many. A layer that is not whole is dropped. */
async function restore(
  running: { readonly build: TreePlace; readonly tree: OpenTree },
  planned: readonly PlannedStep[],
  ctx: Context,
): Promise<number> {
  const { workshop } = running.build;
  const firstMiss = planned.findIndex((step) => step.state === 'miss');
  const hits = firstMiss === -1 ? planned.length : firstMiss;
  for (const step of planned.slice(0, hits)) {
    const layer = await findLayer(workshop.paths, step.key ?? '', workshop.host.now());
    try {
      if (layer === undefined) throw new Error('not whole');
      const session = running.tree.as(ctx);
      await withRoom(
        inMemory,
        () => treeBytes(session),
        () => applyLayer(session, layer.file, layer.removed),
      );
    } catch (error) {
      if (ctx.signal.aborted || isNoSpace(error)) throw error;
      await dropLayer(workshop.paths, step.key ?? '');
      throw new LostLayerError(step.title);
    }
    ctx.emit({ type: 'step.end', id: step.id, title: step.title, outcome: 'cached', seconds: 0 });
  }
  return hits;
}

/** A stored layer could not be used and was dropped: plan again, its step then runs. */
export class LostLayerError extends Error {
  override readonly name = 'LostLayerError';
}

async function runStep(running: Running, index: number, step: PlannedStep, ctx: Context): Promise<void> {
  const { build, tree } = running;
  const { workshop, spec } = build;
  const session = tree.as(ctx);
  if (index === 0) {
    const source = workshop.kinds.sources.get(spec.source.kind);
    if (source?.fill === undefined) throw new Error(`the source ${spec.source.kind} fills no tree`);
    await source.fill(spec.source.options, { arch: spec.arch, pin: build.pin }, session, ctx);
    const leftovers = 'cd "$0" && rm -rf dev/* dev/.[!.]* run/* run/.[!.]* tmp/* tmp/.[!.]* proc/* sys/*';
    await session.run({ argv: ['sh', '-c', leftovers, session.root] }, {});
    return;
  }
  const use = spec.steps[index - 1];
  const kind = workshop.kinds.steps.get(step.kind);
  if (use === undefined || kind === undefined) throw new Error(`no step ${step.id}`);
  const options = fillSecrets(use.options, kind.secretsIn, workshop.secret);
  const place = { workshop, spec, folder: build.folder, layer: layerFolder(build, step) };
  try {
    await withStepContext(place, ctx, (stepCtx) => kind.run(options, session.work, stepCtx));
  } finally {
    await session.leave();
  }
}

/** Becomes the step's layer. */
function layerFolder(build: TreeBuild, step: PlannedStep): string {
  return join(build.folder, `layer-${step.id}`);
}

async function makeLayerFolder(build: TreeBuild, step: PlannedStep, { host }: Context): Promise<void> {
  const folder = layerFolder(build, step);
  await withRoom(folder, 0, () => host.files.makeDirectory(folder));
}

/** Resolves when the tree may change again; what it resolves to, when the layer is stored. */
async function saveDifference(
  { running, step, took }: { readonly running: Running; readonly step: PlannedStep; readonly took: number },
  { before, after }: { readonly before: Snapshot; readonly after: Snapshot },
  ctx: Context,
): Promise<{ readonly saved: Promise<void> }> {
  const { build, tree } = running;
  const { changed, removed } = difference(before, after);
  const folder = layerFolder(build, step);
  const { packed } = await packLayer(tree.as(ctx), changed, packedFile(folder));
  const record = { title: step.title, removed, seconds: took };
  const saved = packed.then(() => saveLayer(build.workshop.paths, step.key ?? '', folder, record));
  saved.catch(() => undefined);
  return { saved };
}

async function sealAndAssemble({ build, tree, epoch }: Running, ctx: Context): Promise<SealedDisk> {
  const { spec, folder, plan } = build;
  const seal = await withStep({ id: 'seal', title: 'seal' }, ctx, async (stepCtx) => {
    const session = tree.as(stepCtx);
    const facts = parseImageFacts(await session.work.read(imageFactsScript));
    await session.work.exec(sealScript(spec.arch, spec.filesystem));
    return facts;
  });
  const disk = join(folder, 'disk.raw');
  const title = `disk (${spec.filesystem}, ${spec.firmware.join(' and ')})`;
  const assembled = await withStep({ id: 'disk', title }, ctx, async (stepCtx) => {
    const [first] = stepsOn(plan, 'guest');
    const layout = diskLayout(spec.arch, spec.disk, first?.key ?? plan.key ?? '');
    const session = tree.as(stepCtx);
    const request = { layout, filesystem: spec.filesystem, epoch, disk, folder };
    return withRoomForTools(
      disk,
      () => treeBytes(session),
      () => assembleDisk(session, request, stepCtx),
      stepCtx,
    );
  });
  const steps: ManifestStep[] = [
    { ...{ id: 'seal', title: 'seal', key: '' }, outcome: 'done', seconds: seal.seconds, inputs: sealInputs },
    { ...{ id: 'disk', title, key: '' }, outcome: 'done', seconds: assembled.seconds, inputs: diskInputs(spec) },
  ];
  return { disk, steps, ...seal.value, contents: assembled.value };
}

const sealInputs = { 'kind version': String(sealVersion) };

function diskInputs({ disk, filesystem, firmware }: ImageSpec): Inputs {
  const layout = { bytes: String(disk), filesystem, firmware: [...firmware].sort().join(' ') };
  return { 'kind version': String(layoutVersion), ...layout };
}
