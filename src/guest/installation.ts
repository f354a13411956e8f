/**
 * What installers say on their consoles: cdebconf's text frontend, which Debian's installer has; anaconda in text mode;
 * subiquity with curtin; Proxmox VE's; Alpine's scripts.
 */
const stages: readonly RegExp[] = [
  // A progress bar: `Installing the base system  ... 4%... 12%`; dpkg's begins with a parenthesis.
  /^([^\s(].*?)\s+\.\.\. \d+%/,
  /^(Loading additional components)$/,
  // anaconda(1) and its packaging.
  /^(Setting up the installation environment|Configuring storage|Creating (?:disklabel|\w+) on \S+|Starting package installation process|Downloading packages|Performing post-installation setup tasks|Installing boot loader|Generating initramfs|Running (?:pre|post)-installation scripts|Storing configuration files and kickstarts)/,
  // subiquity and curtin: `start: cmd-install/stage-partitioning/builtin/cmd-block-meta: curtin command block-meta`.
  /\bstart: (?:subiquity|cmd-install)\/\S+: (\S.*)$/,
  // setup-alpine(8), setup-disk(8).
  /^(Creating file systems on \S+|Installing system on \S+?):?(?:\.\.\.)?$/,
];

/** What an installer does now, where a line tells. */
export function stageIn(line: string): string | undefined {
  const found = stages.map((pattern) => pattern.exec(line)?.[1]).find((stage) => stage !== undefined);
  return found?.trim();
}

export const asks = 'the installer asks a question that its answers do not cover';
export const complains = 'the installer shows an error';
export const full = 'the disk is too small for what is installed';

const signs: readonly (readonly [RegExp, string])[] = [
  [/^Prompt: '\?' for help/, asks],
  [/\[Press enter to continue\]/i, complains],
  [/Please (make a selection from the above|make your choice from)|Continue with autoinstall\? \(yes\|no\)/, asks],
  [/No space left on device/, full],
  // anaconda; subiquity; Proxmox VE's auto-installer.
  [/An unknown error has occurred|The following error occurred while installing|Pane is dead/, complains],
  [/An error occurred\. Press enter to start a shell|finish: (subiquity|cmd-install)\S*: FAIL/, complains],
  [/^(Error: )?Installation (failed|aborted)/i, complains],
];

/** What a line of an installer means that leaves no way on. */
export function deadEndIn(line: string): string | undefined {
  return signs.find(([pattern]) => pattern.test(line))?.[1];
}

/**
 * The last dialog among the lines that were said, in few words: its title, and what it asks or says at the end. Text
 * frontends underline titles and number choices.
 */
export function dialogIn(said: readonly string[]): string | undefined {
  const rule = said.findLastIndex((line) => /^-{3,}$/.test(line));
  const title = said[rule - 1];
  if (rule < 1 || title === undefined) return undefined;
  const words = said.slice(rule + 1).filter((line) => !isChoice(line) && deadEndIn(line) === undefined);
  const error = words.flatMap((line) => /^!! ERROR: (.*)$/.exec(line)?.[1] ?? [])[0];
  return [title, error ?? lastSentence(words)].filter((part) => part !== '').join(': ');
}

function isChoice(line: string): boolean {
  return /^\s*\d+: /.test(line);
}

/** Text is broken into lines; a new sentence begins with a capital after the end of another. */
function lastSentence(lines: readonly string[]): string {
  const sentences = lines.join(' ').split(/(?<=[.!?:])\s+(?=[A-Z])/);
  return (sentences.at(-1) ?? '').trim().replace(/:$/, '');
}
