import { Command } from '@commander-js/extra-typings';
import { formatHelp, shortHelp } from './help.ts';
import type { CliDeps } from './session.ts';
import { painter, wantsColor } from './terminal.ts';
import type { Act, BareCommand, Verb } from './verb.ts';
import { verbGroups, verbs } from './verbs.ts';
import { version } from './version.ts';

/** The command line with the one command that is asked for, or with all where that cannot be told. */
export async function createProgram(argv: readonly string[], deps: CliDeps, act: Act) {
  const paint = painter(wantsColor(deps.stdout, deps.env, !argv.includes('--no-color')));
  const program = baseProgram(deps);
  // Some commands have a --version of their own, and the program would take it from them.
  if (!argv.some((word) => Object.hasOwn(verbs, word))) program.version(version, '--version', 'print the version');
  const addVerb = (parent: Pick<BareCommand, 'command'>, name: string, verb: Verb) => {
    const command: BareCommand = parent
      .command(name)
      .summary(verb.summary)
      .helpCommand(false)
      .configureHelp({
        formatHelp: (cmd, helper) => formatHelp(cmd, helper, verb, paint),
      });
    verb.register(command, act);
    for (const [below, one] of Object.entries(verb.verbs ?? {})) addVerb(command, below, one);
  };
  const names = wanted(argv);
  for (const [group, members] of Object.entries(verbGroups)) {
    program.commandsGroup(group);
    for (const [name, load] of Object.entries(members)) if (names.includes(name)) addVerb(program, name, await load());
  }
  program.configureHelp({ formatHelp: (cmd, helper) => formatHelp(cmd, helper, front, paint) });
  if (!argv.some((word) => !word.startsWith('-'))) {
    program.action(() => deps.stdout.write(shortHelp(Object.keys(verbs), paint)));
  }
  return program;
}

const front: Omit<Verb, 'register'> = {
  summary: 'Ingot makes machine images, each from one file, and proves that they boot',
  examples: [
    ['new lab', 'a project with one image that works'],
    ['build', 'build every image of the project'],
    ['build debian-13 --arch all', 'one image, for each of its architectures'],
    ['plan', 'what a build would do, and why'],
  ],
  notes: ['More: ingot help COMMAND, ingot help exit-codes, ingot help environment.'],
};

function baseProgram(deps: CliDeps) {
  return new Command('ingot')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => deps.stdout.columns ?? 100,
      getOutHasColors: () => true,
    })
    .helpOption('-h, --help', 'examples, arguments and options')
    .option('--json', 'results as JSON on stdout')
    .option('--project <dir>', 'the project (default: the nearest folder upwards with ingot.yaml)')
    .option('--home <dir>', 'where the store and the artifacts lie')
    .option('-q, --quiet', 'only warnings and errors')
    .option('-v, --verbose', 'also every line that tools print')
    .option('--no-color', 'no colours')
    .option('--log-file <file>', 'append everything that happens to a file');
}

/** The commands to load: the first word says which, when it is one. */
function wanted(argv: readonly string[]): readonly string[] {
  const all = Object.keys(verbs);
  const first = argv[0] ?? '';
  return first !== 'help' && all.includes(first) ? [first] : all;
}
