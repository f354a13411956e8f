import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { EventBody } from '../../src/core/events.ts';
import { parsePlace } from '../../src/deliver/place.ts';
import { sendFile } from '../../src/deliver/send.ts';
import { createHost } from '../../src/host/host.ts';
import { storePaths } from '../../src/store/paths.ts';
import { openSmallDisk } from '../faults/small-disk.ts';
import { openChance } from '../support/seed.ts';
import { putBuild } from '../support/served-home.ts';
import { openSshLab, type SshLab } from '../support/sshd-lab.ts';

const exec = promisify(execFile);
const mebibyte = 1024 * 1024;
const program = join(process.cwd(), 'ingot');
const chance = openChance('publish');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let lab: SshLab;
beforeAll(async () => {
  lab = await openSshLab();
});
afterAll(() => lab.close());

/** Real programs; ssh reads the settings of the lab in the place of the person's, and what runs here has words before its own. */
function context(onEvent: (event: EventBody) => void = () => undefined, before: readonly string[] = []): Context {
  const host = createHost();
  const run: typeof host.run = ({ argv, ...more }, options) => {
    const [program, ...args] = argv;
    const words = program === 'ssh' ? [program, '-F', lab.config, ...args] : [...before, ...argv];
    return host.run({ ...more, argv: words as [string, ...string[]] }, options);
  };
  return { host: { ...host, run }, signal: new AbortController().signal, step: 'send', emit: onEvent };
}

async function fileOf(bytes: number): Promise<{ readonly path: string; readonly data: Buffer }> {
  const data = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) data.writeUInt32LE(Math.floor(chance.next() * 2 ** 32), at);
  const path = join(lab.folder, `source-${bytes}`);
  await writeFile(path, data);
  return { path, data };
}

async function folder(name: string): Promise<string> {
  const path = join(lab.folder, name);
  await mkdir(path);
  return path;
}

/** Act the first time only. */
function first(act: () => void | Promise<void>): () => void {
  let isDone = false;
  return () => {
    if (!isDone) void act();
    isDone = true;
  };
}

const parcelOf = (name: string, data: Uint8Array) => ({ name, sha256: sha256(data), bytes: data.length });
const far = (path: string, host = 'far') => parsePlace(`ssh://${host}${encodeURI(path)}`, '/');
const ways = [
  ['ssh', (path: string) => far(path)],
  ['a folder here', (path: string) => parsePlace(path, '/')],
] as const;

test.each(ways)(
  'over %s a file arrives whole with its checksum, once, and takes the place of an older one',
  async (way, place) => {
    const to = await folder(`plain ${way}`);
    await writeFile(join(to, 'web.img'), 'the old one');
    const { path, data } = await fileOf(9 * mebibyte + 17);
    const parcel = parcelOf('web.img', data);
    expect(await sendFile(path, parcel, place(to), context())).toEqual({
      outcome: 'published',
      sentBytes: data.length,
    });
    expect((await readdir(to)).sort()).toEqual(['web.img', 'web.img.sha256']);
    expect((await readFile(join(to, 'web.img'))).equals(data)).toBe(true);
    await exec('sha256sum', ['-c', 'web.img.sha256'], { cwd: to });
    await rm(join(to, 'web.img.sha256'));
    expect(await sendFile(path, parcel, place(to), context())).toEqual({ outcome: 'unchanged', sentBytes: 0 });
    expect((await readdir(to)).sort()).toEqual(['web.img', 'web.img.sha256']);
  },
);

const names = [
  'a b',
  "it's",
  '"$(touch pwned)"',
  'line\nend',
  '-rf',
  '*',
  '~',
  'back\\slash',
  '; exit 1 #',
  'ümläut',
  '.x',
];

test.each(ways)('over %s hostile names of files and folders are names and nothing else', async (way, place) => {
  const { path, data } = await fileOf(1000);
  for (const name of names) {
    const to = await folder(`${way} ${name}`);
    await sendFile(path, parcelOf(name, data), place(to), context());
    expect((await readdir(to)).sort()).toEqual([name, `${name}.sha256`].sort());
    expect((await readFile(join(to, name))).equals(data)).toBe(true);
    const sums = await exec('sha256sum', ['-c', '--', `./${name}.sha256`], { cwd: to });
    expect(sums.stdout).toContain('OK');
  }
});

test('a connection that is cut is taken up again where it was, in the same run and in the next', async () => {
  const to = await folder('cut');
  await writeFile(join(to, 'web.img'), 'the old one');
  const { path, data } = await fileOf(24 * mebibyte);
  const parcel = parcelOf('web.img', data);
  lab.cutAfter(5 * mebibyte);
  const warnings: string[] = [];
  const ctx = context((event) => void (event.type === 'warning' && warnings.push(event.message)));
  await expect(sendFile(path, parcel, far(to), ctx)).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  expect(warnings.length).toBeGreaterThan(0);
  expect(await readFile(join(to, 'web.img'), 'utf8')).toBe('the old one');
  expect((await readdir(to)).filter((name) => !name.startsWith('.'))).toEqual(['web.img']);
  lab.cutAfter(undefined);
  const { outcome, sentBytes } = await sendFile(path, parcel, far(to), ctx);
  expect([outcome, sentBytes < 20 * mebibyte]).toEqual(['published', true]);
  expect(await readdir(to)).toEqual(['web.img', 'web.img.sha256']);
  expect((await readFile(join(to, 'web.img'))).equals(data)).toBe(true);
});

