import { shellQuote } from '../../core/script.ts';
import { scaffold } from '../scaffold.ts';
import { projectName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot new`: a project that works. */
export const create: Verb = {
  summary: 'Make a new project: a folder with one image that works',
  examples: [
    ['new lab', 'then: cd lab && ingot build'],
    ['new ../images/lab', 'somewhere else'],
  ],
  notes: ['The folder is made, or must be empty.'],
  register(command, act) {
    command
      .argument('<name>', 'the folder; its last part names the project and its first image', projectName)
      .action((folder, _options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const name = folder.replace(/\/+$/, '').split('/').at(-1) ?? folder;
          const schema = JSON.stringify(await engine.schema(), null, 2);
          const files = { ...scaffold(name), 'image.schema.json': `${schema}\n` };
          const path = await engine.create({ folder, files }, session.io);
          if (session.json) session.printJson('new', { path, files: Object.keys(files) });
          else session.print([path]);
          session.remark(`next: cd ${shellQuote(folder)} && ingot build`);
          return 0;
        }),
      );
  },
};
