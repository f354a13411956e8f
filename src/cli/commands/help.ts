import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { exitCodes, IngotError } from '../../core/errors.ts';
import { nearest } from '../../spec/nearest.ts';
import { table } from '../text.ts';
import type { Verb } from '../verb.ts';

/** `ingot help`: commands and topics. */
export const help: Verb = {
  summary: 'Explain a command or a topic: exit-codes, environment',
  examples: [
    ['help build', 'the same as ingot build --help'],
    ['help exit-codes', 'what each exit code means'],
    ['help environment', 'the variables that are read'],
  ],
  register(command, act) {
    command.argument('[topic]', 'a command, exit-codes or environment').action((topic, _options, cmd) =>
      act(cmd.optsWithGlobals(), async (session) => {
        session.print(explain(topic, cmd.parent));
        return 0;
      }),
    );
  },
};

function explain(topic: string | undefined, program: CommandUnknownOpts | null): readonly string[] {
  const commands = program?.commands ?? [];
  if (topic === undefined) return (program?.helpInformation() ?? '').trimEnd().split('\n');
  const lines = topics[topic];
  if (lines !== undefined) return lines();
  const command = commands.find((one) => one.name() === topic);
  if (command !== undefined) return command.helpInformation().trimEnd().split('\n');
  const near = nearest(topic, [...commands.map((one) => one.name()), ...Object.keys(topics)]);
  const hint = near === undefined ? 'ingot --help shows the commands' : `did you mean ingot help ${near}?`;
  throw new IngotError({ code: 'USAGE', message: `there is no command or topic '${topic}'`, hint });
}

const meanings: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'the operation failed',
  2: 'wrong usage, or an invalid file of the project',
  3: 'an input failed its checksum or signature, or is hostile',
  4: 'not allowed: authentication is missing or refused',
  5: 'a tool, an ability or space is missing on this machine',
  6: 'a check failed',
  7: 'some of several failed',
  70: 'a bug in Ingot',
  124: 'time-out',
  129: 'the terminal went away (SIGHUP)',
  130: 'stopped by Ctrl-C (SIGINT)',
  143: 'stopped by SIGTERM',
};

const topics: Readonly<Record<string, () => readonly string[]>> = {
  'exit-codes': () =>
    table(
      Object.entries(meanings).map(([code, meaning]) => [
        code.padStart(4),
        meaning,
        Object.entries(exitCodes)
          .flatMap(([name, number]) => (number === Number(code) ? [name] : []))
          .join(' '),
      ]),
    ),
  environment: () =>
    table([
      ['INGOT_HOME', 'where the store and the artifacts lie; --home goes before it'],
      ['INGOT_PROJECT', 'the project; --project goes before it'],
      ['INGOT_SECRET_NAME', 'the value of ${secret.name}'],
      ['GH_TOKEN, GITHUB_TOKEN', 'for `release` and `images`: what is shown to GitHub'],
      ['INGOT_SECRET_SIGNING_KEY', 'the passphrase of the key that images are signed with'],
      ['XDG_DATA_HOME', 'without INGOT_HOME: its folder ingot; default ~/.local/share'],
      ['XDG_CACHE_HOME', 'compiled sources of Ingot itself; default ~/.cache'],
      ['NO_COLOR', 'not empty: no colours'],
      ['FORCE_COLOR', 'colours off a terminal too; 0: none'],
      ['TERM', 'dumb: no colours, nothing is redrawn'],
      ['LANG, LC_ALL', 'whether marks beyond ASCII can be shown'],
    ]),
};
