import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { cpio } from '../../core/cpio.ts';
import { IngotError } from '../../core/errors.ts';
import type { Tool } from '../../core/kinds.ts';
import { NoSpaceError } from '../../core/space.ts';
import { together } from '../../core/together.ts';
import type { BootEntry } from '../../iso/boot-line.ts';
import { extractArgv, factsArgv, type IsoFacts, readFacts } from '../../iso/facts.ts';
import { addToGrub, editGrub } from '../../iso/grub.ts';
import { md5Lists, updateMd5sums } from '../../iso/md5sums.ts';
import { editSyslinux, isSyslinux } from '../../iso/syslinux.ts';
import { writeIsoArgv, writeIsoEnv } from '../../iso/write.ts';
import { withRoomForTools } from '../room.ts';
import { digestWhileWritten } from '../written-digest.ts';
import { editEfi } from './remaster-efi.ts';

/** What changing an ISO takes. */
export const remasterTools: readonly Tool[] = [
  { program: 'xorriso', debian: 'xorriso', why: 'reads and writes ISOs' },
  { program: 'mcopy', debian: 'mtools', why: 'changes the file system that UEFI starts from' },
];

export type Remaster = {
  /** The vendor's ISO, which is only read, and what to call it in errors. */
  readonly iso: string;
  readonly name: string;
  readonly facts: IsoFacts;
  readonly entry: BootEntry;
  /** Files to put in, by their paths from the root. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** Files of this machine to put in, by their paths there. */
  readonly beside?: ReadonlyMap<string, string>;
  /** Files for the root of the initrd. */
  readonly initrd: ReadonlyMap<string, string | Uint8Array>;
  readonly output: string;
  /** An empty folder for work files. */
  readonly folder: string;
};

/** What an ISO says of itself. */
export async function inspectIso(iso: string, name: string, { host, signal }: Context): Promise<IsoFacts> {
  const answers: string[] = [];
  const { exitCode } = await host.run(
    { argv: factsArgv(iso) },
    { signal, ok: [0, 1, 2, 3, 4, 5, 32], onAnswer: (line) => answers.push(line), onLine: () => undefined },
  );
  const facts = exitCode === 0 ? readFacts(answers.join('\n')) : undefined;
  if (facts !== undefined && facts.bootImages.length > 0) return facts;
  if (facts?.efi !== undefined) return facts;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} is not an ISO that a machine can boot`,
    hint: 'check its address in isos.yaml: a disk image is for the source `disk-image`',
  });
}

/** Write an ISO that starts one entry by itself and boots in all the ways that the vendor's does; gives its SHA-256. */
export async function remasterIso(request: Remaster, ctx: Context): Promise<string> {
  const { iso, output, facts, entry } = request;
  refuseWithoutKernel(request);
  const stat = await ctx.host.files.stat(iso);
  const bytes = (stat?.size ?? 0) + (await bytesOf(request.beside, ctx)) + slackBytes;
  if ((await ctx.host.files.freeBytes(dirname(output))) < bytes) throw new NoSpaceError(output, bytes, {});
  const [texts, efi] = await together([
    readTexts(
      request,
      [...facts.files].filter((path) => isMenu(path) || md5Lists.includes(path)),
      ctx,
    ),
    editEfi({ iso, facts, entry, folder: request.folder }, ctx),
  ]);
  const changed = await changedFiles(request, texts, ctx);
  if (efi !== undefined && 'path' in efi) changed.set(efi.path, { from: efi.from });
  await addMd5sums(request, texts, changed, ctx);
  const argv = writeIsoArgv({
    ...{ iso, output, facts },
    joliet: await hasJoliet(iso, ctx),
    files: [...changed].map(([path, { from }]) => [path, from] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ...(efi !== undefined && 'partition' in efi ? { efi } : {}),
  });
  const write = () => ctx.host.run({ argv, env: writeIsoEnv(facts) }, { signal: ctx.signal });
  return withRoomForTools(
    output,
    async () => bytes,
    () => digestWhileWritten(output, write, ctx),
    ctx,
  );
}

/** What menus, lists and the folders of an ISO grow by, and more. */
const slackBytes = 32 * 1024 * 1024;
const answersPath = 'ingot/answers.cpio';

/** Fails where an ISO lacks what its installer is started with. */
export function refuseWithoutKernel({
  name,
  facts,
  entry,
}: Pick<Remaster, 'name' | 'facts'> & { readonly entry: Pick<BootEntry, 'kernel' | 'initrd'> }): void {
  const lost = [entry.kernel, entry.initrd].find((path) => !facts.files.has(path));
  if (lost === undefined) return;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} has no ${lost}, which its installer is started with`,
    hint: 'name the right file with `kernel:` and `initrd:` in isos.yaml, or check `distribution:`',
  });
}

/** A file that the ISO gets, where it lies until then, and its MD5 where it is listed. */
type Changed = { readonly from: string; readonly md5?: string };

/** Texts of the ISO, by their paths. */
type Texts = ReadonlyMap<string, string>;

