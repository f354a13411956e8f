import type { AnswerFormat } from '../../../installer/format.ts';

/**
 * Words that make an installer talk in lines on its console, so that it can be followed. On a dumb terminal Debian's does
 * without GNU screen, whose clock would hide that nothing happens (rootskel, S70menu).
 */
export const followWords: Readonly<Record<AnswerFormat['name'], readonly string[]>> = {
  preseed: ['DEBIAN_FRONTEND=text', 'TERM=dumb'],
  autoinstall: [],
  kickstart: ['inst.text'],
  answer: [],
  alpine: [],
};
