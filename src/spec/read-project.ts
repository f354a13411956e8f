import { basename } from 'node:path';
import type { Arch } from '../core/arch.ts';
import { IngotError, type Place, type Problem, SpecError } from '../core/errors.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Project, PublishPlace } from '../core/spec.ts';
import { compose, type Files } from './compose.ts';
import { type Document, readDocument } from './document.ts';
import { archesOf, type Expanded, expand } from './expand.ts';
import { check } from './explain.ts';
import { type Isos, noIsos, readIsos } from './isos.ts';
import { suggestion } from './nearest.ts';
import { type MapNode, placeOf, plain, type Spot } from './node.ts';
import { checkParents, inOrder, withParents } from './order.ts';
import { Problems } from './problems.ts';
import { namePattern, nameRule, projectSettings, type ReleaseSettings } from './settings.ts';
import type { Variant } from './uses.ts';
import { noPins, type Pins, readPins, readSite } from './values.ts';
import { show } from './words.ts';

/** Which part of a project is asked for. */
export type Choice = {
  /** Names of images; none or undefined: all of them. */
  readonly images?: readonly string[];
  /** Default `native`: the build machine's where an image has it, else all it has. */
  readonly arch?: Arch | 'native' | 'all';
  readonly site?: string;
};

export type ProjectFiles = {
  /** Absolute path of the folder with `ingot.yaml`. */
  readonly root: string;
  /** The spec files read so far, by path relative to the root. */
  readonly documents: ReadonlyMap<string, Document>;
  /** Spec files that exist, read or not. */
  readonly paths: Iterable<string>;
  /** Whether somebody looked for this file and it is not there. */
  readonly absent: (path: string) => boolean;
};

export type Around = { readonly kinds: Kinds; readonly hostArch: Arch };

export type NamedFile = { readonly path: string; readonly place: Place };

/** What came out of reading; the project holds the images without problems. */
export type Reading = {
  readonly project: Project;
  readonly problems: readonly Problem[];
  /** Spec files that were needed and not handed in: hand in those that exist and read again. */
  readonly missing: readonly string[];
  /** Files that steps and sources use, for those who can look whether they exist. */
  readonly files: readonly NamedFile[];
};

/** A project from the texts of its spec files, by path relative to the root; all mistakes at once as a SpecError. */
export function readProject(
  given: { readonly root: string; readonly files: ReadonlyMap<string, string> },
  around: Around,
  choice: Choice = {},
): Project {
  const documents = new Map(
    [...given.files].map(([path, text]) => [path, readDocument(path, `${given.root}/${path}`, text)]),
  );
  const all = { root: given.root, documents, paths: documents.keys(), absent: () => true };
  const { project, problems } = parseProject(all, around, choice);
  if (problems.length > 0) throw new SpecError(problems);
  return project;
}

/**
 * Read the images that were chosen and all they need. Mistakes in files are given back; a choice of what is not there
 * is an IngotError. Without names every file is read; with names a broken other image does no harm.
 */