async function changedFiles(request: Remaster, texts: Texts, ctx: Context): Promise<Map<string, Changed>> {
  const { folder, facts, entry, files, initrd } = request;
  const data = new Map<string, string | Uint8Array>(files);
  if (initrd.size > 0) data.set(answersPath, initrdOf(initrd));
  for (const [path, text] of editMenus(request, texts, initrd.size > 0)) data.set(path, text);
  const changed = new Map<string, Changed>();
  for (const [path, bytes] of data) {
    const from = join(folder, `file-${changed.size}`);
    await ctx.host.files.write(from, bytes, 0o600);
    changed.set(path, { from, md5: createHash('md5').update(bytes).digest('hex') });
  }
  // The vendor's lists of checksums are of the vendor's files: of these nobody asks there.
  for (const [path, from] of request.beside ?? []) changed.set(path, { from });
  if (facts.bootImages.includes(entry.kernel)) throw new Error('a kernel is no boot image');
  return changed;
}

async function bytesOf(files: Remaster['beside'], { host }: Context): Promise<number> {
  const sizes = [...(files?.values() ?? [])].map(async (path) => (await host.files.stat(path))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function initrdOf(files: ReadonlyMap<string, string | Uint8Array>): Uint8Array {
  return cpio([...files].map(([name, data]) => ({ name, mode: 0o644, data: Buffer.from(data) })));
}

/** The menus that change, by their paths. */
function editMenus({ name, entry }: Remaster, all: Texts, hasInitrd: boolean): Texts {
  const texts = new Map([...all].filter(([path]) => isMenu(path)));
  // Proxmox's own menu has such an entry, which shows itself where its file is there.
  if ([...texts.values()].some((text) => text.includes('auto-installer-mode.toml'))) return new Map();
  const whole = hasInitrd ? { ...entry, answers: answersPath } : entry;
  const grub = [...texts].flatMap(([path, text]): [string, string][] => {
    const edited = isGrub(path) ? editGrub(text, whole) : undefined;
    return edited === undefined ? [] : [[path, edited]];
  });
  const syslinux = editSyslinux(new Map([...texts].filter(([path]) => isSyslinux(path))), whole);
  if (grub.length > 0 || syslinux !== undefined) return new Map([...grub, ...(syslinux ?? [])]);
  const added = [...texts].flatMap(([path, text]): [string, string][] => {
    const edited = isGrub(path) ? addToGrub(text, whole) : undefined;
    return edited === undefined ? [] : [[path, edited]];
  });
  if (added.length > 0) return new Map(added);
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} has no boot menu that an entry can be put into`,
    hint: 'Ingot knows the menus of GRUB 2 and ISOLINUX',
    detail:
      texts.size === 0
        ? ['it has neither a grub.cfg nor an isolinux.cfg']
        : [`looked at ${[...texts.keys()].join(', ')}`],
  });
}

function isGrub(path: string): boolean {
  return /(?:^|\/)grub\.cfg$/i.test(path);
}

function isMenu(path: string): boolean {
  return isGrub(path) || isSyslinux(path);
}

async function readTexts({ iso, folder }: Remaster, paths: readonly string[], ctx: Context): Promise<Texts> {
  if (paths.length === 0) return new Map();
  const places = paths.map((path, index) => [path, join(folder, `read-${index}`)] as const);
  await ctx.host.run({ argv: extractArgv(iso, places) }, { signal: ctx.signal });
  const texts = places.map(async ([path, place]) => {
    const text = await ctx.host.files.read(place);
    await ctx.host.files.remove(place);
    return [path, text.toString('latin1')] as const;
  });
  return new Map(await Promise.all(texts));
}

/** Bring the vendor's lists of checksums up to date. */
async function addMd5sums(
  { facts, folder }: Remaster,
  texts: Texts,
  changed: Map<string, Changed>,
  ctx: Context,
): Promise<void> {
  const sums = new Map<string, string | undefined>([...changed].map(([path, { md5 }]) => [path, md5]));
  // Addresses are written into these.
  for (const path of facts.bootImages) sums.set(path, undefined);
  for (const [path, text] of texts) {
    if (!md5Lists.includes(path)) continue;
    const from = join(folder, `list-${path}`);
    await ctx.host.files.write(from, Buffer.from(updateMd5sums(text, sums), 'latin1'), 0o600);
    changed.set(path, { from });
  }
}

// ECMA-119 8.5: a supplementary descriptor; Joliet's escapes are %/@, %/C and %/E.
const descriptors = { first: 16, most: 16, bytes: 2048, escapes: 88 } as const;

async function hasJoliet(iso: string, { host }: Context): Promise<boolean> {
  const { first, most, bytes, escapes } = descriptors;
  const all = await host.files.read(iso, { offset: first * bytes, length: most * bytes });
  for (let at = 0; at + bytes <= all.length && all[at] !== 255; at += bytes) {
    if (all[at] === 2 && /^%\/[@CE]/.test(all.toString('latin1', at + escapes, at + escapes + 3))) return true;
  }
  return false;
}
