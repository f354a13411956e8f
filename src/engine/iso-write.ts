import { join } from 'node:path';
import type { IsoBuildRequest } from '../cli/requests/isos.ts';
import type { Context } from '../core/context.ts';
import { bootPathsOf, type IsoEntry } from '../core/isos.ts';
import type { Json } from '../core/keys.ts';
import type { ArtifactFile, Manifest } from '../core/manifest.ts';
import type { Delivery, Unattended } from '../core/media.ts';
import { withRoom } from '../core/space.ts';
import type { ImageSpec } from '../core/spec.ts';
import type { IsoFacts } from '../iso/facts.ts';
import { writeAnswersDisk } from '../run/answers-disk.ts';
import { finishFile } from '../run/finish.ts';
import { gitState, versionOf } from '../run/machine-facts.ts';
import { remasterIso, remasterTools } from '../run/remaster.ts';
import { type Workshop, withStep } from '../run/workshop.ts';
import { type FinishedBuild, manifestFile, manifestText, publishBuild } from '../store/artifacts.ts';
import { onShelf } from '../store/paths.ts';
import { inScratch } from './guests.ts';

/** Which image's ISO is made, and how. */
export type Making = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly request: IsoBuildRequest;
  readonly build: string;
  /** On the clock that never goes back. */
  readonly started: number;
};

/** All that is known of it before it is written. */
export type Parts = {
  readonly iso: string;
  /** What the vendor calls it. */
  readonly name: string;
  readonly facts: IsoFacts;
  readonly entry: IsoEntry;
  readonly delivery: Delivery;
  readonly unattended: Unattended;
  readonly key: string;
  readonly pin: Json;
};

/** Write the ISO and what lies beside it; they become visible when they are whole. */
export async function writeIso(making: Making, parts: Parts, ctx: Context): Promise<FinishedBuild> {
  const { workshop, spec, build } = making;
  const { host } = workshop;
  return inScratch(workshop, build, ctx.signal, async (scratch) => {
    const [staged, folder] = [join(scratch, 'staged'), join(scratch, 'work')];
    await host.files.makeDirectory(staged, 0o755);
    await host.files.makeDirectory(folder, 0o700);
    const step = { id: 'iso', title: `write ${spec.name}.iso` };
    const { value: artifacts } = await withStep(step, ctx, async (inner) => {
      const files = await writeFiles(making, parts, { staged, folder }, inner);
      return Promise.all(files.map((file) => finishFile(staged, file, inner)));
    });
    const manifest = await manifestOf(making, parts, artifacts, ctx);
    await withRoom(staged, 0, () => host.files.write(join(staged, manifestFile), manifestText(manifest)));
    return publishBuild(onShelf(workshop.paths, 'isos'), staged, manifest, ctx.signal);
  });
}

/** Write the ISO, and what lies beside it; gives their names. */
async function writeFiles(
  { spec, request }: Making,
  { iso, name, facts, entry, delivery, unattended }: Parts,
  { staged, folder }: { readonly staged: string; readonly folder: string },
  ctx: Context,
): Promise<readonly string[]> {
  const { words, ownWords = [], files, onIso: more = new Map(), label } = unattended;
  const none = new Map<string, string>();
  const title = `Install ${spec.name} automatically`;
  const output = join(staged, `${spec.name}.iso`);
  const boot = { ...bootPathsOf(entry), title, words, ownWords, timeoutSeconds: request.timeoutSeconds };
  const inIso = new Map([...(delivery.by === 'medium' ? files : none), ...more]);
  const initrd = delivery.by === 'initrd' ? files : none;
  await remasterIso({ iso, name, facts, entry: boot, files: inIso, initrd, output, folder }, ctx);
  const first = `${spec.name}.iso`;
  if (delivery.by === 'seed' && label !== undefined) {
    const disk = `${spec.name}.${label.toLowerCase()}.img`;
    const place = { output: join(staged, disk), folder: join(folder, 'disk') };
    await writeAnswersDisk({ label, files, epoch: facts.epoch, ...place }, ctx);
    return [first, disk];
  }
  if (delivery.by !== 'url') return [first];
  for (const [path, data] of files) await withRoom(staged, 0, () => ctx.host.files.write(join(staged, path), data));
  return [first, ...files.keys()];
}

async function manifestOf(
  { workshop, spec, build, started }: Making,
  { key, pin }: Parts,
  artifacts: readonly ArtifactFile[],
  { host, signal }: Context,
): Promise<Manifest> {
  const git = await gitState(host, workshop.root, signal);
  const versions = remasterTools.map(async ({ program }) => [
    program,
    (await versionOf(program, host, signal)) ?? 'unknown',
  ]);
  return {
    schemaVersion: 1,
    image: spec.name,
    arch: spec.arch,
    ...(spec.site === undefined ? {} : { site: spec.site }),
    description: spec.description,
    ...(spec.keep === undefined ? {} : { keep: spec.keep }),
    build,
    key,
    builtAt: new Date(host.now()).toISOString(),
    seconds: (host.monotonic() - started) / 1000,
    ...(git === undefined ? {} : { git }),
    source: { kind: spec.source.kind, options: spec.source.options, pin },
    pins: spec.source.refs.pins,
    system: {},
    packages: [],
    tools: Object.fromEntries([['node', process.versions.node], ...(await Promise.all(versions))]) as Record<
      string,
      string
    >,
    steps: [],
    artifacts,
    checks: [],
  };
}
