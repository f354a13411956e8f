/** A program text that is run inside an image as root, with these arguments and environment. */
export type Script = {
  /** What to call it in errors: `scripts/base.sh`. Default: the script. */
  readonly name?: string;
  readonly text: string;
  /** Default: `/bin/sh`. Taken from the text's `#!` line by whoever loads a file. */
  readonly interpreter?: readonly [string, ...string[]];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** The one place where a word becomes shell text: safe for every string without NUL. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line of quoted words. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellQuote).join(' ');
}
