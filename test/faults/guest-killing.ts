import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { DiskLayer } from '../../src/store/layers.ts';
import { readState } from '../../src/store/states.ts';
import { asRawDisk, openRoot } from '../support/disk-reading.ts';
import type { GuestLab } from '../support/guest-lab.ts';
import { type Ended, startTagged, survivors } from '../support/processes.ts';
import type { Chance } from '../support/seed.ts';
import { lookAtArtifacts } from '../support/visible.ts';
import { leftovers } from './leftovers.ts';
import { buildOf, lastStep, outcomeOf, readManifest } from './told.ts';

export type GuestCampaign = {
  /** A project with an image `base` that is built already. */
  readonly lab: GuestLab;
  readonly kills: number;
  readonly chance: Chance;
  /** A program part that breaks the code under test. */
  readonly twin?: string;
};

export type GuestReport = {
  /** Builds that were killed before they ended. */
  kills: number;
  /** In which step the kills fell, by the step's id. */
  readonly moments: Map<string, number>;
  /** Layers that were stored before the kill and were used again. */
  layersReused: number;
  /** Builds after a kill in which no guest had to boot. */
  warm: number;
  readonly problems: string[];
};

/** What the steps of the image write; the same marks, the same layers. */
type Marks = { readonly first: string; readonly last: string };
type Depth = 'first' | 'last';
type Round = { readonly part: number; readonly marks: Marks; readonly depth: Depth };
type Scene = GuestCampaign & {
  readonly report: GuestReport;
  /** How long a build takes here, in milliseconds, from its first step and from its last. */
  readonly expected: Record<Depth, number>;
};

const image = 'struck';
const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64';
const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** Kill builds in guests at random moments, run the same command again, and tell all that is not as it must be. */
export async function killGuestBuilds(campaign: GuestCampaign): Promise<GuestReport> {
  const { chance, kills, twin } = campaign;
  const report: GuestReport = { kills: 0, moments: new Map(), layersReused: 0, warm: 0, problems: [] };
  const scene: Scene = { ...campaign, report, expected: { first: 0, last: 0 } };
  // What another campaign built is not to be found again.
  const salt = Math.floor(chance.next() * 1e9);
  const rounds = roundsOf(kills * 2, salt, chance);
  await measure(scene, salt);
  let marks: Marks | undefined;
  for (const [n, round] of rounds.entries()) {
    if (report.kills >= kills || report.problems.length >= 5) break;
    await strike(scene, n, round);
    marks = round.marks;
  }
  if (marks !== undefined && twin === undefined) await lookAtAll(scene, marks);
  return report;
}

/** Drawn beforehand: the same seed gives the same rounds. A third of them begins with the first step. */
function roundsOf(count: number, salt: number, chance: Chance): readonly Round[] {
  let first = 0;
  return Array.from({ length: count }, (_, n) => {
    const depth = chance.next() < 0.3 ? 'first' : 'last';
    if (depth === 'first') first = n + 1;
    return { depth, part: chance.next(), marks: { first: `first-${salt}-${first}`, last: `last-${n}` } };
  });
}

/** Build in peace, all of it and then the last step, and note how long it takes. */
async function measure(scene: Scene, salt: number): Promise<void> {
  for (const depth of ['first', 'last'] as const) {
    await write(scene, { first: `first-${salt}-0`, last: `peace-${depth}` });
    const started = performance.now();
    expectSuccess(scene, await start({ ...scene, twin: undefined }, `${scene.lab.folder}-peace`).ended);
    scene.expected[depth] = performance.now() - started;
  }
}

function write({ lab }: Scene, { first, last }: Marks): Promise<void> {
  const firmware = process.arch === 'x64' ? 'firmware: bios\n' : '';
  return lab.write(
    `images/${image}.yaml`,
    `source: { image: base }
disk: 3G
memory: 1G
${firmware}steps:
  - shell: { run: "echo ${first} > /etc/first; head -c 3000000 /dev/urandom > /var/lib/first" }
  - copy: { content: "${first}\\n", to: /etc/second }
  - shell: { run: "sleep 1; echo ${last} > /etc/last" }
`,
  );
}

function start({ lab, twin }: Pick<Scene, 'lab'> & { readonly twin?: string | undefined }, tag: string) {
  const node = [process.execPath, ...(twin === undefined ? [] : ['--import', twin]), main];
  const words = ['build', image, '--no-check', '--json', '--home', lab.home, '--project', lab.project];
  return startTagged([...node, ...words], tag);
}

