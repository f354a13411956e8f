import { IngotError } from '../core/errors.ts';
import { type Answers, answersSchema, type HashedAnswers } from './answers.ts';
import type { AnswerFormat, Extra, Files, Reading, Refusal } from './format.ts';

/** Throw all that an installer cannot carry as one error, in the words of the user's file. */
export function refuseAll(refusals: readonly Refusal[]): void {
  const [first, ...more] = refusals.map(({ path, message }) => `answers.${path.join('.')}: ${message}`);
  if (first === undefined) return;
  const hint = refusals[0]?.hint;
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: first,
    detail: more,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Refusals of answers that are given and that this installer does not ask for. */
export function unasked(
  answers: Answers | HashedAnswers,
  names: readonly (keyof Answers)[],
  installer: string,
): readonly Refusal[] {
  const given = names.filter((name) => answers[name] !== undefined && !isEmpty(answers[name]));
  return given.map((name) => ({ path: [name], message: `${installer} does not ask for this`, hint: 'leave it out' }));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** The failure of scripts that are too big for what carries them. */
export function tooLong({ postInstall }: Extra, installer: string): IngotError {
  const size = postInstall.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  return new IngotError({
    code: 'SPEC_INVALID',
    message: `the post-install scripts have ${size} bytes, which is too much for ${installer}`,
    hint: 'keep them under 60000 bytes; do the rest in a step: steps run in the installed system too',
  });
}

/** The one file of that name. */
export function fileOf(files: Files, name: string): string {
  const text = files.get(name);
  if (text === undefined) throw notOurs(name, 'it is missing');
  return text;
}

/** The failure of reading something back that was not rendered. */
export function notOurs(name: string, why: string): IngotError {
  return new IngotError({ code: 'INPUT_REFUSED', message: `${name} is not what Ingot writes: ${why}` });
}

/** The reading, if it is of answers that may be given, and renders to the very files: then nothing was left unread. */
export function confirmed(format: AnswerFormat, files: Files, reading: Reading): Reading {
  if (!answersSchema.safeParse(reading.answers).success) throw notOurs(format.file, 'it holds answers that are none');
  mustBeSame(files, format.render(reading.answers, reading.extra));
  return reading;
}

function mustBeSame(files: Files, again: Files): void {
  for (const name of new Set([...files.keys(), ...again.keys()])) {
    const lines = (files.get(name) ?? '').split('\n');
    const wanted = (again.get(name) ?? '').split('\n');
    const at = lines.findIndex((line, i) => line !== wanted[i]);
    if (files.has(name) && again.has(name) && at < 0 && lines.length === wanted.length) continue;
    throw notOurs(name, `line ${(at < 0 ? Math.min(lines.length, wanted.length) : at) + 1} says something else`);
  }
}
