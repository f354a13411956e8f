import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Marks, makeFixtureProject, writeFixtureImage } from '../support/fixture-project.ts';
import { appears, type Ended, type Program, startTagged, survivors } from '../support/processes.ts';
import type { Chance } from '../support/seed.ts';
import { lookAtArtifacts } from '../support/visible.ts';
import { leftovers } from './leftovers.ts';
import { buildOf, lastStep, outcomeOf, readManifest } from './told.ts';

export type Campaign = {
  readonly kills: number;
  /** How many builds, of different images in one home, are killed side by side. */
  readonly workers: number;
  readonly chance: Chance;
  /** A program part that breaks the code under test. */
  readonly twin?: string;
  /** Instead of the usual formats, as YAML. */
  readonly formats?: string;
  /** Kill when a program that begins so is at work in a build, not at a random moment. */
  readonly during?: string;
  /** The problem that a broken twin has to show: no need to look for more. */
  readonly until?: RegExp;
};

export type Report = {
  /** Builds that were killed before they ended. */
  kills: number;
  /** In which step the kills fell, by the step's id. */
  readonly moments: Map<string, number>;
  /** Layers that were stored before the kill or by it and were used again. */
  layersReused: number;
  /** Times everything visible was read, and versions that were seen. */
  looks: number;
  readonly versions: Set<string>;
  readonly problems: string[];
};

/** When to kill: a part of the time that a build takes, from its start or from that of its publishing. */
type Moment = { readonly part: number; readonly of: 'build' | 'publish' };
type Round = { readonly moment: Moment; readonly marks: Marks };
type Scene = {
  readonly campaign: Campaign;
  readonly folder: string;
  readonly home: string;
  readonly report: Report;
  readonly rounds: Round[];
  /** How long a build takes here, in milliseconds. */
  expected: number;
};

const program = new URL('programs/ingot.ts', import.meta.url).pathname;
const enough = (scene: Scene) =>
  scene.report.kills >= scene.campaign.kills ||
  (scene.campaign.until === undefined
    ? scene.report.problems.length >= 20
    : scene.report.problems.some((problem) => scene.campaign.until?.test(problem)));

/** Kill builds at random moments, run the same command again, and tell all that is not as it must be. */
export async function killBuilds(campaign: Campaign): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-kill-'));
  const { chance } = campaign;
  const report: Report = {
    ...{ kills: 0, layersReused: 0, looks: 0 },
    ...{ moments: new Map<string, number>(), versions: new Set<string>(), problems: [] },
  };
  // Drawn beforehand: the same seed gives the same rounds, whoever takes them.
  const rounds = Array.from({ length: campaign.kills * 3 }, (_, n): Round => {
    const deep = chance.next();
    const source = deep < 0.3 ? `s${n}` : 's';
    return {
      moment: momentOf(chance),
      marks: { source, first: deep < 0.6 ? `f${n}` : 'f', last: `l${n}` },
    };
  });
  const scene: Scene = { campaign, folder, home: join(folder, 'home'), report, rounds, expected: 0 };
  await mkdir(temporaryOf(scene));
  const stop = new AbortController();
  const reading = readOn(scene, stop.signal);
  try {
    await Promise.all(Array.from({ length: campaign.workers }, (_, index) => work(scene, index)));
    if (campaign.until === undefined) {
      await compareWithControl(scene);
      await lookForLeftovers(scene);
    }
  } finally {
    stop.abort();
    await reading;
    await rm(folder, { recursive: true, force: true });
  }
  return report;
}

/** Publishing takes so little of a build's time that it gets its own share of the kills. */
function momentOf(chance: Chance): Moment {
  const isPublish = chance.next() < 0.25;
  return { of: isPublish ? 'publish' : 'build', part: chance.next() * (isPublish ? 0.02 : 1) };
}

async function work(scene: Scene, worker: number): Promise<void> {
  const image = `small-${worker}`;
  const root = projectOf(scene, worker);
  await makeFixtureProject(root);
  const started = performance.now();
  await writeFixtureImage(root, image, { source: 's', first: 'f', last: `first-${worker}` });
  expectSuccess(scene, image, await build(scene, worker, `${scene.folder}-${worker}-0`).ended);
  scene.expected = performance.now() - started;
  for (let round = scene.rounds.shift(); round !== undefined && !enough(scene); round = scene.rounds.shift()) {
    await writeFixtureImage(root, image, round.marks, scene.campaign.formats);
    await killOnce(scene, worker, { moment: round.moment, tag: `${scene.folder}-${worker}-${scene.rounds.length}` });
  }
}

const temporaryOf = (scene: Scene) => join(scene.folder, 'tmp');
const projectOf = (scene: Scene, worker: number) => join(scene.folder, `project-${worker}`);

function build(scene: Scene, worker: number, tag: string, home = scene.home) {
  const { twin } = scene.campaign;
  const node = [process.execPath, ...(twin === undefined ? [] : ['--import', twin]), program];
  const words = ['build', `small-${worker}`, '--json', '--home', home, '--project', projectOf(scene, worker)];
  const env = { NODE_COMPILE_CACHE: join(scene.folder, 'compiled'), TMPDIR: temporaryOf(scene) };
  return startTagged([...node, ...words], tag, env);
}