test('what an earlier run left is only gone on with when it is the same', async () => {
  const to = await folder('other part');
  const { path, data } = await fileOf(3 * mebibyte);
  const parcel = parcelOf('web.img', data);
  const part = join(to, `.web.img.${parcel.sha256.slice(0, 16)}.ingot-part`);
  for (const left of [Buffer.alloc(2 * mebibyte, 1), Buffer.alloc(5 * mebibyte), data.subarray(0, mebibyte), data]) {
    await rm(join(to, 'web.img'), { force: true });
    await writeFile(part, left);
    await writeFile(join(to, '.web.img.0123456789abcdef.ingot-part'), 'of a version that nobody sends any more');
    await sendFile(path, parcel, parsePlace(to, '/'), context());
    expect(await readdir(to)).toEqual(['web.img', 'web.img.sha256']);
    expect((await readFile(join(to, 'web.img'))).equals(data)).toBe(true);
  }
  await rm(join(to, 'web.img'));
  const victim = join(lab.folder, 'victim');
  await writeFile(victim, 'somebody else’s');
  await symlink(victim, part);
  await sendFile(path, parcel, parsePlace(to, '/'), context());
  expect(await readFile(victim, 'utf8')).toBe('somebody else’s');
});

test.each(ways)(
  'over %s a full disk is told with what is needed, before or while it fills; the old file stays',
  async (way, place) => {
    const isHere = way !== 'ssh';
    const disk = await openSmallDisk(join(lab.folder, `disk-${isHere}`));
    try {
      await writeFile(join(disk.outside, 'web.img'), 'the old one');
      const { path, data } = await fileOf(16 * mebibyte);
      const send = (onEvent?: (event: EventBody) => void) =>
        sendFile(
          path,
          parcelOf('web.img', data),
          place(isHere ? disk.place : disk.outside),
          context(onEvent, disk.inside),
        );
      const full = { code: 'NO_SPACE', bytes: data.length };
      await disk.leave({ bytes: 8 * mebibyte });
      let begun = 0;
      await expect(send((event) => void (event.type === 'progress' && begun++))).rejects.toMatchObject(full);
      // df(1) does not know a disk that is mounted for others only, as this one is for sshd.
      expect(begun === 0).toBe(isHere);
      expect(await readdir(disk.outside)).toEqual(['web.img']);

      await disk.leave({ bytes: 64 * mebibyte });
      // While nothing more is sent: no room is left for what comes after the first part.
      const fill = () => {
        expect(() => writeFileSync(join(disk.outside, 'more'), Buffer.alloc(64 * mebibyte))).toThrow('ENOSPC');
      };
      await expect(send(first(fill))).rejects.toMatchObject(full);
      await rm(join(disk.outside, 'more'));
      expect(await readdir(disk.outside)).toEqual(['web.img']);
      expect(await readFile(join(disk.outside, 'web.img'), 'utf8')).toBe('the old one');

      await disk.leave({});
      await send();
      expect((await readFile(join(disk.outside, 'web.img'))).equals(data)).toBe(true);
    } finally {
      await disk.close();
    }
  },
);

test('whom ssh does not let in, or does not know, is told so; nothing is trusted because it is new', async () => {
  const to = await folder('refused');
  const { path, data } = await fileOf(1000);
  const known = await readFile(join(lab.folder, 'known'), 'utf8');
  const send = (host: string) => sendFile(path, parcelOf('x', data), far(to, host), context());
  await expect(send('stranger')).rejects.toMatchObject({ code: 'AUTH', message: 'stranger does not let you in' });
  await expect(send('unknown')).rejects.toMatchObject({
    code: 'AUTH',
    message: 'unknown is not among your known hosts',
  });
  await expect(send('changed')).rejects.toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining('another host key') as string,
  });
  await expect(send('nowhere.invalid')).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: 'nowhere.invalid cannot be reached',
  });
  expect(await readdir(to)).toEqual([]);
  expect(await readFile(join(lab.folder, 'known'), 'utf8')).toBe(known);
});

