import type { IngotEvent, Outcome } from '../../core/events.ts';
import type { Marks, Paint } from '../terminal.ts';
import { bytes, duration, oneLine } from '../text.ts';
import {
  type Amount,
  advance,
  type BuildProgress,
  nameOf,
  type Progress,
  runningSteps,
  type StepProgress,
  secondsLeft,
} from './progress.ts';
import type { Clock, Reporter } from './reporter.ts';
import { serveLine } from './serve-line.ts';

export type PlainView = {
  readonly line: (text: string) => void;
  readonly paint: Paint;
  readonly marks: Marks;
  readonly clock: Clock;
  /** Quiet: warnings only; verbose: every line that tools print. */
  readonly detail: 'quiet' | 'normal' | 'verbose';
};

const heartbeatMs = 30_000;

/** One line for each change, for logs and pipes, with a sign of life in long steps. */
export function plainReporter(view: PlainView): Reporter {
  let progress: Progress = new Map();
  let lastMs = view.clock.now();
  let resting = false;
  const say = (text: string) => {
    lastMs = view.clock.now();
    view.line(text);
  };
  const beat = () => {
    if (resting || view.detail === 'quiet' || view.clock.now() - lastMs < heartbeatMs) return;
    for (const build of progress.values()) {
      if (build.outcome === undefined) for (const step of runningSteps(build)) say(stillLine(view, build, step));
    }
  };
  const stop = view.clock.every(5_000, beat);
  return {
    event(event) {
      progress = advance(progress, event, view.clock.now());
      if (event.type === 'serve.start' || event.type === 'access') {
        if (view.detail !== 'quiet') say(serveLine(event));
        return;
      }
      const warning = event.type === 'warning' ? warningLines(event, progress, view.paint) : [];
      for (const line of [...warning, ...eventLines(view, progress.get(event.build), event)]) say(line);
    },
    stopping: (why) => say(view.paint('yellow', stoppingLine(progress, why))),
    rest: () => {
      resting = true;
    },
    wake: () => {
      resting = false;
    },
    close: stop,
  };
}

/** A warning and what to do about it; `progress` says whose it is, where there are several builds. */
export function warningLines(
  event: IngotEvent & { type: 'warning' },
  progress: Progress,
  paint: Paint,
): readonly string[] {
  const build = progress.size > 1 ? progress.get(event.build) : undefined;
  const whose = build === undefined ? '' : `${nameOf(build)}: `;
  const hint = event.hint === undefined ? [] : [`  ${paint('cyan', 'next:')} ${oneLine(event.hint)}`];
  return [`${paint('yellow', 'warning:')} ${whose}${oneLine(event.message)}`, ...hint];
}

/** That we stop, and what is being cleaned up. */
export function stoppingLine(progress: Progress, why: string): string {
  const open = [...progress.values()].filter((build) => build.outcome === undefined);
  const what = open.map((build) => {
    const steps = runningSteps(build).map((step) => step.title);
    return `${nameOf(build)}${steps.length === 0 ? '' : ` (${oneLine(steps.join(', '))})`}`;
  });
  return `${why}, cleaning up${what.length === 0 ? '' : ` ${what.join(', ')}`}; once more to stop at once`;
}

function eventLines(view: PlainView, build: BuildProgress | undefined, event: IngotEvent): readonly string[] {
  if (view.detail === 'quiet' || build === undefined) return [];
  const prefix = `${view.paint('bold', nameOf(build))}: `;
  switch (event.type) {
    case 'build.start':
      return [`${prefix}started`];
    case 'step.start': {
      const about = event.expectedSeconds === undefined ? '' : ` (about ${duration(event.expectedSeconds)})`;
      return [`${prefix}${view.marks.running} ${oneLine(event.title)}${about}`];
    }
    case 'log':
      return view.detail === 'verbose' ? [`${prefix}${view.paint('dim', `  ${oneLine(event.line)}`)}`] : [];
    case 'step.end':
      return [
        `${prefix}${mark(view, event.outcome)} ${oneLine(event.title)} (${ending(event.outcome, event.seconds)})`,
      ];
    case 'build.end': {
      const why = event.error === undefined ? '' : `: ${oneLine(event.error.message)}`;
      return [`${prefix}${mark(view, event.outcome)} ${verdict(event.outcome, event.seconds)}${why}`];
    }
    case 'progress':
    case 'warning':
    case 'serve.start':
    case 'access':
      return [];
  }
}

/** How a whole build ended, in words. */
export function verdict(outcome: Outcome, seconds: number): string {
  if (outcome === 'cached') return `nothing changed (${duration(seconds)})`;
  if (outcome === 'done') return `done in ${duration(seconds)}`;
  return outcome === 'skipped' ? 'skipped' : `${outcome} after ${duration(seconds)}`;
}

/** The coloured mark of an outcome. */
export function mark(view: { readonly marks: Marks; readonly paint: Paint }, outcome: Outcome): string {
  const { marks, paint } = view;
  if (outcome === 'done') return paint('green', marks.done);
  if (outcome === 'cached') return paint('dim', marks.cached);
  return outcome === 'skipped' ? paint('dim', marks.skipped) : paint('red', marks.failed);
}

/** `3.4 s`, `cached`, `failed after 2.0 s`. */
export function ending(outcome: Outcome, seconds: number): string {
  if (outcome === 'done') return duration(seconds);
  return outcome === 'cached' || outcome === 'skipped' ? outcome : `${outcome} after ${duration(seconds)}`;
}

function stillLine(view: PlainView, build: BuildProgress, step: StepProgress): string {
  const so = duration((view.clock.now() - step.startedMs) / 1000);
  return `${view.paint('bold', nameOf(build))}: ${view.marks.running} still at ${oneLine(step.title)} (${so}${soFar(step)})`;
}

function soFar({ amount }: StepProgress): string {
  if (amount === undefined) return '';
  const show = (value: number) => (amount.unit === 'bytes' ? bytes(value) : String(value));
  const of = amount.total === undefined ? '' : ` of ${show(amount.total)}`;
  return [`, ${show(amount.done)}${of} so far`, ...paceWords(amount)].join(', ');
}

/** How fast it goes and how long it will take, as far as that is known: `12 MB/s`, `8 s left`. */
export function paceWords(amount: Amount): readonly string[] {
  const { rate, unit } = amount;
  if (rate === undefined || unit !== 'bytes') return [];
  const left = secondsLeft(amount);
  const time = left === undefined || left < 60 ? `${Math.ceil(left ?? 0)} s` : duration(left);
  return [`${bytes(rate)}/s`, ...(left === undefined ? [] : [`${time} left`])];
}
