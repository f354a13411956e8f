import { expect, test } from 'vitest';
import type {
  AddIsoRequest,
  IsoBuild,
  IsoBuildRequest,
  IsoDownload,
  IsoDownloadRequest,
  IsoReport,
  NetbootRequest,
} from '../../src/cli/requests/isos.ts';
import { ingot } from '../support/cli.ts';

const isos: readonly IsoReport[] = [
  {
    ...{ name: 'debian-13', distribution: 'debian', arch: 'x86_64', from: ['https://a.example/d.iso'] },
    proof: 'signed list',
    here: { bytes: 7e8, verified: true, paths: ['/h/store/inputs/aa'] },
  },
  { name: 'pve-9', distribution: 'proxmox', arch: 'x86_64', from: ['isos/pve.iso'], proof: 'none' },
];

test('iso list shows what is here, one ISO a line', async () => {
  const ran = await ingot('iso list', { engine: { isos: async () => isos } });
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  expect(ran.stdout).toBe(
    [
      'ISO        DISTRIBUTION  ARCH    SIZE    STATE           CHECKED BY',
      'debian-13  debian        x86_64  700 MB  here, verified  signed list',
      'pve-9      proxmox       x86_64          not here        nothing',
      '',
    ].join('\n'),
  );
  const json = await ingot('iso list --json', { engine: { isos: async () => isos } });
  expect(JSON.parse(json.stdout)).toEqual({ schemaVersion: 1, kind: 'isos', data: isos });
});

test('a project without ISOs is told how to get one', async () => {
  const ran = await ingot('iso list', { engine: { isos: async () => [] } });
  expect(ran.stderr).toContain('ingot iso add');
});

test('iso download prints paths, and tells of what was refused with its exit code', async () => {
  const asked: IsoDownloadRequest[] = [];
  const results: IsoDownload[] = [
    { name: 'a', arch: 'x86_64', outcome: 'done', paths: ['/h/a'] },
    {
      ...{ name: 'b', arch: 'x86_64', outcome: 'failed', paths: [] },
      error: { code: 'INPUT_REFUSED', message: 'its SHA-256 differs' },
    },
  ];
  const engineOf = (answer: readonly IsoDownload[]) => ({
    downloadIsos: async (request: IsoDownloadRequest) => {
      asked.push(request);
      return answer;
    },
  });
  const some = await ingot('iso download a b --arch amd64 --refresh', { engine: engineOf(results) });
  expect(asked).toEqual([{ names: ['a', 'b'], arch: 'x86_64', refresh: true }]);
  expect([some.code, some.stdout]).toEqual([7, '/h/a\n']);
  expect(some.stderr).toContain('error[INPUT_REFUSED]: b x86_64: its SHA-256 differs');
  expect((await ingot('iso download b', { engine: engineOf(results.slice(1)) })).code).toBe(3);
});

test('iso verify ends with 3 when an ISO is damaged', async () => {
  const error = { code: 'INPUT_REFUSED', message: '/h/a is not a.iso' } as const;
  const verifyIsos = async () => [{ name: 'a', arch: 'x86_64', state: 'bad', error } as const];
  const ran = await ingot('iso verify', { engine: { verifyIsos } });
  expect([ran.code, ran.stdout]).toEqual([3, 'a  x86_64  damaged\n']);
  expect(ran.stderr).toContain('/h/a is not a.iso');
});

test('iso add hands on what was said, and prints where the entry stands', async () => {
  const asked: AddIsoRequest[] = [];
  const entry = { distribution: 'debian', arch: 'x86_64' } as const;
  const addIso = async (request: AddIsoRequest) => {
    asked.push(request);
    return { name: request.name, file: '/p/isos.yaml', line: 4, entry };
  };
  const ran = await ingot('iso add d https://a.example/d.iso --checksum sidecar --arch arm64', { engine: { addIso } });
  expect(asked).toEqual([{ name: 'd', from: 'https://a.example/d.iso', checksum: 'sidecar', arch: 'aarch64' }]);
  expect([ran.code, ran.stdout]).toEqual([0, '/p/isos.yaml:4\n']);
});

test.each(['list', 'add', 'download', 'verify', 'build'])('the help of iso %s begins with examples', async (name) => {
  const ran = await ingot(`iso ${name} --help`, { tty: { columns: 80, rows: 24 }, env: { NO_COLOR: '1' } });
  expect(ran.code).toBe(0);
  expect(ran.stdout.indexOf('Examples:')).toBeGreaterThan(0);
  expect(ran.stdout.indexOf('Examples:')).toBeLessThan(ran.stdout.indexOf('Usage:'));
  expect(ran.stdout).toContain(`Usage: ingot iso ${name}`);
  for (const line of ran.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test.each([
  ['iso', 'no command given'],
  ['iso lst', "unknown command 'lst'"],
  ['iso add x', "missing required argument 'source'"],
  ['iso add x y --distribution suse', 'Allowed choices are'],
  ['iso build x --answers ftp://x/', 'Expected iso, disk, or an address'],
  ['iso build x --console a;b', 'Expected a console'],
  ['iso netboot x --base http://h', 'Expected an address that ends with /'],
])('ingot %s is refused', async (line, reason) => {
  const ran = await ingot(line);
  expect([ran.code, ran.stdout]).toEqual([2, '']);
  expect(ran.stderr).toContain(reason);
});

test('iso netboot prints the files of the folder, the script first', async () => {
  const asked: NetbootRequest[] = [];
  const paths = ['/h/boot.ipxe', '/h/vmlinuz'];
  const buildNetboots = async (request: NetbootRequest) => {
    asked.push(request);
    return [{ image: 'lab', arch: 'x86_64', outcome: 'done', seconds: 1, paths } as const];
  };
  const ran = await ingot('iso netboot lab --base http://192.0.2.1/', { engine: { buildNetboots } });
  expect([ran.code, ran.stdout]).toEqual([0, '/h/boot.ipxe\n/h/vmlinuz\n']);
  const base = 'http://192.0.2.1/';
  expect(asked).toEqual([{ image: 'lab', arch: 'native', base, powerOff: false, refresh: false }]);
});

test('iso build prints the ISO, and what lies beside it', async () => {
  const asked: IsoBuildRequest[] = [];
  const built: IsoBuild = {
    image: 'lab',
    arch: 'x86_64',
    outcome: 'done',
    seconds: 1,
    paths: ['/h/lab.iso', '/h/lab.img'],
  };
  const buildIsos = async (request: IsoBuildRequest) => {
    asked.push(request);
    return [built];
  };
  const ran = await ingot('iso build lab --oemdrv --console ttyS0 --timeout 1 --power-off', { engine: { buildIsos } });
  expect([ran.code, ran.stdout]).toEqual([0, '/h/lab.iso\n/h/lab.img\n']);
  expect(asked).toEqual([
    {
      ...{ image: 'lab', arch: 'native', answers: 'disk', console: 'ttyS0', timeoutSeconds: 1 },
      ...{ powerOff: true, checks: true, refresh: false },
    },
  ]);
});
