import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { InstallRequest } from '../../core/install.ts';
import type { Json } from '../../core/keys.ts';
import type { ManifestStep } from '../../core/manifest.ts';
import type { Plan, PlannedStep } from '../../core/plan.ts';
import { fillSecrets } from '../../core/secrets.ts';
import type { ImageSpec } from '../../core/spec.ts';
import { bootFilesText, bootState, newestKernel, parseBootFiles } from '../../guest/boot-files.ts';
import { createChannel } from '../../guest/channel.ts';
import { asRaw, diskSize } from '../../qemu/img.ts';
import type { Machine } from '../../qemu/machine.ts';
import { dropLayer } from '../../store/layers.ts';
import { readDiskFacts } from '../disk-facts.ts';
import { runInstaller } from '../isos/install.ts';
import { lookInside } from '../look-inside.ts';
import { scanDisk } from '../scan.ts';
import { sourceContext } from '../source-context.ts';
import { withStepContext } from '../step-context.ts';
import { LostLayerError, type SealedDisk, stepsOn } from '../tree.ts';
import { secretsOf, type Workshop, withStep } from '../workshop.ts';
import type { BootedGuest } from './boot-guest.ts';
import { GuestDisk, newLayerId } from './guest-disk.ts';
import { atRest } from './guest-rest.ts';
import { readFacts, sealGuest } from './guest-seal.ts';
import { GuestStarts } from './guest-starts.ts';
import { GuestStates } from './guest-states.ts';
import { guestWork } from './guest-work.ts';
import { LayerLocks } from './layer-locks.ts';
import { parentDisk } from './parent-disk.ts';

export type GuestBuild = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly plan: Plan;
  /** The source's pin. */
  readonly pin: Json;
  /** What made the disk that the guest boots from, where that was a tree. */
  readonly tree?: { readonly steps: readonly PlannedStep[]; build(): Promise<SealedDisk> };
  /** A work folder that is gone after the build. */
  readonly folder: string;
  /** A folder that stays, for logs. */
  readonly logs: string;
  /** Run every step, whatever is stored. */
  readonly force: boolean;
  /** Go on from saved states of guests, and save them. */
  readonly warm: boolean;
  /** Called with the guest of a failed step before it is dropped. */
  readonly onFailure?: ((guest: FailedGuest, ctx: Context) => Promise<void>) | undefined;
};

/** A guest in which a step failed. */
export type FailedGuest = { readonly guest: BootedGuest; readonly disk: GuestDisk };

/** Make the sealed disk of an image in a guest, starting after the last step whose layer is stored. */
export async function buildInGuest(build: GuestBuild, ctx: Context): Promise<SealedDisk> {
  const construction = new Construction(build, ctx);
  try {
    return await construction.run();
  } finally {
    await construction.close();
  }
}

/** Do something with the guest as it is after all planned steps, whose layers are stored. */
export async function visitGuest<T>(
  build: GuestBuild,
  ctx: Context,
  action: (guest: BootedGuest) => Promise<T>,
): Promise<T> {
  const construction = new Construction(build, ctx);
  try {
    return await action(await construction.enterLast());
  } finally {
    await construction.close();
  }
}

/** One guest and its disk, from the first layer to the sealed disk. */
class Construction {
  readonly #build: GuestBuild;
  readonly #ctx: Context;
  readonly #planned: readonly PlannedStep[];
  readonly #disk: GuestDisk;
  readonly #locks: LayerLocks;
  readonly #states: GuestStates;
  readonly #channel = createChannel();
  readonly #starts: GuestStarts;

