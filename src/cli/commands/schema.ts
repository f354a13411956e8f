import { Argument } from '@commander-js/extra-typings';
import { schemaFiles } from '../engine.ts';
import type { Verb } from '../verb.ts';

/** `ingot schema`: for editors. */
export const schema: Verb = {
  summary: 'Print the JSON Schema of image files, for editors and other programs',
  examples: [
    ['schema > image.schema.json', 'then, in an image file: # yaml-language-server: $schema=../image.schema.json'],
    ['schema isos', 'the one of isos.yaml'],
  ],
  register(command, act) {
    command
      .addArgument(
        new Argument('[file]', 'of which file: image, project (ingot.yaml), versions or isos (.yaml)')
          .choices(schemaFiles)
          .default('image' as const, 'image'),
      )
      .action((file, _options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          session.print([JSON.stringify(await engine.schema(file), null, 2)]);
          return 0;
        }),
      );
  },
};