export function parseProject(given: ProjectFiles, around: Around, choice: Choice): Reading {
  const everything = choice.images === undefined || choice.images.length === 0;
  const problems = new Problems();
  const files: Files = {
    documents: given.documents,
    paths: new Set(given.paths),
    absent: given.absent,
    missing: new Set(),
  };
  const names = namesIn('images', { files, problems, everything, root: given.root });
  const siteNames = namesIn('sites', { files, problems, everything, root: given.root });
  for (const name of choice.images ?? []) refuseUnknown('image', name, names);
  if (choice.site !== undefined) refuseUnknown('site', choice.site, siteNames);

  const head = readHead(files, problems);
  const sites = readSites(everything ? siteNames : choice.site === undefined ? [] : [choice.site], files, problems);
  const versions = need('versions.yaml', files);
  const pins: Pins = versions === undefined ? noPins : readPins(versions, problems);
  const catalogue = need('isos.yaml', files);
  const isos: Isos = catalogue === undefined ? noIsos : readIsos(catalogue, problems);
  const site = choice.site === undefined ? undefined : sites.get(choice.site);
  const known = { steps: new Map(), checks: new Map(), formats: new Map() };
  const variant = (arch: Arch): Variant => {
    const values = { site, siteName: choice.site, pins: pins[arch] };
    return { arch, values, siteNames, kinds: around.kinds, isos, problems, known };
  };

  const images = readImages(everything ? names : (choice.images ?? []), {
    files,
    problems,
    variant,
    defaults: head.defaults,
    hostArch: around.hostArch,
  });
  const all = [...images.values()].flatMap(({ expanded }) => expanded);
  const arches = new Map([...images].map(([name, image]) => [name, image.arches]));
  checkParents(all, { names, arches, kinds: around.kinds, problems });
  const found = problems.sorted();
  const chosen = found.length > 0 || files.missing.size > 0 ? all : choose(images, choice, around.hostArch);
  return {
    project: {
      root: given.root,
      name: head.name ?? basename(given.root),
      publish: head.publish,
      images: inOrder(withParents(chosen, all)).flatMap(({ spec }) => spec ?? []),
    },
    problems: found,
    missing: [...files.missing],
    files: all.flatMap((image) => image.files.map(({ name, spot }) => ({ path: name, place: placeOf(spot) }))),
  };
}

type ReadImage = { readonly arches: readonly Arch[]; readonly expanded: readonly Expanded[] };

type ImageReading = {
  readonly files: Files;
  readonly problems: Problems;
  readonly variant: (arch: Arch) => Variant;
  readonly defaults: MapNode | undefined;
  readonly hostArch: Arch;
};

/** The images by name, and those they are made from. */
function readImages(names: readonly string[], reading: ImageReading): ReadonlyMap<string, ReadImage> {
  const images = new Map<string, ReadImage>();
  const queue = [...names];
  const asked = new Set(names);
  for (const name of queue) {
    const document = need(`images/${name}.yaml`, reading.files);
    const image = document && readImage(name, document, reading);
    if (image === undefined) continue;
    images.set(name, image);
    for (const parent of image.expanded.flatMap(({ parents }) => parents)) {
      if (!asked.has(parent.name)) queue.push(parent.name);
      asked.add(parent.name);
    }
  }
  return images;
}

function readImage(name: string, document: Document, reading: ImageReading): ReadImage | undefined {
  const { files, problems, defaults, hostArch, variant } = reading;
  const { root, start, problems: own } = document.content();
  for (const problem of own) problems.add(problem);
  if (root === undefined && own.length > 0) return undefined;
  if (root !== undefined && root.type !== 'map') {
    problems.at(start, `expected a map of settings, not ${show(plain(root))}`);
    return undefined;
  }
  const image = { path: document.path, root: root ?? emptyMap(start) };
  const composed = compose(image, { defaults, files, problems });
  if (composed === undefined) return undefined;
  // Every architecture is read whatever was chosen, so that no mistake waits for the other machine.
  const arches = archesOf(composed.settings, hostArch);
  const expanded = (arches ?? [hostArch]).map((arch) =>
    expand({ name, file: document.file, start, ...composed }, variant(arch)),
  );
  return { arches: arches ?? [], expanded };
}

function choose(images: ReadonlyMap<string, ReadImage>, choice: Choice, hostArch: Arch): readonly Expanded[] {
  const named = new Set(choice.images ?? images.keys());
  const arch = choice.arch ?? 'native';
  const chosen = [...images].flatMap(([name, { arches, expanded }]) => {
    if (!named.has(name) && named.size > 0) return [];
    if (arch === 'all' || (arch === 'native' && !arches.includes(hostArch))) return expanded;
    const wanted = arch === 'native' ? hostArch : arch;
    if (!arches.includes(wanted) && choice.images?.includes(name) === true) {
      const message = `image ${show(name)} is not made for ${wanted}`;
      throw new IngotError({ code: 'USAGE', message, hint: `it is made for: ${arches.join(', ')}` });
    }
    return expanded.filter((image) => image.arch === wanted);
  });
  if (chosen.length > 0 || images.size === 0) return chosen;
  const message = `no image of this project is made for ${arch}`;
  throw new IngotError({
    code: 'USAGE',
    message,
    hint: `an image names them in its file: \`arch: [${hostArch}, ${arch}]\``,
  });
}

