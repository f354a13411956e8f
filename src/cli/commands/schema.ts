import type { Verb } from '../verb.ts';

/** `ingot schema`: for editors. */
export const schema: Verb = {
  summary: 'Print the JSON Schema of image files, for editors and other programs',
  examples: [
    ['schema > image.schema.json', 'then, in an image file: # yaml-language-server: $schema=../image.schema.json'],
  ],
  register(command, act) {
    command.action((_options, cmd) =>
      act(cmd.optsWithGlobals(), async (session) => {
        const engine = await session.engine();
        session.print([JSON.stringify(await engine.schema(), null, 2)]);
        return 0;
      }),
    );
  },
};
