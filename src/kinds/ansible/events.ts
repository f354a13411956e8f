import { z } from 'zod';
import { log } from '../../core/context.ts';
import type { ErrorFields } from '../../core/errors.ts';
import { harmless } from '../../core/harmless.ts';
import type { StepContext } from '../../core/kinds.ts';

const states = ['changed', 'ok', 'skipped', 'ignored', 'failed', 'unreachable'] as const;

const eventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('play'), name: z.string() }),
  z.object({ event: z.literal('unmatched') }),
  z.object({ event: z.literal('begin'), name: z.string() }),
  z.object({ event: z.literal('retry'), name: z.string(), left: z.number() }),
  z.object({
    event: z.literal('task'),
    name: z.string(),
    state: z.enum(states),
    /** `/project/playbooks/site.yml:12`, or empty. */
    where: z.string(),
    lines: z.array(z.string()),
    warnings: z.array(z.string()),
  }),
]);

export type AnsibleEvent = z.infer<typeof eventSchema>;
export type TaskEvent = Extract<AnsibleEvent, { event: 'task' }>;

/** An event of our callback plugin from one line of Ansible's stdout; undefined where the line is none. */
export function eventOf(line: string): AnsibleEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

const said: Readonly<Record<TaskEvent['state'], string>> = {
  changed: 'changed',
  ok: 'ok',
  skipped: 'skipped',
  ignored: 'failed, which is ignored',
  failed: 'failed',
  unreachable: 'failed: the image cannot be reached',
};

/** What a run of a playbook did, told as it goes. */
export class Report {
  readonly #tasks: TaskEvent[] = [];
  readonly #ctx: StepContext;
  /** Folders whose names are left out of what people read. */
  readonly #folders: readonly string[];
  #play = '';

  constructor(folders: readonly string[], ctx: StepContext) {
    this.#folders = folders;
    this.#ctx = ctx;
  }

  /** Take a line of Ansible's stdout. */
  add(line: string): void {
    const event = eventOf(line);
    if (event?.event === 'play') this.#play = event.name;
    if (event?.event === 'task') this.#task(event);
    else this.#log(event === undefined ? line : this.#words(event));
  }

  /** Tasks that were looked at, whatever became of them. */
  get count(): number {
    return this.#tasks.length;
  }

  /** Tasks that changed something. */
  get changed(): readonly TaskEvent[] {
    return this.#tasks.filter(({ state }) => state === 'changed');
  }

  /** The task that ended the playbook. */
  get failed(): TaskEvent | undefined {
    return this.#tasks.findLast(({ state }) => state === 'failed' || state === 'unreachable');
  }

  /** Where a task stands, for people: `playbooks/site.yml:12`. */
  where({ where }: TaskEvent): string {
    const folder = this.#folders.find((one) => where.startsWith(`${one}/`));
    return folder === undefined ? where : where.slice(folder.length + 1);
  }

  #words(event: Exclude<AnsibleEvent, TaskEvent>): string {
    if (event.event === 'play') return `play: ${event.name}`;
    // What is at work, and what it was that never ended.
    if (event.event === 'begin') return `task: ${event.name} ...`;
    if (event.event === 'retry') return `task: ${event.name} (again, ${event.left} tries left)`;
    return `play: ${this.#play} is for no group of this image`;
  }

  #task(event: TaskEvent): void {
    this.#tasks.push(event);
    this.#log(`task: ${event.name} (${said[event.state]})`);
    for (const line of [...event.lines, ...event.warnings.map((one) => `warning: ${one}`)]) this.#log(`  ${line}`);
    this.#ctx.emit({ type: 'progress', id: this.#ctx.step, done: this.count, unit: 'items' });
  }

  #log(text: string): void {
    for (const line of text.split('\n')) log(this.#ctx, harmless(line));
  }
}

/** The failure of a task: what it is called, what the image said, where it stands. */
export function taskFailure(report: Report, task: TaskEvent): ErrorFields {
  const [first = 'no reason was given', ...rest] = task.lines.map(harmless);
  return {
    code: 'STEP_FAILED',
    message: `the task "${harmless(task.name)}" failed: ${first}`,
    detail: [...(task.where === '' ? [] : [`at ${report.where(task)}`]), ...rest],
  };
}
