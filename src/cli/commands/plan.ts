import type { Plan, PlannedStep } from '../../core/plan.ts';
import type { PlanRequest } from '../requests/images.ts';
import { noImages, selectionOf } from '../selection.ts';
import type { Session } from '../session.ts';
import { bytes, clip, count, duration, oneLine, table, wrap } from '../text.ts';
import { archOrAll, positive } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot plan`: what would run, what is stored, and why. */
export const plan: Verb = {
  summary: 'Show what a build would do, step by step: what is stored, what would run and why',
  examples: [
    ['plan', 'every image of the project'],
    ['plan debian-13', 'one image, with all its steps'],
    ['plan debian-13 --json', 'the whole plan as data, with keys and inputs'],
  ],
  register(command, act) {
    command
      .argument('[image...]', 'names of images (default: all of the project)')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: that of this machine)', archOrAll)
      .option('--site <site>', 'the site whose values to use')
      .option('--pass <number>', 'only images of this pass', positive)
      .option('--force', 'as if nothing were stored')
      .option('--refresh', 'ask the package archives for newer versions')
      .action((images, options, cmd) =>
        act(cmd.optsWithGlobals(), (session) =>
          run(session, {
            ...selectionOf(images, options),
            force: options.force === true,
            refresh: options.refresh === true,
          }),
        ),
      );
  },
};

async function run(session: Session, request: PlanRequest): Promise<number> {
  const engine = await session.engine();
  const plans = await engine.plan(request, session.io);
  if (session.json) session.printJson('plan', plans);
  else session.print(planLines(plans, session, request.images));
  if (plans.length === 0) session.remark(noImages);
  return 0;
}

type PlanView = Pick<Session, 'paint' | 'marks' | 'columns'>;

/** Plans for people. Of those that were named all steps are shown, of others only where one has to run. */
export function planLines(plans: readonly Plan[], view: PlanView, named: readonly string[]): readonly string[] {
  const blocks = plans.map((one) => onePlan(one, view, named.includes(one.image)));
  if (plans.length < 2) return blocks.flat();
  const steps = plans.flatMap(stepsOf);
  const seconds = plans.reduce((sum, one) => sum + (one.expectedSeconds ?? 0), 0);
  const fetch = plans.reduce((sum, one) => sum + (one.fetchBytes ?? 0), 0);
  const total = `${count(plans.length, 'image')}: ${summary(steps, seconds, fetch)}`;
  return [...blocks.flatMap((lines) => (lines.length === 1 ? lines : [...lines, ''])), view.paint('bold', total)];
}

function onePlan(one: Plan, view: PlanView, isNamed: boolean): readonly string[] {
  const steps = stepsOf(one);
  const { paint, marks } = view;
  const name = `${one.image} ${one.arch}${one.site === undefined ? '' : ` (site ${one.site})`}`;
  const head = `${paint('bold', name)}  ${summary(steps, one.expectedSeconds ?? 0, one.fetchBytes ?? 0)}`;
  const isStored = !steps.some(misses);
  const short = isStored ? `${paint('green', marks.done)} ${head}` : head;
  if (isStored && !isNamed) return [short];
  const room = Math.max(20, view.columns - 30);
  const rows = table(
    steps.map((step) => [
      misses(step) ? paint('yellow', marks.running) : paint('green', marks.cached),
      paint('dim', numberOf(step)),
      clip(oneLine(step.title), room, marks.ellipsis),
      paint('dim', step.bench),
      misses(step) ? expected(step) : paint('dim', 'stored'),
    ]),
    '  ',
  );
  return [
    short,
    ...rows.flatMap((row, index) => [row, ...reason(steps[index], steps[index - 1], view)]),
    ...wrap(`formats: ${one.formats.join(', ')}`, view.columns - 4).map((line) => `    ${paint('dim', line)}`),
    ...wrap(`checks: ${one.checks.join(', ') || 'none'}`, view.columns - 4).map((line) => `    ${paint('dim', line)}`),
  ];
}

function stepsOf(one: Plan): readonly PlannedStep[] {
  return one.stages.flatMap((stage) => stage.steps);
}

/** What a step is called by, as in `ingot shell --step 3`. */
function numberOf({ id }: PlannedStep): string {
  return /^\d+/.exec(id)?.[0] ?? '';
}

function misses(step: PlannedStep): boolean {
  return step.state === 'miss';
}

function expected(step: PlannedStep): string {
  return step.expectedSeconds === undefined ? '?' : `~${duration(step.expectedSeconds)}`;
}

// One reason that holds for several steps in a row is told once.
function reason(step: PlannedStep | undefined, before: PlannedStep | undefined, view: PlanView): readonly string[] {
  if (step?.why === undefined || step.why === before?.why) return [];
  return wrap(oneLine(step.why), view.columns - 8).map((line) => `       ${view.paint('yellow', line)}`);
}

function summary(steps: readonly PlannedStep[], seconds: number, fetch: number): string {
  const runs = steps.filter(misses).length;
  if (runs === 0) return `all ${count(steps.length, 'step')} stored`;
  const time = seconds > 0 ? `, about ${duration(seconds)}` : '';
  return `${runs} of ${count(steps.length, 'step')} to run${time}${fetch > 0 ? `, ${bytes(fetch)} to fetch` : ''}`;
}
