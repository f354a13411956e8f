import { InvalidArgumentError } from 'commander';
import { exitCodeOfAll } from '../outcomes.ts';
import type { ReleasedImage, ReleaseRequest, ReleaseResult } from '../requests/release.ts';
import type { Session } from '../session.ts';
import { bytes, count, oneLine, table } from '../text.ts';
import { apiAddress, archOrAll, repositoryName, size } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot release`: images in releases on GitHub. */
export const release: Verb = {
  summary: 'Put finished images into a release on GitHub; without --execute only show what that would do',
  examples: [
    ['release debian-13', 'what would be uploaded to the release `latest`, kept and removed'],
    ['release debian-13 --execute', 'do it'],
    ['release --all --version v13.3 --execute', 'a release of its own, for good'],
    ['release --all --version date --execute', 'one called by the day, such as 2026.11.21'],
    ['release old-image --remove --execute', 'take an image out of `latest`'],
  ],
  notes: [
    'The token is taken from GH_TOKEN, GITHUB_TOKEN or the secret that `release: { token: ... }` of ingot.yaml names; the repository ' +
      'from `release: { repository: owner/name }` there, or --repository.',
    'What is there with the same bytes is kept. Files over 1.9 GB are split; a script in the release, for any sh, puts them together. ' +
      'A run that broke off is gone on with by the same command.',
  ],
  register(command, act) {
    command
      .argument('[image...]', 'images that are built')
      .option('--all', 'every image of the project that is built')
      .option('--arch <arch>', 'x86_64, aarch64 or all', archOrAll, 'all')
      .option('--version <tag>', 'the release: a tag, `date` or `point` (default: latest, which moves)')
      .option('--execute', 'do it')
      .option('--force', 'upload what is there already, too')
      .option('--remove', 'take the images out of the release')
      .option('--part-size <size>', 'split larger files (default: 1900M)', partSize)
      .option('--repository <owner/name>', 'the repository', repositoryName)
      .option('--api <address>', 'the API of GitHub Enterprise', apiAddress)
      .action((images, options, cmd) =>
        act(cmd.optsWithGlobals(), (session) => run(session, requestOf(images, options)), 'streams'),
      );
  },
};

const most = 2 * 1024 ** 3 - 1;

/** As large as GitHub takes an asset, at most. */
function partSize(text: string): number {
  const bytes = size(text);
  if (bytes < 1024 || bytes > most) throw new InvalidArgumentError('Expected a size from 1K to less than 2G.');
  return bytes;
}

type Options = {
  readonly all?: true;
  readonly arch: ReleaseRequest['arch'];
  readonly version?: string;
  readonly execute?: true;
  readonly force?: true;
  readonly remove?: true;
  readonly partSize?: number;
  readonly repository?: string;
  readonly api?: string;
};

function requestOf(images: readonly string[], options: Options): ReleaseRequest {
  const { version, repository, api, partSize } = options;
  return {
    images,
    all: options.all === true,
    arch: options.arch,
    execute: options.execute === true,
    force: options.force === true,
    remove: options.remove === true,
    ...(version === undefined || version === 'latest' ? {} : { version }),
    ...(partSize === undefined ? {} : { partBytes: partSize }),
    ...(repository === undefined ? {} : { repository }),
    ...(api === undefined ? {} : { api }),
  };
}

async function run(session: Session, request: ReleaseRequest): Promise<number> {
  const result = await (await session.engine()).release(request, session.io);
  if (session.json) session.printJson('release', result);
  else if (result.executed) session.print(result.url === undefined ? [] : [result.url]);
  else session.print(planLines(result, session));
  if (!result.executed) return 0;
  for (const { image, arch, error } of result.images) {
    if (error !== undefined) session.complain({ ...error, message: `${image} ${arch}: ${error.message}` });
  }
  const ends = result.images.map(({ outcome = 'failed', error }) => ({
    outcome,
    ...(error === undefined ? {} : { error }),
  }));
  const code = exitCodeOfAll(ends, session.io.signal);
  if (code === 0) session.remark(doneLine(result));
  else if (result.found !== 'published')
    session.remark('nothing of it is visible yet: the same command goes on with it');
  return code;
}

const sum = (sizes: readonly { readonly bytes: number }[]) => sizes.reduce((all, one) => all + one.bytes, 0);

function doneLine({ images }: ReleaseResult): string {
  const [uploaded, kept, removed] = totals(images);
  return `${uploaded} uploaded, ${kept} kept, ${removed} removed`;
}

function totals(images: readonly ReleasedImage[]): readonly string[] {
  const lists = [
    images.flatMap(({ upload }) => upload),
    images.flatMap(({ keep }) => keep),
    images.flatMap(({ remove }) => remove),
  ];
  return lists.map((list) => (list.length === 0 ? '0' : `${list.length} (${bytes(sum(list))})`));
}

const stateWords = { none: 'new', draft: 'an unfinished draft, gone on with', published: 'published' } as const;

type PlanView = Pick<Session, 'paint'>;

/** What a release would become, for people. */
export function planLines(result: ReleaseResult, { paint }: PlanView): readonly string[] {
  const { repository, tag, found, images, others, absent } = result;
  const head = `${paint('bold', `release ${tag}`)} of ${repository} (${stateWords[found]})`;
  const [uploaded = '', kept = '', removed = ''] = totals(images);
  const isNothing = images.every(({ upload, remove }) => upload.length + remove.length === 0);
  return [
    head,
    ...images.flatMap((image) => ['', ...imageLines(image, paint)]),
    '',
    ...(others.length === 0 ? [] : [`also in it, and left alone: ${others.map(oneLine).join(', ')}`]),
    ...(absent.length === 0 ? [] : [`not built, and left out: ${absent.map(oneLine).join(', ')}`]),
    isNothing && found === 'published'
      ? 'nothing to do'
      : `to upload: ${uploaded}, to keep: ${kept}, to remove: ${removed}; add --execute to do it`,
  ];
}

function imageLines(image: ReleasedImage, paint: Session['paint']): readonly string[] {
  const rows = [
    ...image.upload.map(({ name, bytes: size }) => [paint('green', '+'), name, bytes(size)]),
    ...image.remove.map(({ name, bytes: size }) => [paint('red', '-'), oneLine(name), paint('dim', bytes(size))]),
  ];
  const kept = image.keep.length === 0 ? [] : [`  ${paint('dim', `= ${count(image.keep.length, 'asset')} kept`)}`];
  return [`${image.image} ${image.arch}  build ${oneLine(image.build)}`, ...table(rows, '  '), ...kept];
}
