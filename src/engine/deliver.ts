import { basename, join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { Delivered, DeliverRequest } from '../cli/requests/delivery.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { isDisk } from '../core/kinds.ts';
import type { ArtifactFile } from '../core/manifest.ts';
import type { PublishPlace } from '../core/spec.ts';
import { checkName, type DeliveryPlace, parsePlace, placeName } from '../deliver/place.ts';
import { sendFile } from '../deliver/send.ts';
import { diskFirmware } from '../qemu/disk-firmware.ts';
import { bootMedia, finishFile, writtenAs } from '../run/finish.ts';
import { loadProject } from '../run/load-project.ts';
import { withRoomForTools } from '../run/room.ts';
import { type Workshop, withStep } from '../run/workshop.ts';
import { nearest } from '../spec/nearest.ts';
import { namePattern } from '../spec/settings.ts';
import type { FinishedBuild } from '../store/artifacts.ts';
import { reap, withLedger } from '../store/ledger.ts';
import { stagingName } from '../store/staging.ts';
import { type Chosen, chooseFormat } from './convert-format.ts';
import { bringRaw } from './convert-input.ts';
import { findBuild } from './find-build.ts';
import { buildId } from './journal.ts';
import { numbered } from './numbered.ts';

/** Put a copy of a finished image where it is used; `cwd`: what a folder is relative to. */
export async function deliverImage(
  workshop: Workshop,
  cwd: string,
  request: DeliverRequest,
  io: Io,
): Promise<Delivered> {
  const { host, paths } = workshop;
  const [image = '', build] = request.image.split('@');
  const found = await findBuild(workshop, { image, arch: request.arch, ...(build === undefined ? {} : { build }) });
  const set = await placeSaid(workshop, request, cwd);
  const ctx: Context = { host, signal: io.signal, step: 'publish', emit: numbered(io, host, 'publish') };
  await reap(paths);
  return withLedger(paths, buildId(host), io.signal, async (ledger) => {
    const folder = join(paths.work, stagingName());
    await ledger.record({ folder });
    const copy = await bringCopy(workshop, { found, format: request.format ?? set.format, folder }, ctx);
    const name = checkName(request.as ?? filled(set.name, found) ?? basename(copy.path));
    return send(copy, { name, place: set.place }, ctx);
  });
}

type Said = Omit<PublishPlace, 'to'> & { readonly place: DeliveryPlace };

async function placeSaid(workshop: Workshop, { to, image }: DeliverRequest, cwd: string): Promise<Said> {
  if (!namePattern.test(to)) return { place: parsePlace(to, cwd) };
  const [name = ''] = image.split('@');
  const { publish } = await loadProject(workshop.root, workshop, { images: [name], arch: 'all' });
  const named = Object.hasOwn(publish, to) ? publish[to] : undefined;
  if (named !== undefined) return { ...named, place: parsePlace(named.to, workshop.root) };
  const folder = parsePlace(to, cwd);
  if ((await workshop.host.files.stat(folder.folder)) !== undefined) return { place: folder };
  const near = nearest(to, Object.keys(publish));
  throw new IngotError({
    code: 'USAGE',
    message: `${to} is neither a folder here nor an entry under \`publish\` in ingot.yaml`,
    ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
  });
}

function filled(name: string | undefined, { manifest: { image, arch } }: FinishedBuild): string | undefined {
  return name?.replaceAll('${image}', image).replaceAll('${arch}', arch);
}

/** A file that is sent, and what goes with it by the ends of their names. */
type Copy = {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly beside: readonly Beside[];
};
type Beside = { readonly path: string; readonly ending: string; readonly bytes: number; readonly sha256: string };

type Wish = { readonly found: FinishedBuild; readonly format: string | undefined; readonly folder: string };

/** What is there of the build in that format; else it is made. */
async function bringCopy(workshop: Workshop, { found, format, folder }: Wish, ctx: Context): Promise<Copy> {
  const { artifacts } = found.manifest;
  const chosen = chooseFormat(workshop.kinds.formats, {
    to: format ?? defaultFormat(workshop, artifacts),
    options: {},
  });
  const ending = `.${chosen.format.extension(chosen.options)}`;
  const ready = artifacts.find((one) => one.format === chosen.format.name && one.file.endsWith(ending));
  if (ready === undefined) return converted(workshop, { found, folder, ending, ...chosen }, ctx);
  const path = join(found.folder, ready.file);
  const { files } = workshop.host;
  const others = (await files.list(found.folder)).filter((name) => name.startsWith(`${ready.file}.`));
  const beside: Beside[] = [];
  // Its list of chunks and its signature; a checksum is written there.
  for (const file of others.filter((name) => !name.endsWith('.sha256')).sort()) {
    const one = join(found.folder, file);
    const facts = { bytes: (await files.stat(one))?.size ?? 0, sha256: await files.sha256(one, ctx.signal) };
    beside.push({ ...facts, path: one, ending: file.slice(ready.file.length) });
  }
  return { path, bytes: ready.bytes, sha256: ready.sha256, beside };
}

/** The first that was written compressed. */
function defaultFormat(workshop: Workshop, artifacts: readonly ArtifactFile[]): string {
  for (const artifact of artifacts) {
    const { kind, options } = writtenAs(artifact, workshop);
    if (kind === undefined || isPlain(options)) continue;
    return kind.extension(options);
  }
  return 'qcow2';
}

function isPlain(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'compression' in options && options.compression === 'none';
}

type Wanted = Chosen & { readonly found: FinishedBuild; readonly folder: string; readonly ending: string };

async function converted(workshop: Workshop, wanted: Wanted, ctx: Context): Promise<Copy> {
  const { found, folder, ending, format, options } = wanted;
  const { files } = workshop.host;
  const { artifacts } = found.manifest;
  const packed = artifacts.find((one) => writtenAs(one, workshop).kind !== undefined);
  const disk = bootMedia(workshop, found.folder, artifacts).find(isDisk)?.path;
  const from = disk ?? (packed === undefined ? undefined : join(found.folder, packed.file));
  if (from === undefined) throw new IngotError({ code: 'NOT_FOUND', message: `${found.folder} holds no disk` });
  const { image: name, arch } = found.manifest;
  const { value } = await withStep({ id: 'convert', title: `write ${format.title(options)}` }, ctx, async (inside) => {
    const scratch = join(folder, 'work');
    await files.makeDirectory(scratch);
    const raw = await bringRaw(from, scratch, inside);
    const output = join(folder, `${name}${ending}`);
    const size = async () => (await files.stat(raw))?.size ?? 0;
    const request = { disk: raw, output, image: { name, arch, firmware: await diskFirmware(raw, arch, inside) } };
    await withRoomForTools(output, size, () => format.write(options, request, inside), inside);
    await files.remove(scratch);
    const written = (await files.list(folder)).filter((file) => file.startsWith(`${name}${ending}.`));
    const beside: Beside[] = [];
    for (const file of written.sort()) {
      const one = await finishFile(folder, file, inside);
      beside.push({ ...one, path: join(folder, file), ending: file.slice(`${name}${ending}`.length) });
    }
    return { ...(await finishFile(folder, basename(output), inside)), path: output, beside };
  });
  return value;
}

type Goal = { readonly name: string; readonly place: DeliveryPlace };

async function send(copy: Copy, { name, place }: Goal, ctx: Context): Promise<Delivered> {
  const { value } = await withStep(
    { id: 'send', title: `send ${name} to ${placeName(place)}` },
    ctx,
    async (inside) => {
      const { sha256, bytes } = copy;
      const { outcome, sentBytes } = await sendFile(copy.path, { name, sha256, bytes }, place, inside);
      // What tells of it comes after it: it is short, so that both are of two builds for a moment only.
      for (const one of copy.beside) {
        const parcel = { name: `${name}${one.ending}`, sha256: one.sha256, bytes: one.bytes };
        await sendFile(one.path, parcel, place, inside);
      }
      return { outcome, sentBytes, bytes, sha256 };
    },
  );
  return { path: addressOf(place, name), ...value, beside: copy.beside.map(({ ending }) => `${name}${ending}`) };
}

function addressOf({ folder, ssh }: DeliveryPlace, name: string): string {
  if (ssh === undefined) return join(folder, name);
  const user = ssh.user === undefined ? '' : `${ssh.user}@`;
  const host = ssh.host.includes(':') ? `[${ssh.host}]` : ssh.host;
  const path = `${folder.startsWith('/') ? folder : `/~${folder.slice(1)}`}/${name}`;
  return `ssh://${user}${host}${ssh.port === undefined ? '' : `:${ssh.port}`}${encodeURI(path.replaceAll('//', '/'))}`;
}