type Strike = { readonly moment: Moment; readonly tag: string };

async function killOnce(scene: Scene, worker: number, { moment, tag }: Strike): Promise<void> {
  const { report } = scene;
  const image = `small-${worker}`;
  const driver = build(scene, worker, tag);
  const over = new AbortController();
  await Promise.race([driver.ended, isTime(scene, driver, { moment, tag, signal: over.signal })]);
  over.abort();
  driver.kill();
  const ended = await driver.ended;
  if (ended.signal === 'SIGKILL') {
    const step = lastStep(ended.stdout);
    report.kills += 1;
    report.moments.set(step, (report.moments.get(step) ?? 0) + 1);
  } else expectSuccess(scene, image, ended);
  const left = await survivors(tag, 2000);
  for (const [pid, line] of left) {
    report.problems.push(`${image}: process ${pid} lives on: ${line}`);
    process.kill(pid, 'SIGKILL');
  }
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(scene.home));
  report.problems.push(...mounts.map((line) => `${image}: mounted: ${line}`));
  if (scene.campaign.until === undefined || !enough(scene))
    await resume(scene, worker, { killed: buildOf(ended.stdout), tag });
}

async function isTime(
  { campaign, expected }: Scene,
  driver: Program,
  { moment, tag, signal }: Strike & { readonly signal: AbortSignal },
): Promise<void> {
  if (campaign.during !== undefined) return appears(tag, campaign.during, signal);
  if (moment.of === 'publish') await driver.says('"type":"step.start","id":"publish"');
  await setTimeout(moment.part * expected);
}

/** The same command again: it succeeds, uses every finished layer, and takes away what the killed one left. */
async function resume(
  scene: Scene,
  worker: number,
  { killed, tag }: { killed: string | undefined; tag: string },
): Promise<void> {
  const { report, home } = scene;
  const image = `small-${worker}`;
  const stored = new Set(await readdir(join(home, 'store', 'layers')).catch(() => []));
  const started = performance.now();
  const again = await build(scene, worker, `${tag}-again`).ended;
  expectSuccess(scene, image, again);
  const work: readonly string[] = await readdir(join(home, 'store', 'work')).catch(() => []);
  if (killed !== undefined && work.includes(killed)) report.problems.push(`${image}: work of ${killed} is left`);
  if (outcomeOf(again.stdout) !== 'done') return;
  scene.expected = 0.7 * scene.expected + 0.3 * (performance.now() - started);
  const manifest = await readManifest(home, image);
  for (const step of manifest?.steps ?? []) {
    if (!stored.has(step.key)) continue;
    if (step.outcome === 'cached') report.layersReused += 1;
    else report.problems.push(`${image}: ${step.id} ran again though its layer was stored`);
  }
}

function expectSuccess(scene: Scene, image: string, { code, signal, stderr, stdout }: Ended): void {
  if (code === 0) return;
  const said = `${stderr}${stdout}`.split('\n').slice(-12).join('\n');
  scene.report.problems.push(`${image}: ended with ${code ?? signal}: ${said}`);
}

/** Read all the time, as clients do; a name that was there once stays there. */
async function readOn(scene: Scene, signal: AbortSignal): Promise<void> {
  const { report, home } = scene;
  const known = new Set<string>();
  await mkdir(join(home, 'artifacts'), { recursive: true });
  while (!signal.aborted) {
    const { problems, builds } = await lookAtArtifacts(join(home, 'artifacts'));
    report.looks += 1;
    report.problems.push(...problems.map((problem) => `seen: ${problem}`));
    for (const name of known) if (!builds.has(name)) report.problems.push(`seen: ${name} is gone`);
    for (const [name, version] of builds) {
      known.add(name);
      report.versions.add(version);
    }
    await setTimeout(60);
  }
}

/** What came out of all the kills has the bytes of a build that was left in peace. */
async function compareWithControl(scene: Scene): Promise<void> {
  for (let worker = 0; worker < scene.campaign.workers; worker += 1) {
    const image = `small-${worker}`;
    const control = join(scene.folder, `control-${worker}`);
    expectSuccess(scene, image, await build(scene, worker, `${scene.folder}-control`, control).ended);
    const [killed, peaceful] = await Promise.all([scene.home, control].map((home) => readManifest(home, image)));
    const digests = [killed, peaceful].map((manifest) => manifest?.artifacts.map(({ sha256 }) => sha256).join());
    if (digests[0] === undefined || digests[0] !== digests[1])
      scene.report.problems.push(`${image}: ${digests[0]} is not what an undisturbed build gives, ${digests[1]}`);
  }
}

/** One start later, nothing is left of any killed build. */
async function lookForLeftovers(scene: Scene): Promise<void> {
  expectSuccess(scene, 'small-0', await build(scene, 0, `${scene.folder}-last`).ended);
  const left = [...(await leftovers(scene.home)), ...(await readdir(temporaryOf(scene)))];
  scene.report.problems.push(...left.map((path) => `left: ${path}`));
  const { problems } = await lookAtArtifacts(join(scene.home, 'artifacts'), { all: true });
  scene.report.problems.push(...problems);
}
