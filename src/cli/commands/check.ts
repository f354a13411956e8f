import { checkLines } from '../check-lines.ts';
import { exitCodeOfAll } from '../outcomes.ts';
import { mark, verdict } from '../report/plain.ts';
import type { CheckRequest, CheckResult } from '../requests/images.ts';
import { selectionOf } from '../selection.ts';
import type { Session } from '../session.ts';
import { archOrAll } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot check`: proofs about a finished artifact. */
export const check: Verb = {
  summary: 'Boot the finished image on a throw-away copy and run its checks',
  examples: [
    ['check debian-13', 'what its file lists under checks; a known result is not repeated'],
    ['check debian-13 --force', 'run them again'],
  ],
  notes: ['With --json, stdout has one event a line, and the results as the last line.'],
  register(command, act) {
    command
      .argument('<image...>', 'names of images')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: that of this machine)', archOrAll)
      .option('--site <site>', 'the site whose values to use')
      .option('--force', 'run them though their result is known')
      .action((images, options, cmd) =>
        act(
          cmd.optsWithGlobals(),
          (session) => run(session, { ...selectionOf(images, options), force: options.force === true }),
          'streams',
        ),
      );
  },
};

async function run(session: Session, request: CheckRequest): Promise<number> {
  const engine = await session.engine();
  const results = await engine.check(request, session.io);
  if (session.json) session.printJson('check', results);
  else session.print(results.flatMap((result) => resultLines(result, session)));
  for (const result of results) if (result.error !== undefined) session.complain(result.error);
  return exitCodeOfAll(results, session.io.signal);
}

function resultLines(result: CheckResult, session: Session): readonly string[] {
  const ended = result.outcome === 'cached' ? 'passed earlier, same bytes' : verdict(result.outcome, result.seconds);
  const head = `${mark(session, result.outcome)} ${session.paint('bold', `${result.image} ${result.arch}`)}  ${ended}`;
  return [head, ...checkLines(result.checks, session)];
}
