import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { archFromNode } from '../../src/core/arch.ts';
import type { Context } from '../../src/core/context.ts';
import type { TreeSession } from '../../src/core/kinds.ts';
import type { Script } from '../../src/core/script.ts';
import { createHost } from '../../src/host/host.ts';
import { openPackageCache, type PackageCache } from '../../src/host/package-cache.ts';
import { sources } from '../../src/kinds/sources/index.ts';
import { steps } from '../../src/kinds/steps/index.ts';
import { applyLayer, difference, packLayer, takeSnapshot } from '../../src/tree/layers.ts';
import { type OpenTree, openTree } from '../../src/tree/session.ts';

const host = createHost();
const arch = archFromNode(host.arch) ?? 'x86_64';
let folder = '';
let cache: PackageCache;
let tree: OpenTree;
let lines: string[] = [];

const ctx: Context = {
  host,
  step: 'test',
  signal: new AbortController().signal,
  emit: (event) => event.type === 'log' && lines.push(event.line),
};

async function open(name: string): Promise<OpenTree> {
  const place = join(folder, name);
  await mkdir(place);
  const projectFile = (path: string) => join(folder, 'project', path);
  return openTree({ arch, place, epoch: 1_700_000_000, proxy: cache.url, projectFile }, ctx);
}

// One small Debian for all tests.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-tree-'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'project'));
  cache = await openPackageCache(join(folder, 'packages'));
  tree = await open('tree');
  const source = sources.get('packages');
  const options = { suite: 'trixie', variant: 'apt', kernel: 'none', include: ['systemd'] };
  const parsed = source?.options.parse(options);
  const outside = { projectFile: (path: string) => path, read: () => Promise.reject(new Error('not asked')) };
  const pin = (await source?.pin?.(parsed, arch, { ...ctx, ...outside })) ?? null;
  await source?.fill?.(parsed, { arch, pin }, tree.as(ctx), ctx);
});

beforeEach(() => {
  lines = [];
});

afterAll(async () => {
  await tree.close();
  await cache.close();
  await rm(folder, { recursive: true });
});

const session = (): TreeSession => tree.as(ctx);
const sh = (text: string, more: Partial<Script> = {}): Script => ({ text, interpreter: ['/bin/sh', '-eu'], ...more });
const read = async (text: string, more: Partial<Script> = {}) => (await session().work.read(sh(text, more))).trim();

async function step(name: string, options: unknown): Promise<void> {
  const kind = steps.get(name);
  if (kind === undefined) throw new Error(`no step ${name}`);
  await kind.run(kind.options.parse(options), session().work, {
    ...ctx,
    projectFile: (path) => join(folder, 'project', path),
    fetch: async () => join(folder, 'download'),
    keep: () => Promise.reject(new Error('nothing is kept')),
    sidecar: (name) => join(folder, name),
    folder,
  });
}

/** Argument lists of all processes of this machine. */
async function commandLines(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
}

test('a script sees nothing of this machine: no file, no process, no name of it', async () => {
  expect(await read('ls -A /root /home; ls -d /work 2>/dev/null || true')).not.toContain('work');
  expect(await read(`[ ! -e "${import.meta.dirname}" ] && [ ! -e "${folder}" ] && echo none`)).toBe('none');
  expect(await read('hostname 2>/dev/null || cat /proc/sys/kernel/hostname')).toBe('localhost');
  expect(await read('cat /etc/hostname')).not.toBe(hostname());
  const processes = await read('for p in /proc/[0-9]*; do tr "\\0" " " < "$p/cmdline"; echo; done');
  expect(processes.split('\n').filter((line) => line !== '').length).toBeLessThan(6);
  expect(processes).not.toContain('vitest');
  expect(await read('id -u; touch /dev/shm/x; ls /dev | wc -l')).toMatch(/^0\n\d+$/);
});

test('a script starts as root in /root with a fixed environment, and its own words come literally', async () => {
  const script =
    'pwd; echo "$HOME $LANG $TZ $SOURCE_DATE_EPOCH ${USER-none} ${INGOT_HOME-none}"; printf "[%s]" "$@"; echo "$A"';
  const more = { args: [`it's`, '$HOME;id', ''], env: { A: '$(id) "x"' } };
  expect(await read(script, more)).toBe(`/root\n/root C.UTF-8 UTC 1700000000 none none\n[it's][$HOME;id][]$(id) "x"`);
});

test('a script has a resolver, whatever the image has in its place, and the image does not keep it', async () => {
  const ours = (await readFile('/etc/resolv.conf', 'utf8')).trim();
  expect(await read('cat /etc/resolv.conf')).toBe(ours);
  expect(await read('cat /etc/resolv.conf')).toBe(ours);
  const inTree = await session().run({ argv: ['find', `${session().root}/etc`, '-name', 'resolv.conf*'] }, {});
  expect(inTree.stdout).toBe('');
  await session().run(
    { argv: ['ln', '-s', '../run/systemd/resolve/stub-resolv.conf', `${session().root}/etc/resolv.conf`] },
    {},
  );
  expect(await read('cat /etc/resolv.conf')).toBe(ours);
  await session().run({ argv: ['rm', `${session().root}/etc/resolv.conf`] }, {});
});

test('what a script leaves running ends with it', async () => {
  await session().work.exec(sh('sleep 1871 & (setsid sleep 1871 &) ; sleep 0.1'));
  expect((await commandLines()).filter((line) => line.includes('1871'))).toEqual([]);
});

test('services are not started while an image is built, and nothing of that is left in it', async () => {
  const script = 'command -v policy-rc.d && policy-rc.d ssh start || echo "code $?"';
  expect(await read(script)).toContain('code 101');
  const left = await session().run({ argv: ['find', `${session().root}/usr/sbin`, '-name', 'policy-rc.d'] }, {});
  expect(left.stdout).toBe('');
});

