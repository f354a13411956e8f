import type { Arch } from '../core/arch.ts';
import { digest, type Json } from '../core/keys.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Inputs, Lock } from '../core/plan.ts';
import type { ImageSpec, KindUse } from '../core/spec.ts';

/** What a kind must say of itself to be planned: both sources and steps do. */
export type PlannedKind = {
  readonly name: string;
  readonly version: number;
  /** Options that change no byte. */
  readonly aside?: readonly string[];
  files?(options: unknown): readonly string[];
};

/** Everything that decides a step's bytes, and the same as flat words that explain a later plan. */
export type StepInputs = {
  /** Undefined where something is not known yet. */
  readonly digest: string | undefined;
  readonly inputs: Inputs;
  /** Names of what is not known yet: `file scripts/base.sh`, `pin`, `image debian-13`. */
  readonly unknown: readonly string[];
};

/** Project-relative paths of every file and folder whose digest the plan of an image needs, sorted. */
export function filesToDigest(spec: ImageSpec, kinds: Kinds): readonly string[] {
  const source = filesOf(kinds.sources.get(spec.source.kind), spec.source);
  const steps = spec.steps.flatMap((use) => filesOf(kinds.steps.get(use.kind), use));
  return [...new Set([...source, ...steps])].sort();
}

/** The name under which the lock keeps what a source was pinned to. */
export function sourceId(use: KindUse, arch: Arch): string {
  return digest({ kind: use.kind, options: use.options, arch });
}

/** What a source must say of itself to be planned; `pins`: whether its kind asks the outside world for versions. */
export type PlannedSource = PlannedKind & {
  readonly pins: boolean;
  parents?(options: unknown): readonly string[];
};

/** The inputs of a source; `disk`: the bytes of the disk, where that decides the bytes of its layers; so `firmware`. */
export function sourceInputs(
  use: KindUse,
  kind: PlannedSource,
  from: { readonly arch: Arch; readonly lock: Lock; readonly disk?: number; readonly firmware?: string },
): StepInputs {
  const { arch, lock, disk, firmware } = from;
  const parents = kind.parents?.(use.options) ?? [];
  const pin = kind.pins || parents.length > 0 ? lock.sources[sourceId(use, arch)] : null;
  const own = useInputs(use, kind, lock);
  const missing = parents.length > 0 ? parents.map((name) => `image ${name}`) : ['pin'];
  const unknown = pin === undefined ? [...own.unknown, ...missing] : own.unknown;
  return {
    digest: unknown.length > 0 ? undefined : digest({ own: own.digest, arch, pin, disk, firmware }),
    inputs: {
      ...own.inputs,
      arch,
      ...flatten('disk', '.', disk),
      ...flatten('firmware', '.', firmware),
      ...flatten(parents.length > 0 ? 'image' : 'pin', ' ', pin),
    },
    unknown,
  };
}

/** The inputs of one use of a kind: options, kind version, digests of files, names of secrets. */
export function useInputs(use: KindUse, kind: PlannedKind, lock: Lock): StepInputs {
  const paths = [...filesOf(kind, use)].sort();
  const unknown = paths.filter((path) => lock.files[path] === undefined).map((path) => `file ${path}`);
  const files = Object.fromEntries(paths.map((path) => [path, lock.files[path]]));
  const secrets = [...use.refs.secrets].sort();
  const options = without(use.options, kind.aside);
  const own = { kind: use.kind, version: kind.version, options, files, secrets };
  return {
    digest: unknown.length > 0 ? undefined : digest(own),
    inputs: {
      'kind version': String(kind.version),
      ...flatten('options', '.', options),
      ...named('file', files),
      ...named('site', use.refs.site),
      ...named('pin', use.refs.pins),
      ...named('secret', Object.fromEntries(secrets.map((name) => [name, 'used']))),
    },
    unknown,
  };
}

/** Data as one text for each leaf: `options.install.0` -> `vim`. */
export function flatten(prefix: string, joint: string, value: Json | undefined): Inputs {
  const flat: [string, string][] = [];
  const add = (path: string, here: Json | undefined, next: string): void => {
    if (here === undefined) return;
    if (here === null || typeof here !== 'object') flat.push([path, String(here)]);
    else for (const [key, member] of Object.entries(here)) add(`${path}${next}${key}`, member, '.');
  };
  add(prefix, value, joint);
  return Object.fromEntries(flat);
}

function without(options: Json, names: readonly string[] = []): Json {
  if (names.length === 0 || options === null || typeof options !== 'object' || Array.isArray(options)) return options;
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

function named(what: string, values: Readonly<Record<string, string | undefined>>): Inputs {
  const known = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [`${what} ${name}`, value]));
}

function filesOf(kind: Pick<PlannedKind, 'files'> | undefined, use: KindUse): readonly string[] {
  return kind?.files?.(use.options) ?? [];
}
