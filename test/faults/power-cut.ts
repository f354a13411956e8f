import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type GuestParts, guestArgv } from './power-guest.ts';
import type { Seen } from './programs/guest.ts';

const exec = promisify(execFile);
const mebibyte = 1024 * 1024;

export type PowerCampaign = {
  readonly parts: GuestParts;
  /** For the disks; must not be there yet. */
  readonly folder: string;
  /** Names that begin with the file system: `ext4-real`. */
  readonly disks: readonly string[];
  /** One for each cut: after so many acknowledgements and then so many milliseconds. */
  readonly cuts: readonly Cut[];
  /** Options of the guest's Node. */
  readonly options?: string;
};

export type Cut = { readonly acknowledgements: number; readonly delay: number };

export type PowerReport = {
  /** Guests that died by our hand while they were publishing. */
  cuts: number;
  /** Acknowledged publishes in all. */
  acknowledged: number;
  /** Journals that were replayed at a mount: what shows that the power really went. */
  recoveries: number;
  readonly corrupt: string[];
  readonly lost: string[];
  readonly left: string[];
};

const slowest = 120_000;

/** Let a guest publish, cut its power, look at the next boot whether what it acknowledged is there and whole. */
export async function cutPower(campaign: PowerCampaign): Promise<PowerReport> {
  const disks = await makeDisks(campaign);
  const counts = { cuts: 0, acknowledged: 0, recoveries: 0 };
  const report: PowerReport = { ...counts, corrupt: [], lost: [], left: [] };
  let acknowledged: ReadonlyMap<string, number> = new Map();
  // The last boot only looks.
  for (const [boot, cut] of [...campaign.cuts, { acknowledgements: 0, delay: 0 }].entries()) {
    const run = await runGuest(campaign, { ...cut, disks, first: boot * 10_000 });
    for (const disk of campaign.disks) compare(report, run, { disk, before: acknowledged.get(disk), boot });
    acknowledged = new Map([...acknowledged, ...run.acknowledged]);
    report.recoveries += run.recoveries;
    report.acknowledged += run.count;
    if (run.count > 0) report.cuts += 1;
  }
  return report;
}

async function makeDisks({ folder, disks }: PowerCampaign): Promise<ReadonlyMap<string, string>> {
  await mkdir(folder, { recursive: true });
  const files = disks.map((name) => [name, join(folder, `${name}.img`)] as const);
  for (const [name, file] of files) {
    await writeFile(file, '');
    await truncate(file, 512 * mebibyte);
    await exec(
      name.startsWith('xfs') ? 'mkfs.xfs' : 'mke2fs',
      name.startsWith('xfs') ? ['-q', file] : ['-q', '-t', 'ext4', file],
    );
  }
  return new Map(files);
}

function compare(
  report: PowerReport,
  run: GuestRun,
  { disk, before, boot }: { readonly disk: string; readonly before: number | undefined; readonly boot: number },
): void {
  const seen = run.seen.get(disk);
  if (seen === undefined)
    throw new Error(`boot ${boot} said nothing of ${disk}:\n${run.console.slice(-40).join('\n')}`);
  report.corrupt.push(...seen.problems.map((problem) => `boot ${boot}, ${disk}: ${problem}`));
  report.left.push(...seen.left.map((path) => `boot ${boot}, ${disk}: ${path}`));
  if (before === undefined) return;
  if (seen.visible < before)
    report.lost.push(`boot ${boot}, ${disk}: ${before} was acknowledged, ${seen.visible} is there`);
  if (seen.indexed < before)
    report.lost.push(`boot ${boot}, ${disk}: ${before} was acknowledged, the index has ${seen.indexed}`);
  if (seen.registered < before)
    report.lost.push(`boot ${boot}, ${disk}: ${before} was acknowledged, the registry has ${seen.registered}`);
}

type GuestRun = {
  readonly seen: ReadonlyMap<string, Seen>;
  /** The last acknowledged version of each disk. */
  readonly acknowledged: ReadonlyMap<string, number>;
  readonly count: number;
  readonly recoveries: number;
  readonly console: readonly string[];
};

async function runGuest(
  { parts, disks: names, options = '' }: PowerCampaign,
  cut: Cut & { readonly disks: ReadonlyMap<string, string>; readonly first: number },
): Promise<GuestRun> {
  const [file = '', ...args] = guestArgv(parts, { disks: cut.disks, options, first: cut.first });
  const guest = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const watch = { seen: new Map<string, Seen>(), acknowledged: new Map<string, number>(), count: 0, recoveries: 0 };
  const console: string[] = [];
  const enough = Promise.withResolvers<void>();
  guest.stderr.on('data', (bytes: Buffer) => console.push(String(bytes)));
  const lines = createInterface({ input: guest.stdout });
  lines.on('line', (line) => {
    console.push(line);
    const [, json] = /^SEEN (\{.*\})/.exec(line) ?? [];
    const seen = json === undefined ? undefined : (JSON.parse(json) as Seen);
    if (seen !== undefined) watch.seen.set(seen.disk, seen);
    const [, disk, n] = /^ACK (\S+) (\d+)/.exec(line) ?? [];
    if (disk !== undefined) {
      watch.acknowledged.set(disk, Number(n));
      watch.count += 1;
    }
    if (/EXT4-fs.*recovery complete|XFS.*Starting recovery/.test(line)) watch.recoveries += 1;
    const isEnough = watch.seen.size === names.length && watch.count >= cut.acknowledgements;
    if (isEnough && (cut.acknowledgements === 0 || watch.acknowledged.size === names.length)) enough.resolve();
  });
  const ended = endOf(guest);
  const stop = new AbortController();
  await Promise.race([enough.promise, ended, setTimeout(slowest, undefined, { signal: stop.signal })]);
  stop.abort();
  await Promise.race([ended, setTimeout(cut.delay)]);
  guest.kill('SIGKILL');
  const signal = await ended;
  // What was said before the cut counts, also when it is read after it.
  if (signal !== 'SIGKILL') throw new Error(`the guest ended by itself:\n${console.slice(-40).join('\n')}`);
  return { ...watch, console };
}

function endOf(guest: ChildProcess): Promise<NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    guest.once('error', reject);
    guest.once('close', (_, signal) => resolve(signal));
  });
}
