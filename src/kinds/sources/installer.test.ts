import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InstallRequest } from '../../core/install.ts';
import type { IsoEntry } from '../../core/isos.ts';
import type { SourceContext } from '../../core/kinds.ts';
import { createHost } from '../../host/host.ts';
import { check } from '../../spec/explain.ts';
import { addArgv } from './installer/media.ts';
import { seedDiskArgvs } from './installer/seed-disk.ts';
import { installer } from './installer.ts';

const checksum = `sha256:${'a'.repeat(64)}`;
const isoOf = (distribution: IsoEntry['distribution'], more: object = {}) => ({
  ...{ name: distribution, distribution, arch: 'x86_64', url: 'https://a.example/x.iso', checksum },
  ...more,
});
const debian = isoOf('debian');
const netboot = {
  ...{ name: 'netboot', distribution: 'debian', arch: 'x86_64' },
  ...{ kernel: { file: 'isos/linux' }, initrd: { file: 'isos/initrd.gz' } },
};
const onProxmox = { hostname: 'dev', domain: 'example.org', root: { password: 'x' } };
const answers = { hostname: 'dev' };

test.each<[string, object]>([
  ['answers', { iso: debian, answers }],
  ['an own file', { iso: debian, preseed: 'p.cfg' }],
  ['an own file with values and answers for its gaps', { iso: debian, preseed: 'p.cfg', values: { a: 'b' }, answers }],
  ['netboot files', { iso: netboot, answers }],
  ['one script', { iso: debian, answers, 'post-install': 'scripts/x.sh' }],
  ['keys to type', { iso: debian, answers, 'answers-by': 'http', 'boot-command': ['<esc>auto url=<url><enter>'] }],
  ['a seed disk', { iso: isoOf('ubuntu'), answers, 'answers-by': 'disk' }],
  ['time limits', { iso: debian, answers, 'time-limit': '2h', 'silence-limit': '90s' }],
])('%s: accepted', (_, options) => {
  expect(check(installer.options, options)).not.toHaveProperty('findings');
});

test.each<[string, object, RegExp]>([
  ['neither answers nor a file', { iso: debian }, /expected `answers`, or your own file as `preseed`/],
  ['the file of another installer', { iso: debian, kickstart: 'ks.cfg' }, /takes `preseed`, not `kickstart`/],
  [
    'an answer its installer has no question for',
    { iso: isoOf('ubuntu'), answers: { ...answers, suite: 'noble' } },
    /one release/,
  ],
  [
    'scripts beside an own file',
    { iso: debian, preseed: 'p.cfg', 'post-install': ['x.sh'] },
    /scripts go with `answers`/,
  ],
  ['values without an own file', { iso: debian, answers, values: { a: 'b' } }, /values are for your own file/],
  [
    'a way that its installer does not know',
    { iso: debian, answers, 'answers-by': 'disk' },
    /takes answers by initrd, http only/,
  ],
  [
    'a key that does not exist',
    { iso: debian, answers, 'answers-by': 'http', 'boot-command': ['<entre>'] },
    /<entre> is no key/,
  ],
  ['typing at netboot files', { iso: netboot, answers, 'answers-by': 'http', 'boot-command': ['x'] }, /no boot loader/],
  [
    "an initrd of one's own when the ISO starts by itself",
    { iso: debian, answers, 'answers-by': 'initrd', 'boot-command': ['x'] },
    /disk or http/,
  ],
  ['a time without its unit', { iso: debian, answers, 'time-limit': '90' }, /such as 90s, 45m or 2h/],
  [
    'what scripts would look for on an ISO that is gone when they run',
    { iso: isoOf('proxmox'), answers: onProxmox, 'post-install': ['x.sh'], medium: { files: ['a'], artifacts: ['b'] } },
    /^scripts of proxmox run when the installed system starts first, where its ISO is gone.*\n.*they would not find these $/,
  ],
  ['an unknown key', { iso: debian, answers, extra: 1 }, /unknown key/],
])('%s: refused', (_, options, words) => {
  const checked = check(installer.options, options);
  const told = 'findings' in checked ? checked.findings.map(({ message, hint }) => `${message} ${hint ?? ''}`) : [];
  expect(told.join('\n')).toMatch(words);
});

const parsed = (options: object) => installer.options.parse(options);

test('project files are told: the own file, scripts, and what is fetched from the project', () => {
  expect(installer.files?.(parsed({ iso: debian, answers, 'post-install': ['a.sh', 'b.sh'] }))).toEqual([
    'a.sh',
    'b.sh',
  ]);
  expect(installer.files?.(parsed({ iso: netboot, preseed: 'p.cfg' }))).toEqual([
    'p.cfg',
    'isos/linux',
    'isos/initrd.gz',
  ]);
});

