import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import { bootReport, takeOut } from '../support/iso-lab.ts';
import { type LiveLab, openLiveLab } from '../support/live-lab.ts';

const options = '{ level: 3, timeout: 1 }';
let lab: LiveLab;
let iso = '';

beforeAll(async () => {
  lab = await openLiveLab();
  // What is packed cannot be booted as it is: the ISO alone is.
  await lab.write(`[{ iso: ${options} }, { raw: { compression: zstd } }]`);
  const stdout = await lab.run('build', 'live');
  iso = stdout.split('\n').find((line) => line.endsWith('/live.iso')) ?? '';
});
afterAll(() => lab.close());

test('a live ISO boots as a CD under both firmwares, lets in by ssh and holds no identity', async () => {
  const manifest = JSON.parse(await readFile(join(dirname(iso), 'manifest.json'), 'utf8')) as Manifest;
  expect(manifest.checks.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual([
    'live.raw.zst holds the same disk: done',
    ...['boot under BIOS: done', 'boot under UEFI: done'],
    ...['system comes up: done', 'ssh login: done', 'no identity, no traces: done'],
  ]);
  const evidence = manifest.checks.map((check) => check.evidence ?? '');
  expect(evidence[3]).toContain('live system on an overlay of its medium under BIOS and UEFI');
  expect(evidence[5]).toBe('nothing found in the live system; 2 boots made different host keys and machine-ids');
});

test('it lies beside its digest, manifest, bill of materials and provenance', async () => {
  const files = await readdir(dirname(iso));
  const sidecars = ['live.iso.sha256', 'manifest.json', 'sbom.cdx.json', 'provenance.intoto.jsonl'];
  expect(files).toEqual(expect.arrayContaining(sidecars));
  await promisify(execFile)('sha256sum', ['-c', 'live.iso.sha256'], { cwd: dirname(iso) });
  await lab.run('verify', 'live');
});

test('it starts as a CD and as a stick, and the sums of its files are right', async () => {
  const report = (await bootReport(iso)).join('\n');
  expect(report).toMatch(/BIOS {2}y {3}none/);
  expect(report).toMatch(/UEFI {2}y {3}none/);
  expect(report).toContain('System area summary: MBR protective-msdos-label grub2-mbr cyl-align-off GPT');
  expect(report).toContain('Volume Id    : LIVE');
  const sums = (await takeOut(iso, 'sha256sum.txt')).toString().trim().split('\n');
  expect(sums.map((line) => line.slice(66))).toEqual(
    expect.arrayContaining(['live/filesystem.squashfs', 'live/vmlinuz', 'live/initrd.img', 'boot/grub/grub.cfg']),
  );
});

test('the same disk and options give the same bytes, as a file of no project too', async () => {
  const again = join(lab.folder, 'live.iso');
  const words = ['--option', 'level=3', '--option', 'timeout=1', '--arch', 'x86_64'];
  await lab.run(...['convert', join(dirname(iso), 'live.raw.zst'), '--to', 'iso', '--output', again], ...words);
  const [one, two] = await Promise.all([iso, again].map((path) => readFile(path)));
  expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
});
