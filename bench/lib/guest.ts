import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  inTurn,
  machineLine,
  median,
  present,
  ratio,
  repository,
  roundsAsked,
  say,
  timed,
  withFolder,
} from './compare.ts';
import { killMachine, noticed, struck } from './failures.ts';
import { packer } from './packer.ts';
import { ingot } from './peers.ts';

const packages = ['jq', 'tree'];
const [diskGiB, memoryMiB, cpus] = [8, 2048, 2];
const first = 'echo first > /etc/first';
const last = (number: number) => `echo ${number} > /etc/last; echo ready`;

function writeImage(project: string, number: number): void {
  writeSteps(project, 'bench', [{ packages }, { shell: { run: first } }, { shell: { run: last(number) } }]);
}

function writeSteps(project: string, name: string, steps: readonly unknown[]): void {
  const image = {
    ...{ source: { image: 'debian-12' }, arch: 'x86_64', disk: `${diskGiB}G`, memory: `${memoryMiB}M`, cpus },
    // As Packer writes it.
    ...{ steps, formats: [{ qcow2: { compression: 'none' } }] },
  };
  writeFileSync(join(project, 'images', `${name}.yaml`), JSON.stringify(image));
}

/** Leave nothing of the image but its base; layers of blocks are only ever of guests. */
function forgetImage(home: string): void {
  const layers = join(home, 'store', 'layers');
  for (const key of readdirSync(layers)) {
    if (existsSync(join(layers, key, 'disk.img'))) rmSync(join(layers, key), { recursive: true });
  }
  for (const path of ['store/states', 'artifacts/images/bench'])
    rmSync(join(home, path), { recursive: true, force: true });
}

type Said = { readonly time?: string; readonly line?: string };

/** Seconds from one line of a build's log to another. */
function between(stdout: string, begin: RegExp, end: RegExp): number {
  const events = stdout.split('\n').flatMap((line) => (line.startsWith('{"') ? [JSON.parse(line) as Said] : []));
  const from = events.findIndex(({ line }) => begin.test(line ?? ''));
  const to = events.findIndex(({ line }, index) => index > from && end.test(line ?? ''));
  if (from === -1 || to === -1) throw new Error(`the build did not say ${from === -1 ? begin : end}`);
  return (Date.parse(events[to]?.time ?? '') - Date.parse(events[from]?.time ?? '')) / 1000;
}

await withFolder(async (folder) => {
  const [project, home] = [join(folder, 'project'), join(folder, 'home')];
  const rounds = roundsAsked();
  cpSync(join(repository, 'catalog'), project, { recursive: true });
  writeImage(project, 0);
  say(machineLine());
  const build = (image: string, ...words: readonly string[]) => {
    const { argv } = ingot(project, home);
    return [...argv, image, '--arch', 'x86_64', '--json', ...words] as unknown as typeof argv;
  };
  timed({ name: 'the base', argv: build('debian-12') });
  // What holds for all builds on this machine, such as whether its virtualization works, is found out before.
  timed({ name: 'a first build', argv: build('bench') });
  const [boots, resumes]: [number[], number[]] = [[], []];
  let number = 0;
  const ours = [
    {
      ...{ name: 'ingot, cold', argv: build('bench'), prepare: () => forgetImage(home) },
      heard: (stdout: string) => boots.push(between(stdout, /^booting the guest/, /^the guest is up/)),
    },
    {
      ...{ name: 'ingot, last step changed', argv: build('bench'), prepare: () => writeImage(project, ++number) },
      heard: (stdout: string) => resumes.push(between(stdout, /^going on with a guest/, /^ready$/)),
    },
  ];
  const base = join(home, 'artifacts', 'images', 'debian-12', 'x86_64', 'debian-12.qcow2');
  const image = { base, packages, scripts: [first, last(0)], diskGiB, memoryMiB, cpus };
  const peer = present('packer') ? [packer(folder, image)] : [];
  const times = inTurn(rounds, [...peer, ...ours]);
  const unchanged = inTurn(rounds, [{ name: 'ingot, nothing changed', argv: build('bench') }]);
  const theirs = times.get('packer') ?? [];
  const fails = (name: string, trouble: string) => {
    writeSteps(project, name, [{ shell: { run: `echo ${struck}; ${trouble}` } }]);
    return build(name);
  };
  const killed = await noticed(fails('killed', 'sleep 600'), killMachine);
  const panic = await noticed(fails('panic', 'echo c > /proc/sysrq-trigger; sleep 600'));
  say(`QEMU killed noticed seconds ${killed.toFixed(2)}`);
  say(`panic noticed seconds ${panic.toFixed(2)}`);
  say(`no-op seconds ${median(unchanged.get('ingot, nothing changed') ?? []).toFixed(2)}`);
  say(`warm resume seconds ${median(resumes).toFixed(2)}`);
  say(`cold boot seconds ${median(boots).toFixed(2)}`);
  if (peer.length === 0) return say('packer is not on this machine: left out');
  say(`cold ratio ${ratio(times.get('ingot, cold') ?? [], theirs).toFixed(2)}`);
  say(`last step ratio ${ratio(times.get('ingot, last step changed') ?? [], theirs).toFixed(2)}`);
});
