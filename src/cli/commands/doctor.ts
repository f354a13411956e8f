import { exitCodes } from '../../core/errors.ts';
import type { DoctorReport } from '../requests/upkeep.ts';
import type { Session } from '../session.ts';
import { oneLine, table } from '../text.ts';
import { archOrAll } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot doctor`: what this machine has and lacks. */
export const doctor: Verb = {
  summary: 'Show the tools and abilities of this machine, what needs each, and how to mend what is missing',
  examples: [
    ['doctor', 'everything, for information'],
    ['doctor debian-13', 'what one image needs; exit code 5 when something is missing'],
  ],
  register(command, act) {
    command
      .argument('[image...]', 'names of images')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: that of this machine)', archOrAll)
      .action((images, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const report = await engine.doctor({ images, arch: options.arch ?? 'native' }, session.io);
          if (session.json) session.printJson('doctor', report);
          else session.print(doctorLines(report, session));
          return lacksFor(report, images) ? exitCodes.TOOL_MISSING : 0;
        }),
      );
  },
};

/** Whether something is missing that one of these images cannot be made without. */
function lacksFor(report: DoctorReport, images: readonly string[]): boolean {
  const needed = (by: readonly string[]) => by.some((image) => images.includes(image));
  return (
    report.tools.some((tool) => tool.path === undefined && needed(tool.images)) ||
    report.facts.some((fact) => fact.state === 'missing' && needed(fact.images))
  );
}

type DoctorView = Pick<Session, 'paint' | 'marks'>;

/** What this machine has and lacks, for people; the mending commands last. */
export function doctorLines(report: DoctorReport, view: DoctorView): readonly string[] {
  const { paint } = view;
  const fixes = fixesOf(report);
  return [
    paint('bold', 'Tools'),
    ...table(
      report.tools.map((tool) => toolRow(tool, view)),
      '  ',
    ),
    '',
    paint('bold', 'This machine'),
    ...table(
      report.facts.map((fact) => factRow(fact, view)),
      '  ',
    ),
    ...(fixes.length === 0 ? [] : ['', paint('bold', 'To mend'), ...fixes.map((fix) => `  ${fix}`)]),
  ];
}

function toolRow(tool: DoctorReport['tools'][number], { paint, marks }: DoctorView): readonly string[] {
  const name = oneLine(tool.program);
  const why = paint('dim', oneLine(tool.why));
  if (tool.path !== undefined) return [paint('green', marks.done), name, oneLine(tool.version ?? 'present'), why];
  if (tool.images.length === 0) return [paint('dim', marks.skipped), name, paint('dim', 'absent'), why];
  return [
    paint('red', marks.failed),
    name,
    paint('red', 'missing'),
    `${why} ${paint('dim', `(${tool.images.join(', ')})`)}`,
  ];
}

function factRow(fact: DoctorReport['facts'][number], { paint, marks }: DoctorView): readonly string[] {
  const mark = {
    ok: paint('green', marks.done),
    slow: paint('yellow', '!'),
    missing: paint('red', marks.failed),
  }[fact.state];
  return [mark, oneLine(fact.name), oneLine(fact.found)];
}

function fixesOf(report: DoctorReport): readonly string[] {
  const absent = report.tools.filter((tool) => tool.path === undefined && tool.images.length > 0);
  const packages = [...new Set(absent.map((tool) => tool.debian))].sort();
  const install = packages.length === 0 ? [] : [`sudo apt-get install ${packages.join(' ')}`];
  const mends = report.facts.flatMap((fact) => (fact.state === 'ok' || fact.fix === undefined ? [] : [fact.fix]));
  return [...install, ...new Set(mends)];
}
