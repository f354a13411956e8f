import type { Keystroke } from '../core/install.ts';

/** QEMU's names of keys (QKeyCode in qapi/ui.json) for the characters of a US keyboard; of some with Shift. */
const plainKeys: Readonly<Record<string, string>> = {
  ...{ ' ': 'spc', '-': 'minus', '=': 'equal', '[': 'bracket_left', ']': 'bracket_right', ';': 'semicolon' },
  ...{ "'": 'apostrophe', '`': 'grave_accent', '\\': 'backslash', ',': 'comma', '.': 'dot', '/': 'slash' },
  ...{ '\t': 'tab', '\n': 'ret' },
};
const shifted: Readonly<Record<string, string>> = {
  ...{ '!': '1', '@': '2', '#': '3', $: '4', '%': '5', '^': '6', '&': '7', '*': '8', '(': '9', ')': '0' },
  ...{ _: 'minus', '+': 'equal', '{': 'bracket_left', '}': 'bracket_right', ':': 'semicolon', '"': 'apostrophe' },
  ...{ '~': 'grave_accent', '|': 'backslash', '<': 'comma', '>': 'dot', '?': 'slash' },
};
const named: Readonly<Record<string, readonly string[]>> = {
  ...{ enter: ['ret'], return: ['ret'], esc: ['esc'], tab: ['tab'], bs: ['backspace'], spacebar: ['spc'] },
  ...{ del: ['delete'], insert: ['insert'], home: ['home'], end: ['end'], lt: ['shift', 'comma'] },
  ...{ pageUp: ['pgup'], pageDown: ['pgdn'], up: ['up'], down: ['down'], left: ['left'], right: ['right'] },
  ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i + 1}`, [`f${i + 1}`]])),
};

const token = /<([A-Za-z]+)([0-9]*)>|./gsu;

/** What is wrong with a text that is to be typed; undefined for none. */
export function mistakeInTyping(text: string): string | undefined {
  for (const [all, name, digits = ''] of text.matchAll(token)) {
    if (name === undefined) {
      if (keysOf(all) === undefined) return `no key of a US keyboard types ${JSON.stringify(all)}`;
    } else if (!isKnown(name, digits)) {
      return `${all} is no key: write <enter>, <esc>, <f1>, <wait5> for five seconds, <url>, or <lt> for the character itself`;
    }
  }
  return undefined;
}

/** The keys of texts such as `<esc><wait5>auto url=<url>preseed.cfg<enter>`. */
export function keystrokes(texts: readonly string[], url: string): readonly Keystroke[] {
  return texts.flatMap((text) => [...text.matchAll(token)].flatMap((found) => strokesOf(found, url)));
}

function strokesOf([all, name, digits = '']: RegExpMatchArray, url: string): readonly Keystroke[] {
  if (name === undefined) return [typed(all ?? '')];
  if (name === 'wait') return [{ waitMs: Number(digits || '1') * 1000 }];
  if (name === 'url') return [...url].map(typed);
  return [{ keys: named[`${name}${digits}`] ?? [] }];
}

function isKnown(name: string, digits: string): boolean {
  return name === 'wait' || (name === 'url' && digits === '') || named[`${name}${digits}`] !== undefined;
}

function typed(character: string): Keystroke {
  return { keys: keysOf(character) ?? [] };
}

function keysOf(character: string): readonly string[] | undefined {
  if (/^[a-z0-9]$/.test(character)) return [character];
  if (/^[A-Z]$/.test(character)) return ['shift', character.toLowerCase()];
  const plain = plainKeys[character];
  if (plain !== undefined) return [plain];
  const key = shifted[character];
  return key === undefined ? undefined : ['shift', key];
}
