import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHost } from '../../src/host/host.ts';
import { checks } from '../../src/kinds/checks/index.ts';
import { type CheckReport, type CheckRequest, checkArtifact } from '../../src/run/check.ts';

const launcher = new URL('../../ingot', import.meta.url).pathname;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-machines-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A finished Debian image with cloud-init: the one that was given, or one that is built now. */
async function debianDisk(): Promise<string> {
  const given = process.env.INGOT_TEST_DISK;
  if (given !== undefined) return given;
  const { stdout } = await promisify(execFile)(launcher, ['build', 'debian-13', '--arch', 'x86_64', '--no-check']);
  return stdout.trim().split('\n').at(-1) ?? '';
}

/** Everything a check can ask, of an image that has all of it. */
const all = [
  'boot',
  'ssh',
  'cloud-init',
  { command: 'cat' },
  { command: { run: 'id -un; exit 3', exit: 3, stdout: { matches: '^ingot$' }, as: 'user' } },
  { file: { path: '/etc/passwd', mode: '0644', owner: 'root:root', contains: 'root:' } },
  { file: { path: '/etc/nothing', absent: true } },
  { service: { name: 'ssh', enabled: true } },
  { package: 'openssh-server' },
  { package: { name: 'emacs', absent: true } },
  { 'user-absent': ['packer', 'debian'] },
  'reboot',
  'hygiene',
  'ansible-ready',
];

const wrong = [
  { command: 'exit 1' },
  { file: '/etc/nothing' },
  { service: 'nothing' },
  { package: 'emacs' },
  { 'user-absent': 'ingot' },
];

async function prove(wanted: readonly (string | Record<string, unknown>)[]): Promise<CheckReport> {
  const path = await debianDisk();
  const uses = wanted.map((use) => {
    const [kind = '', options] = typeof use === 'string' ? [use, {}] : (Object.entries(use)[0] ?? []);
    const place = { file: 'x', line: 1, column: 1 };
    const parsed = checks.get(kind)?.options.parse(options) as never;
    return { kind, options: parsed, place, refs: { site: {}, pins: {}, secrets: [] } };
  });
  const request: CheckRequest = {
    ...{ disk: { path, format: 'qcow2' }, arch: 'x86_64', firmware: ['bios', 'uefi'], uses, kinds: { checks } },
    ...{ memory: 1024 ** 3, cpus: 2, virtualization: 'auto', packages: ['cloud-init'] },
    ...{ scratch: join(folder, 'scratch'), logs: join(folder, 'logs'), state: join(folder, 'state') },
  };
  const emit = (): void => undefined;
  return checkArtifact(request, { host: createHost(), signal: new AbortController().signal, emit, step: 'check' });
}

test('a Debian image is all it should be under BIOS and UEFI, and what it is not is told', async () => {
  const { report } = await prove([...wrong, ...all]).catch((error) => error);
  const outcomes = report.results.map(({ title, outcome, error }: CheckReport['results'][number]) =>
    [title, outcome, ...(outcome === 'failed' ? [error?.message] : [])].join(': '),
  );
  expect(outcomes).toEqual([
    'boot under BIOS: done',
    'boot under UEFI: done',
    'command exit 1: failed: exit code 1 instead of 0 (under BIOS)',
    'file /etc/nothing: failed: /etc/nothing: does not exist (under BIOS)',
    'service nothing active: failed: nothing is inactive (under BIOS)',
    'package emacs: failed: package emacs is not installed (under BIOS)',
    'no user ingot: failed: there is an account ingot, a home /home/ingot (under BIOS)',
    'system comes up: done',
    'ssh login: done',
    'cloud-init finishes: done',
    'command cat: done',
    'command id -un; exit 3: done',
    'file /etc/passwd: done',
    'file /etc/nothing absent: done',
    'service ssh active: done',
    'package openssh-server: done',
    'package emacs absent: done',
    'no user packer, debian: done',
    'survives a restart: done',
    'no identity, no traces: done',
    'ready for Ansible: done',
  ]);
  const left = (await readdir('/tmp')).filter((name) => name.startsWith(`ingot-guests-${process.pid}-`));
  expect(left).toEqual([]);
});
