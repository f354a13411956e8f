import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Ended, type Program, startTagged } from '../support/processes.ts';
import { readRegistryFile } from '../support/registry.ts';
import type { Chance } from '../support/seed.ts';
import { buildsInIndex, lookAtArtifacts } from '../support/visible.ts';
import type { Found } from './programs/publisher.ts';
import { versionName } from './programs/versions.ts';

export type Publishing = {
  readonly kills: number;
  /** How many homes are published to side by side. */
  readonly lanes: number;
  readonly chance: Chance;
  /** A program part that breaks the code under test. */
  readonly twin?: string;
  /** The problem that a broken twin has to show: no need to look for more. */
  readonly until?: RegExp;
};

export type Killed = {
  kills: number;
  /** How far the publish of an image was when the kill fell. */
  readonly moments: Map<string, number>;
  /** Publishes that were acknowledged. */
  published: number;
  /** Times everything visible was read while it was published. */
  looks: number;
  readonly problems: string[];
};

type Lane = {
  readonly home: string;
  next: number;
  readonly deployed: Map<string, number>;
  /** How long publishing both images takes here, in milliseconds. */
  turnMs: number;
};
type Scene = { readonly campaign: Publishing; readonly folder: string; readonly report: Killed; rounds: number };

const program = new URL('programs/publisher.ts', import.meta.url).pathname;
/** A publisher is killed after so many turns at most, or within the next one. */
const mostTurns = 2;

const enough = ({ campaign, report, rounds }: Scene) =>
  report.kills >= campaign.kills ||
  rounds >= campaign.kills * 2 ||
  (campaign.until === undefined
    ? report.problems.length >= 20
    : report.problems.some((problem) => campaign.until?.test(problem)));

/** Kill publishers at random moments, look at what they left, and at what the next start makes of it. */
export async function killPublishers(campaign: Publishing): Promise<Killed> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-publish-'));
  const report: Killed = { kills: 0, moments: new Map(), published: 0, looks: 0, problems: [] };
  const scene: Scene = { campaign, folder, report, rounds: 0 };
  try {
    await Promise.all(Array.from({ length: campaign.lanes }, (_, index) => publishOn(scene, index)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return report;
}

async function publishOn(scene: Scene, index: number): Promise<void> {
  const lane: Lane = { home: join(scene.folder, `home-${index}`), next: 1, deployed: new Map(), turnMs: 100 };
  const stop = new AbortController();
  await mkdir(join(lane.home, 'artifacts'), { recursive: true });
  const reading = readOn(scene, lane, stop.signal);
  try {
    while (!enough(scene)) await killOnce(scene, lane);
    compare(scene, lane, await start(scene, lane, 0).ended);
  } finally {
    stop.abort();
    await reading;
  }
}

function start({ campaign, folder }: Scene, { home }: Lane, first: number) {
  const node = [process.execPath, ...(campaign.twin === undefined ? [] : ['--import', campaign.twin]), program];
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  return startTagged([...node, home, String(first)], `${home}-${first}`, env);
}

async function killOnce(scene: Scene, lane: Lane): Promise<void> {
  const { report, campaign } = scene;
  scene.rounds += 1;
  const publisher = start(scene, lane, lane.next);
  const turns = Math.floor(campaign.chance.next() * (mostTurns + 1));
  const part = campaign.chance.next();
  await Promise.race([publisher.ended, isTime(publisher, lane, { turns, part })]);
  publisher.kill();
  const ended = await publisher.ended;
  compare(scene, lane, ended);
  if (ended.signal !== 'SIGKILL') {
    report.problems.push(`a publisher ended by itself with ${ended.code}: ${ended.stderr}`);
    return;
  }
  report.kills += 1;
  const acknowledged = [...ended.stdout.matchAll(/^ACK (\d+)$/gm)].map(([, n]) => Number(n));
  report.published += acknowledged.length;
  const { problems } = await lookAtArtifacts(join(lane.home, 'artifacts'), { all: true });
  report.problems.push(...problems.map((problem) => `after a kill: ${problem}`));
  const last = acknowledged.at(-1) ?? lane.next - 1;
  for (const image of ['left', 'right']) await noteMoment(scene, lane, image, last + 1);
  lane.next = last + 2;
}

async function isTime(
  publisher: Program,
  lane: Lane,
  { turns, part }: { readonly turns: number; readonly part: number },
): Promise<void> {
  // Both from the beginning: what is said together is heard once.
  const [seen, acknowledged] = [publisher.says('SEEN '), publisher.says(`ACK ${lane.next + turns - 1}\n`)];
  await seen;
  const started = performance.now();
  if (turns > 0) {
    await acknowledged;
    lane.turnMs = 0.7 * lane.turnMs + 0.3 * ((performance.now() - started) / turns);
  }
  await setTimeout(part * lane.turnMs);
}

/** What a start found, against what earlier ones had acknowledged. */
function compare({ report }: Scene, lane: Lane, { stdout, stderr, code, signal }: Ended): void {
  const tell = (problem: string) => void report.problems.push(`next start: ${problem}`);
  const [, seen] = /^SEEN (.*)$/m.exec(stdout) ?? [];
  if (seen === undefined) {
    tell(`ended with ${code ?? signal}: ${stderr}`);
    return;
  }
  const { problems, deployed } = JSON.parse(seen) as Found;
  problems.forEach(tell);
  for (const [image, n] of lane.deployed) {
    if ((deployed[image] ?? 0) < n) tell(`${image} was deployed as ${n}, the registry says ${deployed[image]}`);
  }
  for (const [, image = '', n] of stdout.matchAll(/^DEPLOYED (\w+) (\d+)$/gm)) lane.deployed.set(image, Number(n));
}

/** How far the publish of a version was: its folder, its stable name, the index, the registry. */
async function noteMoment({ report }: Scene, { home }: Lane, image: string, n: number): Promise<void> {
  const artifacts = join(home, 'artifacts');
  const build = versionName(n);
  const folders: readonly string[] = await readdir(join(artifacts, 'images', image, '.builds')).catch(() => []);
  const { builds } = await lookAtArtifacts(artifacts);
  const indexed = await buildsInIndex(artifacts);
  const registry = await readRegistryFile(home).catch(() => undefined);
  const reached = [
    folders.includes(`x86_64-${build}`),
    builds.get(`${image}/x86_64`) === build,
    indexed.get(`${image}/x86_64`) === build,
    registry?.images[image]?.['x86_64']?.image === `${image}@${build}`,
  ];
  const moment = ['before', 'folder', 'name', 'index', 'registry'][reached.lastIndexOf(true) + 1] ?? 'before';
  report.moments.set(moment, (report.moments.get(moment) ?? 0) + 1);
}

/** Read all the time, as clients do; what can be read is whole. */
async function readOn({ report }: Scene, { home }: Lane, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { problems } = await lookAtArtifacts(join(home, 'artifacts'));
    const broken = await readRegistryFile(home).then(
      () => [],
      (error: unknown) => [String(error)],
    );
    report.looks += 1;
    report.problems.push(...[...problems, ...broken].map((problem) => `seen: ${problem}`));
    await setTimeout(60);
  }
}
