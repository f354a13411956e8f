import type { Arch } from './arch.ts';
import type { Json } from './keys.ts';

/**
 * What the outside world says about a project's inputs, found before planning so that planning is pure.
 * A name that is missing here is not known yet: the plan then cannot be a hit.
 */
export type Lock = {
  /** SHA-256 of each file and folder that a step uses, by its path relative to the project. */
  readonly files: Readonly<Record<string, string>>;
  /** What each source was pinned to, by `sourceId`; of images made from others the keys of those, by name. */
  readonly sources: Readonly<Record<string, Json>>;
};

export type Bench = 'tree' | 'guest';

/** What the store has: asked by key. */
export type Stored = {
  hasLayer(key: string): boolean;
  /** The earlier run of the same image, for reasons and times. */
  history(image: string, arch: Arch): History | undefined;
};

/** What the last build of an image was made from and how long each step took; kept to explain the next plan. */
export type History = { readonly steps: readonly HistoryStep[] };
export type HistoryStep = {
  readonly id: string;
  readonly key: string;
  readonly inputs: Inputs;
  readonly seconds: number;
};

/** Everything that went into a step's own key, flat: `options.install.0` -> `vim`, `file scripts/base.sh` -> digest. */
export type Inputs = Readonly<Record<string, string>>;

export type PlannedStep = {
  /** Stable between runs of one image: position and kind, `2-shell`; the source is `source`. */
  readonly id: string;
  readonly title: string;
  readonly kind: string;
  readonly bench: Bench;
  readonly options: Json;
  readonly inputs: Inputs;
  /** hash(previous key, kind, version, options, inputs); undefined where an input is not known before the build. */
  readonly key: string | undefined;
  readonly state: 'hit' | 'miss';
  /** Why it runs, in plain words: `scripts/base.sh changed (3f2a.. -> 91bc..)`. Only for misses. */
  readonly why?: string;
  readonly expectedSeconds?: number;
};

/** Neighbouring steps of one bench: one namespace session or one boot. */
export type Stage = { readonly bench: Bench; readonly steps: readonly PlannedStep[] };

/** Ordered work for one image and architecture; plain JSON. */
export type Plan = {
  readonly schemaVersion: 1;
  readonly image: string;
  readonly arch: Arch;
  readonly site?: string;
  readonly stages: readonly Stage[];
  /** The key of the finished disk: last step, seal, disk layout and formats. Undefined with any unknown input. */
  readonly key: string | undefined;
  readonly formats: readonly string[];
  readonly checks: readonly string[];
  /** Bytes still to fetch as far as known; undefined when it cannot be said. */
  readonly fetchBytes?: number;
  readonly expectedSeconds?: number;
};