/** What `ingot.yaml` says of releases; its other mistakes are told too. */
export function readReleaseSettings(document: Document, problems: Problems): ReleaseSettings {
  const { root, problems: own } = document.content();
  for (const problem of own) problems.add(problem);
  if (root === undefined) return {};
  const checked = check(projectSettings, plain(root));
  if ('value' in checked) return checked.value.release ?? {};
  problems.findings(checked.findings, { node: root, above: root.spot, name: '' });
  return {};
}

type Head = {
  readonly name?: string;
  readonly defaults: MapNode | undefined;
  readonly publish: Readonly<Record<string, PublishPlace>>;
};

function readHead(files: Files, problems: Problems): Head {
  const document = need('ingot.yaml', files);
  if (document === undefined) return { defaults: undefined, publish: {} };
  const { root, start, problems: own } = document.content();
  for (const problem of own) problems.add(problem);
  if (root === undefined) return { defaults: undefined, publish: {} };
  const checked = check(projectSettings, plain(root));
  if ('findings' in checked) problems.findings(checked.findings, { node: root, above: start, name: '' });
  const defaults = root.type === 'map' ? root.entries.get('defaults') : undefined;
  const nothing = defaults?.value.type === 'scalar' && defaults.value.value === null;
  if (defaults !== undefined && defaults.value.type !== 'map' && !nothing) {
    problems.at(defaults.key, 'defaults: expected a map of settings');
  }
  const name = 'value' in checked ? checked.value.name : undefined;
  return {
    ...(name === undefined ? {} : { name }),
    publish: 'value' in checked ? checked.value.publish : {},
    defaults: defaults?.value.type === 'map' ? defaults.value : undefined,
  };
}

function readSites(
  names: readonly string[],
  files: Files,
  problems: Problems,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sites = new Map<string, ReadonlyMap<string, string>>();
  for (const name of names) {
    const document = need(`sites/${name}.yaml`, files);
    if (document !== undefined) sites.set(name, readSite(document, problems));
  }
  return sites;
}

/** A file that may be used; one that exists and is not read yet is asked for. */
function need(path: string, files: Files): Document | undefined {
  const document = files.documents.get(path);
  if (document === undefined && files.paths.has(path) && !files.absent(path)) files.missing.add(path);
  return document;
}

type Listing = {
  readonly files: Files;
  readonly problems: Problems;
  readonly everything: boolean;
  readonly root: string;
};

function namesIn(folder: 'images' | 'sites', { files, problems, everything, root }: Listing): readonly string[] {
  const names = new Set<string>();
  for (const path of [...files.paths, ...files.documents.keys()]) {
    const match = /^([^/]+)\/([^/.][^/]*)\.(yaml|yml)$/.exec(path);
    const [, inside, name, ending] = match ?? [];
    if (inside !== folder || name === undefined) continue;
    const place = { file: `${root}/${path}`, line: 1, column: 1 };
    const what = folder.slice(0, -1);
    if (ending === 'yml') {
      if (everything)
        problems.add({
          message: `the file of an ${what} ends in .yaml`.replace('an site', 'a site'),
          place,
          hint: `rename it to ${name}.yaml`,
        });
    } else if (namePattern.test(name)) names.add(name);
    else if (everything)
      problems.add({
        message: `${show(name)} cannot be the name of ${what === 'image' ? 'an image' : 'a site'}`,
        place,
        hint: nameRule,
      });
  }
  return [...names].sort();
}

function refuseUnknown(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const hint = suggestion(name, known, `${what}s`);
  throw new IngotError({
    code: 'USAGE',
    message: `there is no ${what} ${show(name)} in this project`,
    ...(hint === undefined ? {} : { hint }),
  });
}

function emptyMap(spot: Spot): MapNode {
  return { type: 'map', entries: new Map(), spot };
}
