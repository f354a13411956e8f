import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { IsoBuildRequest } from '../../cli/requests/isos.ts';
import type { Context } from '../../core/context.ts';
import { bootPathsOf, type IsoEntry } from '../../core/isos.ts';
import type { Json } from '../../core/keys.ts';
import type { ArtifactFile, CheckRecord, Material } from '../../core/manifest.ts';
import type { CarriedRepository, Delivery, Unattended } from '../../core/media.ts';
import { withRoom } from '../../core/space.ts';
import { together } from '../../core/together.ts';
import type { IsoFacts } from '../../iso/facts.ts';
import { finishFile } from '../../run/finish.ts';
import { writeAnswersDisk } from '../../run/isos/answers-disk.ts';
import { proveIso } from '../../run/isos/prove-iso.ts';
import { remasterIso } from '../../run/isos/remaster.ts';
import { openSigner } from '../../run/signing.ts';
import { withStep } from '../../run/workshop.ts';
import type { FinishedBuild } from '../../store/artifacts.ts';
import { inScratch } from '../guests.ts';
import type { Cargo } from './iso-carry.ts';
import { type MediaMaking, machineOf, publishMedia } from './media-build.ts';

/** Which image's ISO is made, and how. */
export type Making = MediaMaking & { readonly request: IsoBuildRequest };

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
  /** SHA-256 of the vendor's ISO, where nothing is written down of it. */
  readonly sha256: string | undefined;
  /** What it holds beside the answers. */
  readonly cargo: Cargo | undefined;
  /** Fetch the packages that it holds into an empty folder. */
  readonly load: (folder: string, ctx: Context) => Promise<CarriedRepository>;
};

/** Write the ISO and what lies beside it; they become visible when they are whole. */
export async function writeIso(making: Making, parts: Parts, ctx: Context): Promise<FinishedBuild> {
  const { workshop, spec, build, request } = making;
  const { host } = workshop;
  // A key that does not open is told now, not after the work.
  await openSigner(workshop);
  return inScratch(workshop, build, ctx.signal, async (scratch) => {
    const [staged, folder] = [join(scratch, 'staged'), join(scratch, 'work')];
    await host.files.makeDirectory(staged, 0o755);
    await host.files.makeDirectory(folder, 0o700);
    const step = { id: 'iso', title: `write ${spec.name}.iso` };
    const { value } = await withStep(step, ctx, async (inner) => {
      const { beside, packages } = await loadCargo(parts, join(folder, 'cargo'), inner);
      const [files, materials, machine] = await together([
        writeFiles(making, { ...parts, beside }, { staged, folder }, inner),
        materialsOf(parts.unattended, beside, inner),
        machineOf(workshop, inner),
      ]);
      const artifacts = files.map(({ file, sha256 }) => finishFile(staged, file, inner, sha256));
      return { artifacts: await Promise.all(artifacts), materials, packages, machine };
    });
    const { artifacts, materials, packages, machine } = value;
    const proof = { parts, artifacts, folder: staged, scratch: join(scratch, 'proof') };
    const checks = request.checks ? await proveWritten(making, proof, ctx) : [];
    const { key, name, sha256 } = parts;
    const base = sha256 === undefined ? {} : { base: { name, digest: { sha256 } } };
    const known = { key, artifacts, checks, materials, packages, ...base };
    return publishMedia(making, { shelf: 'isos', staged, known, pin: { iso: parts.pin }, machine }, ctx);
  });
}

/** Files of this machine by their paths in the ISO. */
type Beside = ReadonlyMap<string, string>;

async function loadCargo({ cargo, load }: Parts, folder: string, ctx: Context) {
  const { files = [], packages = [] } = cargo?.offline === true ? await load(folder, ctx) : {};
  const beside: Beside = new Map([...(cargo?.files ?? []), ...files]);
  return { beside, packages };
}

/** What is in it beside the vendor's: answers, and what it carries. */
async function materialsOf(
  { files, onIso = new Map() }: Unattended,
  beside: Beside,
  { host, signal }: Context,
): Promise<readonly Material[]> {
  const answers = [...files, ...onIso].map(([name, data]) => ({
    name,
    digest: { sha256: createHash('sha256').update(data).digest('hex') },
  }));
  const carried = [...beside].map(async ([name, path]) => ({
    name,
    digest: { sha256: await host.files.sha256(path, signal) },
  }));
  return [...answers, ...(await Promise.all(carried))];
}

/** A name, and the digest where it is known already. */
type WrittenFile = { readonly file: string; readonly sha256?: string };

/** Write the ISO, and what lies beside it. */
async function writeFiles(
  { spec, request: { timeoutSeconds } }: Making,
  { iso, name, facts, entry, delivery, unattended, beside }: Parts & { readonly beside: Beside },
  { staged, folder }: { readonly staged: string; readonly folder: string },
  ctx: Context,
): Promise<readonly WrittenFile[]> {
  const { words, ownWords = [], files, onIso: more = new Map(), label } = unattended;
  const none = new Map<string, string>();
  const title = `Install ${spec.name} automatically`;
  const output = join(staged, `${spec.name}.iso`);
  const boot = { ...bootPathsOf(entry), title, words, ownWords, timeoutSeconds };
  const inIso = new Map([...(delivery.by === 'medium' ? files : none), ...more]);
  const initrd = delivery.by === 'initrd' ? files : none;
  const request = { iso, name, facts, entry: boot, files: inIso, beside, initrd, output, folder };
  const first = { file: `${spec.name}.iso`, sha256: await remasterIso(request, ctx) };
  if (delivery.by === 'seed' && label !== undefined) {
    const disk = `${spec.name}.${label.toLowerCase()}.img`;
    const place = { output: join(staged, disk), folder: join(folder, 'disk') };
    await writeAnswersDisk({ label, files, epoch: facts.epoch, ...place }, ctx);
    return [first, { file: disk }];
  }
  if (delivery.by !== 'url') return [first];
  for (const [path, data] of files) await withRoom(staged, 0, () => ctx.host.files.write(join(staged, path), data));
  return [first, ...[...files.keys()].map((file) => ({ file }))];
}

/** Written files, and what they were made from as far as their proof wants it. */
export type Written = {
  readonly parts: Pick<Parts, 'facts' | 'entry' | 'delivery' | 'cargo'>;
  readonly artifacts: readonly ArtifactFile[];
  /** Where they lie. */
  readonly folder: string;
  /** A work folder that is gone after the build. */
  readonly scratch: string;
};

/** Boot the ISO and what it installs; what needs answers from elsewhere cannot be proven here. */
export async function proveWritten(
  { workshop, spec, request, build }: Making,
  { parts, artifacts, folder, scratch }: Written,
  ctx: Context,
): Promise<readonly CheckRecord[]> {
  const { facts, entry, delivery, cargo } = parts;
  const { kernel } = bootPathsOf(entry);
  const [iso, second] = artifacts.map(({ file, sha256 }) => ({ path: join(folder, file), sha256 }));
  if (iso === undefined) throw new Error('no ISO was written');
  if (delivery.by === 'url') {
    const message = 'the ISO is not proven: its answers lie at an address, which is not this machine';
    ctx.emit({ type: 'warning', message, hint: 'boot it once in a machine that reaches them' });
    return [];
  }
  const answers = delivery.by === 'seed' && second !== undefined ? { answers: second } : {};
  const { timeoutSeconds } = request;
  const offline = cargo?.offline === true;
  return proveIso(workshop, { spec, iso, facts, kernel, ...answers, offline, timeoutSeconds, scratch, build }, ctx);
}
