import type { Marks, Paint } from '../terminal.ts';
import { bytes, clip, count, duration, oneLine, pad, width } from '../text.ts';
import { ending, mark, paceWords, verdict } from './plain.ts';
import { type Amount, type BuildProgress, nameOf, runningSteps, type StepProgress } from './progress.ts';

export type FrameView = {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly paint: Paint;
  readonly marks: Marks;
};

type Row = { readonly text: string; readonly kind: 'finished' | 'running' | 'detail' };

/** The builds under way as lines that fit the terminal: no wider, and one line lower than it is. */
export function frame(builds: readonly BuildProgress[], view: FrameView): readonly string[] {
  const room = Math.max(1, view.rows - 1);
  if (builds.length <= room)
    return builds.flatMap((build, index) => block(build, share(room, builds.length, index), view));
  const shown = builds.slice(0, room - 1).map((build) => singleRow(build, view));
  return [
    ...shown,
    view.paint('dim', clip(`and ${count(builds.length - shown.length, 'more build')}`, lineColumns(view))),
  ];
}

/** A finished build as lines that stay on the terminal. */
export function epitaph(build: BuildProgress, view: FrameView): readonly string[] {
  const outcome = build.outcome ?? 'cancelled';
  const steps = [...build.steps.values()].map((step) => ended(step, view.nowMs));
  const ran = steps.some((step) => step.outcome !== 'cached' && step.outcome !== 'skipped');
  const end = `${mark(view, outcome)} ${view.paint('bold', nameOf(build))}  ${verdict(outcome, build.seconds ?? 0)}`;
  if (!ran) return [end];
  return [view.paint('bold', nameOf(build)), ...stepRows(steps, view).map((row) => row.text), end];
}

// A run that stops does not tell the end of every step.
function ended(step: StepProgress, nowMs: number): StepProgress {
  return step.outcome === undefined
    ? { ...step, outcome: 'cancelled', seconds: (nowMs - step.startedMs) / 1000 }
    : step;
}

/** Lines shared out evenly, the first builds taking what is left over. */
function share(room: number, builds: number, index: number): number {
  return Math.floor(room / builds) + (index < room % builds ? 1 : 0);
}

function block(build: BuildProgress, room: number, view: FrameView): readonly string[] {
  const rows = stepRows([...build.steps.values()], view);
  if (room === 1 && rows.length > 0) return [singleRow(build, view)];
  return [header(build, view), ...squeeze(rows, room - 1, view).map((row) => row.text)];
}

/** Drop what matters least until the rows fit: old finished steps, then the output of tools, then the rest. */
function squeeze(rows: readonly Row[], room: number, view: FrameView): readonly Row[] {
  if (rows.length <= room) return rows;
  const finished = rows.filter((row) => row.kind === 'finished');
  const rest = rows.filter((row) => row.kind !== 'finished');
  const keep = room - rest.length - 1;
  if (keep >= 0) {
    const gone = finished.length - keep;
    const text = `  ${view.paint('green', view.marks.done)} ${view.paint('dim', `${count(gone, 'earlier line')} done`)}`;
    return [{ text, kind: 'finished' }, ...finished.slice(gone), ...rest];
  }
  const running = rest.filter((row) => row.kind === 'running');
  return running.length < rest.length ? squeeze(running, room, view) : running.slice(0, room);
}

function header(build: BuildProgress, view: FrameView): string {
  const elapsed = wholeSeconds(view.nowMs - build.startedMs);
  return joinEnds(view, '', nameOf(build), elapsed, (left) => view.paint('bold', left));
}

function singleRow(build: BuildProgress, view: FrameView): string {
  const step = runningSteps(build).at(-1);
  const title = step === undefined ? '' : `  ${view.marks.running} ${oneLine(step.title)}`;
  return joinEnds(view, '', `${nameOf(build)}${title}`, wholeSeconds(view.nowMs - build.startedMs), (left) => left);
}

function stepRows(steps: readonly StepProgress[], view: FrameView): readonly Row[] {
  const cached = steps.filter((step) => step.outcome === 'cached');
  const together: readonly Row[] =
    cached.length < 2
      ? []
      : [{ kind: 'finished', text: endedLine(view, 'cached', `${cached.length} steps`, 'cached') }];
  const alone = steps.filter((step) => cached.length < 2 || step.outcome !== 'cached');
  return [...together, ...alone.flatMap((step) => rowsOf(step, view))];
}

function rowsOf(step: StepProgress, view: FrameView): readonly Row[] {
  if (step.outcome !== undefined) {
    const text = endedLine(view, step.outcome, oneLine(step.title), ending(step.outcome, step.seconds ?? 0));
    return [{ kind: 'finished', text }];
  }
  const elapsedMs = view.nowMs - step.startedMs;
  const expected = step.expectedSeconds === undefined ? '' : ` of ~${wholeSeconds(step.expectedSeconds * 1000)}`;
  const title = joinEnds(
    view,
    `  ${view.paint('cyan', view.marks.running)} `,
    oneLine(step.title),
    wholeSeconds(elapsedMs) + expected,
  );
  const below = detailOf(step, view);
  return [{ kind: 'running', text: title }, ...(below === undefined ? [] : [{ kind: 'detail' as const, text: below }])];
}

function endedLine(view: FrameView, outcome: Parameters<typeof mark>[1], title: string, end: string): string {
  return joinEnds(view, `  ${mark(view, outcome)} `, title, end);
}

function detailOf(step: StepProgress, view: FrameView): string | undefined {
  const room = lineColumns(view) - 4;
  if (step.amount !== undefined) return `    ${view.paint('dim', clip(bar(step.amount, view, room), room))}`;
  const line = oneLine(step.lastLine ?? '').trim();
  return line === '' ? undefined : `    ${view.paint('dim', clip(line, room, view.marks.ellipsis))}`;
}

function bar(amount: Amount, view: FrameView, room: number): string {
  const show = (value: number) => (amount.unit === 'bytes' ? bytes(value) : String(value));
  const pace = paceWords(amount).map((word) => `  ${word}`);
  if (amount.total === undefined || amount.total <= 0) return `${show(amount.done)}${pace.join('')}`;
  const part = Math.min(1, amount.done / amount.total);
  const share = `${String(Math.floor(part * 100)).padStart(3)} %  ${show(amount.done)} of ${show(amount.total)}`;
  const paced = `${share}${pace.join('')}`;
  const text = room - width(paced) - 2 < leastCells ? share : paced;
  const cells = Math.min(30, room - width(text) - 2);
  if (cells < leastCells) return text;
  const full = Math.round(part * cells);
  return `${view.marks.full.repeat(full)}${view.marks.empty.repeat(cells - full)}  ${text}`;
}

const leastCells = 5;

/** Text at the left, time at the right; the text is cut, never the time. */
function joinEnds(view: FrameView, lead: string, left: string, right: string, style = (text: string) => text): string {
  const columns = lineColumns(view);
  const room = columns - width(lead) - width(right) - 2;
  if (room < 4) return lead + clip(left, columns - width(lead), view.marks.ellipsis);
  return `${lead}${style(pad(clip(left, room, view.marks.ellipsis), room))}  ${view.paint('dim', right)}`;
}

const widest = 78;

// One column is left free: some terminals wrap when the last one is written.
function lineColumns(view: FrameView): number {
  return Math.max(1, Math.min(view.columns - 1, widest));
}

function wholeSeconds(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : duration(seconds);
}
