import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Contender,
  inTurn,
  machineLine,
  ratio,
  repository,
  roundsAsked,
  say,
  timed,
  withFolder,
} from './compare.ts';
import { peakMemory } from './peak-memory.ts';

const mebibytes = 700;
const manyMebibytes = 3072;
let host = 0;

/** What a run is about: a vendor's ISO, a project that makes another of it, and where Ingot keeps things. */
type Bed = { readonly project: string; readonly home: string; readonly iso: string; readonly copy: string };

// A vendor's ISO that gets another answer, against plain copies of it. Each round makes a new ISO; that the vendor's has
// the right bytes was seen when it came, as with one that was fetched.
await withFolder(async (folder) => {
  const bed = {
    project: join(folder, 'project'),
    home: join(folder, 'home'),
    iso: join(folder, 'project', 'isos', 'vendor.iso'),
    copy: join(folder, 'copy.iso'),
  };
  say(machineLine());
  prepareBed(bed, mebibytes);
  const [plain, durable, proven] = copies(bed);
  const ours = remaster(bed);
  const times = inTurn(roundsAsked(), [plain, durable, proven, ours]);
  const against = (peer: Contender) => ratio(times.get(ours.name) ?? [], times.get(peer.name) ?? []).toFixed(2);
  const memory = await measured(ours);
  rmSync(bed.copy);
  rmSync(bed.home, { recursive: true });
  prepareBed(bed, manyMebibytes);
  const memoryOfMany = await measured(ours);
  say(`memory at ${mebibytes} MiB: ${memory}`);
  say(`memory at ${manyMebibytes} MiB: ${memoryOfMany}`);
  say(`remaster ratio to cp alone ${against(plain)}`);
  say(`remaster ratio to cp, sync and sha256sum ${against(proven)}`);
  say(`remaster ratio ${against(durable)}`);
});

function prepareBed({ project, home, iso }: Bed, size: number): void {
  writeProject(project, 0);
  writeIso(join(dirname(project), 'tree'), iso, size);
  // The system's times of change are coarse: a file that is not some seconds old is read again.
  spawnSync('sleep', ['3']);
  timed({ ...remaster({ project, home, iso, copy: '' }), name: 'the first time' });
}

/** As a person copies it, as one who wants it on the disk does, and one who wants to be sure of it too. */
function copies({ iso, copy }: Bed): readonly [Contender, Contender, Contender] {
  const cp = 'cp --reflink=never -- "$0" "$1"';
  const contender = (name: string, script: string): Contender => ({
    name,
    prepare: () => rmSync(copy, { force: true }),
    argv: ['sh', '-c', script, iso, copy],
  });
  return [
    contender('cp', cp),
    contender('cp, sync', `${cp} && sync -- "$1"`),
    contender('cp, sync, sha256sum', `${cp} && sync -- "$1" && sha256sum -- "$1" > "$1.sha256"`),
  ];
}

function remaster({ project, home }: Bed): Contender {
  return {
    name: 'ingot iso build',
    prepare: () => {
      rmSync(join(home, 'artifacts'), { recursive: true, force: true });
      writeProject(project, ++host);
    },
    argv: [join(repository, 'ingot'), 'iso', 'build', 'lab', '--arch', 'x86_64', '--no-check'],
    env: { INGOT_HOME: home },
    cwd: project,
  };
}

async function measured(contender: Contender): Promise<string> {
  contender.prepare?.();
  const peaks = await peakMemory(contender);
  const told = ['ingot', 'xorriso'].map(
    (name) => `${name} ${peaks.get(name === 'ingot' ? 'node-MainThread' : name)} MiB`,
  );
  return told.join(', ');
}

function writeProject(project: string, host: number): void {
  const files = {
    'ingot.yaml': 'name: bench\n',
    'isos.yaml': 'vendor: { distribution: debian, arch: x86_64, file: isos/vendor.iso }\n',
    'images/lab.yaml': `arch: x86_64\nsource: { installer: { iso: vendor, answers: { hostname: lab-${host} } } }\n`,
  };
  for (const [path, text] of Object.entries(files)) place(join(project, path), text);
  mkdirSync(join(project, 'isos'), { recursive: true });
}

/** An ISO of a few large files, as vendors' are, with all that a hybrid has to be kept of. */
function writeIso(tree: string, iso: string, size: number): void {
  const menu = "menuentry 'Install' {\n linux /install.amd/vmlinuz --- quiet\n initrd /install.amd/initrd.gz\n}\n";
  place(join(tree, 'boot/grub/grub.cfg'), menu);
  place(join(tree, 'install.amd/vmlinuz'), 'kernel');
  place(join(tree, 'boot/grub/loader.img'), Buffer.alloc(4096, 1));
  place(join(tree, 'install.amd/initrd.gz'), 'initrd');
  for (const name of ['a', 'b', 'c', 'd']) placeNoise(join(tree, 'pool', name), size / 4);
  run('mformat', '-C', '-T', '8192', '-i', join(tree, 'boot/grub/efi.img'), '::');
  const cd = ['-b', 'boot/grub/loader.img', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
  const efi = ['-eltorito-alt-boot', '-e', 'boot/grub/efi.img', '-no-emul-boot'];
  run('xorriso', '-as', 'mkisofs', '-r', '-J', '-V', 'VENDOR', '-o', iso, ...cd, ...efi, tree);
  rmSync(tree, { recursive: true });
}

function place(path: string, data: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
}

/** Bytes without holes, which a copy would leave out. */
function placeNoise(path: string, count: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  for (let number = 0; number < count; number++) writeSync(file, randomBytes(1 << 20));
  closeSync(file);
}

function run(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
}
