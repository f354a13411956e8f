import type { GcResult } from '../requests/upkeep.ts';
import type { Session } from '../session.ts';
import { ago, bytes, count, oneLine, table } from '../text.ts';
import { period, size } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot gc`: free space in the store. */
export const gc: Verb = {
  summary: 'Free space: remove what can be made again and earlier builds; the newest build of each image stays',
  examples: [
    [
      'gc --dry-run',
      'what would go and which builds stay, and why: without a limit, what was not used for 30 days goes',
    ],
    ['gc --older-than 30d', 'what was not used for 30 days'],
    ['gc --keep-size 20G', 'the longest unused, until 20 GiB are left'],
  ],
  notes: [
    'Of an image with `keep` those builds go that it does not speak for, whatever the limits are. What is deployed (ingot ' +
      'registry) and what another image was made from stays.',
  ],
  register(command, act) {
    command
      .option('--dry-run', 'only say what would go')
      .option('--older-than <time>', 'remove what was not used for so long: 12h, 30d, 2w', period)
      .option('--keep-size <size>', 'remove the longest unused until so much is left: 500M, 20G', size)
      .action((options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const dryRun = options.dryRun === true;
          const result = await engine.gc(
            {
              dryRun,
              ...(options.olderThan === undefined ? {} : { olderThanSeconds: options.olderThan }),
              ...(options.keepSize === undefined ? {} : { keepBytes: options.keepSize }),
            },
            session.io,
          );
          if (session.json) session.printJson('gc', { dryRun, ...result });
          else session.print(gcLines(result, dryRun, session));
          if (options.keepSize !== undefined && result.keptBytes > options.keepSize)
            session.remark('the rest stays: the newest builds of each image, and what is in use or was a minute ago');
          return 0;
        }),
      );
  },
};

type Removed = GcResult['removed'];

/** What was removed, for people. */
export function gcLines(result: GcResult, dryRun: boolean, view: View): readonly string[] {
  const kinds = [...new Set(result.removed.map(({ what }) => what))];
  const rows = kinds.flatMap((what) =>
    rowsOf(
      what,
      result.removed.filter((one) => one.what === what),
    ),
  );
  const what = `${count(result.removed.length, 'entry', 'entries')}, ${bytes(result.freedBytes)}`;
  const kept = `${bytes(result.keptBytes)} stay`;
  return [
    ...paintLast(rows, view),
    ...(dryRun ? stayingLines(result.builds, view) : []),
    `${dryRun ? 'would remove' : 'removed'} ${what}; ${kept}`,
  ];
}

type View = Pick<Session, 'paint'>;

/** The finished builds that a person may look for among those that go. */
function stayingLines(builds: Removed, view: View): readonly string[] {
  if (builds.length === 0) return [];
  const rows = builds.map((one): Row => [one.name, bytes(one.bytes), `stays: ${one.why}`].map(oneLine));
  return ['', ...paintLast(rows, view), ''];
}

type Row = readonly string[];

function paintLast(rows: readonly Row[], view: View): readonly string[] {
  return table(rows.map((row) => [...row.slice(0, -1), view.paint('dim', row.at(-1) ?? '')]));
}

/** More than so many of one kind are shown together, except for builds. */
const mostSingle = 12;

function rowsOf(what: string, removed: Removed): readonly Row[] {
  if (removed.length <= mostSingle || what === 'finished build')
    return removed.map((one) => [
      ...[what, oneLine(one.name), bytes(one.bytes), `used ${ago(one.unusedSeconds)}`],
      oneLine(one.why),
    ]);
  const ages = removed.map(({ unusedSeconds }) => unusedSeconds);
  const [oldest, newest] = [ago(Math.max(...ages)), ago(Math.min(...ages))];
  const total = removed.reduce((sum, one) => sum + one.bytes, 0);
  const used = oldest === newest ? `used ${oldest}` : `used ${oldest} to ${newest}`;
  const reasons = [...new Set(removed.map(({ why }) => why))].join('; ');
  return [[what, `${removed.length} of them`, bytes(total), used, oneLine(reasons)]];
}
