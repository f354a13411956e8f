import type { Engine, EnginePlace, Io } from '../../src/cli/engine.ts';
import { createInterrupts, type Interrupts } from '../../src/cli/interrupts.ts';
import { runCli } from '../../src/cli/run.ts';
import type { EventBody } from '../../src/core/events.ts';

export type Scene = {
  readonly engine?: Partial<Engine>;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Size of the terminal that stdout and stderr are; absent: pipes. */
  readonly tty?: { readonly columns: number; readonly rows: number };
  /** Given the interrupts of the run before it begins. */
  readonly hand?: (interrupts: Interrupts) => void;
};

export type Ran = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the engine was opened for. */
  readonly places: readonly EnginePlace[];
  readonly logs: Readonly<Record<string, string>>;
};

/** The wall clock of every scene. */
const sceneTime = Date.parse('2026-11-21T12:00:00Z');

/** Run one command line in process against a fake engine. */
export async function ingot(line: string | readonly string[], scene: Scene = {}): Promise<Ran> {
  const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
  const [stdout, stderr] = [sink(scene.tty), sink(scene.tty)];
  const places: EnginePlace[] = [];
  const logs: Record<string, string> = {};
  let tell = (_why: string) => {};
  const interrupts = createInterrupts({ now: () => 0, exit: () => {}, onStop: (why) => tell(why) });
  scene.hand?.(interrupts);
  const code = await runCli(argv, {
    openEngine: async (place) => {
      places.push(place);
      return engineOf(scene.engine ?? {});
    },
    stdout,
    stderr,
    stdin: async () => scene.stdin ?? '',
    env: { LANG: 'C.UTF-8', TERM: 'xterm', ...scene.env },
    cwd: '/home/me/lab',
    clock: { now: () => 0, every: () => () => {} },
    wallMs: () => sceneTime,
    interrupts,
    onStop: (listener) => {
      tell = listener;
    },
    openLog: (path) => ({
      line: (text) => {
        logs[path] = `${logs[path] ?? ''}${text}\n`;
      },
      close: () => {},
    }),
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), places, logs };
}

/** Emit events of one build as a run does: numbered, dated. */
export function emitAll(io: Io, events: readonly EventBody[], build = 'b1'): void {
  for (const [index, event] of events.entries())
    io.emit({ ...event, seq: index + 1, time: '2026-11-21T12:00:00.000Z', build });
}

function sink(tty: Scene['tty']) {
  let text = '';
  return {
    write: (part: string) => {
      text += part;
    },
    text: () => text,
    ...(tty === undefined ? {} : { isTTY: true, ...tty }),
  };
}

/** What a test does not say is not called. */
function engineOf(part: Partial<Engine>): Engine {
  return new Proxy(part, {
    get: (target, name) => {
      // A promise of the engine asks it for `then`.
      if (name === 'then') return undefined;
      return Reflect.get(target, name) ?? (() => Promise.reject(new Error(`the scene has no ${String(name)}`)));
    },
  }) as Engine;
}
