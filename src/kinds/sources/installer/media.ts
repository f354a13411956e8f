import { join } from 'node:path';
import type { Context } from '../../../core/context.ts';
import { IngotError } from '../../../core/errors.ts';
import { bootPathsOf, filesOfIso, type IsoEntry } from '../../../core/isos.ts';
import type { Json } from '../../../core/keys.ts';
import type { PinContext, SourceContext } from '../../../core/kinds.ts';
import type { Material } from '../../../core/manifest.ts';
import type { Published } from '../../../core/published.ts';
import { extractArgv, factsArgv, type IsoFacts, readFacts } from '../../../iso/facts.ts';
import {
  bringPublished,
  listOfPublished,
  materialOf,
  pinPublished,
  projectFilesOf,
} from '../../../upstream/published.ts';
import type { InstallerOptions } from './options.ts';

/** What an installer is run from. */
export type Media = {
  /** Booted directly; absent where the ISO starts by itself. */
  readonly boot?: { readonly kernel: string; readonly initrd: string };
  /** The ISO, where there is one, and its label. */
  readonly iso?: string;
  readonly label?: string;
};

/** Files of the project among what is to be fetched for an entry, and keys that may sign its lists. */
export function projectFilesOfIso(entry: IsoEntry): readonly string[] {
  return Object.values(publishedOf(entry)).flatMap(projectFilesOf);
}

export function asksForIso(entry: IsoEntry): boolean {
  return Object.values(publishedOf(entry)).some((file) => listOfPublished(file) !== undefined);
}

/** What the digests of its files are by the lists of their vendors. */
export async function pinIso(entry: IsoEntry, ctx: PinContext): Promise<Json> {
  const pins: Record<string, Json> = {};
  for (const [what, file] of Object.entries(publishedOf(entry))) pins[what] = await pinPublished(file, ctx);
  return pins;
}

function publishedOf(entry: IsoEntry): Readonly<Record<string, Published>> {
  return { ...filesOfIso(entry) };
}

/** The ISO, or the kernel of netboot files, as it is recorded. */
export function baseOfIso(entry: IsoEntry, pin: Json): Material | undefined {
  const [first] = Object.entries(publishedOf(entry));
  return first === undefined ? undefined : materialOf(first[1], pinOf(pin, first[0]));
}

function pinOf(pin: Json, what: string): Json {
  const pins = pin === null || typeof pin !== 'object' ? {} : pin;
  return (pins as { readonly [what: string]: Json })[what] ?? null;
}

type MediaRequest = { readonly pin: Json; readonly onIso: ReadonlyMap<string, string> | undefined };

/** Bring the verified files of an entry; `onIso`: what a copy of the ISO must hold beside its own. */
export async function bringMedia(
  { iso: entry, 'boot-command': typed }: InstallerOptions,
  { pin, onIso }: MediaRequest,
  ctx: SourceContext,
): Promise<Media> {
  const bring = (what: string, file: Published) => bringPublished(file, pinOf(pin, what), ctx);
  const found = filesOfIso(entry);
  if ('kernel' in found) {
    return { boot: { kernel: await bring('kernel', found.kernel), initrd: await bring('initrd', found.initrd) } };
  }
  const vendors = await bring('iso', found.iso);
  const facts = await factsOf(vendors, entry, ctx);
  const iso = onIso === undefined ? vendors : await withFiles(vendors, onIso, ctx);
  const own = { iso, label: facts.volumeId };
  return typed === undefined ? { ...own, boot: await takeOut(vendors, entry, facts, ctx) } : own;
}

async function takeOut(iso: string, entry: IsoEntry, facts: IsoFacts, ctx: SourceContext) {
  const wanted = bootPathsOf(entry);
  const missing = [wanted.kernel, wanted.initrd].filter((file) => !facts.files.has(file));
  if (missing.length > 0) throw notThere(missing, entry, facts);
  const boot = { kernel: join(ctx.folder, 'installer-kernel'), initrd: join(ctx.folder, 'installer-initrd') };
  const pairs = [
    [wanted.kernel, boot.kernel],
    [wanted.initrd, boot.initrd],
  ] as const;
  await ctx.host.run({ argv: extractArgv(iso, pairs) }, { signal: ctx.signal });
  return boot;
}

async function factsOf(path: string, { name }: IsoEntry, { host, signal }: Context): Promise<IsoFacts> {
  // xorriso's exit code tells of the worst it had to say, which may be nothing that matters here.
  const anyCode = [...Array(256).keys()];
  const { stdout, stderr } = await host.run({ argv: factsArgv(path) }, { signal, ok: anyCode });
  const facts = readFacts(stdout);
  if (facts !== undefined) return facts;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `the file of ${name} is no ISO that xorriso can read`,
    detail: stderr.trim().split('\n').slice(-5),
  });
}

async function withFiles(iso: string, files: ReadonlyMap<string, string>, ctx: SourceContext): Promise<string> {
  const copy = join(ctx.folder, 'installer.iso');
  const pairs: (readonly [string, string])[] = [];
  for (const [path, text] of files) {
    const file = join(ctx.folder, `on-iso-${pairs.length}`);
    await ctx.host.files.write(file, text, 0o600);
    pairs.push([file, path]);
  }
  await ctx.host.run({ argv: addArgv(iso, copy, pairs) }, { signal: ctx.signal });
  return copy;
}

/** Writes a copy of an ISO with more files in it; nothing boots from it, since its kernel is booted directly. */
export function addArgv(
  iso: string,
  copy: string,
  files: readonly (readonly [file: string, path: string])[],
): readonly [string, ...string[]] {
  const maps = files.flatMap(([file, path]) => ['-map', file, `/${path}`]);
  return [
    'xorriso',
    '-no_rc',
    '-indev',
    iso,
    '-outdev',
    copy,
    '-boot_image',
    'any',
    'keep',
    ...maps,
    '-commit_eject',
    'none',
    '-end',
  ];
}

const shown = 12;

function notThere(
  missing: readonly string[],
  { name, distribution }: IsoEntry,
  { files, volumeId }: IsoFacts,
): IngotError {
  const alike = [...files].filter((path) => /(^|\/)(vmlinu[xz]|linux|bzImage|initr(d|amfs)|kernel)[^/]*$/i.test(path));
  const some = (alike.length > 0 ? alike : [...files]).toSorted().slice(0, shown);
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `the ISO ${name} (${volumeId}) has no ${missing.join(' and no ')}, where an installer of ${distribution} has it`,
    hint: 'say in isos.yaml where they are: `kernel:` and `initrd:`',
    detail: [alike.length > 0 ? 'what looks like them:' : 'what there is:', ...some.map((path) => `  ${path}`)],
  });
}
