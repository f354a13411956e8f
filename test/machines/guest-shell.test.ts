import { link, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asRawDisk, openRoot } from '../support/disk-reading.ts';
import { endsOf, eventsOf, failureOf, type GuestLab, hasBooted, openGuestLab, pathOf } from '../support/guest-lab.ts';
import { type Typed, typeInto } from '../support/terminal.ts';

// One home and one base; the order of the tests matters: later ones go on from the guest that the first one boots.
let lab: GuestLab;
const ingot = join(import.meta.dirname, '..', '..', 'ingot');
const firmware = process.arch === 'x64' ? 'firmware: bios\n' : '';
const head = `# A small image
source: { disk-image: { file: base.qcow2 } }
disk: 3G
memory: 1G
${firmware}steps:
  - shell: { run: "echo one > /etc/one" }
  # needs /etc/fixed
`;

const failing = { run: 'touch /etc/half; echo looking; test -e /etc/fixed' };

async function writeImage(name: string, last: object): Promise<void> {
  await lab.write(`images/${name}.yaml`, `${head}  - shell: ${JSON.stringify(last)}\n`);
}

beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  const base = pathOf(await lab.build(['base', '--no-check']), 'base');
  await link(base, join(lab.project, 'base.qcow2'));
  await writeImage('web', failing);
});

afterAll(() => lab.close());

/** Run the program on a terminal; every shell that it opens has a prompt like `web before 2-shell ~ # `. */
function type(words: readonly string[], lines: readonly string[]): Promise<Typed> {
  const env = { ...process.env, INGOT_HOME: lab.home, NO_COLOR: '1' };
  return typeInto([ingot, ...words], { prompt: /(before \S+|failed step) \S+ # $/, lines }, { cwd: lab.project, env });
}

/** The log of the newest run. */
async function newestLog(): Promise<string> {
  const [newest = ''] = (await readdir(join(lab.home, 'builds'))).sort().reverse();
  return readFile(join(lab.home, 'builds', newest, 'build.log'), 'utf8');
}

test('before a step whose layers are not there nobody gets, and the command that makes them is told', async () => {
  const { code, screen } = await type(['shell', '--step', '2', 'web'], []);
  expect(code).toBe(1);
  expect(screen).toContain('the image as it is before 2-shell is not stored');
  expect(screen).toContain('next: ingot build web --arch ');
});

test('the disk of a failed step is kept as the step left it', async () => {
  const built = await lab.build(['web', '--no-check', '--on-error', 'keep']);
  expect(failureOf(built, 'web').message).toBe('the script ended with exit code 1');
  const kept = eventsOf(built, 'web').find((event) => event.type === 'warning' && /kept in/.test(event.message));
  const path = /kept in (\S+)$/.exec(kept?.type === 'warning' ? kept.message : '')?.[1] ?? '';
  const raw = join(lab.folder, 'kept.raw');
  await asRawDisk(path, raw);
  expect(await (await openRoot(raw)).list('/etc')).toEqual(expect.arrayContaining(['one', 'half']));
  await rm(raw);
});

test('a shell opens in the guest of a failed step, and the failure is told all the same', async () => {
  const { code, screen } = await type(
    ['build', 'web', '--no-check', '--on-error', 'shell'],
    ['id -un; ls /etc/half', 'exit'],
  );
  expect(code).toBe(1);
  expect(screen).toMatch(/root\n\/etc\/half\n/);
  expect(screen).toContain('the script ended with exit code 1');
});

test('a guest whose network is lost is named, and nobody is sent to log in to it', async () => {
  const cut = 'for card in /sys/class/net/e*; do ip link set dev "${card##*/}" down; done; sleep 3600';
  await writeImage('web', { run: cut });
  const built = await lab.build(['web', '--no-check', '--on-error', 'shell']);
  expect(failureOf(built, 'web').message).toBe('the guest does not answer any more: its network is lost, or it hangs');
  expect(eventsOf(built, 'web')).toContainEqual(
    expect.objectContaining({ type: 'warning', message: expect.stringContaining('there is nothing to log in to') }),
  );
  expect(hasBooted(built, 'web')).toBe(false);
  await writeImage('web', failing);
});

test('what is tried before a step, in a guest that did not boot for it, becomes a step that mends the image', async () => {
  const { code, screen } = await type(
    ['shell', '--step', '2', '--record', 'web'],
    [
      'id -un; cat /etc/one; ls /etc/half',
      'ls /run/ingot/project/images',
      'touch /run/ingot/project/x',
      'cd /etc',
      'cat > fixed <<END\nit is\nEND',
      'exit',
    ],
  );
  expect(`${code} ${screen}`).toMatch(/^0 /);
  for (const words of ['root\none\n', 'web.yaml', 'Read-only file system', 'recorded 2 commands:']) {
    expect(screen).toContain(words);
  }
  expect(screen).toContain('left out, exit code 2: id -un; cat /etc/one; ls /etc/half\n');
  expect(await newestLog()).not.toContain('] Linux version ');
  const script = await readFile(join(lab.project, 'scripts/web-step-2.sh'), 'utf8');
  expect(script).toMatch(/^#!\/bin\/bash -e\n# .*\ncd \/etc\ncat > fixed <<END\nit is\nEND\n$/);
  const image = await readFile(join(lab.project, 'images/web.yaml'), 'utf8');
  expect(image).toContain('one" }\n  - shell: scripts/web-step-2.sh\n  # needs /etc/fixed\n  - shell: ');
  const built = await lab.build(['web', '--no-check']);
  pathOf(built, 'web');
  expect(endsOf(built, 'web').slice(0, 4)).toEqual(['source cached', '1-shell cached', '2-shell done', '3-shell done']);
  expect(hasBooted(built, 'web')).toBe(false);
});

test('an image that is made in a tree opens as the tree before a step', async () => {
  const { code, screen } = await type(
    ['shell', '--step', '2', '--record', '--script', 'tried', 'base'],
    [
      'id -un; ls /run/ingot/project; ls /etc/cloud/cloud.cfg.d | grep ingot; touch /run/ingot/project/x',
      'echo tried > /etc/tried',
      'exit',
    ],
  );
  expect(`${code} ${screen}`).toMatch(/^0 /);
  expect(screen).toMatch(/\nroot\n[\s\S]*ingot\.yaml[\s\S]*\n\S*ingot\S*\.cfg\n[\s\S]*Read-only file system/);
  expect(await readFile(join(lab.project, 'scripts/tried.sh'), 'utf8')).toMatch(/\necho tried > \/etc\/tried\n$/);
  const steps = (await readFile(join(lab.project, 'images/base.yaml'), 'utf8')).split('\n');
  const at = steps.findIndex((line) => line.includes('- shell: scripts/tried.sh'));
  expect([steps[at - 1], steps[at + 1]]).toEqual([
    expect.stringContaining('- cloud-init:'),
    expect.stringContaining('- services:'),
  ]);
});

test('no shell leaves a process or a work file behind, or anything in the project but its step', async () => {
  expect(await lab.processes('')).toEqual([]);
  expect(await readdir(join(lab.home, 'store', 'work'))).toEqual([]);
  expect((await readdir(join(lab.project, 'images'))).sort()).toEqual(['base.yaml', 'test-vm.yaml', 'web.yaml']);
});
