import { IngotError } from '../../core/errors.ts';
import type { RecordedStep, ShellRequest } from '../requests/images.ts';
import { oneImage } from '../selection.ts';
import type { Session } from '../session.ts';
import { count, oneLine } from '../text.ts';
import { archName, imageRef, scriptName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot shell`: a login on a copy that is thrown away. */
export const shell: Verb = {
  summary: 'Log in to a throw-away copy of a finished image, or of one as it is before a step',
  examples: [
    ['shell debian-13', 'log in as its user; nothing that is done there stays'],
    ['shell debian-13 --arch arm64', 'under emulation, where this machine is of another architecture'],
    ['shell --step 3 web', 'as root, as the image is before its third step: to look why that one fails'],
    ['shell --step seal web', 'after its last step'],
    ['shell --step 3 --record web', 'and make a step of what was entered'],
  ],
  notes: [
    'Numbers and ids of steps are those of `ingot plan`. The project is in /run/ingot/project, read-only.',
    '--record keeps commands that ended well, not those that only look; it writes a script and puts the step into the ' +
      "image's file. stdout has the path of the script.",
  ],
  register(command, act) {
    command
      .argument('<image>', 'IMAGE, or IMAGE@BUILD for an earlier build', imageRef)
      .option('--arch <arch>', 'x86_64 or aarch64 (default: that of this machine)', archName)
      .option('--site <site>', 'the site whose values to use')
      .option('--step <step>', 'open the image as it is before this step: its number, its id, or seal')
      .option('--record', 'make a step of what is entered, in its place')
      .option('--script <name>', 'with --record: write scripts/NAME.sh (default: a name that is free)', scriptName)
      .action((image, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const request = { ...oneImage(image, options), ...stepOf(options) };
          refuse(request, options);
          const engine = await session.engine();
          const recorded = await engine.shell(request, session.io);
          if (recorded !== undefined) tell(recorded, request, session);
          return 0;
        }),
      );
  },
};

type StepOptions = { readonly step?: string; readonly record?: true; readonly script?: string };

function stepOf({ step, record, script }: StepOptions): Pick<ShellRequest, 'step' | 'record'> {
  return {
    ...(step === undefined ? {} : { step }),
    ...(record === undefined ? {} : { record: script === undefined ? {} : { script } }),
  };
}

function refuse(request: ShellRequest, { script }: StepOptions): void {
  const fail = (message: string, hint: string) => {
    throw new IngotError({ code: 'USAGE', message, hint });
  };
  if (request.step !== undefined && request.build !== undefined)
    fail('a finished build has no steps to go back to', `ingot shell --step ${request.step} ${request.image}`);
  if (request.record !== undefined && request.step === undefined)
    fail('--record needs --step: where the new step goes', 'ingot plan shows the steps');
  if (script !== undefined && request.record === undefined)
    fail('--script names what --record writes', 'add --record, or leave --script away');
}

/** What became of a recording: the script on stdout, the rest beside it. */
function tell(recorded: RecordedStep, { image, step }: ShellRequest, session: Session): void {
  for (const line of tidings(recorded, `put it before step ${step} by hand`)) session.remark(line);
  if (recorded.script !== undefined) session.remark(`next: ingot build ${image}`);
  if (session.json) session.printJson('shell', recorded);
  else if (recorded.script !== undefined) session.print([recorded.script]);
}

function tidings(recorded: RecordedStep, byHand: string): readonly string[] {
  const { commands, failed, doubts, step, place, why } = recorded;
  const others = [
    ...failed.map(({ command, exitCode }) => `left out, exit code ${exitCode}: ${oneLine(command)}`),
    ...doubts.map((doubt) => `look at this: ${oneLine(doubt)}`),
  ];
  if (step === undefined) return ['nothing was entered that a step could repeat', ...others];
  return [
    `recorded ${count(commands.length, 'command')}:`,
    ...commands.flatMap((command) => command.split('\n').map((line) => `    ${oneLine(line)}`)),
    ...others,
    place === undefined
      ? `not added to the image, since ${why}; ${byHand}: ${step}`
      : `added to ${place.file}, line ${place.line}: ${step}`,
  ];
}
