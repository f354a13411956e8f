import { digest } from '../core/keys.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Bench, History, HistoryStep, Lock, Plan, PlannedStep, Stage, Stored } from '../core/plan.ts';
import { buildFirmware, type ImageSpec, type KindUse } from '../core/spec.ts';
import { changesOf } from './changes.ts';
import { type StepInputs, sourceInputs, useInputs } from './inputs.ts';
import { matchSteps } from './match.ts';

/** Versions of how a tree is sealed and a disk laid out: raised when they would give other bytes. */
export type LayoutVersions = { readonly seal: number; readonly disk: number };

type Draft = StepInputs & {
  readonly id: string;
  readonly title: string;
  readonly use: KindUse;
  readonly bench: Bench;
};

/** What would run for an image, what is stored and why; the same words give the same plan. */
export function planImage(spec: ImageSpec, lock: Lock, stored: Stored, kinds: Kinds, layout: LayoutVersions): Plan {
  const drafts = draftSteps(spec, lock, kinds, layout);
  const steps = decideSteps(drafts, stored, stored.history(spec.name, spec.arch));
  const misses = steps.filter((step) => step.state === 'miss');
  const seconds = misses.map((step) => step.expectedSeconds).filter((one) => one !== undefined);
  const key = imageKey(spec, steps.at(-1)?.key, kinds, layout);
  return {
    schemaVersion: 1,
    image: spec.name,
    arch: spec.arch,
    ...(spec.site === undefined ? {} : { site: spec.site }),
    stages: stagesOf(steps),
    key,
    formats: spec.formats.map((use) => kindOf(kinds.formats, use).title(use.options)),
    checks: spec.checks.map((use) => kindOf(kinds.checks, use).title(use.options)),
    ...(misses.length === 0 ? { fetchBytes: 0 } : {}),
    ...(seconds.length === misses.length ? { expectedSeconds: seconds.reduce((sum, one) => sum + one, 0) } : {}),
  };
}

/** The plans of several images, in their order. */
export function planAll(
  specs: readonly ImageSpec[],
  given: { readonly lock: Lock; readonly stored: Stored; readonly kinds: Kinds; readonly layout: LayoutVersions },
): readonly Plan[] {
  const { lock, stored, kinds, layout } = given;
  return specs.map((spec) => planImage(spec, lock, stored, kinds, layout));
}

function draftSteps(spec: ImageSpec, lock: Lock, kinds: Kinds, layout: LayoutVersions): readonly Draft[] {
  const source = kindOf(kinds.sources, spec.source);
  const pins = source.pin !== undefined && source.asks?.(spec.source.options) !== false;
  const blocks = source.bench === 'guest' ? { disk: spec.disk } : {};
  const made = source.installs === true ? { firmware: buildFirmware(spec) } : {};
  const drafts: Draft[] = [
    {
      // Layers of blocks have the size of the disk they are on.
      ...sourceInputs(spec.source, { ...source, pins }, { ...blocks, ...made, arch: spec.arch, lock }),
      id: 'source',
      title: source.title(spec.source.options),
      use: spec.source,
      bench: source.bench,
    },
  ];
  let { bench } = source;
  for (const [index, use] of spec.steps.entries()) {
    const kind = kindOf(kinds.steps, use);
    if (!kind.on.includes(bench) && bench === 'tree') {
      bench = 'guest';
      drafts.push(diskDraft(spec, layout));
    }
    const id = `${index + 1}-${use.kind}`;
    drafts.push({ ...useInputs(use, kind, lock), id, title: kind.title(use.options), use, bench });
  }
  return drafts;
}

/** Where an image leaves the tree for a guest: the tree becomes a disk that boots, and a layer of its own. */
function diskDraft(spec: ImageSpec, layout: LayoutVersions): Draft {
  const { disk, filesystem, firmware } = spec;
  const own = { layout, disk, filesystem, firmware: [...firmware].sort() };
  return {
    digest: digest(own),
    inputs: {
      'kind version': `${layout.seal}.${layout.disk}`,
      bytes: String(disk),
      filesystem,
      firmware: own.firmware.join(' '),
    },
    unknown: [],
    id: 'disk',
    title: `disk (${filesystem}, ${firmware.join(' and ')})`,
    use: { kind: 'disk', options: null, place: spec.source.place, refs: { site: {}, pins: {}, secrets: [] } },
    bench: 'guest',
  };
}

