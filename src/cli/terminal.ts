import { styleText } from 'node:util';

/** A stream to write to. A terminal says its size, when it is asked. */
export type Out = {
  write(text: string): void;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';

/** Colour a text, or leave it when colours are off. */
export type Paint = (style: Style, text: string) => string;

export type Marks = {
  readonly done: string;
  readonly cached: string;
  readonly failed: string;
  readonly running: string;
  readonly skipped: string;
  readonly ellipsis: string;
  readonly full: string;
  readonly empty: string;
};

type Env = Readonly<Record<string, string | undefined>>;

const unicode: Marks = {
  done: '✓',
  cached: '✓',
  failed: '✗',
  running: '•',
  skipped: '-',
  ellipsis: '…',
  full: '█',
  empty: '░',
};
const ascii: Marks = {
  done: '+',
  cached: '+',
  failed: 'x',
  running: '*',
  skipped: '-',
  ellipsis: '~',
  full: '#',
  empty: '.',
};

/** Whether to colour a stream: the flag, then NO_COLOR, then FORCE_COLOR, then whether it is a capable terminal. */
export function wantsColor(out: Out, env: Env, flag: boolean): boolean {
  if (!flag || (env.NO_COLOR ?? '') !== '') return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return out.isTTY === true && env.TERM !== 'dumb';
}

/** Whether a stream can be redrawn in place. */
export function canRedraw(out: Out, env: Env): boolean {
  return out.isTTY === true && env.TERM !== 'dumb' && env.TERM !== undefined;
}

export function painter(color: boolean): Paint {
  return color ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
}

/** Marks that the locale can show. */
export function marksFor(env: Env): Marks {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale) ? unicode : ascii;
}
