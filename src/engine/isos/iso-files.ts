import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Arch } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { type Digest, digestParts } from '../../core/digests.ts';
import { IngotError, SpecError } from '../../core/errors.ts';
import { filesOfIso, type IsoEntry } from '../../core/isos.ts';
import { digest, type Json } from '../../core/keys.ts';
import type { Published } from '../../core/published.ts';
import { pinContext } from '../../run/source-context.ts';
import type { Workshop } from '../../run/workshop.ts';
import { readDocument } from '../../spec/document.ts';
import { type Isos, noIsos, readIsos } from '../../spec/isos.ts';
import { suggestion } from '../../spec/nearest.ts';
import { Problems } from '../../spec/problems.ts';
import { fetchInput } from '../../store/inputs.ts';
import { readPin, writePin } from '../../store/records.ts';
import { bringPublished, digestOfPublished, listOfPublished, pinPublished } from '../../upstream/published.ts';

/** One file of an ISO entry: the ISO itself, or a netboot file with what it is. */
export type IsoFile = { readonly label: 'iso' | 'kernel' | 'initrd'; readonly published: Published };

/** Which ISOs: none named means all. */
export type IsoChoice = { readonly names: readonly string[]; readonly arch: Arch | 'native' | 'all' };

/** Where the catalogue of a project is. */
export function catalogueOf({ root }: Pick<Workshop, 'root'>): string {
  return join(root, 'isos.yaml');
}

/** The ISOs of `isos.yaml`; all its mistakes come as one SpecError. */
export async function loadIsos(workshop: Workshop): Promise<Isos> {
  const path = catalogueOf(workshop);
  const text = await workshop.host.files.readText(path);
  if (text === undefined) return noIsos;
  const problems = new Problems();
  const isos = readIsos(readDocument('isos.yaml', path, text), problems);
  if (problems.size > 0) throw new SpecError(problems.sorted());
  return isos;
}

/** The entries that are asked for, in the order of the catalogue; `native`: all where there is none for `hostArch`. */
export function chooseIsos(isos: Isos, { names, arch }: IsoChoice, hostArch: Arch | undefined): readonly IsoEntry[] {
  for (const name of names) if (!isos.has(name)) throw unknownIso(name, [...isos.keys()]);
  return [...isos].flatMap(([name, variants]) => {
    if (names.length > 0 && !names.includes(name)) return [];
    const entries = [...variants.values()].map(({ entry }) => entry);
    const wanted = arch === 'native' ? hostArch : arch;
    const own = entries.filter((entry) => entry.arch === wanted);
    if (arch === 'all' || (arch === 'native' && own.length === 0)) return entries;
    if (own.length === 0 && names.length > 0) {
      const hint = `it is for: ${entries.map((entry) => entry.arch).join(', ')}`;
      throw new IngotError({ code: 'USAGE', message: `the ISO ${name} is not for ${arch}`, hint });
    }
    return own;
  });
}

function unknownIso(name: string, known: readonly string[]): IngotError {
  const hint = suggestion(name, known, 'ISOs') ?? '`ingot iso add` puts one into isos.yaml';
  return new IngotError({ code: 'USAGE', message: `isos.yaml has no ISO ${JSON.stringify(name)}`, hint });
}

/** The files of an entry. */
export function isoFiles(entry: IsoEntry): readonly IsoFile[] {
  const files = filesOfIso(entry);
  if ('iso' in files) return [{ label: 'iso', published: files.iso }];
  return [
    { label: 'kernel', published: files.kernel },
    { label: 'initrd', published: files.initrd },
  ];
}

/** The name under which the store keeps what a file's list said. */
export function isoPinId({ url, file, checksum }: Published): string {
  return digest({ url, file, checksum: checksum as Json });
}

/** What its list said when it was last asked; null where there is no list, undefined where it never was. */
async function knownPin({ paths }: Workshop, published: Published): Promise<Json | undefined> {
  return listOfPublished(published) === undefined ? null : readPin(paths, isoPinId(published));
}

/** What its list said when it was last asked, and says now where it never was, or `refresh` is asked for. */
export async function pinOf(workshop: Workshop, published: Published, refresh: boolean, ctx: Context): Promise<Json> {
  const known = refresh ? undefined : await knownPin(workshop, published);
  if (known !== undefined) return known;
  const pin = await pinPublished(published, pinContext(workshop, ctx));
  if (pin !== null) await writePin(workshop.paths, isoPinId(published), pin);
  return pin;
}

/** The digest a file must have, as far as it is known without asking anybody. */
export async function knownDigest(workshop: Workshop, published: Published): Promise<Digest | undefined> {
  const pin = await knownPin(workshop, published);
  return pin === undefined ? undefined : digestOfPublished(published, pin);
}

/** Where the store has a file of this digest. */
export function storedPath({ paths }: Workshop, wanted: Digest): string {
  return join(paths.inputs, digestParts(wanted).hex);
}

export type Bring = {
  readonly refresh: boolean;
  /** Absolute path of a file that is already on this machine. */
  readonly from?: string | undefined;
};

/** The path of a file with the right bytes: of the store, fetched when it is not there, or of the project. */
export async function bringIsoFile(
  workshop: Workshop,
  published: Published,
  { refresh, from }: Bring,
  ctx: Context,
): Promise<string> {
  const pin = await pinOf(workshop, published, refresh, ctx);
  return bringPublished(published, pin, {
    projectFile: (path) => join(workshop.root, path),
    fetch: (url, wanted) => {
      const address = from === undefined ? url : pathToFileURL(from).href;
      return fetchInput(workshop.paths, { url: address, ...wanted }, ctx);
    },
  });
}
