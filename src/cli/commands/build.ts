import { Option } from '@commander-js/extra-typings';
import { exitCodeOfAll, isGood } from '../outcomes.ts';
import type { BuildRequest, BuildResult } from '../requests/images.ts';
import { noImages, selectionOf } from '../selection.ts';
import type { Session } from '../session.ts';
import { archOrAll, positive } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot build`: the paths of the finished files on stdout. */
export const build: Verb = {
  summary: 'Build images: only what changed runs, and nothing is shown that did not pass its checks',
  examples: [
    ['build', 'every image of the project'],
    ['build debian-13', "one image, for this machine's architecture"],
    ['build debian-13 --arch all', 'for each of its architectures'],
    ['build --pass 1 --site lab', 'the images of the first pass, with the values of a site'],
    ['build debian-13 --refresh', 'with the newest packages'],
    ['build debian-13 --on-error shell', 'look around where a step failed'],
  ],
  notes: [
    'stdout has the path of each finished file of these images, one a line; the last line is the last file. With --json it has one ' +
      'event a line, and the results of all images as the last line.',
  ],
  register(command, act) {
    command
      .argument('[image...]', 'names of images (default: all of the project)')
      .option('--arch <arch>', 'x86_64, aarch64 or all (default: that of this machine)', archOrAll)
      .option('--site <site>', 'the site whose values to use')
      .option('--pass <number>', 'only images of this pass', positive)
      .option('--force', 'run every step, whatever is stored')
      .option('--refresh', 'ask the package archives for newer versions')
      .option('--jobs <number>', 'how many images at once', positive)
      .option('--no-check', 'do not run the checks')
      .option('--no-warm', 'boot guests instead of going on from saved states, and save none')
      .addOption(
        new Option('--on-error <what>', 'when a step fails: clean up, keep its tree or disk, or open a shell in it')
          .choices(['clean', 'keep', 'shell'] as const)
          .default('clean' as const),
      )
      .option('--output <dir>', 'also put the finished files into this folder')
      .action((images, options, cmd) =>
        act(
          cmd.optsWithGlobals(),
          (session) =>
            run(session, {
              ...selectionOf(images, options),
              force: options.force === true,
              refresh: options.refresh === true,
              checks: options.check,
              warm: options.warm,
              onError: options.onError,
              ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
              ...(options.output === undefined ? {} : { output: options.output }),
            }),
          'streams',
        ),
      );
  },
};

async function run(session: Session, request: BuildRequest): Promise<number> {
  const engine = await session.engine();
  const results = await engine.build(request, session.io);
  for (const result of results) complain(session, result, results.length > 1);
  const good = results.filter((result) => isGood(result.outcome));
  if (results.length > 1 && good.length < results.length) {
    session.remark(`${good.length} of ${results.length} images are built`);
  }
  if (session.json) session.printJson('build', results);
  else session.print(good.flatMap((result) => (isAskedFor(result, request) ? result.paths : [])));
  suggest(session, results, request);
  return exitCodeOfAll(results, session.io.signal);
}

/** Others were only needed for those that were named. */
function isAskedFor({ image }: BuildResult, { images }: BuildRequest): boolean {
  return images.length === 0 || images.includes(image);
}

function complain(session: Session, { error, image, arch }: BuildResult, named: boolean): void {
  if (error !== undefined)
    session.complain(named ? { ...error, message: `${image} ${arch}: ${error.message}` } : error);
}

function suggest(session: Session, results: readonly BuildResult[], { arch }: BuildRequest): void {
  const [only] = results;
  if (only === undefined) session.remark(noImages);
  if (results.length !== 1 || only?.outcome !== 'done') return;
  const image = arch === 'native' ? only.image : `${only.image} --arch ${only.arch}`;
  session.remark(`next: ingot shell ${image}, ingot show ${image}`);
}
