import type { CommandUnknownOpts, Help } from '@commander-js/extra-typings';
import type { Paint } from './terminal.ts';
import { pad, width, wrap } from './text.ts';
import type { Verb } from './verb.ts';

type Entry = readonly [term: string, meaning: string];

/** The help of a command: what it does, examples first, then how it is called. */
export function formatHelp(
  command: CommandUnknownOpts,
  helper: Help,
  about: Omit<Verb, 'register'>,
  paint: Paint,
): string {
  const columns = Math.min(helper.helpWidth ?? 80, 100);
  const title = (text: string) => paint('bold', text);
  const section = (heading: string, entries: readonly Entry[]) =>
    entries.length === 0 ? [] : ['', title(heading), ...aligned(entries, columns)];
  const options = helper
    .visibleOptions(command)
    .map((option): Entry => [helper.optionTerm(option), helper.optionDescription(option)]);
  const isFront = command.parent === null;
  return `${[
    ...wrap(`${about.summary}.`, columns),
    ...section(
      'Examples:',
      about.examples.map(([line, meaning]) => [`ingot ${line}`, meaning]),
    ),
    '',
    `${title('Usage:')} ${usageOf(command, helper, about.alone === true)}`,
    ...commandLines(helper.visibleCommands(command), columns, title),
    ...section(
      'Arguments:',
      helper.visibleArguments(command).map((one) => [helper.argumentTerm(one), helper.argumentDescription(one)]),
    ),
    ...section(isFront ? 'Options of every command:' : 'Options:', options),
    ...(about.notes ?? []).flatMap((note) => ['', ...wrap(note, columns)]),
    ...(isFront ? [] : ['', paint('dim', 'Options of every command: ingot --help')]),
  ].join('\n')}\n`;
}

/** In their groups, with all meanings in one column. */
function commandLines(
  commands: readonly CommandUnknownOpts[],
  columns: number,
  title: (text: string) => string,
): readonly string[] {
  const term = Math.max(...commands.map((one) => width(one.name())));
  const groups = Map.groupBy(commands, (one) => one.helpGroup() || 'Commands:');
  return [...groups].flatMap(([heading, members]) => {
    const entries = members.map((one): Entry => [one.name(), one.summary()]);
    return ['', title(heading), ...aligned(entries, columns, term)];
  });
}

function usageOf(command: CommandUnknownOpts, helper: Help, alone: boolean): string {
  if (command.parent === null) return 'ingot COMMAND [options]';
  if (command.commands.length === 0) return helper.commandUsage(command);
  return `ingot ${command.name()} ${alone ? '[COMMAND]' : 'COMMAND'} [options]`;
}

/** What `ingot` alone says. */
export function shortHelp(names: readonly string[], paint: Paint): string {
  const start: readonly Entry[] = [
    ['ingot new lab', 'a project with one image that works'],
    ['ingot build', 'build every image of the project'],
    ['ingot plan', 'what a build would do, and why'],
    ['ingot doctor', 'what this machine has and lacks'],
  ];
  return `${[
    'Ingot makes machine images, each from one file, and proves that they boot.',
    '',
    paint('bold', 'Start here:'),
    ...aligned(start, 80),
    '',
    paint('bold', 'Commands:'),
    ...wrap(names.join(' '), 78).map((line) => `  ${line}`),
    `${paint('bold', 'More:')} ingot --help, ingot help COMMAND`,
  ].join('\n')}\n`;
}

/** Terms and their meanings in two columns, meanings wrapped; below each other where the terminal is narrow. */
function aligned(
  entries: readonly Entry[],
  columns: number,
  term = Math.max(...entries.map(([text]) => width(text))),
): readonly string[] {
  const room = columns - term - 4;
  return entries.flatMap(([text, meaning]) => {
    if (room < 20) return [`  ${text}`, ...wrap(meaning, columns - 6).map((line) => `      ${line}`)];
    return wrap(meaning, room).map((line, index) => `  ${pad(index === 0 ? text : '', term)}  ${line}`.trimEnd());
  });
}