test('folders that are not there or not ours, a folder of that name, and bytes that are not those are refused', async () => {
  const to = await folder('states');
  await mkdir(join(to, 'taken'));
  const { path, data } = await fileOf(1000);
  const send = (name: string, at: string, sum = sha256(data)) =>
    sendFile(path, { name, sha256: sum, bytes: data.length }, far(at), context());
  await expect(send('x', join(to, 'nowhere'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(send('taken', to)).rejects.toMatchObject({ code: 'USAGE' });
  await expect(send('x', to, '0'.repeat(64))).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(await readdir(to)).toEqual(['taken']);
});

test('a folder that may not be written to is told as that', async () => {
  // Root may write to all but this.
  const disk = await openSmallDisk(join(lab.folder, 'read-only'));
  try {
    const { code, stderr } = await disk.run(['mount', '-o', 'remount,ro', disk.place]);
    expect([code, stderr]).toEqual([0, '']);
    const { path, data } = await fileOf(1000);
    const sent = sendFile(path, parcelOf('x', data), parsePlace(disk.place, '/'), context(undefined, disk.inside));
    await expect(sent).rejects.toMatchObject({ code: 'AUTH' });
  } finally {
    await disk.close();
  }
});

test('of two who publish under one name at once each waits for the other, or is told; a lock of the dead is no lock', async () => {
  const to = await folder('both');
  const [one, two] = [await fileOf(2 * mebibyte), await fileOf(2 * mebibyte + 1)];
  await writeFile(join(to, '.web.img.ingot-lock'), '4194304\n');
  const send = ({ path, data }: typeof one) => sendFile(path, parcelOf('web.img', data), far(to), context());
  await Promise.all([send(one), send(two)]);
  expect(await readdir(to)).toEqual(['web.img', 'web.img.sha256']);
  await exec('sha256sum', ['-c', 'web.img.sha256'], { cwd: to });
  await writeFile(join(to, '.web.img.ingot-lock'), `${process.pid}\n`);
  await expect(send(one)).rejects.toMatchObject({
    code: 'BUSY',
    hint: expect.stringContaining('.web.img.ingot-lock') as string,
  });
});

test('a disk that is full while a file is put among the artifacts is told with what is needed; nothing is half there', async () => {
  const disk = await openSmallDisk(join(lab.folder, 'disk-served'));
  try {
    const { path, data } = await fileOf(3 * mebibyte);
    const begin = join(lab.folder, 'begin');
    await writeFile(begin, 'the first one');
    const home = join(disk.place, 'home');
    const put = (file: string) => disk.run([program, 'publish', file, '--as', 'isos/web.iso', '--home', home]);
    expect((await put(begin)).code).toBe(0);
    const served = join(disk.outside, 'home', 'artifacts', 'isos');
    const state = async () => [
      ...[await readdir(served), await readFile(join(served, 'web.iso'), 'utf8')],
      await readdir(join(disk.outside, 'home', 'store', 'work')),
    ];
    const before = await state();
    for (const bytes of [64 * 1024, mebibyte, data.length - 8192]) {
      await disk.leave({ bytes });
      const { code, stderr } = await put(path);
      expect([code, /: (\d+) bytes needed/.exec(stderr)?.[1]]).toEqual([5, String(data.length)]);
      expect(await state()).toEqual(before);
    }
    await disk.leave({});
    expect((await put(path)).code).toBe(0);
    expect((await readFile(join(served, 'web.iso'))).equals(data)).toBe(true);
    await exec('sha256sum', ['-c', 'SHA256SUMS'], { cwd: served });
  } finally {
    await disk.close();
  }
});

test('a publish to a folder that is killed leaves the old file whole, and the next goes on', async () => {
  const [to, project] = [await folder('killed'), await folder('project')];
  const paths = storePaths(join(lab.folder, 'home'));
  const { data } = await fileOf(96 * mebibyte);
  await writeFile(
    join(project, 'ingot.yaml'),
    `name: lab\npublish: { lab: { to: ../killed, name: '\${image}.img' } }\n`,
  );
  await mkdir(join(project, 'images'));
  await writeFile(join(project, 'images', 'web.yaml'), 'source: { packages: { distro: debian, suite: trixie } }\n');
  await putBuild(paths, '20261121-000000-aaaa', data);
  await writeFile(join(to, 'web.img'), 'the old one');
  const words = [
    'publish',
    'web',
    '--arch',
    'x86_64',
    '--to',
    'lab',
    '--json',
    '--project',
    project,
    '--home',
    paths.home,
  ];
  for (let round = 0; round < 3; round++) {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      const event = JSON.parse(line) as { type?: string; done?: number };
      if (event.type !== 'progress' || (event.done ?? 0) < (round + 1) * 20 * mebibyte) continue;
      child.kill('SIGKILL');
      break;
    }
    await ended;
    expect(await readFile(join(to, 'web.img'), 'utf8')).toBe('the old one');
    expect((await readdir(to)).filter((name) => !name.startsWith('.'))).toEqual(['web.img']);
  }
  const { stdout } = await exec(program, words, { maxBuffer: 64 * mebibyte });
  const done = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { data: { sentBytes: number; path: string } };
  expect(done.data.path).toBe(join(to, 'web.img'));
  expect(done.data.sentBytes).toBeLessThan(80 * mebibyte);
  expect(await readdir(to)).toEqual(['web.img', 'web.img.sha256']);
  expect((await readFile(join(to, 'web.img'))).equals(data)).toBe(true);
});