test('programs it needs are those of what was written', () => {
  const programs = (options: object) => installer.tools?.(parsed(options), 'x86_64').map(({ program }) => program);
  expect(programs({ iso: netboot, answers })).toEqual(['debconf-set-selections']);
  expect(programs({ iso: debian, answers: { ...answers, root: { password: 'x' } } })).toEqual([
    ...['xorriso', 'openssl', 'debconf-set-selections'],
  ]);
  expect(programs({ iso: isoOf('ubuntu'), answers })).toEqual(['xorriso', 'mformat', 'mcopy']);
});

test('argument lists of the programs', () => {
  expect(addArgv('/a.iso', '/b.iso', [['/w/f', 'auto-installer-mode.toml']]).join(' ')).toBe(
    'xorriso -no_rc -indev /a.iso -outdev /b.iso -boot_image any keep -map /w/f /auto-installer-mode.toml -commit_eject none -end',
  );
  expect(seedDiskArgvs('/w/s.img', { label: 'CIDATA', content: '/w/c', names: ['user-data', 'meta-data'] })).toEqual([
    ['mformat', '-C', '-f', '2880', '-v', 'CIDATA', '-i', '/w/s.img', '::'],
    ['mcopy', '-s', '-i', '/w/s.img', '/w/c/user-data', '/w/c/meta-data', '::'],
  ]);
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-installer-'));
  for (const name of ['kernel', 'initrd']) await writeFile(join(folder, name), `the ${name}`);
});
afterEach(() => rm(folder, { recursive: true }));

/** What would be run for these options; the files of the installer are those of `folder`. */
async function requested(options: object): Promise<InstallRequest> {
  const requests: InstallRequest[] = [];
  const ctx: SourceContext = {
    ...{ host: createHost(), signal: new AbortController().signal, emit: () => undefined, step: 'source' },
    ...{ name: 'dev', folder },
    projectFile: (path) => join(folder, path),
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    unpack: () => Promise.reject(new Error('nothing is unpacked')),
    image: () => Promise.reject(new Error('not asked')),
    install: async (request) => {
      requests.push(request);
      return { path: '/d', format: 'qcow2' };
    },
  };
  const iso = { ...netboot, kernel: { file: 'kernel' }, initrd: { file: 'initrd' } };
  await installer.disk?.(parsed({ iso, ...options }), { arch: 'x86_64', pin: null }, ctx);
  const [request] = requests;
  if (request === undefined) throw new Error('no installation was asked for');
  return request;
}

test('answers go behind the initrd, and the command line has what is followed and what stays', async () => {
  const request = await requested({ answers, 'kernel-args': ['ipv6.disable=1'] });
  expect(request.words('').join(' ')).toBe(
    'DEBIAN_FRONTEND=text TERM=dumb ipv6.disable=1 priority=critical console=ttyS0,115200n8 --- console=ttyS0,115200n8',
  );
  const initrd = await readFile(request.kernel?.initrd ?? '', 'latin1');
  expect(initrd.startsWith('the initrd')).toBe(true);
  expect(initrd).toContain('preseed.cfg');
  expect(initrd).toContain('d-i netcfg/get_hostname string dev');
  expect(initrd).toContain('d-i debian-installer/exit/poweroff boolean true');
  expect([request.attached, request.serve]).toEqual([[], undefined]);
});

test('answers are served where that was asked for, at the address on the command line', async () => {
  const request = await requested({ answers, 'answers-by': 'http' });
  expect(request.words('http://10.0.2.2:80/x/')).toContain('preseed/url=http://10.0.2.2:80/x/preseed.cfg');
  expect(String(request.serve?.get('preseed.cfg'))).toContain('netcfg/get_hostname string dev');
  expect(request.kernel).toEqual({ file: join(folder, 'kernel'), initrd: join(folder, 'initrd') });
});

test('an own file has its gaps filled; a gap that nothing fills is told with its line', async () => {
  await writeFile(
    join(folder, 'p.cfg'),
    'd-i netcfg/get_hostname string ${answers.hostname}\nd-i time/zone string ${values.zone}\n',
  );
  const request = await requested({
    preseed: 'p.cfg',
    answers,
    values: { zone: 'Europe/Vienna' },
    'answers-by': 'http',
  });
  expect(String(request.serve?.get('preseed.cfg'))).toBe(
    'd-i netcfg/get_hostname string dev\nd-i time/zone string Europe/Vienna\n',
  );
  await expect(requested({ preseed: 'p.cfg', answers })).rejects.toMatchObject({
    problems: [{ message: expect.stringContaining('zone'), place: { file: 'p.cfg', line: 2, column: 22 } }],
  });
});

test('the ISO of the same answers restarts at its end', async () => {
  const ctx = {
    ...{ host: createHost(), signal: new AbortController().signal, emit: () => undefined, step: 'iso' },
    projectFile: (path: string) => join(folder, path),
  };
  const request = { image: 'dev', delivery: { by: 'initrd' } } as const;
  const made = await installer.medium?.unattended(parsed({ iso: debian, answers }), request, ctx);
  expect(String(made?.files.get('preseed.cfg'))).toContain('netcfg/get_hostname string dev');
  expect(String(made?.files.get('preseed.cfg'))).not.toContain('exit/poweroff');
});
