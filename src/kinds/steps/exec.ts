import { z } from 'zod';
import { log } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { harmless } from '../../core/harmless.ts';
import type { RunResult } from '../../core/host.ts';
import { defineStep, type StepContext, type Work } from '../../core/kinds.ts';
import { osReleaseScript, parseOsRelease } from '../../core/os-release.ts';
import { projectPath } from '../../core/published.ts';

const full = z.strictObject({
  program: projectPath.describe('A program of the project; it must be executable.'),
  args: z.array(z.string()).default([]).describe('Its arguments.'),
  options: z
    .record(z.string(), z.json())
    .default({})
    .describe('What it is told on its stdin; ${secret.x} may stand in values, down to three levels.'),
  files: z
    .array(projectPath)
    .default([])
    .describe('Other files and folders of the project that it reads: a change in them makes the step run again.'),
});

const options = z.union([
  projectPath.transform((program): z.infer<typeof full> => ({ program, args: [], options: {}, files: [] })),
  full,
]);

export type ExecOptions = z.infer<typeof full>;

/**
 * Run a program of the project on the build machine, to change the image through the login it is told of. It reads one
 * JSON text on stdin and writes events as JSON lines; docs/exec-step.md has the protocol.
 */
export const exec = defineStep<ExecOptions>({
  name: 'exec',
  version: 1,
  summary: 'Run a program of the project on the build machine, which changes the image through a login.',
  on: ['tree', 'guest'],
  options,
  example: { program: 'steps/add-users.py', options: { users: ['ada', 'grace'] } },
  title: (o) => `run ${[o.program, ...o.args].join(' ')} on the build machine`,
  files: (o) => [o.program, ...o.files],
  secretsIn: [
    ['options', '*'],
    ['options', '*', '*'],
    ['options', '*', '*', '*'],
  ],
  run: async (o, work, ctx) => {
    const program = await findProgram(o.program, ctx);
    const answers = new Answers(ctx);
    const command = { name: o.program, argv: [program, ...o.args] as const, cwd: ctx.projectFile('.') };
    const stdin = `${JSON.stringify(await requestOf(o, work))}\n`;
    const onAnswer = (line: string) => answers.add(line);
    const env = withoutSecrets(ctx);
    const result = await work.beside({ ...command, env }, { stdin, onAnswer, ok: everyExit });
    answers.settle(o.program, result);
  },
});

const everyExit = Array.from({ length: 256 }, (_, code) => code);

async function findProgram(name: string, ctx: StepContext): Promise<string> {
  const { files } = ctx.host;
  const path = await files.realPath(ctx.projectFile(name)).catch(() => undefined);
  const found = path === undefined ? undefined : await files.stat(path);
  if (path === undefined || found?.kind !== 'file')
    throw new IngotError({ code: 'NOT_FOUND', message: `there is no program ${name} in the project` });
  if ((found.mode & 0o111) !== 0) return path;
  throw new IngotError({ code: 'STEP_FAILED', message: `${name} is not executable`, hint: `chmod +x ${name}` });
}

/** What the program reads: its options, what the image is, and how to get in. */
async function requestOf(o: ExecOptions, work: Work) {
  const system = parseOsRelease(await work.read(osReleaseScript));
  const { ssh, host, port, user, sudo, options: words } = work.login;
  return {
    version: 1,
    options: o.options,
    image: { arch: work.arch, bench: work.bench, system },
    login: { ssh, host, port, user, sudo, options: words },
  };
}

/** Secrets reach a program through its options or not at all. */
function withoutSecrets({ host }: StepContext): Readonly<Record<string, undefined>> {
  const names = Object.keys(host.env).filter((name) => name.startsWith('INGOT_SECRET_'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('log'), line: z.string() }),
  z.object({
    type: z.literal('progress'),
    done: z.number().min(0),
    total: z.number().min(0).optional(),
    unit: z.enum(['items', 'bytes']).default('items'),
  }),
  z.object({ type: z.literal('warning'), message: z.string(), hint: z.string().optional() }),
  z.object({
    type: z.literal('fail'),
    message: z.string(),
    hint: z.string().optional(),
    detail: z.array(z.string()).default([]),
  }),
]);

export type ExecEvent = z.infer<typeof eventSchema>;

/** An event from one line of the program's stdout; undefined where the line is none. */
export function eventOf(line: string): ExecEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

const shownLines = 20;

/** What a program tells, passed on as it comes; how it failed, for the end. */
class Answers {
  readonly #ctx: StepContext;
  #failure: Extract<ExecEvent, { type: 'fail' }> | undefined;
  #unknown: string | undefined;

  constructor(ctx: StepContext) {
    this.#ctx = ctx;
  }

  add(line: string): void {
    const event = eventOf(line);
    const { emit, step: id } = this.#ctx;
    if (event === undefined) this.#unknown ??= line;
    else if (event.type === 'log') for (const one of event.line.split('\n')) log(this.#ctx, harmless(one));
    else if (event.type === 'warning') emit({ type: 'warning', message: plain(event.message), ...hintOf(event) });
    else if (event.type === 'fail') this.#failure ??= event;
    else {
      const { done, total, unit } = event;
      emit({ type: 'progress', id, done, ...(total === undefined ? {} : { total }), unit });
    }
  }

  /** Throws unless the program did its work. */
  settle(program: string, { exitCode, stderr }: RunResult): void {
    if (this.#failure !== undefined) {
      const detail = this.#failure.detail.flatMap((one) => one.split('\n')).map(plain);
      const message = `${program}: ${plain(this.#failure.message)}`;
      throw new IngotError({ code: 'STEP_FAILED', message, detail, ...hintOf(this.#failure) });
    }
    if (exitCode !== 0) {
      const detail = stderr.trimEnd().split('\n').slice(-shownLines).map(plain);
      throw new IngotError({ code: 'STEP_FAILED', message: `${program} ended with exit code ${exitCode}`, detail });
    }
    if (this.#unknown !== undefined) {
      throw new IngotError({
        code: 'STEP_FAILED',
        message: `${program} wrote a line that is no event`,
        hint: 'stdout is for events (docs/exec-step.md); text for people goes to stderr',
        detail: [plain(this.#unknown).slice(0, 300)],
      });
    }
  }
}

function hintOf({ hint }: { readonly hint?: string | undefined }): { readonly hint?: string } {
  return hint === undefined ? {} : { hint: plain(hint) };
}

/** One line that cannot steer a terminal. */
function plain(text: string): string {
  return harmless(text.replaceAll('\n', ' '));
}
