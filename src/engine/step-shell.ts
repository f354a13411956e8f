import { join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { RecordedStep, ShellRequest } from '../cli/requests/images.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { ImageSpec } from '../core/spec.ts';
import { openPackageCache } from '../host/package-cache.ts';
import { sourceId } from '../plan/inputs.ts';
import { type Boundary, boundaryBefore } from '../plan/pick-step.ts';
import { pinImages } from '../run/pin.ts';
import { planWithStore } from '../run/plan.ts';
import { LostLayerError } from '../run/tree.ts';
import { type VisitRequest, visit } from '../run/visit.ts';
import type { Workshop } from '../run/workshop.ts';
import { inScratch } from './guests.ts';
import { buildId, openJournal } from './journal.ts';
import { prepareRecording } from './record-step.ts';

type Setting = {
  readonly workshop: Workshop;
  /** The image and those it is made from. */
  readonly specs: readonly ImageSpec[];
  readonly spec: ImageSpec;
  readonly io: Io;
};

/** Give the terminal to root's shell in an image as it is before one of its steps; make a step of what was entered. */
export async function logInBefore(
  setting: Setting,
  request: ShellRequest & { readonly step: string },
): Promise<RecordedStep | undefined> {
  const { workshop, specs, spec, io } = setting;
  const quiet: Context = { signal: io.signal, emit: () => undefined, host: workshop.host, step: 'plan' };
  const lock = await pinImages(workshop, specs, { ask: 'none' }, quiet);
  const plan = planWithStore(workshop, spec, lock, { force: false });
  const boundary = boundaryBefore(plan, request.step);
  const [missing] = boundary.before.filter(({ state }) => state === 'miss');
  if (missing !== undefined) throw notStored(spec, boundary, { title: missing.title, why: missing.why });
  const { record } = request;
  const how = `ingot shell --step ${request.step} --record ${spec.name}`;
  const recorder = record && (await prepareRecording({ workshop, spec, boundary, how, ...record }));
  const pin = lock.sources[sourceId(spec.source, spec.arch)] ?? null;
  const way = { plan, boundary, pin, record: record !== undefined };
  const entered = await enter(setting, way).catch((error: unknown) => {
    if (error instanceof LostLayerError) throw notStored(spec, boundary, { title: error.message, why: 'not whole' });
    throw error;
  });
  return recorder?.(entered);
}

function notStored(
  spec: ImageSpec,
  { id }: Boundary,
  { title, why }: { readonly title: string; readonly why: string | undefined },
): IngotError {
  const site = spec.site === undefined ? '' : ` --site ${spec.site}`;
  return new IngotError({
    code: 'NOT_FOUND',
    message: `the image as it is before ${id} is not stored: "${title}" has to run first${why === undefined ? '' : ` (${why})`}`,
    hint: `ingot build ${spec.name} --arch ${spec.arch}${site}`,
  });
}

type Way = Pick<VisitRequest, 'plan' | 'boundary' | 'pin' | 'record'>;

async function enter({ workshop, spec, io }: Setting, way: Way) {
  const { host, paths } = workshop;
  const { name: image, arch } = spec;
  const id = buildId(host);
  const journal = openJournal(workshop, id, io);
  const started = host.monotonic();
  const boot = { id: 'boot', title: `open it as it is before ${way.boundary.id}` };
  const terminal = async (shell: () => Promise<void>) => {
    const seconds = (host.monotonic() - started) / 1000;
    journal.emit({ type: 'step.end', ...boot, outcome: 'done', seconds });
    journal.emit({ type: 'build.end', image, arch, outcome: 'done', seconds });
    await io.withTerminal(shell);
  };
  journal.emit({ type: 'build.start', image, arch, key: way.plan.key ?? '' });
  journal.emit({ type: 'step.start', ...boot });
  const ctx: Context = { signal: io.signal, emit: journal.emit, host, step: 'boot' };
  try {
    return await inScratch(workshop, id, io.signal, async (folder) => {
      const cache = await openPackageCache(paths.packages, join(folder, 'downloads'));
      try {
        const logs = join(paths.builds, id);
        return await visit({ workshop, spec, ...way, folder, logs, proxy: cache.url, terminal }, ctx);
      } finally {
        await cache.close();
      }
    });
  } finally {
    journal.close();
  }
}
