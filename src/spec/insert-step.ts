import { isMap, isNode, isSeq, parseDocument, stringify, type YAMLSeq } from 'yaml';

/** Text of a spec file with a step more, and the line (from 1) that it stands on. */
export type Inserted = { readonly text: string; readonly line: number };

/** A step as it is written in a list of steps, one line without its indentation. */
export function stepLine(step: Readonly<Record<string, string>>): string {
  return `- ${stringify(step, { lineWidth: 0 }).trimEnd()}`;
}

/**
 * Put a step into the list of steps of a spec file, before the one at `index` (from 0) or after the last. Every other
 * byte stays as it is, comments too. Undefined where that list is not written in a way that takes one line more.
 */
export function insertStep(text: string, index: number, step: Readonly<Record<string, string>>): Inserted | undefined {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const whole = text === '' || text.endsWith('\n') ? text : `${text}${end}`;
  const document = parseDocument(whole, { logLevel: 'silent' });
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const steps: unknown = document.get('steps', true);
  const none: Spot = { offset: whole.length, indent: '  ', head: `steps:${end}` };
  const spot = steps === undefined ? none : isSeq(steps) ? spotIn(whole, steps, index) : undefined;
  if (spot === undefined) return undefined;
  const { offset, indent, head } = spot;
  const changed = `${whole.slice(0, offset)}${head}${indent}${stepLine(step)}${end}${whole.slice(offset)}`;
  const line = whole.slice(0, offset).split('\n').length + (head === '' ? 0 : 1);
  return isJustThat(whole, changed, { index, step }) ? { text: changed, line } : undefined;
}

type Spot = { readonly offset: number; readonly indent: string; readonly head: string };

/** Where a line begins that is to hold the new step, and how far it is indented. */
function spotIn(text: string, steps: YAMLSeq, index: number): Spot | undefined {
  const firstStart = startOf(steps.items[0]);
  if (steps.flow === true || firstStart === undefined) return undefined;
  const dash = text.lastIndexOf('-', firstStart - 1);
  const line = text.lastIndexOf('\n', dash) + 1;
  const indent = text.slice(line, dash);
  // A comment above a step belongs to it.
  if (index === 0) return { offset: lineAfterKey(text, line), indent, head: '' };
  const before = steps.items[index - 1];
  const end = isNode(before) ? before.range?.[1] : undefined;
  if (end === undefined) return undefined;
  // A block scalar ends with its last line's end.
  const offset = text[end - 1] === '\n' ? end : text.indexOf('\n', end) + 1;
  return { offset, indent, head: '' };
}

function startOf(item: unknown): number | undefined {
  return isNode(item) ? item.range?.[0] : undefined;
}

/** The line after `steps:`, from a line somewhere below it. */
function lineAfterKey(text: string, below: number): number {
  const key = [...text.slice(0, below).matchAll(/^["']?steps["']?[ \t]*:/gm)].at(-1);
  return text.indexOf('\n', key?.index ?? 0) + 1;
}

/** Proof that nothing else changed: both texts say the same but for the one step. */
function isJustThat(
  before: string,
  after: string,
  { index, step }: { readonly index: number; readonly step: Readonly<Record<string, string>> },
): boolean {
  const [old, now] = [before, after].map((text) => {
    const document = parseDocument(text, { logLevel: 'silent' });
    return document.errors.length > 0 ? undefined : (document.toJS() as { steps?: unknown[] } | undefined);
  });
  if (old === undefined || now === undefined) return false;
  const steps = [...(old.steps ?? [])];
  steps.splice(index, 0, step);
  return JSON.stringify({ ...old, steps }) === JSON.stringify({ ...old, ...now, steps: now.steps });
}
