import { exitCodeOfAll, isGood } from '../outcomes.ts';
import type { ImageDownload } from '../requests/release.ts';
import type { Session } from '../session.ts';
import { apiAddress, archOrAll, repositoryName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot images download`: images from a release. */
export const imagesDownload: Verb = {
  summary: 'Fetch images from a release on GitHub, and check them; prints their paths',
  examples: [
    ['images download debian-13', 'into ./debian-13/x86_64; a download that broke off goes on'],
    ['images download debian-13 --version v13.2', 'an earlier one'],
    ['images download all --publish', 'all of the release, among the artifacts of this machine'],
    ['images download debian-13 --key lab.pub', 'only if that key signed it'],
  ],
  notes: [
    'Parts are put together as they come. Every file has the digest that the release tells, and the images are what their provenance ' +
      'says. Where keys are trusted here (`ingot keys`) or --key names one, an image that none of them signed is refused: exit code 3.',
  ],
  register(command, act) {
    command
      .argument('<image...>', 'images of the release, or all')
      .option('--version <tag>', 'the release (default: latest)')
      .option('--arch <arch>', "x86_64, aarch64 or all (default: this machine's)", archOrAll)
      .option('--output <dir>', 'where to put them, as DIR/IMAGE/ARCH', '.')
      .option('--publish', 'put them among the artifacts instead, as if they were built here')
      .option('--key <file>', 'the one public key to trust: a file, or its line')
      .option('--allow-unsigned', 'take images that no trusted key signed')
      .option('--repository <owner/name>', 'the repository (default: of ingot.yaml)', repositoryName)
      .option('--api <address>', 'the API of GitHub Enterprise', apiAddress)
      .action((images, options, cmd) =>
        act(
          cmd.optsWithGlobals(),
          async (session) => {
            const engine = await session.engine();
            const { version, key, repository, api, arch } = options;
            const request = {
              images: images.includes('all') ? ('all' as const) : images,
              arch: arch ?? ('native' as const),
              output: options.output,
              publish: options.publish === true,
              allowUnsigned: options.allowUnsigned === true,
              ...(version === undefined ? {} : { version }),
              ...(key === undefined ? {} : { key }),
              ...(repository === undefined ? {} : { repository }),
              ...(api === undefined ? {} : { api }),
            };
            return tell(session, await engine.downloadImages(request, session.io));
          },
          'streams',
        ),
      );
  },
};

function tell(session: Session, results: readonly ImageDownload[]): number {
  if (session.json) session.printJson('images download', results);
  else session.print(results.filter(({ outcome }) => isGood(outcome)).flatMap(({ paths }) => paths));
  for (const { image, arch, outcome, signedBy, error } of results) {
    if (error !== undefined) session.complain({ ...error, message: `${image} ${arch}: ${error.message}` });
    if (signedBy !== undefined) session.remark(`${image} ${arch}: signed by key ${signedBy}`);
    else if (isGood(outcome)) session.remark(`${image} ${arch}: whole; by whom it was signed is not proven`);
  }
  return exitCodeOfAll(results, session.io.signal);
}
