/** A command of a Kickstart file, with its words as Python's shlex splits them. */
export type KickstartCommand = { readonly line: number; readonly words: readonly string[] };
export type KickstartSection = {
  readonly line: number;
  readonly words: readonly string[];
  readonly body: readonly string[];
};
export type Mistake = { readonly line: number; readonly message: string };

export type Kickstart = {
  readonly commands: readonly KickstartCommand[];
  readonly sections: readonly KickstartSection[];
  readonly mistakes: readonly Mistake[];
};

const sections = [
  '%pre',
  '%pre-install',
  '%post',
  '%onerror',
  '%traceback',
  '%packages',
  '%certificate',
  '%addon',
  '%anaconda',
];
const includes = ['%include', '%ksappend'];

/** Python's splitlines, which pykickstart reads files with: more than line feeds end a line. */
const lineEnd = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

/** Commands, and sections up to their `%end`, with what is wrong about that. */
export function parseKickstart(text: string): Kickstart {
  const commands: KickstartCommand[] = [];
  const found: KickstartSection[] = [];
  const mistakes: Mistake[] = [];
  let open: (KickstartSection & { readonly body: string[] }) | undefined;
  for (const [i, raw] of text.split(lineEnd).entries()) {
    const line = i + 1;
    if (open !== undefined && raw.trim().split(/\s/)[0] !== '%end') {
      open.body.push(raw);
      continue;
    }
    const words = splitWords(raw);
    if (words === undefined) mistakes.push({ line, message: 'a quote is not closed' });
    else if (open !== undefined) open = undefined;
    else if (words[0]?.startsWith('%') === true) {
      if (sections.includes(words[0])) {
        open = { line, words, body: [] };
        found.push(open);
      } else if (!includes.includes(words[0])) mistakes.push({ line, message: `there is no section ${words[0]}` });
    } else if (words.length > 0) commands.push({ line, words });
  }
  if (open !== undefined) mistakes.push({ line: open.line, message: `the section ${open.words[0]} has no %end` });
  return { commands, sections: found, mistakes };
}

/** The words of a line as shlex.split(line, comments=True) gives them; undefined where a quote is not closed. */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  const token = /[ \t]+|#.*$|((?:[^ \t'"\\#]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)/uy;
  while (token.lastIndex < line.length) {
    const found = token.exec(line);
    if (found === null) return undefined;
    if (found[1] !== undefined) words.push(unquote(found[1]));
  }
  return words;
}

function unquote(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gu,
    (_, single?: string, double?: string, escaped?: string) => {
      if (single !== undefined) return single;
      return double === undefined ? (escaped ?? '') : double.replace(/\\(["\\])/g, '$1');
    },
  );
}

/** The value of `--name=value` or `--name value`. */
export function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (at < 0) return undefined;
  const word = words[at] ?? '';
  return word.includes('=') ? word.slice(name.length + 3) : words[at + 1];
}
