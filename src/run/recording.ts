/** One line, or several that belong together, as they were entered in a shell. */
export type Entered = { readonly command: string; readonly exitCode: number };

export type Recording = {
  /** What is worth repeating, in order. */
  readonly commands: readonly string[];
  /** What failed, and so is not repeated. */
  readonly failed: readonly Entered[];
  /** What will not work in a step as it did in the shell. */
  readonly doubts: readonly string[];
};

/** From records `EXIT CODE <NUL> COMMAND <NUL>`. */
export function parseEntered(text: string): readonly Entered[] {
  const fields = text.split('\0').slice(0, -1);
  return Array.from({ length: Math.floor(fields.length / 2) }, (_, at) => ({
    exitCode: Number(fields[2 * at]),
    command: (fields[2 * at + 1] ?? '').trim(),
  })).filter(({ command }) => command !== '');
}

/** What only looks, or concerns the shell itself; not where it is part of more. */
const onlyLooks =
  /^(exit|logout|history|fc|clear|reset|pwd|ls|ll|less|more|man|help|top|htop|true|:|#.*)(\s[^|&;<>()$`]*)?$/;
const moves = /^(cd|pushd|popd)(\s[^|&;<>()`]*)?$/;
const movesAnywhere = /^cd(\s+(~|\/)[^|&;<>()`]*)?$/;

/** Keep of what was entered the commands that a step is to repeat: those that worked and did something. */
export function recordingOf(entered: readonly Entered[], projectFolder: string): Recording {
  const commands: string[] = [];
  const failed: Entered[] = [];
  // To change the folder means something only to what is done there.
  let path: string[] = [];
  for (const one of entered) {
    const { command, exitCode } = one;
    if (onlyLooks.test(command)) continue;
    if (exitCode !== 0) failed.push(one);
    else if (moves.test(command)) path = movesAnywhere.test(command) ? [command] : [...path, command];
    else {
      commands.push(...path, command);
      path = [];
    }
  }
  return { commands, failed, doubts: commands.flatMap((command) => doubtsOf(command, projectFolder)) };
}

const editors = /^(sudo\s+)?(vi|vim|nano|emacs|ed|visudo|vipw|crontab -e|systemctl edit)(\s|$)/;
const shells = /^(su|sudo -i|sudo -s|bash|sh|zsh)(\s+-?)?(\s+[\w-]+)?$/;
const asks = /\bapt(-get)?\s+(.*\s)?(install|remove|purge|upgrade|full-upgrade|dist-upgrade|autoremove)\b/;
const isAnswered = /\s(-\w*y\w*|--yes|--assume-yes)\b/;

function doubtsOf(command: string, projectFolder: string): readonly string[] {
  const line = command.split('\n')[0] ?? '';
  return [
    ...(editors.test(command) ? [`"${line}" waits for a person: use sed, or a copy step`] : []),
    ...(shells.test(command) ? [`"${line}" opens a shell of its own: what was entered there is not recorded`] : []),
    ...(asks.test(command) && !isAnswered.test(command)
      ? [`"${line}" may ask a question, and nobody answers a step: add -y`]
      : []),
    ...(command.includes(projectFolder)
      ? [`"${line}" uses ${projectFolder}, which steps do not have: add a copy step`]
      : []),
  ];
}

/** The script that does it all again, as a step. */
export function recordedScript({ commands }: Pick<Recording, 'commands'>, how: string): string {
  return `#!/bin/bash -e\n# Recorded with: ${how}\n${commands.join('\n')}\n`;
}
