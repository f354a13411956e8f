import { oneImage } from '../selection.ts';
import { archName, imageRef } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot shell`: a login on a copy that is thrown away. */
export const shell: Verb = {
  summary: 'Boot a throw-away copy of a finished image and log in',
  examples: [
    ['shell debian-13', 'log in as its user; nothing that is done there stays'],
    ['shell debian-13 --arch arm64', 'under emulation, where this machine is of another architecture'],
  ],
  register(command, act) {
    command
      .argument('<image>', 'IMAGE, or IMAGE@BUILD for an earlier build', imageRef)
      .option('--arch <arch>', 'x86_64 or aarch64 (default: that of this machine)', archName)
      .option('--site <site>', 'the site whose values to use')
      .action((image, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          await engine.shell(oneImage(image, options), session.io);
          return 0;
        }),
      );
  },
};
