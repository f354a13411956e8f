import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { arches } from '../../src/core/arch.ts';
import { exampleOptions } from '../../src/core/example.ts';
import { checks } from '../../src/kinds/checks/index.ts';
import { formats } from '../../src/kinds/formats/index.ts';
import { sources } from '../../src/kinds/sources/index.ts';
import { steps } from '../../src/kinds/steps/index.ts';
import { treeTools } from '../../src/tree/tools.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

const rows = /<<'TABLE'\n([\s\S]*?)\nTABLE\n/
  .exec(readFileSync('setup', 'utf8'))?.[1]
  ?.split('\n')
  .map((line) => line.split(' '));

test('every tool that a kind needs is installed by setup', () => {
  const kinds = [sources, steps, checks, formats].flatMap((map) => [...map.values()]);
  const needed = [
    ...kinds.flatMap((kind) => arches.flatMap((arch) => kind.tools?.(exampleOptions(kind), arch) ?? [])),
    ...arches.flatMap((arch) => treeTools({ arch, filesystem: 'ext4', hostArch: 'x86_64', isRoot: false })),
  ];
  const installed = rows
    ?.filter(([group]) => group === 'run')
    .map(([, names, apt]) => ({ names: names?.split('|'), apt }));
  const missing = needed.filter(
    ({ program, debian }) => installed?.some((row) => row.apt === debian && stands(row, program)) !== true,
  );
  expect(needed.length).toBeGreaterThan(0);
  expect(missing).toEqual([]);
});

/** Programs of one package come together: `setup` looks for one of them. */
const together: Readonly<Record<string, string>> = {
  mcopy: 'mformat',
  debugfs: 'mke2fs',
  prlimit: 'unshare',
  'ansible-galaxy': 'ansible-playbook',
};

function stands({ names }: { readonly names: readonly string[] | undefined }, program: string): boolean {
  return names?.includes(together[program] ?? program) === true;
}

test('every line of the table of tools says its group, its packages and what it is for', () => {
  expect(
    rows?.filter(([group, , apt, ...rest]) => !['run', 'dev'].includes(group ?? '') || apt === '-' || rest.length < 5),
  ).toEqual([]);
});

test('a dry run says what would be installed and why, and changes nothing', () => {
  const bare = bareMachine({ manager: 'apt-get', user: 'root' });
  const { status, stdout } = bare.setup('--dry-run');
  expect(status).toBe(0);
  expect(stdout).toMatch(/qemu-utils +writes and inspects disk images/);
  expect(stdout).toMatch(/^ {2}apt-get install .*mmdebstrap.* qemu-utils/m);
  expect(bare.done()).toEqual([]);
});

test('without a terminal and without --yes nothing is changed', () => {
  const bare = bareMachine({ manager: 'apt-get', user: 'root' });
  const { status, stderr } = bare.setup();
  expect(status).toBe(2);
  expect(stderr).toContain('./setup --yes');
  expect(bare.done()).toEqual([]);
});

test('with --yes it installs the system packages, then those of Node, without the tools of the tests', () => {
  const bare = bareMachine({ manager: 'apt-get', user: 'root' });
  expect(bare.setup('--yes').status).toBe(0);
  const [install, npm] = bare.done().filter((line) => !line.endsWith(' update'));
  expect(install).toMatch(/^apt-get .*install --no-install-recommends .*mmdebstrap/);
  expect(install).not.toContain('strace');
  expect(npm).toContain('npm ci --omit=dev');
});

test('with --dev it installs the tools of the tests too', () => {
  const bare = bareMachine({ manager: 'apt-get', user: 'root' });
  bare.setup('--yes', '--dev');
  const done = bare.done().join('\n');
  expect(done).toMatch(/install .*strace/);
  expect(done).toContain('npm ci --include=dev');
});

