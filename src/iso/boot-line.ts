import { IngotError } from '../core/errors.ts';

/** What the new entry of a boot menu starts. */
export type BootEntry = {
  /** Shown in the menu. */
  readonly title: string;
  /** Where the ISO has the installer's kernel and initrd; paths without a slash at their start. */
  readonly kernel: string;
  readonly initrd: string;
  /** A second initrd behind the vendor's. */
  readonly answers?: string;
  /** Added to the vendor's line. */
  readonly words: readonly string[];
  /** The vendor's line where no menu has one. */
  readonly ownWords: readonly string[];
  readonly timeoutSeconds: number;
};

/** Around what was put into a file, so that the next time it is found. */
export const marks = { begin: '# ingot: begin', end: '# ingot: end' } as const;

/** A text without what was put in the last time. */
export function withoutOurs(text: string): string {
  const start = text.indexOf(`${marks.begin}\n`);
  const end = text.indexOf(`${marks.end}\n`, start);
  return start < 0 || end < 0 ? text : text.slice(0, start) + text.slice(end + marks.end.length + 1);
}

const separator = '---';
/** A test of the vendor's own bytes, which these are not any more. */
const refused = /^(?:rd\.live\.check|inst\.mediacheck)$/;

/** The vendor's words with others added; what follows `---` is for the installed system, and goes behind the vendor's. */
export function joinWords(vendor: readonly string[], added: readonly string[]): readonly string[] {
  const [mine, theirs] = [split(vendor), split(added)];
  const before = [...mine.before.filter((word) => !refused.test(word)), ...theirs.before];
  return mine.isSplit || theirs.isSplit ? [...before, separator, ...mine.after, ...theirs.after] : before;
}

function split(words: readonly string[]) {
  const at = words.indexOf(separator);
  if (at < 0) return { before: words, after: [], isSplit: false };
  return { before: words.slice(0, at), after: words.slice(at + 1), isSplit: true };
}

/** Kernels cut their line here (COMMAND_LINE_SIZE of x86 and arm64, with room for what loaders add). */
const longestLine = 2000;

/** Fails when a line is longer than kernels read, or cannot stand in a menu. */
export function checkLine(words: readonly string[]): void {
  const bad = words.find((word) => /[\s\x00-\x1f\x7f"]/.test(word));
  if (bad !== undefined) {
    throw new IngotError({ code: 'SPEC_INVALID', message: `${JSON.stringify(bad)} cannot be a word of a boot line` });
  }
  const bytes = Buffer.byteLength(words.join(' '));
  if (bytes <= longestLine) return;
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: `the boot line of the installer has ${bytes} bytes; kernels read ${longestLine}`,
    hint: 'move words of `kernel-args` into a file of the installed system',
  });
}

/** How well a vendor's entry fits: 0 not at all, 3 exactly. */
export function fitness(
  found: { readonly kernel: string; readonly initrds: readonly string[] },
  { kernel, initrd }: Pick<BootEntry, 'kernel' | 'initrd'>,
): number {
  const isKernel = plainPath(found.kernel) === kernel;
  if (isKernel && found.initrds.some((path) => plainPath(path) === initrd)) return 3;
  if (isKernel) return 2;
  return nameOf(found.kernel) === nameOf(kernel) ? 1 : 0;
}

/** A path as menus write it, without device, quotes and slashes at its start. */
function plainPath(path: string): string {
  return path
    .replaceAll(/["']/g, '')
    .replace(/^\([^)]*\)/, '')
    .replace(/^(?:\.?\/)+/, '');
}

function nameOf(path: string): string {
  return plainPath(path).split('/').at(-1) ?? '';
}
