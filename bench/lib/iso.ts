import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Contender, inTurn, machineLine, ratio, repository, roundsAsked, say, withFolder } from './compare.ts';

const mebibytes = 700;

// A vendor's ISO that gets another answer, against a plain copy of it that is on the disk as well. Each round makes a new
// ISO; that the vendor's has the right bytes was seen when it came, as with one that was fetched.
await withFolder((folder) => {
  const project = join(folder, 'project');
  const home = join(folder, 'home');
  let host = 0;
  const iso = join(project, 'isos', 'vendor.iso');
  writeProject(project, host);
  writeIso(join(folder, 'tree'), iso);
  say(machineLine());
  const copy = join(folder, 'copy.iso');
  const cp: Contender = {
    name: 'cp',
    prepare: () => rmSync(copy, { force: true }),
    argv: ['sh', '-c', 'cp --reflink=never -- "$0" "$1" && sync -- "$1"', iso, copy],
  };
  const ours: Contender = {
    name: 'ingot iso build',
    prepare: () => {
      rmSync(join(home, 'artifacts'), { recursive: true, force: true });
      writeProject(project, ++host);
    },
    argv: [join(repository, 'ingot'), 'iso', 'build', 'lab', '--arch', 'x86_64', '--no-check'],
    env: { INGOT_HOME: home },
    cwd: project,
  };
  // The system's times of change are coarse: a file that is not some seconds old is read again.
  spawnSync('sleep', ['3']);
  spawnSync(ours.argv[0] ?? '', ours.argv.slice(1), { env: { ...process.env, ...ours.env }, cwd: project });
  const times = inTurn(roundsAsked(), [cp, ours]);
  say(`remaster ratio ${ratio(times.get(ours.name) ?? [], times.get(cp.name) ?? []).toFixed(2)}`);
});

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
function writeIso(tree: string, iso: string): void {
  const menu = "menuentry 'Install' {\n linux /install.amd/vmlinuz --- quiet\n initrd /install.amd/initrd.gz\n}\n";
  place(join(tree, 'boot/grub/grub.cfg'), menu);
  place(join(tree, 'install.amd/vmlinuz'), 'kernel');
  place(join(tree, 'boot/grub/loader.img'), Buffer.alloc(4096, 1));
  place(join(tree, 'install.amd/initrd.gz'), 'initrd');
  for (const name of ['a', 'b', 'c', 'd']) placeNoise(join(tree, 'pool', name), mebibytes / 4);
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