async function strike(scene: Scene, n: number, { marks, depth, part }: Round): Promise<void> {
  const { report, lab, expected } = scene;
  await write(scene, marks);
  const tag = `${lab.folder}-${n}`;
  const driver = start(scene, tag);
  await Promise.race([driver.ended, setTimeout(part * expected[depth])]);
  driver.kill();
  const ended = await driver.ended;
  if (ended.signal === 'SIGKILL') {
    const step = lastStep(ended.stdout);
    report.kills += 1;
    report.moments.set(step, (report.moments.get(step) ?? 0) + 1);
  } else expectSuccess(scene, ended);
  for (const [pid, line] of await survivors(tag, 2000)) {
    report.problems.push(`process ${pid} lives on: ${line}`);
    process.kill(pid, 'SIGKILL');
  }
  if (scene.twin === undefined) await resume(scene, { tag, pid: driver.pid, killed: buildOf(ended.stdout) });
}

type Killed = { readonly tag: string; readonly pid: number; readonly killed: string | undefined };

/** The same command again: it succeeds, uses every finished layer, and takes away what the killed one left. */
async function resume(scene: Scene, { tag, pid, killed }: Killed): Promise<void> {
  const { report, lab } = scene;
  const stored = new Set(await readdir(join(lab.home, 'store', 'layers')));
  const again = await start(scene, `${tag}-again`).ended;
  expectSuccess(scene, again);
  const work = await readdir(join(lab.home, 'store', 'work'));
  report.problems.push(...work.map((name) => `after ${killed}: work of ${name} is left`));
  // The killed one may have come so far that there was nothing left to do.
  if (outcomeOf(again.stdout) !== 'done') return;
  const sockets = (await readdir('/tmp')).filter((name) => name.startsWith(`ingot-guests-${pid}-`));
  report.problems.push(...sockets.map((name) => `after ${killed}: ${name} is left`));
  if (!/"line":"booting the guest/.test(again.stdout)) report.warm += 1;
  const manifest = await readManifest(lab.home, image);
  for (const { id, key, outcome } of manifest?.steps ?? []) {
    if (!stored.has(key)) continue;
    if (outcome === 'cached') report.layersReused += 1;
    else report.problems.push(`${id} ran again though its layer was stored`);
  }
}

function expectSuccess({ report }: Scene, { code, signal, stderr, stdout }: Ended): void {
  if (code === 0) return;
  const said = `${stderr}${stdout}`.split('\n').slice(-12).join('\n');
  report.problems.push(`ended with ${code ?? signal}: ${said}`);
}

/** All that is stored is whole, the image is what its steps made it, and nobody left anything. */
async function lookAtAll(scene: Scene, marks: Marks): Promise<void> {
  const { lab, report } = scene;
  expectSuccess(scene, await start(scene, `${lab.folder}-last`).ended);
  const raw = join(lab.folder, 'struck.raw');
  await asRawDisk(join(lab.home, 'artifacts', 'images', image, arch, `${image}.qcow2`), raw);
  const root = await openRoot(raw);
  await root.check();
  const texts = await Promise.all(['first', 'second', 'last'].map((name) => root.read(`/etc/${name}`)));
  const wanted = [marks.first, marks.first, marks.last].map((text) => `${text}\n`);
  if (texts.join('') !== wanted.join('')) report.problems.push(`the image holds ${texts.join()}, not ${wanted.join()}`);
  await rm(raw);
  report.problems.push(...(await storeProblems(lab.home)));
  report.problems.push(...(await leftovers(lab.home)).map((path) => `left: ${path}`));
  report.problems.push(...(await lookAtArtifacts(join(lab.home, 'artifacts'), { all: true })).problems);
}

/** Layers that are not as long as they say, and saved states that are not whole. */
async function storeProblems(home: string): Promise<readonly string[]> {
  const problems: string[] = [];
  const layers = join(home, 'store', 'layers');
  for (const key of await readdir(layers)) {
    const text = await readFile(join(layers, key, 'layer.json'), 'utf8').catch(() => '{}');
    const { bytes, disk } = JSON.parse(text) as { readonly bytes?: number; readonly disk?: DiskLayer };
    const file = join(layers, key, disk === undefined ? 'layer.tar.zst' : 'disk.img');
    if ((await stat(file).catch(() => undefined))?.size !== bytes) problems.push(`the layer ${key} is not whole`);
  }
  const states = join(home, 'store', 'states', `${image}-${arch}`);
  for (const key of await readdir(states))
    if ((await readState(join(states, key))) === undefined) problems.push(`the state ${key} is not whole`);
  return problems;
}
