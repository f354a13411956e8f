import type { GcResult } from '../engine.ts';
import type { Session } from '../session.ts';
import { ago, bytes, count, oneLine, table } from '../text.ts';
import { period, size } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot gc`: free space in the store. */
export const gc: Verb = {
  summary: 'Free space: remove what can be made again and earlier builds; the newest build of each image stays',
  examples: [
    ['gc --dry-run', 'what would go: without a limit, what was not used for 30 days'],
    ['gc --older-than 30d', 'what was not used for 30 days'],
    ['gc --keep-size 20G', 'the longest unused, until 20 GiB are left'],
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
          return 0;
        }),
      );
  },
};

/** What was removed, for people. */
export function gcLines(result: GcResult, dryRun: boolean, view: Pick<Session, 'paint'>): readonly string[] {
  const rows = result.removed.map((one) => [
    one.what,
    oneLine(one.name),
    bytes(one.bytes),
    view.paint('dim', `used ${ago(one.unusedSeconds)}`),
  ]);
  const what = `${count(result.removed.length, 'entry', 'entries')}, ${bytes(result.freedBytes)}`;
  const kept = `${bytes(result.keptBytes)} stay`;
  return [...table(rows), `${dryRun ? 'would remove' : 'removed'} ${what}; ${kept}`];
}
