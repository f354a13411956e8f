import type { Arch } from '../core/arch.ts';
import type { Source, Step } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';
import { type Composed, pathHint, refusedPath, type Settings } from './compose.ts';
import { check } from './explain.ts';
import { type Entry, findScalar, type MapNode, type Node, plain, type Spot } from './node.ts';
import { asList, settings as schema, secretsInSettings } from './settings.ts';
import { substitute } from './substitute.ts';
import {
  filesOf,
  type Named,
  parentsOf,
  type Read,
  readChecks,
  readFormats,
  readSource,
  readSteps,
  type Variant,
} from './uses.ts';

/** An image for one architecture and site, with what its uses name and where. */
export type Expanded = {
  readonly name: string;
  readonly arch: Arch;
  /** Undefined where there are problems, which are told. */
  readonly spec: ImageSpec | undefined;
  readonly files: readonly Named[];
  readonly parents: readonly Named[];
};

/** Which image, and what its composed settings are. */
export type Subject = Composed & {
  readonly name: string;
  /** Absolute path of the image's own file, and its first spot. */
  readonly file: string;
  readonly start: Spot;
};

/** The architectures an image is made for; undefined when they cannot be read, which is told elsewhere. */
export function archesOf(settings: Settings, hostArch: Arch): readonly Arch[] | undefined {
  const entry = settings.get('arch');
  if (entry === undefined) return [hostArch];
  const checked = check(schema.shape.arch, plain(entry.value));
  return 'findings' in checked ? undefined : asList(checked.value ?? hostArch);
}

/** The complete spec of an image for one architecture and site; problems are told, and what can be read is read. */
export function expand(subject: Subject, variant: Variant): Expanded {
  const { name, settings, start, whole } = subject;
  const own = readSettings(subject, variant);
  // What a missing fragment says of the source is unknown, so nothing can be said against it.
  const source = whole ? sourceOf(subject, variant) : undefined;
  const list = (key: string): [Node, Spot] => {
    const entry = settings.get(key);
    return [entry?.value ?? { type: 'list', items: [], spot: start }, entry?.key ?? start];
  };
  const steps = readSteps(...list('steps'), variant);
  const checks = readChecks(...list('checks'), variant);
  const formats = readFormats(...(settings.has('formats') ? list('formats') : defaultFormats(start)), variant);
  const uses = [...(source === undefined ? [] : [source]), ...steps];
  const files = [...uses.flatMap((read) => filesOf(read, variant.problems)), ...accessFile(own, subject, variant)];
  const found = { name, arch: variant.arch, files, parents: source === undefined ? [] : parentsOf(source) };
  if (source !== undefined) checkBench(source, steps, variant);
  if (own === undefined || source === undefined) return { ...found, spec: undefined };
  const spec: ImageSpec = {
    ...own,
    source: source.use,
    steps: steps.map(({ use }) => use),
    checks: checks.map(({ use }) => use),
    formats: formats.map(({ use }) => use),
    origins: Object.fromEntries([...settings].map(([key, { origin }]) => [key, origin])),
  };
  return { ...found, spec };
}

/** An image may leave the tree for a guest, and does not come back; not every step can on every bench. */
function checkBench(source: Read<Source>, steps: readonly Read<Step>[], variant: Variant): void {
  let { bench } = source.kind;
  let since = `source "${source.kind.name}"`;
  for (const { kind, above } of steps) {
    if (kind.on.includes(bench)) continue;
    if (bench === 'tree') {
      bench = 'guest';
      since = `step "${kind.name}"`;
      continue;
    }
    const hint = `since ${since} it is in a guest; "${kind.name}" works on: ${kind.on.join(', ')}`;
    variant.problems.at(above, `step "${kind.name}" cannot change an image that boots`, hint);
  }
}

function sourceOf({ settings, start }: Subject, variant: Variant): Read<Source> | undefined {
  const entry = settings.get('source');
  if (entry !== undefined) return readSource(entry, variant);
  variant.problems.at(start, 'this image has no source', 'like: source: { packages: { suite: trixie } }');
  return undefined;
}

type Own = Omit<ImageSpec, 'source' | 'steps' | 'checks' | 'formats' | 'origins'>;

function readSettings({ name, file, start, settings }: Subject, variant: Variant): Own | undefined {
  const { arch, values, problems } = variant;
  const entries = new Map<string, Entry>();
  for (const key of Object.keys(schema.shape)) {
    const entry = settings.get(key);
    if (entry === undefined) continue;
    const { node, complete } = substitute(entry.value, { values, problems, secretsIn: secretsInSettings[key] });
    if (complete) entries.set(key, { key: entry.key, value: key === 'labels' ? asTexts(node) : node });
  }
  const node: MapNode = { type: 'map', entries, spot: start };
  const checked = check(schema, plain(node));
  if ('findings' in checked) {
    problems.findings(checked.findings, { node, above: start, name: '' });
    return undefined;
  }
  const { arch: _, firmware: wanted, ssh, keep, 'secure-boot': secureBoot, ...plainSettings } = checked.value;
  const firmware: ImageSpec['firmware'] = arch === 'aarch64' ? ['uefi'] : asList(wanted);
  if (secureBoot && firmware.includes('bios')) {
    const spot = settings.get('secure-boot')?.key ?? start;
    problems.at(spot, 'secure-boot: a BIOS has no Secure Boot', 'write `firmware: uefi` beside it');
  }
  return {
    ...plainSettings,
    ...(ssh === undefined ? {} : { ssh }),
    ...(keep === undefined ? {} : { keep }),
    secureBoot,
    name,
    file,
    arch,
    ...(values.siteName === undefined ? {} : { site: values.siteName }),
    firmware,
  };
}

/** The private key that build guests are entered with, where the image brings its own login. */
function accessFile(own: Own | undefined, { settings, start }: Subject, { problems }: Variant): readonly Named[] {
  const entry = settings.get('ssh');
  if (own?.ssh === undefined || !('key' in own.ssh) || entry === undefined) return [];
  const { key } = own.ssh;
  const spot = findScalar(entry.value, key)?.spot ?? entry.key ?? start;
  const wrong = refusedPath(key);
  if (wrong !== undefined) problems.at(spot, `ssh.key: ${wrong}`, pathHint);
  return wrong === undefined ? [{ name: key, spot }] : [];
}

/** Labels are words: `version: 13` means the text. */
function asTexts(node: Node): Node {
  if (node.type !== 'map') return node;
  const entries = [...node.entries].map(([key, entry]): [string, Entry] => {
    const { value } = entry;
    const isWord = value.type === 'scalar' && value.value !== null;
    return [key, isWord ? { ...entry, value: { ...value, value: value.text } } : entry];
  });
  return { ...node, entries: new Map(entries) };
}

function defaultFormats(spot: Spot): [Node, Spot] {
  return [{ type: 'list', items: [{ type: 'scalar', value: 'qcow2', text: 'qcow2', spot }], spot }, spot];
}
