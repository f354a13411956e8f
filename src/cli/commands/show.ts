import { checkLines } from '../check-lines.ts';
import { ending, mark } from '../report/plain.ts';
import type { ImageStory } from '../requests/trace.ts';
import { oneImage } from '../selection.ts';
import type { Session } from '../session.ts';
import { ago, bytes, count, duration, oneLine, table } from '../text.ts';
import { archName, imageRef } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot show`: where a finished image came from. */
export const show: Verb = {
  summary: 'Show where a finished image came from, what is in it and what was proven',
  examples: [
    ['show debian-13', 'its newest build'],
    ['show debian-13@20261121-0412-7c1e', 'an earlier build'],
    ['show debian-13 --json', 'the same as data'],
    ['show debian-13 --spdx > sbom.spdx.json', 'its bill of materials as SPDX 2.3'],
  ],
  register(command, act) {
    command
      .argument('<image>', 'IMAGE, or IMAGE@BUILD for an earlier build', imageRef)
      .option('--arch <arch>', 'x86_64 or aarch64 (default: that of this machine)', archName)
      .option('--site <site>', 'the site whose values to use')
      .option('--spdx', 'its bill of materials as SPDX 2.3 JSON')
      .action((image, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          if (options.spdx === true) {
            session.print([(await engine.spdx(oneImage(image, options), session.io)).trimEnd()]);
            return 0;
          }
          const story = await engine.show(oneImage(image, options), session.io);
          if (session.json) session.printJson('show', story);
          else session.print(storyLines(story, session));
          return 0;
        }),
      );
  },
};

type StoryView = Pick<Session, 'paint' | 'marks' | 'wallMs'>;

/** The story of an image for people. */
export function storyLines(story: ImageStory, view: StoryView): readonly string[] {
  const title = (text: string) => ['', view.paint('bold', text)];
  const files = [...story.artifacts, ...(story.sidecars ?? [])].map((file) => [
    oneLine(file.path),
    bytes(file.bytes),
    `sha256 ${file.sha256.slice(0, 16)}`,
  ]);
  const steps = story.steps.map((step) => [
    mark(view, step.outcome),
    oneLine(step.title),
    view.paint('dim', ending(step.outcome, step.seconds)),
  ]);
  const tools = Object.entries(story.tools).map(([tool, version]) => `${tool} ${version}`);
  return [
    `${view.paint('bold', `${oneLine(story.image)} ${story.arch}`)}  ${oneLine(story.description)}`,
    ...facts(story, view),
    ...title('Files'),
    ...table(files, '  '),
    ...title('Made by'),
    ...table(steps, '  '),
    ...title('Proven'),
    ...(story.checks.length === 0 ? ['  nothing yet'] : checkLines(story.checks, view)),
    ...(tools.length === 0 ? [] : [...title('Tools'), `  ${oneLine(tools.join(', '))}`]),
  ];
}

function facts(story: ImageStory, view: StoryView): readonly string[] {
  const age = ago((view.wallMs() - Date.parse(story.at)) / 1000);
  const rows: (readonly string[])[] = [
    ['build', `${story.build}, ${age}, took ${duration(story.seconds)}`],
    ['inside', [story.system, count(story.packages, 'package')].filter(Boolean).join(', ')],
    ['key', story.key],
  ];
  if (story.origin !== undefined) rows.push(['origin', story.origin]);
  if (story.site !== undefined) rows.push(['site', story.site]);
  if (story.git !== undefined)
    rows.push(['commit', `${story.git.commit}${story.git.dirty ? ' with uncommitted changes' : ''}`]);
  return table(
    rows.map(([name = '', value = '']) => [view.paint('dim', name), oneLine(value)]),
    '  ',
  );
}