/** A layer holds only what its step changed, so a hit needs all those before it. */
function decideSteps(drafts: readonly Draft[], stored: Stored, history: History | undefined): readonly PlannedStep[] {
  const match = matchSteps(drafts, history?.steps ?? []);
  const steps: PlannedStep[] = [];
  let previous: string | undefined = '';
  let stale: Stale | undefined;
  for (const [i, draft] of drafts.entries()) {
    const old = match.old[i];
    const key: string | undefined =
      previous === undefined || draft.digest === undefined ? undefined : digest({ previous, own: draft.digest });
    const hit = stale === undefined && key !== undefined && stored.hasLayer(key);
    const reason: Reason | undefined = hit
      ? undefined
      : reasonOf(draft, key, { old, stale, gone: match.gone, built: history !== undefined });
    steps.push({
      id: draft.id,
      title: draft.title,
      kind: draft.use.kind,
      bench: draft.bench,
      options: draft.use.options,
      inputs: draft.inputs,
      key,
      state: hit ? 'hit' : 'miss',
      ...(reason === undefined ? {} : { why: reason.why }),
      ...(hit || old === undefined ? {} : { expectedSeconds: old.seconds }),
    });
    stale = stale === 'changed' || reason === undefined ? stale : reason.stale;
    previous = key;
  }
  return steps;
}

/** What an earlier step makes of all that follow it. */
type Stale = 'changed' | 'unknown' | 'lost';
type Reason = { readonly why: string; readonly stale: Stale };
type Earlier = {
  readonly old: HistoryStep | undefined;
  readonly stale: Stale | undefined;
  readonly gone: readonly HistoryStep[];
  readonly built: boolean;
};

const follows: Readonly<Record<Stale, string>> = {
  changed: 'follows a changed step',
  unknown: 'follows a step whose inputs are not known yet',
  lost: 'follows a step that runs again',
};

function reasonOf(draft: Draft, key: string | undefined, { old, stale, gone, built }: Earlier): Reason {
  if (!built) return { why: 'never built', stale: 'changed' };
  if (old === undefined) return { why: 'new step', stale: 'changed' };
  if (draft.unknown.length > 0) return { why: unknownWords(draft.unknown), stale: 'unknown' };
  const changes = changesOf(old.inputs, draft.inputs);
  if (changes.length > 0) return { why: changes.join('; '), stale: 'changed' };
  if (stale !== undefined) return { why: follows[stale], stale };
  if (key === old.key) return { why: 'layer is no longer in the store', stale: 'lost' };
  const names = gone.map((step) => step.id).join(', ');
  return { why: names === '' ? follows.changed : `follows a removed step (${names})`, stale: 'changed' };
}

function unknownWords(unknown: readonly string[]): string {
  const [first = '', ...rest] = unknown.map((name) =>
    name === 'pin' ? 'newest versions' : name.replace(/^(?:file|image) /, ''),
  );
  return `${[first, ...rest].join(', ')} not looked up yet`;
}

function stagesOf(steps: readonly PlannedStep[]): readonly Stage[] {
  const stages: { readonly bench: Bench; readonly steps: PlannedStep[] }[] = [];
  for (const step of steps) {
    const last = stages.at(-1);
    if (last?.bench === step.bench) last.steps.push(step);
    else stages.push({ bench: step.bench, steps: [step] });
  }
  return stages;
}

function imageKey(spec: ImageSpec, last: string | undefined, kinds: Kinds, layout: LayoutVersions): string | undefined {
  if (last === undefined) return undefined;
  const formats = spec.formats.map((use) =>
    digest({ kind: use.kind, version: kindOf(kinds.formats, use).version, options: use.options }),
  );
  return digest({
    last,
    seal: layout.seal,
    layout: layout.disk,
    disk: spec.disk,
    filesystem: spec.filesystem,
    firmware: [...spec.firmware].sort(),
    formats: formats.sort(),
  });
}

function kindOf<K>(kinds: ReadonlyMap<string, K>, use: KindUse): K {
  const kind = kinds.get(use.kind);
  // The spec was read with these same kinds.
  if (kind === undefined) throw new Error(`no kind ${use.kind}`);
  return kind;
}
