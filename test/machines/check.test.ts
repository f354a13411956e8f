import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import { createHost } from '../../src/host/host.ts';
import { checks } from '../../src/kinds/checks/index.ts';
import { type CheckReport, type CheckRequest, checkArtifact } from '../../src/run/check.ts';

const repository = new URL('../..', import.meta.url).pathname;
const launcher = join(repository, 'ingot');

let folder = '';
let home = '';
let main: { readonly stdout: string; readonly path: string };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-main-'));
  const env = { ...process.env, INGOT_HOME: home, NO_COLOR: '1' };
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  // The main job of the README, as it stands there.
  const { stdout } = await promisify(execFile)(launcher, ['build', 'debian-13', '--arch', arch], {
    env,
    cwd: repository,
  });
  main = { stdout, path: stdout.trim().split('\n').at(-1) ?? '' };
});
afterAll(() => rm(home, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-machines-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the main job gives a proven image at its stable path, with its sidecars', async () => {
  expect(main.path).toMatch(/artifacts\/images\/debian-13\/[^/]+\/debian-13\.qcow2$/);
  const images = dirname(main.path);
  await promisify(execFile)('sha256sum', ['-c', 'debian-13.qcow2.sha256'], { cwd: images });
  const manifest = JSON.parse(await readFile(join(images, 'manifest.json'), 'utf8')) as Manifest;
  expect(manifest.checks.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual([
    'boot under BIOS: done',
    'boot under UEFI: done',
    'system comes up: done',
    'ssh login: done',
    'cloud-init finishes: done',
    'ready for Ansible: done',
    'survives a restart: done',
    'no identity, no traces: done',
  ]);
  expect(await readFile(join(images, 'image-version.txt'), 'utf8')).toMatch(/^DEBIAN_VERSION=13\./m);
  expect(await readdir(join(home, 'store', 'work'))).toEqual([]);
});

/** What the catalogue's own checks do not ask. */
const right = [
  { command: 'cat' },
  { command: { run: 'id -un; exit 3', exit: 3, stdout: { matches: '^ingot$' }, as: 'user' } },
  { file: { path: '/etc/passwd', mode: '0644', owner: 'root:root', contains: 'root:' } },
  { file: { path: '/etc/nothing', absent: true } },
  { service: { name: 'ssh', enabled: true } },
  { package: 'openssh-server' },
  { package: { name: 'emacs', absent: true } },
  { 'user-absent': ['packer', 'debian'] },
];

const wrong = [
  { command: 'exit 1' },
  { file: '/etc/nothing' },
  { service: 'nothing' },
  { package: 'emacs' },
  { 'user-absent': 'ingot' },
];

async function prove(wanted: readonly (string | Record<string, unknown>)[]): Promise<CheckReport> {
  const { path } = main;
  const uses = wanted.map((use) => {
    const [kind = '', options] = typeof use === 'string' ? [use, {}] : (Object.entries(use)[0] ?? []);
    const place = { file: 'x', line: 1, column: 1 };
    const parsed = checks.get(kind)?.options.parse(options) as never;
    return { kind, options: parsed, place, refs: { site: {}, pins: {}, secrets: [] } };
  });
  const request: CheckRequest = {
    ...{ medium: { path, format: 'qcow2' }, arch: 'x86_64', firmware: ['bios'], uses, kinds: { checks } },
    ...{ memory: 1024 ** 3, cpus: 2, virtualization: 'auto', secureBoot: false, packages: ['cloud-init'] },
    ...{ scratch: join(folder, 'scratch'), logs: join(folder, 'logs'), state: join(folder, 'state') },
  };
  const emit = (): void => undefined;
  return checkArtifact(request, { host: createHost(), signal: new AbortController().signal, emit, step: 'check' });
}

test('what an image is holds, and what it is not is told', async () => {
  const { report } = await prove([...wrong, ...right]).catch((error) => error);
  const outcomes = report.results.map(({ title, outcome, error }: CheckReport['results'][number]) =>
    [title, outcome, ...(outcome === 'failed' ? [error?.message] : [])].join(': '),
  );
  expect(outcomes).toEqual([
    'boot under BIOS: done',
    'command exit 1: failed: exit code 1 instead of 0',
    'file /etc/nothing: failed: /etc/nothing: does not exist',
    'service nothing active: failed: nothing is inactive',
    'package emacs: failed: package emacs is not installed',
    'no user ingot: failed: there is an account ingot, a home /home/ingot',
    'command cat: done',
    'command id -un; exit 3: done',
    'file /etc/passwd: done',
    'file /etc/nothing absent: done',
    'service ssh active: done',
    'package openssh-server: done',
    'package emacs absent: done',
    'no user packer, debian: done',
  ]);
  const left = (await readdir('/tmp')).filter((name) => name.startsWith(`ingot-guests-${process.pid}-`));
  expect(left).toEqual([]);
});
