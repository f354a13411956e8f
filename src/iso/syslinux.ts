import { basename } from 'node:path/posix';
import { type BootEntry, checkLine, fitness, joinWords, marks, withoutOurs } from './boot-line.ts';

type VendorEntry = {
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly words: readonly string[];
};

/** Whether a file of an ISO is a configuration of ISOLINUX or SYSLINUX. */
export function isSyslinux(path: string): boolean {
  return /(?:^|\/)(?:isolinux|syslinux)\/[^/]+\.(?:cfg|conf)$/i.test(path) || isMain(path);
}

function isMain(path: string): boolean {
  return /^(?:isolinux|syslinux)\.cfg$/i.test(basename(path));
}

/**
 * The configurations of ISOLINUX with one entry more, which starts by itself after a time; only files that change. Undefined
 * where no entry starts that kernel.
 */
export function editSyslinux(
  texts: ReadonlyMap<string, string>,
  entry: BootEntry,
): ReadonlyMap<string, string> | undefined {
  const vendors = new Map([...texts].map(([path, text]) => [path, withoutOurs(text)]));
  const all = [...vendors.values()].flatMap(entriesOf);
  const ranked = all.map((one) => ({ one, rank: fitness(one, entry) })).filter(({ rank }) => rank > 0);
  const found = ranked.toSorted((a, b) => b.rank - a.rank)[0];
  if (found === undefined) return undefined;
  const edited = [...vendors].map(([path, text]): [string, string] => {
    const calm = withoutDefaults(text);
    return [path, isMain(path) ? withEntry(calm, found, entry) : calm];
  });
  return new Map(edited.filter(([path, text]) => text !== texts.get(path)));
}

function entriesOf(text: string): readonly VendorEntry[] {
  const blocks = text.split(/^(?=\s*label\s)/im).filter((block) => /^\s*label\s/i.test(block));
  return blocks.flatMap((block) => {
    const value = (name: string) => new RegExp(`^\\s*(?:${name})\\s+(.*?)\\s*$`, 'im').exec(block)?.[1];
    const kernel = value('kernel|linux');
    if (kernel === undefined) return [];
    const words = (value('append') ?? '').split(/\s+/).filter((word) => word !== '');
    const isInitrd = (word: string) => word.startsWith('initrd=');
    const initrds = [value('initrd'), words.find(isInitrd)?.slice('initrd='.length)]
      .filter((list) => list !== undefined)
      .flatMap((list) => list.split(','));
    return [{ kernel, initrds, words: words.filter((word) => !isInitrd(word)) }];
  });
}

/** What starts something else by itself: two defaults or two clocks of one menu are one too many. */
const competing = /^\s*(?:menu\s+default|menu\s+autoboot\b.*|timeout\s.*|totaltimeout\s.*|ontimeout\s.*)$/i;

function withoutDefaults(text: string): string {
  return text
    .split('\n')
    .filter((line) => !competing.test(line.replace(/\r$/, '')))
    .join('\n');
}

/** A menu is a program of its own, which is what starts by default. */
const menu = /\.c32\b/i;

function withEntry(
  text: string,
  { one, rank }: { readonly one: VendorEntry; readonly rank: number },
  entry: BootEntry,
): string {
  checkLine(entry.words);
  const initrds = rank === 2 ? [`/${entry.initrd}`] : one.initrds;
  const all = [...initrds, ...(entry.answers === undefined ? [] : [`/${entry.answers}`])];
  const words = joinWords(one.words, entry.words);
  checkLine(words.map((word) => word.replaceAll('"', '')));
  const started = text.replace(/^(\s*default\s+)(.*)$/gim, (line, head: string, what: string) =>
    menu.test(what) ? line : `${head}ingot`,
  );
  const whole = started === '' || started.endsWith('\n') ? started : `${started}\n`;
  return `${whole}${[
    marks.begin,
    ...(/^\s*(?:default|ui)\s/im.test(whole) ? [] : ['default ingot']),
    'label ingot',
    `  menu label ${entry.title}`,
    '  menu default',
    `  kernel ${one.kernel}`,
    `  append ${[...(all.length === 0 ? [] : [`initrd=${all.join(',')}`]), ...words].join(' ')}`,
    // Tenths of a second.
    `timeout ${Math.max(1, entry.timeoutSeconds * 10)}`,
    marks.end,
    '',
  ].join('\n')}`;
}
