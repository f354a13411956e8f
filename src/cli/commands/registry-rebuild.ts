import { count } from '../text.ts';
import type { Verb } from '../verb.ts';

/** `ingot registry rebuild`: its images once more from the manifests. */
export const registryRebuild: Verb = {
  summary: 'Make the images of the registry again from the manifests beside the artifacts; deployments stay',
  examples: [['registry rebuild', 'also where registry.yml was lost']],
  register(command, act) {
    command.action((_options, cmd) =>
      act(cmd.optsWithGlobals(), async (session) => {
        const engine = await session.engine();
        const view = await engine.rebuildRegistry(session.io);
        if (session.json) session.printJson('registry rebuild', view);
        else session.print([view.file]);
        session.remark(`${count(view.images.length, 'image')}, ${count(view.deployments.length, 'deployment')}`);
        return 0;
      }),
    );
  },
};