  constructor(build: GuestBuild, ctx: Context) {
    this.#build = build;
    this.#ctx = ctx;
    const { paths } = build.workshop;
    this.#planned = stepsOn(build.plan, 'guest');
    this.#disk = new GuestDisk(paths, build.folder, build.spec.disk);
    this.#locks = new LayerLocks(paths);
    this.#states = new GuestStates(build.workshop, build.spec, build.warm);
    const { workshop, spec, folder, logs } = build;
    const own = { disk: this.#disk, states: this.#states, channel: this.#channel };
    this.#starts = new GuestStarts({ workshop, spec, folder, logs, ...own });
  }

  async run(): Promise<SealedDisk> {
    const done = await this.#restore();
    const restored = done.length;
    if (restored > 0) done.unshift(...(this.#build.tree?.steps ?? []).map((step) => this.#cached(step)));
    for (const [index, step] of this.#planned.entries()) {
      if (index < restored) continue;
      await this.#locks.hold(keyOf(step), this.#ctx);
      done.push(...(await this.#make(index, step)));
    }
    this.#locks.release();
    const guest = await this.#starts.enter(this.#ctx);
    const seal = await this.#seal(guest);
    return { ...seal.value, steps: [...done, { ...sealStep, seconds: seal.seconds }] };
  }

  async enterLast(): Promise<BootedGuest> {
    await this.#restore();
    return this.#starts.enter(this.#ctx);
  }

  async close(): Promise<void> {
    this.#locks.release();
    await this.#starts.close();
  }

  /** Take all stored layers, in order; those that others make at this moment are waited for. */
  async #restore(): Promise<ManifestStep[]> {
    const done: ManifestStep[] = [];
    for (const step of this.#planned) {
      if (step.state === 'miss') await this.#locks.hold(keyOf(step), this.#ctx);
      // Whoever held the lock before us may have made just this.
      const isThere = !this.#build.force && (await this.#disk.restore(keyOf(step), this.#ctx));
      if (!isThere && step.state === 'hit') {
        await dropLayer(this.#build.workshop.paths, keyOf(step));
        throw new LostLayerError(step.title);
      }
      if (!isThere) break;
      done.push(this.#cached(step));
    }
    return done;
  }

  #cached(step: PlannedStep): ManifestStep {
    const { id, title } = step;
    this.#ctx.emit({ type: 'step.end', id, title, outcome: 'cached', seconds: 0 });
    return stepRecord(step, 'cached');
  }

  async #make(index: number, step: PlannedStep): Promise<readonly ManifestStep[]> {
    const { tree } = this.#build;
    if (index === 0 && tree !== undefined) return this.#leaveTree(step, tree);
    const { seconds } = index === 0 ? await this.#start(step) : await this.#change(step);
    return [{ ...stepRecord(step, 'done'), seconds }];
  }

  /** The tree's sealed disk is the lowest layer. */
  async #leaveTree(step: PlannedStep, tree: NonNullable<GuestBuild['tree']>): Promise<readonly ManifestStep[]> {
    const { disk, steps } = await tree.build();
    const ctx = { ...this.#ctx, step: step.id };
    const facts = await lookInside(disk, await this.#disk.newLayer(keyOf(step), ctx), ctx);
    const record = { key: keyOf(step), title: step.title, seconds: 0 };
    await this.#disk.start({ path: disk, format: 'raw' }, { size: this.#disk.size, ...facts }, record, ctx);
    await ctx.host.files.remove(disk);
    return steps;
  }

  async #start(step: PlannedStep) {
    const { workshop, spec, pin, folder, logs } = this.#build;
    const source = workshop.kinds.sources.get(spec.source.kind);
    return withStep(step, this.#ctx, async (ctx) => {
      const started = ctx.host.monotonic();
      if (source?.disk === undefined) throw new Error(`the source ${spec.source.kind} gives no disk`);
      const options = fillSecrets(spec.source.options, source.secretsIn, workshop.secret);
      const given = {
        ...{ name: spec.name, folder },
        image: (name: string) => parentDisk(workshop, name, { spec, pin, folder }, ctx),
        install: (request: InstallRequest) => runInstaller({ workshop, spec, folder, logs }, request, ctx),
      };
      const disk = await source.disk(options, { arch: spec.arch, pin }, sourceContext(workshop, given, ctx));
      const size = await diskSize(disk, ctx);
      if (size > spec.disk) throw tooSmall(spec, size);
      const raw = await asRaw(disk, join(folder, 'base.raw'), ctx);
      const facts = await lookInside(raw, await this.#disk.newLayer(keyOf(step), ctx), ctx);
      await ctx.host.files.remove(join(folder, 'base.raw'));
      const seconds = (ctx.host.monotonic() - started) / 1000;
      await this.#disk.start(disk, { size, ...facts }, { key: keyOf(step), title: step.title, seconds }, ctx);
    });
  }

  async #change(step: PlannedStep) {
    const { workshop, spec, folder } = this.#build;
    return withStep(step, this.#ctx, async (ctx) => {
      const started = ctx.host.monotonic();
      const guest = await this.#starts.enter(ctx);
      const layer = await this.#disk.newLayer(keyOf(step), ctx);
      // `2-shell` is the second step of the spec.
      const use = spec.steps[Number.parseInt(step.id, 10) - 1];
      const kind = workshop.kinds.steps.get(step.kind);
      if (use === undefined || kind === undefined) throw new Error(`no step ${step.id}`);
      const options = fillSecrets(use.options, kind.secretsIn, workshop.secret);
      const work = guestWork(guest, ctx, () => this.#starts.restart(guest));
      try {
        await withStepContext({ workshop, spec, folder, layer }, ctx, (inside) => kind.run(options, work, inside));
      } catch (error) {
        const explained = await guest.explain(error);
        if (!ctx.signal.aborted) await this.#build.onFailure?.({ guest, disk: this.#disk }, ctx);
        throw explained;
      }
      const seconds = (ctx.host.monotonic() - started) / 1000;
      await this.#keep({ key: keyOf(step), title: step.title, seconds }, ctx);
    });
  }

  /** Store what the step wrote; the guest's state too, so that what follows it starts in seconds. */
  async #keep(record: { readonly key: string; readonly title: string; readonly seconds: number }, ctx: Context) {
    const guest = await this.#starts.enter(ctx);
    const { bench, running } = this.#starts;
    const overlay = await this.#disk.newOverlay(ctx);
    const id = newLayerId(ctx);
    const keys = bench.login.newHostKey === true ? [] : [bench.keys.loginPublic, bench.keys.hostPublic].map(rawKey);
    const action = async (machine: Machine) => {
      await machine.putOverlay('disk', overlay);
      await this.#states.save({ key: record.key, disk: id, guest, bench, machine, running }, ctx);
    };
    const { paths = [], state } = this.#disk.directKernel ?? {};
    const first = bootFilesText(paths);
    const said = (await atRest(guest, this.#channel, ctx, { first, action })) ?? (await this.#turnOff(guest, first));
    const files = parseBootFiles(said);
    const kernel = newestKernel(files);
    const boots = { bootsAlike: bootState(files) === state, ...(kernel === undefined ? {} : { kernel }) };
    await this.#disk.keep(overlay, { id, keys, ...boots }, record, ctx);
  }

  /** What cannot be frozen is turned off instead, and boots again for the next step. */
  async #turnOff(guest: BootedGuest, first: string): Promise<string> {
    const { stdout } = await guest.run({ text: first }, {});
    await guest.untilOff(() => guest.exec({ text: 'sync; systemctl poweroff || poweroff' }).catch(() => undefined));
    await guest.stop();
    this.#starts.left();
    return stdout;
  }

  async #seal(guest: BootedGuest) {
    const { workshop, spec, folder } = this.#build;
    return withStep({ id: 'guest-seal', title: 'seal' }, this.#ctx, async (ctx) => {
      const { bench } = this.#starts;
      const ours = bench.login.newHostKey === true ? undefined : bench.keys;
      const told = this.#disk.base?.readable === true ? undefined : await readFacts(guest);
      const disk = join(folder, 'disk.raw');
      // The layers rest: they are put together while the guest turns itself off.
      await together(
        sealGuest(guest, this.#channel, ours === undefined ? 'own' : 'ours', ctx),
        this.#disk.flattenLayers(disk, ctx),
      );
      this.#starts.left();
      await this.#disk.commitOverlay(disk, ctx);
      const last = ours === undefined ? [] : [ours.loginPublic, ours.hostPublic].map(rawKey);
      const unwanted = { keys: [...this.#disk.keys, ...last], secrets: secretsOf(workshop, spec) };
      await scanDisk(disk, unwanted, ctx);
      return { ...(told ?? (await readDiskFacts(disk, ctx))), disk };
    });
  }
}

/** Both to their ends, whatever becomes of the other. */
async function together(...tasks: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(tasks);
  await Promise.all(tasks);
}

const sealStep = {
  ...{ id: 'guest-seal', title: 'seal', key: '', outcome: 'done', inputs: { 'kind version': '1' } },
} as const satisfies Omit<ManifestStep, 'seconds'>;

function keyOf(step: PlannedStep): string {
  if (step.key === undefined) throw new Error(`the key of ${step.id} is not known`);
  return step.key;
}

function stepRecord(step: PlannedStep, outcome: 'cached' | 'done'): ManifestStep {
  return { id: step.id, title: step.title, key: step.key ?? '', outcome, seconds: 0, inputs: step.inputs };
}

function tooSmall(spec: ImageSpec, size: number): IngotError {
  const gibibytes = Math.ceil(size / 1024 ** 3);
  return new IngotError({
    code: 'SPEC_INVALID',
    message: `the disk of ${spec.name} is smaller than the one it is made from, which has ${size} bytes`,
    hint: `write \`disk: ${gibibytes}G\` or more: disks grow, they do not shrink`,
  });
}

/** The 32 bytes of an Ed25519 public key, as base64. */
function rawKey(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return blob.subarray(-32).toString('base64');
}
