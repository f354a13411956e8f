import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFixtureProject, writeFixtureImage } from '../support/fixture-project.ts';
import { readRegistryFile, registryProblems } from '../support/registry.ts';
import { buildsInIndex, lookAtArtifacts } from '../support/visible.ts';
import { leftovers } from './leftovers.ts';
import { versionName } from './programs/versions.ts';
import { type Ended, openSmallDisk, type SmallDisk } from './small-disk.ts';

export type Filled = {
  /** In which part of the work the disk was full, and how often. */
  readonly phases: Map<string, number>;
  readonly problems: string[];
};

/** Code that is broken may never come to its end, however much room there is. */
const enoughProblems = 20;

const program = (name: string) => new URL(`programs/${name}.ts`, import.meta.url).pathname;
const node = (twin: string | undefined) => [process.execPath, ...(twin === undefined ? [] : ['--import', twin])];

/** Do all that a build writes to the store with too little room, a little more each time, until there is enough. */
export async function fillStore(resource: 'bytes' | 'inodes', twin?: string): Promise<Filled> {
  return withDisk(async ({ disk, filled, tell }) => {
    const home = join(disk.place, 'home');
    const store = async (n: number, broken = twin) => disk.run([...node(broken), program('store'), home, String(n)]);
    const artifacts = join(disk.outside, 'home', 'artifacts');
    for (let room = 0; filled.problems.length < enoughProblems; room += 1) {
      await disk.leave({});
      await disk.run(['rm', '-rf', home]);
      await store(1, undefined);
      await disk.leave({ [resource]: room * (resource === 'bytes' ? 4096 : 1) });
      const ended = await store(2);
      if (ended.code === 0) return;
      const phase = await phaseOfStore(artifacts, ended.stdout);
      filled.phases.set(phase, (filled.phases.get(phase) ?? 0) + 1);
      const say = (problem: string) => tell(`${room} ${resource}, ${phase}: ${problem}`);
      expectNoSpace(ended, say);
      const { problems } = await lookAtArtifacts(artifacts, { all: true });
      problems.forEach(say);
      await disk.leave({});
      const again = await store(3);
      if (again.code !== 0) say(`does not work afterwards: ${again.stderr}`);
      (await registryProblems(join(disk.outside, 'home'))).forEach(say);
      for (const path of await leftovers(join(disk.outside, 'home'))) say(`left: ${path}`);
    }
  });
}

/** What was not acknowledged; of a publish, how far it came. */
async function phaseOfStore(artifacts: string, stdout: string): Promise<string> {
  const done = stdout.split('\n').filter((line) => line.startsWith('ACK ')).length;
  const phase = ['pin', 'layer', 'history', 'checks', 'publish', 'manifest', 'retire'][done] ?? 'end';
  if (phase !== 'publish') return phase;
  const builds = await readdir(join(artifacts, 'images', 'small', '.builds'));
  if (!builds.includes(`x86_64-${versionName(2)}`)) return 'publish';
  const { builds: visible } = await lookAtArtifacts(artifacts);
  if (visible.get('small/x86_64') !== versionName(2)) return 'link';
  if ((await buildsInIndex(artifacts)).get('small/x86_64') !== versionName(2)) return 'index';
  const registry = await readRegistryFile(dirname(artifacts));
  return registry?.images['small']?.['x86_64']?.image === `small@${versionName(2)}` ? 'end' : 'registry';
}

/** From which moment of a build how much room is left: from `room` on, more by `step` until it is enough. */
export type Squeeze = { readonly moment: string; readonly room: number; readonly step: number };

/** Build an image with too little room from a moment on; what an earlier build published has to stay whole. */
export async function fillBuilds({ moment, room, step }: Squeeze, twin?: string): Promise<Filled> {
  return withDisk(async ({ disk, folder, filled, tell }) => {
    const root = join(folder, 'project');
    const [home, saved] = [join(disk.place, 'home'), join(disk.place, 'saved')];
    await makeFixtureProject(root);
    const build = async (fill = '', broken: string | undefined = undefined) =>
      disk.run([...node(broken), program('ingot'), 'build', 'small', '--json', '--home', home, '--project', root], {
        INGOT_FILL: fill,
      });
    const restart = () => disk.run(['sh', '-euc', 'rm -rf "$0" && cp -a "$1" "$0"', home, saved]);
    await writeFixtureImage(root, 'small', { source: 'a', first: 'a', last: 'a' });
    expectSuccess(await build(), tell);
    await disk.run(['cp', '-a', home, saved]);
    await writeFixtureImage(root, 'small', { source: 'b', first: 'b', last: 'b', bytes: 2_000_000 });
    expectSuccess(await build(), tell);
    const control = await digestsOf(disk);
    for (let left = room; filled.problems.length < enoughProblems; left += step) {
      await disk.leave({});
      await restart();
      const ended = await build(`${moment} ${left} ${disk.place}`, twin);
      await disk.leave({});
      const say = (problem: string) => tell(`${left} bytes from ${moment} on: ${problem}`);
      const look = await lookAtArtifacts(join(disk.outside, 'home', 'artifacts'), { all: true });
      look.problems.forEach(say);
      if (ended.code === 0) {
        if ((await digestsOf(disk)) !== control) say('was not noticed, and gave other bytes');
        return;
      }
      const phase = expectNoSpace(ended, say);
      filled.phases.set(phase, (filled.phases.get(phase) ?? 0) + 1);
      expectSuccess(await build('', twin), say);
      if ((await digestsOf(disk)) !== control) say('gave other bytes once there was room');
      for (const path of await leftovers(join(disk.outside, 'home'))) say(`left: ${path}`);
    }
  });
}

type Scene = {
  readonly disk: SmallDisk;
  readonly folder: string;
  readonly filled: Filled;
  readonly tell: (problem: string) => void;
};

async function withDisk(work: (scene: Scene) => Promise<void>): Promise<Filled> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-full-'));
  const filled: Filled = { phases: new Map(), problems: [] };
  const disk = await openSmallDisk(join(folder, 'disk'));
  try {
    await work({ disk, folder, filled, tell: (problem) => void filled.problems.push(problem) });
  } finally {
    await disk.close();
    await rm(folder, { recursive: true, force: true });
  }
  return filled;
}

/** The one error for a full disk; gives the name of what there was no room for. */
function expectNoSpace({ code, stderr, stdout }: Ended, tell: (problem: string) => void): string {
  const said = /error\[NO_SPACE\]: (?:.*)no space left for (.*): (\d+) bytes needed/.exec(stderr);
  if (code !== 5 || said === null) tell(`exit code ${code}: ${stderr}${stdout}`.slice(0, 3000));
  else if (Number(said[2]) < 1) tell(`needs nothing: ${said[0]}`);
  return said?.[1]?.split('/').at(-1) ?? 'other';
}

function expectSuccess({ code, stderr }: Ended, tell: (problem: string) => void): void {
  if (code !== 0) tell(`exit code ${code}: ${stderr}`);
}

async function digestsOf(disk: SmallDisk): Promise<string> {
  const images = join(disk.outside, 'home', 'artifacts', 'images', 'small');
  for (const arch of ['x86_64', 'aarch64']) {
    const text = await readFile(join(images, arch, 'manifest.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const { artifacts } = JSON.parse(text) as { readonly artifacts: readonly { readonly sha256: string }[] };
    return artifacts.map(({ sha256 }) => sha256).join();
  }
  return 'none';
}
