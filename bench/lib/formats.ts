import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type Contender,
  inTurn,
  machineLine,
  median,
  ratio,
  repository,
  roundsAsked,
  say,
  timed,
  withFolder,
} from './compare.ts';
import { ingot } from './peers.ts';

/** One format of ours, and what its peer is given to the shell as: `$0` is the disk, `$1` the file. */
type Pair = {
  readonly title: string;
  readonly format: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly peer: string;
  /** What QEMU calls it, if that reads it. */
  readonly driver?: string;
};

const byQemu = (title: string, format: string, words: string, options = {}): Pair => {
  const driver = words.split(' ')[0] ?? '';
  return { title, format, options, driver, peer: `qemu-img convert -f raw -O ${words} "$0" "$1"` };
};

const qemuPairs: readonly Pair[] = [
  byQemu('raw', 'raw', 'raw'),
  byQemu('qcow2, plain', 'qcow2', 'qcow2', { compression: 'none' }),
  byQemu('qcow2, zlib', 'qcow2', 'qcow2 -c -o compression_type=zlib', { compression: 'zlib' }),
  byQemu('qcow2, zstd', 'qcow2', 'qcow2 -c -o compression_type=zstd', { compression: 'zstd' }),
  ...(['streamOptimized', 'sparse'] as const).map((subformat) => {
    const theirs = { streamOptimized: 'streamOptimized,compat6', sparse: 'monolithicSparse' }[subformat];
    return byQemu(`vmdk, ${subformat}`, 'vmdk', `vmdk -o adapter_type=lsilogic,subformat=${theirs}`, { subformat });
  }),
  byQemu('vhdx', 'vhdx', 'vhdx -o subformat=dynamic'),
  byQemu('vdi', 'vdi', 'vdi'),
  ...(['fixed', 'dynamic'] as const).map((subformat) =>
    byQemu(`vhd, ${subformat}`, 'vhd', `vpc -o subformat=${subformat},force_size=on`, { subformat }),
  ),
];
const vma: Pair = { title: 'vma.zst', format: 'vma', peer: 'cat -- "$0" | zstd -q -3 -T0 -c > "$1"' };
const xz: Pair = {
  ...{ title: 'raw.xz', format: 'raw', options: { compression: 'xz' } },
  peer: 'xz -q -6 -T0 -c -- "$0" > "$1"',
};

// Every output is on the disk itself when its time ends, ours and theirs. Ours is the time of the format's own writer, as
// in a build; that of all of `ingot convert`, with its start and its look at the disk, stands beside it.
await withFolder((folder) => {
  const rounds = roundsAsked();
  const disk = join(folder, 'disk.raw');
  bringDisk(disk, folder);
  say(machineLine());
  const ratios = qemuPairs.map((pair) => compare(pair, { disk, folder, rounds }));
  const ofVma = compare(vma, { disk, folder, rounds });
  // Minutes each, in which what disturbs evens out.
  const ofXz = compare(xz, { disk, folder, rounds: 1 });
  say(`vma ratio ${ofVma.toFixed(2)}`);
  say(`xz ratio ${ofXz.toFixed(2)}`);
  say(`worst qemu-img format ratio ${Math.max(...ratios).toFixed(2)}`);
});

/** A raw `debian-13` of 2 GiB: of the file that was named, else of a build. */
function bringDisk(disk: string, folder: string): void {
  const given = process.argv[3];
  if (given !== undefined) {
    run('qemu-img', 'convert', '-O', 'raw', resolve(given), disk);
    return;
  }
  const [project, home] = [join(folder, 'project'), join(folder, 'home')];
  cpSync(join(repository, 'catalog'), project, { recursive: true });
  const image = { extends: ['fragments/debian.yaml', 'fragments/cloud-ready.yaml'], disk: '2G', formats: ['raw'] };
  const source = { packages: { suite: 'trixie' } };
  writeFileSync(join(project, 'images', 'debian-13.yaml'), JSON.stringify({ ...image, source }));
  const { argv, ...rest } = ingot(project, home);
  timed({ ...rest, argv: [...argv, 'debian-13', '--arch', 'x86_64'] });
  const built = join(home, 'artifacts', 'images', 'debian-13', 'x86_64', 'debian-13.raw');
  run('cp', '--sparse=always', '--', built, disk);
  rmSync(home, { recursive: true });
}

type Place = { readonly disk: string; readonly folder: string; readonly rounds: number };

/** Both in turn; gives the ratio, ours by theirs, after a look at what was written. */
function compare(pair: Pair, { disk, folder, rounds }: Place): number {
  const options = pair.options ?? {};
  const [theirs, ours, whole] = ['theirs', 'ours', 'whole'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const fresh = (output: string) => () => {
    rmSync(output, { force: true });
    // What others left unwritten is not to be waited for.
    run('sync');
  };
  const peer: Contender = {
    ...{ name: `${pair.title}: plain`, prepare: fresh(theirs) },
    argv: ['bash', '-o', 'pipefail', '-c', `${pair.peer} && sync -- "$1"`, disk, theirs],
  };
  const writer: Contender = {
    ...{ name: `${pair.title}: ours`, prepare: fresh(ours), measured: Number },
    argv: [
      process.execPath,
      join(import.meta.dirname, 'write-format.ts'),
      pair.format,
      JSON.stringify(options),
      disk,
      ours,
    ],
  };
  const said = Object.entries(options).flatMap(([key, value]) => ['--option', `${key}=${value}`]);
  const words = [
    'convert',
    disk,
    '--to',
    pair.format,
    ...said,
    '--output',
    whole,
    '--home',
    join(folder, 'home'),
    '-q',
  ];
  const command: Contender = {
    ...{ name: `${pair.title}: ingot convert`, prepare: fresh(whole) },
    argv: [join(repository, 'ingot'), ...words],
  };
  const times = inTurn(rounds, [peer, writer, command]);
  if (pair.driver !== undefined) run('qemu-img', 'compare', '-f', 'raw', '-F', pair.driver, disk, ours);
  for (const output of [theirs, ours, whole]) rmSync(output, { force: true });
  const of = (one: Contender) => times.get(one.name) ?? [];
  const found = ratio(of(writer), of(peer));
  const seconds = (one: Contender) => `${median(of(one)).toFixed(2)} s`;
  const all = `ingot convert ${seconds(command)}, ratio ${ratio(of(command), of(peer)).toFixed(2)}`;
  say(`${pair.title.padEnd(24)} plain ${seconds(peer)}, ours ${seconds(writer)}, ratio ${found.toFixed(2)}; ${all}`);
  return found;
}

function run(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}
