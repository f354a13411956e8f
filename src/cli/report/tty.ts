import type { createLogUpdate } from 'log-update';
import type { Marks, Out, Paint } from '../terminal.ts';
import { wrap } from '../text.ts';
import { epitaph, type FrameView, frame } from './frame.ts';
import { stoppingLine, warningLines } from './plain.ts';
import { advance, type BuildProgress, type Progress } from './progress.ts';
import type { Clock, Reporter } from './reporter.ts';
import { serveLine } from './serve-line.ts';

type Canvas = ReturnType<typeof createLogUpdate>;

export type TtyView = {
  readonly out: Out;
  readonly paint: Paint;
  readonly marks: Marks;
  readonly clock: Clock;
  /** Loaded when something is first drawn: a run with nothing to do never needs it. */
  readonly canvas: () => Promise<Canvas>;
};

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const redrawMs = 100;

/** The builds as a live tree, redrawn at most ten times a second; what is finished stays above it. */
export function ttyReporter(view: TtyView): Reporter {
  let progress: Progress = new Map();
  let canvas: Canvas | 'none' | 'loading' = 'none';
  let state: 'live' | 'resting' | 'closed' = 'live';
  let drawn = false;

  const erase = () => {
    if (!drawn || typeof canvas === 'string') return;
    canvas.clear();
    view.out.write(showCursor);
    drawn = false;
  };
  const draw = () => {
    const open = unfinished(progress);
    if (state !== 'live' || typeof canvas === 'string' || open.length === 0) return;
    if (!drawn) view.out.write(hideCursor);
    drawn = true;
    canvas(frame(open, frameView(view)).join('\n'));
  };
  const tick = () => {
    if (canvas === 'none' && unfinished(progress).length > 0) {
      canvas = 'loading';
      void view.canvas().then((loaded) => {
        canvas = loaded;
        draw();
      });
    } else draw();
  };
  const keep = (lines: readonly string[]) => {
    erase();
    view.out.write(lines.map((line) => `${line}\n`).join(''));
    draw();
  };
  const stop = view.clock.every(redrawMs, tick);

  return {
    event(event) {
      progress = advance(progress, event, view.clock.now());
      const build = progress.get(event.build);
      if (event.type === 'serve.start' || event.type === 'access') keep([serveLine(event)]);
      if (event.type === 'warning') keep(warningLines(event, progress, view.paint));
      if (event.type === 'build.end' && build !== undefined) keep(epitaph(build, frameView(view)));
    },
    stopping: (why) =>
      keep(wrap(stoppingLine(progress, why), frameView(view).columns - 1).map((line) => view.paint('yellow', line))),
    rest() {
      erase();
      state = 'resting';
    },
    wake() {
      state = 'live';
    },
    close() {
      stop();
      erase();
      state = 'closed';
    },
  };
}

function unfinished(progress: Progress): readonly BuildProgress[] {
  return [...progress.values()].filter((build) => build.outcome === undefined);
}

function frameView(view: TtyView): FrameView {
  const { columns = 80, rows = 24 } = view.out;
  return { columns, rows, nowMs: view.clock.now(), paint: view.paint, marks: view.marks };
}
