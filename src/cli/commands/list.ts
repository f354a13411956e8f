import type { ListedImage } from '../requests/images.ts';
import { noImages } from '../selection.ts';
import type { Session } from '../session.ts';
import { ago, bytes, oneLine, table } from '../text.ts';
import type { Verb } from '../verb.ts';

/** `ingot list`: the images of the project and what is built of them. */
export const list: Verb = {
  summary: 'List the images of the project, and what is built of each',
  examples: [
    ['list', 'images, architectures, age, size and checks'],
    ['list --json', 'the same as data, with paths'],
  ],
  register(command, act) {
    command.option('--site <site>', 'the site whose values to use').action((options, cmd) =>
      act(cmd.optsWithGlobals(), async (session) => {
        const engine = await session.engine();
        const images = await engine.list(options.site === undefined ? {} : { site: options.site }, session.io);
        if (session.json) session.printJson('list', images);
        else session.print(listLines(images, session));
        if (images.length === 0) session.remark(noImages);
        return 0;
      }),
    );
  },
};

type ListView = Pick<Session, 'paint' | 'marks' | 'wallMs'>;

/** Images for people, one a line. */
export function listLines(images: readonly ListedImage[], view: ListView): readonly string[] {
  if (images.length === 0) return [];
  const heads = ['IMAGE', 'ARCH', 'STATE', 'BUILT', 'SIZE', 'CHECKS', 'KEY'].map((head) => view.paint('dim', head));
  return table([heads, ...images.map((image) => row(image, view))]);
}

function row(image: ListedImage, view: ListView): readonly string[] {
  const name = [oneLine(image.image), image.arch];
  const { built } = image;
  if (built === undefined) return [...name, view.paint('dim', 'not built')];
  const age = ago((view.wallMs() - Date.parse(built.at)) / 1000);
  const state = image.state === 'current' ? view.paint('green', 'current') : view.paint('yellow', 'changed since');
  const checks = built.checks === 'failed' ? view.paint('red', 'failed') : built.checks;
  return [...name, state, age, bytes(built.bytes), checks, view.paint('dim', built.key.slice(0, 12))];
}
