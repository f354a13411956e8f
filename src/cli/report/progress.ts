import type { Arch } from '../../core/arch.ts';
import type { EventBody, IngotEvent, Outcome } from '../../core/events.ts';

type Told = Extract<EventBody, { type: 'progress' }>;

/** How far a step is; `rate`: units a second, of late, once that can be said. */
export type Amount = Told & { readonly atMs: number; readonly rate?: number };

/** One step as the display knows it; times in milliseconds of the display's own clock. */
export type StepProgress = {
  readonly id: string;
  readonly title: string;
  readonly startedMs: number;
  readonly expectedSeconds?: number;
  readonly amount?: Amount;
  /** The last line that its tool printed. */
  readonly lastLine?: string;
  readonly outcome?: Outcome;
  readonly seconds?: number;
};

/** One build as the display knows it, its steps in the order they started. */
export type BuildProgress = {
  readonly build: string;
  readonly image: string;
  readonly arch: Arch;
  readonly startedMs: number;
  readonly steps: ReadonlyMap<string, StepProgress>;
  readonly outcome?: Outcome;
  readonly seconds?: number;
};

/** The builds by their ids, oldest first. */
export type Progress = ReadonlyMap<string, BuildProgress>;

/** What is known after one more event; events of builds that never started are left out. */
export function advance(progress: Progress, event: IngotEvent, nowMs: number): Progress {
  const build = progress.get(event.build);
  const next = event.type === 'build.start' ? started(event, nowMs) : build && advanceBuild(build, event, nowMs);
  return next === undefined || next === build ? progress : new Map(progress).set(event.build, next);
}

/** `debian-13 x86_64`. */
export function nameOf(build: { readonly image: string; readonly arch: Arch }): string {
  return `${build.image} ${build.arch}`;
}

/** The steps that have begun and not ended. */
export function runningSteps(build: BuildProgress): readonly StepProgress[] {
  return [...build.steps.values()].filter((step) => step.outcome === undefined);
}

function started(event: IngotEvent & { type: 'build.start' }, nowMs: number): BuildProgress {
  return { build: event.build, image: event.image, arch: event.arch, startedMs: nowMs, steps: new Map() };
}

function advanceBuild(build: BuildProgress, event: IngotEvent, nowMs: number): BuildProgress {
  switch (event.type) {
    case 'step.start': {
      const { id, title, expectedSeconds } = event;
      return withStep(build, {
        id,
        title,
        startedMs: nowMs,
        ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
      });
    }
    case 'step.end': {
      const step = build.steps.get(event.id) ?? { id: event.id, title: event.title, startedMs: nowMs };
      return withStep(build, { ...step, title: event.title, outcome: event.outcome, seconds: event.seconds });
    }
    case 'progress':
    case 'log': {
      const step = build.steps.get(event.id);
      if (step === undefined) return build;
      const news = event.type === 'log' ? { lastLine: event.line } : { amount: nextAmount(step.amount, event, nowMs) };
      return withStep(build, { ...step, ...news });
    }
    case 'build.end':
      return { ...build, outcome: event.outcome, seconds: event.seconds };
    default:
      return build;
  }
}

/** What lies further back than this counts little for the rate. */
const rateMs = 5_000;

function nextAmount(last: Amount | undefined, told: Told, nowMs: number): Amount {
  // Something else has begun, or the same from its beginning.
  if (last === undefined || told.done < last.done || told.total !== last.total) return { ...told, atMs: nowMs };
  const elapsedMs = nowMs - last.atMs;
  if (elapsedMs <= 0) return { ...last, ...told };
  const rate = ((told.done - last.done) / elapsedMs) * 1000;
  const weight = last.rate === undefined ? 1 : 1 - Math.exp(-elapsedMs / rateMs);
  return { ...told, atMs: nowMs, rate: rate * weight + (last.rate ?? 0) * (1 - weight) };
}

/** Seconds until all is done at the present rate; undefined where that cannot be said. */
export function secondsLeft({ done, total, rate }: Amount): number | undefined {
  return total === undefined || rate === undefined || rate <= 0 ? undefined : Math.max(0, (total - done) / rate);
}

function withStep(build: BuildProgress, step: StepProgress): BuildProgress {
  return { ...build, steps: new Map(build.steps).set(step.id, step) };
}
