import { join } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import type { IsoBuild, NetbootRequest } from '../../cli/requests/isos.ts';
import type { Context } from '../../core/context.ts';
import { appendToInitrd } from '../../core/cpio.ts';
import { IngotError } from '../../core/errors.ts';
import { bootPathsOf, filesOfIso, type IsoEntry } from '../../core/isos.ts';
import { digest, type Json } from '../../core/keys.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { Delivery, Unattended } from '../../core/media.ts';
import type { Published } from '../../core/published.ts';
import type { ImageSpec } from '../../core/spec.ts';
import { joinWords } from '../../iso/boot-line.ts';
import { extractArgv } from '../../iso/facts.ts';
import { grubScript, ipxeScript, type Netboot, netbootFiles, netbootOf } from '../../iso/netboot.ts';
import { finishFile } from '../../run/finish.ts';
import { inspectIso, refuseWithoutKernel } from '../../run/isos/remaster.ts';
import { withRoomForTools } from '../../run/room.ts';
import { type Workshop, withStep } from '../../run/workshop.ts';
import { findByKey, selectBuild } from '../../store/artifacts.ts';
import { onShelf } from '../../store/paths.ts';
import { nameOfPublished } from '../../upstream/published.ts';
import { inScratch } from '../guests.ts';
import { bringIsoFile, pinOf } from './iso-files.ts';
import { buildMedia, type Made, type MediaMaking, machineOf, mediumOf, publishMedia, textsOf } from './media-build.ts';

/** Raised when the same answers and the same files would give other bytes. */
const version = 2;

type Making = MediaMaking & { readonly request: NetbootRequest };

/** Make the folder that the installer of an image starts from over the network; one result for each architecture. */
export function buildNetboots(workshop: Workshop, request: NetbootRequest, io: Io): Promise<readonly IsoBuild[]> {
  return buildMedia(workshop, { ...request, shelf: 'netboot' }, io, (one, ctx) => make({ ...one, request }, ctx));
}

async function make(making: Making, ctx: Context): Promise<Made> {
  const { workshop, spec, request } = making;
  const paths = onShelf(workshop.paths, 'netboot');
  const { medium, options } = mediumOf(workshop, spec);
  const entry = medium.iso(options);
  const netboot = startOf(entry, spec);
  const folder = addressOf(request, netboot, spec);
  const delivery: Delivery = netboot.answers === 'url' ? { by: 'url', url: folder } : { by: 'initrd' };
  const asked = {
    ...{ image: spec.name, delivery, powerOff: request.powerOff },
    ...(request.console === undefined ? {} : { console: request.console }),
  };
  const projectFile = (path: string) => join(workshop.root, path);
  const unattended = await medium.unattended(options, asked, { ...ctx, projectFile });
  const fetch = { id: 'fetch', title: `fetch ${entry.name}` };
  const { value: brought } = await withStep(fetch, ctx, (inner) => bring(workshop, entry, request.refresh, inner));
  const words = joinWords(unattended.ownWords ?? [], [
    ...netboot.words(`${folder}${spec.name}.iso`),
    ...unattended.words,
  ]);
  const parts = { entry, netboot, brought, words, unattended };
  const key = keyOf(parts, entry);
  const known = await findByKey(paths, spec.name, spec.arch, key);
  if (known !== undefined && (await selectBuild(paths, known, ctx.signal))) return { finished: known, cached: true };
  return { finished: await write(making, { ...parts, key }, ctx), cached: false };
}

function startOf({ name, distribution, kernel }: IsoEntry, { source }: ImageSpec): Netboot {
  const netboot = netbootOf(distribution);
  if (netboot === undefined) {
    throw new IngotError({
      code: 'USAGE',
      message: `the installer of ${distribution} is not started over the network: it is looked for on its ISO`,
      place: source.place,
      hint: '`ingot iso build` makes an ISO that installs by itself',
    });
  }
  if (netboot.fromIso || typeof kernel === 'object') return netboot;
  throw new IngotError({
    code: 'USAGE',
    message: `the kernel and initrd of the ISO ${name} look for a CD when they start`,
    place: source.place,
    hint: `name ${distribution}'s netboot files in isos.yaml: kernel: { url, checksum } and initrd: { url, checksum }`,
  });
}

/** Where the folder will be; some installers must be told. */
function addressOf({ base }: NetbootRequest, { answers, isoBeside }: Netboot, { name, arch }: ImageSpec): string {
  if (base !== undefined) return `${base}netboot/${name}/${arch}/`;
  if (answers !== 'url' && !isoBeside) return '';
  throw new IngotError({
    code: 'USAGE',
    message: `the installer of ${name} fetches its answers from a whole address`,
    hint: 'say where `ingot serve` is to be reached: --base http://192.0.2.1:8417/',
  });
}

type Brought = {
  readonly kernel: string;
  readonly initrd: string;
  /** Where they are in `iso`; without it they are paths of this machine. */
  readonly iso?: { readonly path: string; readonly name: string };
  readonly pin: Readonly<Record<string, Json>>;
  readonly bytes: Json;
};

