import type { Change } from '../../cli/requests/trace.ts';
import type { Manifest, ManifestStep } from '../../core/manifest.ts';
import type { HistoryStep, Inputs } from '../../core/plan.ts';
import { matchSteps } from '../../plan/match.ts';
import { changes } from '../changes.ts';

type Side = Pick<Manifest, 'steps' | 'tools' | 'site'>;

/** What went into two builds and differs: options, files, versions and pins of each step, the site, the tools. */
export function compareInputs(from: Side, to: Side): readonly Change[] {
  const toolsOf = ({ tools }: Side) =>
    new Map(Object.entries(tools).map(([name, version]) => [`tool ${name}`, version] as const));
  const siteOf = ({ site }: Side) => new Map(site === undefined ? [] : [['site', site]]);
  return [
    ...changes(siteOf(from), siteOf(to)),
    ...compareSteps(from.steps.map(remembered), to.steps.map(remembered)),
    ...changes(toolsOf(from), toolsOf(to)),
  ];
}

type Remembered = HistoryStep & Pick<ManifestStep, 'title'>;

function remembered({ id, key, title, seconds, inputs = {} }: ManifestStep): Remembered {
  return { id, key, title, seconds, inputs };
}

function compareSteps(from: readonly Remembered[], to: readonly Remembered[]): readonly Change[] {
  const { old, gone } = matchSteps(to, from);
  const titles = new Map<HistoryStep, string>(from.map((step) => [step, step.title]));
  return [
    ...gone.map((step): Change => ({ name: titles.get(step) ?? step.id, from: 'a step' })),
    ...to.flatMap((step, index): readonly Change[] => {
      const before = old[index];
      if (before === undefined) return [{ name: step.title, to: 'a new step' }];
      return compareStep(before.inputs, step.inputs).map((change) => ({
        ...change,
        name: `${step.title}: ${change.name}`,
      }));
    }),
  ];
}

/** Entries of a list come and go; everything else changes by its name. */
function compareStep(from: Inputs, to: Inputs): readonly Change[] {
  const [before, after] = [split(from), split(to)];
  const lists = new Set([...before.lists.keys(), ...after.lists.keys()]);
  const entries = [...lists].flatMap((name) =>
    compareList(name, before.lists.get(name) ?? [], after.lists.get(name) ?? []),
  );
  return [...changes(before.single, after.single), ...entries];
}

function compareList(name: string, from: readonly string[], to: readonly string[]): readonly Change[] {
  const gone = without(from, to).map((value): Change => ({ name, from: value }));
  const fresh = without(to, from).map((value): Change => ({ name, to: value }));
  if (gone.length + fresh.length > 0 || from.join('\n') === to.join('\n')) return [...gone, ...fresh];
  return [{ name, from: shown(from.join(' ')), to: shown(to.join(' ')) }];
}

function without(list: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other];
  return list.filter((entry) => {
    const at = left.indexOf(entry);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/** Flat inputs as single values and as lists of values: `options.install.0` is the first entry of `install`. */
function split(inputs: Inputs) {
  const single = new Map<string, string>();
  const lists = new Map<string, string[]>();
  for (const [flat, value] of Object.entries(inputs)) {
    const name = flat.replace(/^options\./, '');
    const [, list] = /^(.+)\.\d+$/.exec(name) ?? [];
    if (list === undefined) single.set(name, shown(value));
    else lists.set(list, [...(lists.get(list) ?? []), shown(value)]);
  }
  return { single, lists };
}

const mostShown = 80;

function shown(value: string): string {
  if (/^[0-9a-f]{64}$/.test(value)) return value.slice(0, 12);
  const line = value.replaceAll(/\s+/g, ' ').trim();
  return line.length <= mostShown ? line : `${line.slice(0, mostShown - 3)}...`;
}
