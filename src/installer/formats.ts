import { isDeepStrictEqual } from 'node:util';
import { IngotError } from '../core/errors.ts';
import { alpine } from './alpine.ts';
import { canonical, type HashedAnswers } from './answers.ts';
import { autoinstall } from './autoinstall.ts';
import type { AnswerFormat, Extra, Files } from './format.ts';
import { kickstart } from './kickstart.ts';
import { preseed } from './preseed.ts';
import { proxmox } from './proxmox.ts';

export const distributions = ['debian', 'ubuntu', 'fedora', 'proxmox', 'alpine'] as const;

export type Distribution = (typeof distributions)[number];

const formats: Readonly<Record<Distribution, AnswerFormat>> = {
  debian: preseed,
  ubuntu: autoinstall,
  fedora: kickstart,
  proxmox,
  alpine,
};

/** The language that a distribution's installer is answered in; RHEL and its kin are `fedora`. */
export function formatOf(distribution: Distribution): AnswerFormat {
  return formats[distribution];
}

/** Whose installer reads somebody's own file of that name in a spec. */
export const ownFileKeys: Readonly<Record<AnswerFormat['name'], Distribution>> = {
  preseed: 'debian',
  autoinstall: 'ubuntu',
  kickstart: 'fedora',
  answer: 'proxmox',
  alpine: 'alpine',
};

/** The answers in that language, read back and found to say the same: then no value changed anything but its own field. */
export function renderAnswers(format: AnswerFormat, answers: HashedAnswers, extra: Extra): Files {
  const files = format.render(answers, extra);
  const wanted = { answers: canonical(answers), extra };
  if (isDeepStrictEqual(format.read(files), wanted)) return files;
  throw new IngotError({
    code: 'INTERNAL',
    message: `the ${format.file} that was made of the answers says something else than they do`,
  });
}

/** The files around somebody's own file. Its scripts are in itself, but where the format has a program beside it. */
export function adoptFile(format: AnswerFormat, text: string, extra: Extra): Files {
  if (format.adopt !== undefined) return format.adopt(text, extra);
  if (extra.postInstall.length === 0) return new Map([[format.file, text]]);
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: `post-install scripts go with \`answers\`, not with a file of your own`,
    hint: `let your ${format.file} run them, or do it in a step`,
  });
}
