import { targetName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot registry forget`: an image is no longer where it was brought. */
export const registryForget: Verb = {
  summary: 'Strike a deployment off, whose build may then be removed',
  examples: [['registry forget debian-13 --target pve', 'it is gone from there; nothing is done to the target']],
  register(command, act) {
    command
      .argument('<image>', 'the image')
      .requiredOption('--target <name>', 'where it was', targetName)
      .action((name, { target }, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const gone = await engine.forgetDeployment({ name, target }, session.io);
          if (session.json) session.printJson('registry forget', gone);
          else session.print([`${gone.name} on ${gone.target}: ${gone.type} ${gone.id} is struck off`]);
          return 0;
        }),
      );
  },
};