test('a secret in the environment stands on no command line', async () => {
  const secret = 'hunter2-on-no-command-line';
  let seen = '';
  const watching = session().work.exec(
    sh('echo begun; sleep 1; test "$T" = hunter2-on-no-command-line', { env: { T: secret } }),
  );
  while (!lines.includes('begun')) seen += (await commandLines()).join('\n');
  seen += (await commandLines()).join('\n');
  await watching;
  expect(seen).toContain('bwrap');
  expect(seen).not.toContain(secret);
});

test('a script that fails gives its exit code and what it said last', async () => {
  await expect(session().work.exec(sh('echo one; echo two >&2; exit 7'))).rejects.toMatchObject({
    code: 'STEP_FAILED',
    message: 'the script ended with exit code 7',
    detail: expect.arrayContaining(['one', 'two']),
  });
  await expect(session().work.read(sh('kill -9 $$'))).rejects.toMatchObject({ code: 'STEP_FAILED' });
});

test('packages are installed and removed, and no lists or archives stay behind', async () => {
  await step('packages', { install: ['cpio'] });
  expect(await read('dpkg-query -W -f "\\${Status}" cpio')).toBe('install ok installed');
  expect(await read('find /var/lib/apt/lists /var/cache/apt -type f | wc -l')).toBe('0');
  await step('packages', { remove: ['cpio'] });
  expect(await read('dpkg -s cpio >/dev/null 2>&1 || echo gone')).toBe('gone');
  await expect(step('packages', { install: ['no-such-package-anywhere'] })).rejects.toMatchObject({
    code: 'STEP_FAILED',
  });
});

test('every other step does its work on the tree', async () => {
  await mkdir(join(folder, 'project', 'files', 'sub'), { recursive: true });
  await writeFile(join(folder, 'project', 'files', 'sub', 'a b'), 'copied');
  await writeFile(join(folder, 'project', 'base.sh'), '#!/bin/sh -eu\necho "$1-$V" > /etc/base\n');
  await writeFile(join(folder, 'download'), 'fetched');
  const sha256 = createHash('sha256').update('fetched').digest('hex');
  await step('copy', { content: 'hello\n', to: '/etc/motd', mode: '0600' });
  await step('copy', { from: 'files', to: '/opt/files', owner: '7:8' });
  await step('shell', { file: 'base.sh', args: ['x'], env: { V: 'y' } });
  await step('download', { url: 'https://a.example/tool', sha256, to: '/usr/local/bin/tool', mode: '0755' });
  await step('services', { mask: ['apt-daily.timer'] });
  await step('kernel-cmdline', { add: ['quiet'] });
  await step('cloud-init', { config: { locale: 'C.UTF-8' } });
  expect(await read('cat /etc/motd; stat -c %a /etc/motd')).toBe('hello\n600');
  expect(await read('cat "/opt/files/sub/a b"; stat -c %u:%g "/opt/files/sub/a b"')).toContain('7:8');
  expect(await read('cat /usr/local/bin/tool; stat -c " %a" /usr/local/bin/tool')).toBe('fetched 755');
  expect(await read('cat /etc/cloud/cloud.cfg.d/*')).toContain('"locale": "C.UTF-8"');
  expect(await read('cat /etc/base')).toBe('x-y');
  expect(await read('readlink /etc/systemd/system/apt-daily.timer')).toBe('/dev/null');
  expect(await read('cat /etc/kernel/cmdline')).toContain('quiet');
});

test('a layer, put on the tree it came from, gives the same tree, removals and odd names and all', async () => {
  await session().work.exec(sh('mkdir -p /opt/l/sub; echo a > /opt/l/a; echo b > /opt/l/sub/b; ln -s a /opt/l/link'));
  const before = await takeSnapshot(session());
  const odd =
    'mkdir "/opt/l/new dir"; echo n > "$(printf "/opt/l/new dir/a\\nb")"; chmod 4755 /opt/l/a; ln /opt/l/a /opt/l/hard';
  await session().work.exec(sh(`rm -r /opt/l/sub; rm /opt/l/link; mkdir /opt/l/link; ${odd}; chown 3:4 /opt/l/hard`));
  const list = async () =>
    (
      await session().run({ argv: ['find', `${session().root}/opt/l`, '-printf', '%P %y %m %U:%G %s %n\\0'] }, {})
    ).stdout
      .split('\0')
      .sort();
  const after = await list();
  const { changed, removed } = difference(before, await takeSnapshot(session()));
  expect(removed).toEqual(['./opt/l/link', './opt/l/sub']);
  const layer = join(folder, 'layer.tar.zst');
  await (await packLayer(session(), changed, layer)).packed;
  await session().work.exec(
    sh('rm -r /opt/l; mkdir -p /opt/l/sub; echo a > /opt/l/a; echo b > /opt/l/sub/b; ln -s a /opt/l/link'),
  );
  await applyLayer(session(), layer, removed);
  expect(await list()).toEqual(after);
});

test('closing a session ends everything in it and leaves no mount and no file', async () => {
  const second = await open('second');
  const stopped = second
    .as(ctx)
    .run({ argv: ['sleep', '1872'] }, {})
    .catch((error: unknown) => error);
  await expect
    .poll(async () => (await commandLines()).filter((line) => line.includes('sleep\0')).join())
    .toContain('1872');
  await second.close();
  expect(await stopped).toMatchObject({ code: 'TOOL_FAILED' });
  const left = async () =>
    (await commandLines()).filter((line) => line.includes('1872') || line.includes(join(folder, 'second')));
  await expect.poll(left).toEqual([]);
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  expect(await readdir(join(folder, 'second'))).toEqual([]);
});