async function bring(workshop: Workshop, entry: IsoEntry, refresh: boolean, ctx: Context): Promise<Brought> {
  const one = async (published: Published) => {
    const pin = await pinOf(workshop, published, refresh, ctx);
    const path = await bringIsoFile(workshop, published, { refresh: false }, ctx);
    return { pin, path, bytes: pin ?? (await ctx.host.files.sha256(path, ctx.signal)) };
  };
  const files = filesOfIso(entry);
  if ('iso' in files) {
    const { pin, path, bytes } = await one(files.iso);
    return { ...bootPathsOf(entry), iso: { path, name: nameOfPublished(files.iso) }, pin: { iso: pin }, bytes };
  }
  const [kernel, initrd] = [await one(files.kernel), await one(files.initrd)];
  const pin = { kernel: kernel.pin, initrd: initrd.pin };
  return { kernel: kernel.path, initrd: initrd.path, pin, bytes: [kernel.bytes, initrd.bytes] };
}

type Parts = {
  readonly entry: IsoEntry;
  readonly netboot: Netboot;
  readonly brought: Brought;
  readonly words: readonly string[];
  readonly unattended: Unattended;
};

function keyOf({ words, brought, unattended }: Parts, entry: IsoEntry): string {
  const boot = typeof entry.kernel === 'object' ? {} : bootPathsOf(entry);
  return digest({ version, words, boot, bytes: brought.bytes, files: textsOf(unattended.files) });
}

async function write(making: Making, parts: Parts & { readonly key: string }, ctx: Context) {
  const { workshop, spec, build } = making;
  return inScratch(workshop, build, ctx.signal, async (scratch) => {
    const staged = join(scratch, 'staged');
    await ctx.host.files.makeDirectory(staged, 0o755);
    const step = { id: 'netboot', title: `write the netboot folder of ${spec.name}` };
    const { value: artifacts } = await withStep(step, ctx, async (inner) => {
      const names = await writeFiles(spec, parts, staged, inner);
      return Promise.all(names.map((name) => finishFile(staged, name, inner)));
    });
    const known: Pick<Manifest, 'key' | 'artifacts' | 'checks'> = { key: parts.key, artifacts, checks: [] };
    const machine = await machineOf(workshop, ctx);
    return publishMedia(making, { shelf: 'netboot', staged, known, pin: parts.brought.pin, machine }, ctx);
  });
}

/** Scripts, kernel, initrd, answers; gives their names. */
async function writeFiles(
  { name }: ImageSpec,
  { entry, netboot, brought, words, unattended }: Parts,
  staged: string,
  ctx: Context,
): Promise<readonly string[]> {
  const { kernel, initrd, script, grub } = netbootFiles;
  const { files } = ctx.host;
  const at = (file: string) => join(staged, file);
  const copy = async (from: string, to: string) => {
    const size = async () => (await files.stat(from))?.size ?? 0;
    const argv = ['cp', '--reflink=auto', '--', from, at(to)] as const;
    await withRoomForTools(at(to), size, () => ctx.host.run({ argv }, { signal: ctx.signal }), ctx);
  };
  await takeBoot(entry, brought, { staged, copy }, ctx);
  if (netboot.answers === 'initrd')
    await files.write(at(initrd), appendToInitrd(await files.read(at(initrd)), unattended.files), 0o644);
  const beside = netboot.answers === 'url' ? unattended.files : new Map<string, string>();
  await files.write(at(script), ipxeScript(`Installs ${name}`, words));
  await files.write(at(grub), grubScript(`Installs ${name}`, words));
  for (const [path, data] of beside) await files.write(at(path), data);
  const iso = netboot.isoBeside && brought.iso !== undefined ? [`${name}.iso`] : [];
  if (brought.iso !== undefined) for (const file of iso) await copy(brought.iso.path, file);
  return [script, grub, kernel, initrd, ...beside.keys(), ...iso];
}

type Place = { readonly staged: string; readonly copy: (from: string, to: string) => Promise<void> };

async function takeBoot(
  entry: IsoEntry,
  { kernel, initrd, iso }: Brought,
  { staged, copy }: Place,
  ctx: Context,
): Promise<void> {
  if (iso === undefined) {
    await copy(kernel, netbootFiles.kernel);
    await copy(initrd, netbootFiles.initrd);
    return;
  }
  refuseWithoutKernel({ name: iso.name, facts: await inspectIso(iso.path, iso.name, ctx), entry: bootPathsOf(entry) });
  const pairs = [
    [kernel, join(staged, netbootFiles.kernel)],
    [initrd, join(staged, netbootFiles.initrd)],
  ] as const;
  await ctx.host.run({ argv: extractArgv(iso.path, pairs) }, { signal: ctx.signal });
  const argv = ['chmod', '0644', '--', ...pairs.map(([, to]) => to)] as const;
  await ctx.host.run({ argv }, { signal: ctx.signal });
}
