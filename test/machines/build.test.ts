import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IngotEvent } from '../../src/core/events.ts';

const exec = promisify(execFile);
const ingotProgram = join(import.meta.dirname, '..', '..', 'ingot');

let folder = '';
let lab = '';
let home = '';

type Setting = {
  readonly project?: string;
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user, with everything else of the surroundings different too. */
  readonly user?: string;
  readonly onStdout?: (text: string, pid: number) => void;
};
type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Run the program as a person would, in the project. */
function ingot(words: readonly string[], setting: Setting = {}): Promise<Ran> {
  const line = [ingotProgram, ...words];
  const other = ['setpriv', `--reuid=${setting.user}`, `--regid=${setting.user}`, '--init-groups', 'sh', '-c'];
  const [file = '', ...args] = setting.user === undefined ? line : [...other, 'umask 077; exec "$@"', 'sh', ...line];
  const env = { ...process.env, INGOT_HOME: setting.home ?? home, NO_COLOR: '1', ...setting.env };
  const child = spawn(file, args, { cwd: setting.project ?? lab, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    setting.onStdout?.(stdout, child.pid ?? 0);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** A build that must succeed; the path of the qcow2 it prints. */
async function build(words: readonly string[], setting: Setting = {}): Promise<string> {
  const { code, stdout, stderr } = await ingot(['build', '--no-check', ...words], setting);
  expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
  const paths = stdout.trim().split('\n');
  expect(paths.map((path) => basename(path))).toEqual(['lab.qcow2', 'lab.raw.zst', 'lab.raw.zst.chunks']);
  return paths[0] ?? '';
}

function eventsOf(stdout: string): readonly IngotEvent[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"'));
  return lines.map((line) => JSON.parse(line) as IngotEvent).filter((event) => 'seq' in event);
}

/** How each step of a build ended: `1-shell done`. */
async function outcomes(words: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await ingot(['build', '--no-check', '--json', ...words]);
  expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
  return eventsOf(stdout).flatMap((event) => (event.type === 'step.end' ? [`${event.id} ${event.outcome}`] : []));
}

const labImage = `source:
  packages: { distro: debian, suite: trixie }
disk: 1G
steps:
  - copy: { content: "first\\n", to: /etc/first }
  - shell: scripts/base.sh
formats: [qcow2, { raw: { compression: zstd } }]
`;

const loaders = process.arch === 'arm64' ? 'grub-efi-arm64-bin' : 'grub-pc-bin, grub-efi-amd64-bin';

/** An image without a kernel: nobody boots it. */
const smallImage = (step: string) => `source:
  packages:
    suite: trixie
    variant: apt
    kernel: none
    include: [grub-common, ${loaders}]
disk: 512M
steps:
  - shell: ${JSON.stringify(step)}
`;

const writeImage = (name: string, text: string) => writeFile(join(lab, 'images', `${name}.yaml`), text);

/** What is in the work folder, and processes that have this word in their argument list. */
async function leftovers(word: string) {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  const work = await readdir(join(home, 'store', 'work')).catch(() => []);
  return { work, processes: lines.filter((line) => line.includes(word)) };
}

let path = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-build-'));
  await chmod(folder, 0o755);
  home = join(folder, 'home');
  lab = join(folder, 'lab');
  await ingot(['new', 'lab'], { project: folder });
  await writeImage('lab', labImage);
  path = await build(['lab']);
});

afterAll(() => rm(folder, { recursive: true }));

test('the printed path is a whole qcow2 beside its digest and facts, which sha256sum accepts', async () => {
  const built = dirname(path);
  const { stdout } = await exec('sh', ['-c', 'sha256sum -c -- *.sha256'], { cwd: built });
  expect(stdout.trim().split('\n')).toEqual(['lab.qcow2: OK', 'lab.raw.zst.chunks: OK', 'lab.raw.zst: OK']);
  expect((await exec('qemu-img', ['check', '-f', 'qcow2', path])).stdout).toContain('No errors were found');
  expect(await readFile(join(built, 'image-version.txt'), 'utf8')).toMatch(/^ID=debian\n.*\nDEBIAN_VERSION=13\./s);
  const manifest = JSON.parse(await readFile(join(built, 'manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({ image: 'lab', schemaVersion: 1, system: { VERSION_CODENAME: 'trixie' } });
  expect(manifest.packages.length).toBeGreaterThan(50);
});

test('the disk has a sound partition table and a clean root file system', async () => {
  const raw = join(folder, 'disk.raw');
  await exec('zstd', ['-dq', '--sparse', join(dirname(path), 'lab.raw.zst'), '-o', raw]);
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
  expect((await exec('sfdisk', ['--verify', raw], { env })).stdout).toContain('No errors detected');
  const table = JSON.parse((await exec('sfdisk', ['--json', raw], { env })).stdout) as {
    partitiontable: { partitions: { name: string; start: number }[] };
  };
  const root = table.partitiontable.partitions.find(({ name }) => name === 'root');
  const offset = (root?.start ?? 0) * 512;
  // Exit code 0: no errors. It opens nothing for writing.
  await exec('e2fsck', ['-fn', `${raw}?offset=${offset}`], { env });
  const { stdout } = await exec('debugfs', ['-R', 'cat /etc/first', `${raw}?offset=${offset}`], { env });
  expect(stdout).toBe('first\n');
  await rm(raw);
});

test('built again with nothing changed, the same path is printed and no process is started', async () => {
  const refuse = `import process from 'node:child_process';
process.ChildProcess.prototype.spawn = () => { console.error('a process was started'); throw new Error('a process was started'); };`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(refuse)}` };
  expect(await build(['lab'], { env })).toBe(path);
});

test('what cannot change the bytes runs nothing: comments, order, defaults written out, memory, labels', async () => {
  const text = labImage.replace('disk: 1G', '# a comment\ndisk: 1024M\nmemory: 1G\nlabels: { a: b }');
  await writeImage('lab', text.replace('{ distro: debian, suite: trixie }', '{ suite: trixie, variant: minbase }'));
  expect(await build(['lab'])).toBe(path);
  await writeImage('lab', labImage);
});

test('a changed byte at the end of a script runs that step and nothing before it', async () => {
  const script = join(lab, 'scripts', 'base.sh');
  const before = await readFile(script, 'utf8');
  await writeFile(script, `${before}#`);
  const steps = await outcomes(['lab']);
  expect(steps.slice(0, 3)).toEqual(['source cached', '1-copy cached', '2-shell done']);
  await writeFile(script, before);
  expect(await outcomes(['lab'])).toEqual([]);
});

/** An ordinary user for as long as the action takes; where we may not make one, ourselves. */
async function asOtherUser(home: string, action: (user: string | undefined) => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return action(undefined);
  const user = `ingot-test-${process.pid}`;
  await exec('useradd', ['--no-create-home', '--home-dir', home, user]);
  try {
    await exec('chown', ['-R', `${user}:${user}`, home]);
    await action(user);
  } finally {
    await exec('userdel', [user]);
  }
}

test('the same plan gives the same bytes: another user, path, home, time, zone, language and umask', async () => {
  const other = join(folder, 'else where');
  const project = join(other, 'my lab');
  await cp(lab, project, { recursive: true });
  // What was downloaded is verified by the package manager whoever has it.
  await cp(join(home, 'store', 'packages'), join(other, 'home', 'store', 'packages'), { recursive: true });
  await asOtherUser(other, async (user) => {
    const language = { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Tokyo' };
    const env = { ...language, HOME: other, TMPDIR: other, ...(user === undefined ? {} : { USER: user }) };
    const where = { project, home: join(other, 'home'), env, ...(user === undefined ? {} : { user }) };
    const second = await build(['lab'], where);
    expect(second.startsWith(other)).toBe(true);
    const digest = (at: string) => readFile(join(dirname(at), 'lab.qcow2.sha256'), 'utf8');
    const rawDigest = (at: string) => readFile(join(dirname(at), 'lab.raw.zst.sha256'), 'utf8');
    expect([await digest(second), await rawDigest(second)]).toEqual([await digest(path), await rawDigest(path)]);
  });
});

test('of two builds of one image at once, one does the work and both print the path', async () => {
  await writeImage('small', smallImage('echo both > /etc/both'));
  const ran = await Promise.all([1, 2].map(() => ingot(['build', '--no-check', '--json', 'small'])));
  expect(ran.map(({ code }) => code)).toEqual([0, 0]);
  const ends = ran.flatMap(({ stdout }) => eventsOf(stdout)).filter((event) => event.type === 'step.end');
  expect(ends.filter(({ id }) => id === '1-shell').map(({ outcome }) => outcome)).toEqual(['done']);
  const paths = ran
    .flatMap(({ stdout }) => eventsOf(stdout))
    .flatMap((event) => (event.type === 'build.end' ? [event.path] : []));
  expect(paths).toEqual([paths[0], paths[0]]);
});

test('a step that fails is shown with its command, exit code, last lines and log, and leaves nothing', async () => {
  await writeImage('bad', smallImage('echo to-stdout; echo to-stderr >&2; exit 9'));
  const { code, stdout, stderr } = await ingot(['build', '--no-check', 'bad']);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  for (const words of ['exit code 9', 'command: /bin/sh', 'to-stdout', 'to-stderr']) expect(stderr).toContain(words);
  const log = /(\/\S+\/builds\/\S+\.log)/.exec(stderr)?.[1] ?? '';
  expect(await readFile(log, 'utf8')).toContain('to-stderr');
  expect(await leftovers(`${home}/store/work`)).toEqual({ work: [], processes: [] });
  expect(await readdir(join(home, 'artifacts', 'images'))).not.toContain('bad');
});

test('Ctrl-C during a step ends everything with exit code 130 and leaves nothing', async () => {
  await writeImage('slow', smallImage('echo begun; sleep 1873'));
  let isTold = false;
  const onStdout = (text: string, pid: number) => {
    if (
      isTold ||
      !eventsOf(text.slice(0, text.lastIndexOf('\n'))).some((event) => event.type === 'log' && event.line === 'begun')
    )
      return;
    isTold = true;
    process.kill(pid, 'SIGINT');
  };
  const { code } = await ingot(['build', '--no-check', '--json', 'slow'], { onStdout });
  expect([isTold, code]).toEqual([true, 130]);
  await expect.poll(() => leftovers('1873'), { timeout: 5000 }).toEqual({ work: [], processes: [] });
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(home);
});

test('a mistake in a file is shown at its place, before anything is done', async () => {
  const project = join(folder, 'wrong');
  await mkdir(join(project, 'images'), { recursive: true });
  await writeFile(join(project, 'ingot.yaml'), 'name: wrong\n');
  await writeFile(join(project, 'images', 'web.yaml'), labImage.replace('suite:', 'siute:'));
  const { code, stdout, stderr } = await ingot(['build'], { project, home: join(folder, 'no-home') });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/images\/web\.yaml:2:\d+/);
  expect(stderr).toContain('suite');
  expect(await readdir(folder)).not.toContain('no-home');
});
