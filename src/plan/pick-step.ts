import { IngotError } from '../core/errors.ts';
import type { Bench, Plan, PlannedStep } from '../core/plan.ts';

/** A place in a plan: between two steps, or between the last one and the seal. */
export type Boundary = {
  /** The id of the step that comes next: `3-shell`, `disk`, `seal`. */
  readonly id: string;
  readonly title: string;
  /** Where the step that comes next runs. */
  readonly bench: Bench;
  /** How many of the image's own steps lie before it: `3-shell` has 2. */
  readonly count: number;
  readonly before: readonly PlannedStep[];
};

/** The number that people call a step by; the source and the disk between the benches have none. */
export function stepNumber({ id }: Pick<PlannedStep, 'id'>): number | undefined {
  const digits = /^(\d+)-/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The place just before a step, which is named by its number (`3`), by its id (`3-shell`), or as the `seal`. */
export function boundaryBefore(plan: Plan, name: string): Boundary {
  const steps = plan.stages.flatMap((stage) => stage.steps);
  const count = steps.filter((step) => stepNumber(step) !== undefined).length;
  if (name === 'seal' || name === String(count + 1)) {
    const bench = steps.at(-1)?.bench ?? 'tree';
    return { id: 'seal', title: 'seal', bench, count, before: steps };
  }
  const index = steps.findIndex((step) => step.id === name || String(stepNumber(step)) === name);
  const step = steps[index];
  if (step === undefined) throw unknown(plan, steps, name);
  if (index === 0) {
    const message = `before the source of ${plan.image} there is nothing to log in to`;
    throw new IngotError({ code: 'USAGE', message, hint: 'name a later step', detail: listed(steps) });
  }
  const before = steps.slice(0, index);
  // What becomes a disk is still a tree before that.
  const bench = step.id === 'disk' ? 'tree' : step.bench;
  return {
    ...{ id: step.id, title: step.title, bench, before },
    count: before.filter((one) => stepNumber(one) !== undefined).length,
  };
}

function unknown({ image }: Plan, steps: readonly PlannedStep[], name: string): IngotError {
  const hint = 'name one by its number or its id, or seal for the place after the last one';
  return new IngotError({ code: 'USAGE', message: `${image} has no step ${name}`, hint, detail: listed(steps) });
}

const mostListed = 20;

function listed(steps: readonly PlannedStep[]): readonly string[] {
  const lines = steps.slice(1).map(({ id, title }) => `${id}: ${title}`);
  const more = lines.length > mostListed ? [`and ${lines.length - mostListed} more: ingot plan shows them`] : [];
  return [...lines.slice(0, mostListed), ...more, 'seal'];
}