test('a user who cannot become root is told the command for an administrator', () => {
  const bare = bareMachine({ manager: 'apt-get', user: 'ingot-test-user' });
  const { status, stderr } = bare.setup('--yes');
  expect(status).toBe(5);
  expect(stderr).toMatch(/^ {2}apt-get install .*mmdebstrap/m);
  expect(stderr).toMatch(/^ {2}usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ ingot-test-user$/m);
  expect(bare.done()).toEqual([]);
});

test.each([
  ['dnf', 'dnf install', 'qemu-img'],
  ['pacman', 'pacman -S --needed', 'qemu-img'],
  ['brew', 'brew install', 'qemu'],
])('on a system with %s the command is printed and not run', (manager, command, tool) => {
  const bare = bareMachine({ manager, user: 'root' });
  const { status, stdout } = bare.setup('--yes');
  expect(status).toBe(5);
  expect(stdout).toMatch(new RegExp(`^ {2}${command} .*\\b${tool}\\b`, 'm'));
  expect(bare.done()).toEqual([]);
});

test('an unknown argument is refused with the usage', () => {
  const { status, stderr } = bareMachine({ manager: 'apt-get', user: 'root' }).setup('--fast');
  expect(status).toBe(2);
  expect(stderr).toContain('usage: ./setup [--yes] [--dev] [--dry-run]');
});

test('the launcher works through links, from anywhere, in a folder with a space', () => {
  const folder = join(bareFolder(), 'my ingot');
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/.bin/node'), '#!/bin/sh\nprintf "%s\\n" "$INGOT_CATALOG" "$@"\n', {
    mode: 0o755,
  });
  copyFileSync('ingot', join(folder, 'ingot'));
  symlinkSync('my ingot/ingot', join(folder, '../first'));
  symlinkSync(join(folder, '../first'), join(folder, '../second'));
  const printed = execFileSync(join(folder, '../second'), ['build', 'a b', '$(c)'], { cwd: '/', encoding: 'utf8' });
  const real = resolve(folder);
  expect(printed.trimEnd().split('\n')).toEqual([
    join(real, 'catalog'),
    join(real, 'src/main.ts'),
    'build',
    'a b',
    '$(c)',
  ]);
});

test('the launcher of a clone that is not set up says what to run', () => {
  const folder = bareFolder();
  copyFileSync('ingot', join(folder, 'ingot'));
  const { status, stderr } = spawnSync(join(folder, 'ingot'), { encoding: 'utf8' });
  expect(status).toBe(5);
  expect(stderr).toContain(`${folder}/setup`);
});

function bareFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-setup-'));
  made.push(folder);
  return folder;
}

/** A machine with the basics and one package manager; what changes it is written down instead of done. */
function bareMachine({ manager, user }: { readonly manager: string; readonly user: string }) {
  const folder = bareFolder();
  const bin = join(folder, 'bin');
  const log = join(folder, 'log');
  mkdirSync(bin);
  const basics = [
    'sh',
    'cat',
    'dirname',
    'readlink',
    'awk',
    'find',
    'sed',
    'cksum',
    'env',
    'head',
    'ls',
    'grep',
    'chmod',
    'mkdir',
    'mktemp',
    'cp',
    'rm',
    'ln',
  ];
  for (const name of basics) symlinkSync(whereIs(name), join(bin, name));
  const stub = (name: string, body: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  const note = `echo "\${0##*/} $*" >> '${log}'`;
  stub('id', `case $1 in -un) echo ${user} ;; *) echo ${user === 'root' ? 0 : 12345} ;; esac`);
  stub('uname', `echo ${manager === 'brew' ? 'Darwin' : 'Linux'}`);
  stub(manager, note);
  stub('usermod', note);
  stub('node', ':');
  stub('npm', `${note}\nmkdir -p node_modules/.bin\nln -sf ../../bin/node node_modules/.bin/node`);
  copyFileSync('setup', join(folder, 'setup'));
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  writeFileSync(log, '');
  return {
    setup: (...args: readonly string[]) =>
      spawnSync(join(folder, 'setup'), args, {
        env: { PATH: bin },
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
      }),
    done: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  };
}

function whereIs(program: string): string {
  return execFileSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
}
