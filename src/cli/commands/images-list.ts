import { ago, bytes, oneLine, table } from '../text.ts';
import { apiAddress, repositoryName } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot images list`: what a release holds. */
export const imagesList: Verb = {
  summary: 'List the images that a release on GitHub holds',
  examples: [
    ['images list', 'those of the release `latest`'],
    ['images list --version v13.3 --repository me/images', 'those of another, without a project'],
  ],
  register(command, act) {
    command
      .option('--version <tag>', 'the release (default: latest)')
      .option('--repository <owner/name>', 'the repository (default: of ingot.yaml)', repositoryName)
      .option('--api <address>', 'the API of GitHub Enterprise', apiAddress)
      .action(({ version, repository, api }, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const request = {
            ...(version === undefined ? {} : { version }),
            ...(repository === undefined ? {} : { repository }),
            ...(api === undefined ? {} : { api }),
          };
          const found = await engine.releasedImages(request, session.io);
          if (session.json) session.printJson('images', found);
          else if (found.length === 0) session.remark('this release holds no images');
          else {
            const head = ['IMAGE', 'ARCH', 'SYSTEM', 'FORMATS', 'SIZE', 'BUILT', ''];
            const rows = found.map((one) => [
              ...[oneLine(one.image), one.arch, oneLine(one.system ?? ''), one.formats.map(oneLine).join(' ')],
              ...[bytes(one.bytes), ago((session.wallMs() - Date.parse(one.builtAt)) / 1000)],
              one.here ? 'here' : '',
            ]);
            session.print(table([head, ...rows]));
          }
          return 0;
        }),
      );
  },
};
