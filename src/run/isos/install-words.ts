import { type Context, log } from '../../core/context.ts';
import { asks, complains, deadEndIn, dialogIn, full, stageIn } from '../../guest/installation.ts';
import type { Expectation } from '../guest/guest-watch.ts';

/** Tells the stages of an installation, and names the dialog that ends it. `typed`: at the prompts of a boot loader. */
export function expectInstaller({ typed }: { readonly typed: boolean }, ctx: Context): Expectation {
  let stage: string | undefined;
  return {
    hear: (line) => {
      const now = stageIn(line);
      if (now !== undefined && now !== stage) log(ctx, `installer: ${now}`);
      stage = now ?? stage;
      return now !== undefined;
    },
    troubleIn: (line) => (typed && /^grub>/.test(line) ? 'none' : deadEndIn(line)),
    explain: (meaning, said) => {
      const dialog = dialogIn(said);
      const named = dialog === undefined || meaning === full ? meaning : `${meaning}: ${dialog}`;
      const hint = hints[meaning];
      return { message: named, ...(hint === undefined ? {} : { hint }) };
    },
  };
}

const hints: Readonly<Record<string, string>> = {
  [asks]: 'answer it in `answers` or in your own answer file',
  [complains]: 'the log of the build shows what came before it',
  [full]: 'raise `disk` of the image',
};
