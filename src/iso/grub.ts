import { type BootEntry, checkLine, fitness, joinWords, marks, withoutOurs } from './boot-line.ts';

type VendorEntry = {
  /** What is between its braces. */
  readonly lines: readonly string[];
  readonly command: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly words: readonly string[];
};

/**
 * A configuration of GRUB 2 with one entry more, which starts by itself after a time; it is the vendor's entry of the same
 * kernel with more words. Undefined where the file has no entry of that kernel, such as one that only leads to another.
 */
export function editGrub(text: string, entry: BootEntry): string | undefined {
  const vendors = withoutOurs(text);
  const found = bestEntry(entriesOf(vendors), entry);
  return found === undefined ? undefined : withEntry(vendors, found, entry);
}

/** The same for a menu that starts the kernel in a way that cannot be read; undefined where the file is no menu. */
export function addToGrub(text: string, entry: BootEntry): string | undefined {
  const vendors = withoutOurs(text);
  if (!vendors.split('\n').some((line) => opening.test(line))) return undefined;
  const lines = [`linux /${entry.kernel}`, `initrd /${entry.initrd}`];
  const own = {
    command: 'linux',
    kernel: `/${entry.kernel}`,
    initrds: [`/${entry.initrd}`],
    words: entry.ownWords.map(grubWord),
  };
  return withEntry(vendors, { ...own, lines }, entry);
}

function withEntry(text: string, vendor: VendorEntry, entry: BootEntry): string {
  return `${text.endsWith('\n') ? text : `${text}\n`}${entryText(vendor, entry)}`;
}

function bestEntry(all: readonly VendorEntry[], entry: BootEntry): VendorEntry | undefined {
  const ranked = all.map((one) => ({ one, rank: fitness(one, entry) })).filter(({ rank }) => rank > 0);
  // The first of equals: vendors put the plain one first.
  return ranked.toSorted((a, b) => b.rank - a.rank)[0]?.one;
}

const opening = /^\s*menuentry\b.*\{\s*$/;
const closing = /^\s*\}\s*$/;
const kernelLine = /^\s*((?:\$)?linux(?:efi|16)?)\s+(\S+)(.*)$/;
const initrdLine = /^(\s*)((?:\$)?initrd(?:efi|16)?)\s+(.*)$/;

function entriesOf(text: string): readonly VendorEntry[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    if (!opening.test(line)) return [];
    const rest = lines.slice(index + 1);
    const inside = rest.slice(
      0,
      rest.findIndex((one) => closing.test(one)),
    );
    const [, command, kernel, words = ''] =
      inside.flatMap((one) => [kernelLine.exec(one) ?? []]).find((one) => one.length > 0) ?? [];
    if (command === undefined || kernel === undefined) return [];
    const initrds = inside.flatMap((one) => wordsOf(initrdLine.exec(one)?.[3] ?? ''));
    return [{ lines: inside, command, kernel, initrds, words: wordsOf(words) }];
  });
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function entryText(vendor: VendorEntry, entry: BootEntry): string {
  const { title, answers, timeoutSeconds } = entry;
  checkLine(entry.words);
  const words = joinWords(vendor.words, entry.words.map(grubWord));
  checkLine(words.map((word) => word.replaceAll(/["']/g, '')));
  const isExact = fitness(vendor, entry) === 3;
  const inside = vendor.lines.map((line) => {
    const [, command, kernel] = kernelLine.exec(line) ?? [];
    if (command !== undefined) return `    ${[command, kernel, ...words].join(' ')}`;
    const [, , program, files = ''] = initrdLine.exec(line) ?? [];
    if (program === undefined) return `    ${line.trim()}`;
    // Of the entry that is nearest the initrd may be another one.
    const own = isExact || !hasKernel(vendor, entry) ? files.trim() : `/${entry.initrd}`;
    return `    ${[program, own, ...(answers === undefined ? [] : [`/${answers}`])].join(' ')}`;
  });
  return [
    marks.begin,
    `menuentry ${grubWord(title)} --id ingot {`,
    ...inside.filter((line) => line.trim() !== ''),
    '}',
    'set default=ingot',
    'set timeout_style=menu',
    `set timeout=${timeoutSeconds}`,
    marks.end,
    '',
  ].join('\n');
}

function hasKernel(vendor: VendorEntry, entry: BootEntry): boolean {
  return fitness(vendor, entry) >= 2;
}

/** A word as GRUB reads it: `;`, `$` and the like are letters between single quotes. */
export function grubWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
