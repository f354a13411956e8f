import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { fakeContext } from '../../test/support/fake-guest.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Command, RunOptions } from '../core/host.ts';
import { alpine } from './alpine.ts';
import { answersSchema, type HashedAnswers } from './answers.ts';
import { autoinstall } from './autoinstall.ts';
import type { AnswerFormat } from './format.ts';
import { kickstart } from './kickstart.ts';
import { preseed } from './preseed.ts';
import { proxmox } from './proxmox.ts';

/** Runs the real programs; there is no cloud-init. */
const real: Context = fakeContext({
  which: async () => undefined,
  run: async ({ argv: [program, ...args], env }: Command, { stdin }: RunOptions = {}) => {
    const ran = spawnSync(program, args, {
      input: typeof stdin === 'string' ? stdin : '',
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    if (ran.error !== undefined) throw ran.error;
    return { exitCode: ran.status ?? -1, stdout: ran.stdout, stderr: ran.stderr };
  },
});

async function mistakes(format: AnswerFormat, text: string, ctx = real): Promise<readonly string[]> {
  try {
    await format.check(new Map([[format.file, text]]), ctx, 'own/file');
    return [];
  } catch (error) {
    if (error instanceof IngotError && error.code === 'INPUT_REFUSED') return [error.message, ...error.detail];
    throw error;
  }
}

const answers = answersSchema.parse({ hostname: 'dev', domain: 'example.org' }) as HashedAnswers;
const extra = { postInstall: [{ name: 'x', text: 'id' }], powerOff: true };

test.each([preseed, autoinstall, kickstart, alpine])('$name: what is rendered has no mistakes', async (format) => {
  await expect(format.check(format.render(answers, extra), real)).resolves.toBeUndefined();
});

describe('preseed', () => {
  test('a line that is not complete or has an unknown type is named by its number, never shown', async () => {
    const text = '# ok\nd-i time/zone string UTC\nd-i passwd/user-password geheim\nrubbish\n';
    const found = await mistakes(preseed, text);
    expect(found).toEqual(['own/file is not a preseed file: line 3 has an unknown type', 'line 4 is not complete']);
  });

  test('comments, continued lines and empty values are no mistakes', async () => {
    expect(
      await mistakes(preseed, '#_preseed_V1\nd-i a/b string one \\\n  two\nd-i mirror/http/proxy string\n\n'),
    ).toEqual([]);
  });
});

describe('autoinstall', () => {
  test.each([
    [
      'autoinstall: { version: 1, identity: { hostname: a, username: b, password: c } }',
      ['line 1: it must be #cloud-config'],
    ],
    ['#cloud-config\nautoinstall:\n  version: 2\n  user-data: {}\n', ['line 3: version: Invalid input: expected 1']],
    [
      '#cloud-config\nautoinstall:\n  version: 1\n',
      ['line 3: it says nobody who may log in: give `identity` or `user-data`'],
    ],
    [
      '#cloud-config\nautoinstall:\n  version: 1\n  user-data: {}\n  keyboard:\n    layout: us\n    model: pc\n',
      ['line 6: keyboard: Unrecognized key: "model"'],
    ],
    [
      'version: 1\nuser-data: {}\npackages: vim\n',
      ['line 3: packages: Invalid input: expected array, received string'],
    ],
    ['version: 1\n a: b: c\n', [expect.stringMatching(/^line \d: /)]],
    ['version: 1\nuser-data: {}\nversion: 1\n', [expect.stringMatching(/^line 3: Map keys must be unique/)]],
  ])('%j', async (text, found) => {
    const [first = '', ...more] = await mistakes(autoinstall, text);
    expect([first.replace('own/file is no autoinstall file: ', ''), ...more].slice(0, found.length)).toEqual(found);
  });

  test('an autoinstall.yaml without the key is one as well', async () => {
    const text =
      'version: 1\nidentity: { hostname: a, username: b, password: c }\nlate-commands: [[a, b], c]\nnew-key: 1\n';
    expect(await mistakes(autoinstall, text)).toEqual([]);
  });

  test('cloud-init is asked where there is one, and its words are not passed on', async () => {
    const asked: Command[] = [];
    const ctx = fakeContext({
      which: async () => '/usr/bin/cloud-init',
      withTemporary: async (action) => action('/tmp/x'),
      files: { write: async () => undefined } as never,
      run: async (command: Command) => {
        asked.push(command);
        return { exitCode: 1, stdout: '', stderr: 'secret' };
      },
    });
    const text = '#cloud-config\nautoinstall: { version: 1, user-data: {} }\n';
    expect((await mistakes(autoinstall, text, ctx)).join()).toMatch(/cloud-init refuses it/);
    expect(asked.map(({ argv }) => argv.join(' '))).toEqual([
      '/usr/bin/cloud-init schema --config-file /tmp/x/user-data',
    ]);
  });
});

describe('kickstart', () => {
  test('quotes, sections and commands that are wrong are all named', async () => {
    const text =
      "lang 'en_US\nnetwrk --bootproto=dhcp\n%post\nnetwrk is no command here\n%end\n%strange\n%packages\nvim\n";
    expect(await mistakes(kickstart, text)).toEqual([
      'own/file is not a Kickstart file: line 1: a quote is not closed',
      'line 2: there is no command "netwrk"',
      'line 6: there is no section %strange',
      'line 7: the section %packages has no %end',
    ]);
  });

  test('a person may include files, comment, and use every section', async () => {
    const text =
      '# hello\n%include /tmp/part\ntext # here\n%pre --interpreter=/bin/sh\n"\n%end\n%addon x\n%end\nzerombr\n';
    expect(await mistakes(kickstart, text)).toEqual([]);
  });
});

describe('answer.toml', () => {
  const whole = (change: (text: string) => string) =>
    change(`[global]
keyboard = "de"
country = "at"
fqdn = "pve.example.org"
mailto = "mail@example.org"
timezone = "Europe/Vienna"
root_password = "12345678"

[network]
source = "from-dhcp"

[disk-setup]
filesystem = "ext4"
disk_list = ["sda"]
`);

  test.each<[string, (text: string) => string]>([
    ['old spellings', (text) => text],
    ['new spellings', (text) => text.replaceAll('_', '-')],
    ['a name by DHCP', (text) => text.replace(/fqdn = .*/, 'fqdn.source = "from-dhcp"')],
    [
      'a fixed address',
      (text) =>
        text.replace(
          '"from-dhcp"',
          '"from-answer"\ncidr = "192.0.2.10/24"\ndns = "192.0.2.1"\ngateway = "192.0.2.1"\nfilter.ID_NET_NAME_MAC = "*a0369f0ab382"',
        ),
    ],
    [
      'a mirror of two disks',
      (text) =>
        text.replace('"ext4"', '"zfs"\nzfs.raid = "raid1"\nzfs.arc_max = 2048').replace('"sda"', '"sda", "sdb"'),
    ],
    ['disks by a filter', (text) => text.replace(/disk_list.*/, 'filter.ID_SERIAL = "*X_1*"\nfilter_match = "all"')],
  ])('%s are no mistake', async (_, change) => {
    expect(await mistakes(proxmox, whole(change))).toEqual([]);
  });

  test.each<[string, (text: string) => string, string]>([
    ['no TOML', (text) => `${text}x = \n`, 'own/file is not TOML: line 15'],
    ['an unknown key', (text) => `${text}unknown = 1\n`, 'disk-setup: Unrecognized key: "unknown"'],
    [
      'both passwords',
      (text) => text.replace('[network]', 'root-password-hashed = "$y$x"\n[network]'),
      'global: give either',
    ],
    ['no password', (text) => text.replace(/root_password.*/, ''), 'global: give either `root-password` or'],
    ['a short password', (text) => text.replace('12345678', '12345'), 'expected at least 8 characters'],
    ['a short name', (text) => text.replace('pve.example.org', 'pve'), 'global.fqdn: expected a full host name'],
    [
      'a wrong prefix',
      (text) =>
        text.replace(
          '"from-dhcp"',
          '"from-answer"\ncidr = "192.0.2.10/33"\ndns = "192.0.2.1"\ngateway = "192.0.2.1"\nfilter.A = "b"',
        ),
      'network.cidr',
    ],
    [
      'an address with DHCP',
      (text) => text.replace('"from-dhcp"', '"from-dhcp"\ndns = "192.0.2.1"'),
      'are for `source = "from-answer"`',
    ],
    [
      'a disk twice',
      (text) => text.replace('"ext4"', '"btrfs"\nbtrfs.raid = "raid1"').replace('"sda"', '"sda", "sda"'),
      'a disk stands there twice',
    ],
    ['two disks without a pool', (text) => text.replace('"sda"', '"sda", "sdb"'), 'ext4 takes one disk'],
    ['raid1 on one disk', (text) => text.replace('"ext4"', '"zfs"\nzfs.raid = "raid1"'), 'raid1 needs 2 disks'],
    ['zfs without a level', (text) => text.replace('"ext4"', '"zfs"'), 'disk-setup.zfs: give `raid`'],
    ['too much swap', (text) => `${text}lvm.swapsize = 16.01\nlvm.hdsize = 32\n`, 'the swap is larger'],
    [
      'a long interface name',
      (text) =>
        `${text}\n[network.interface-name-pinning]\nenabled = true\nmapping = { "ab:cd" = "waytoolonginterfacename" }\n`,
      'interface-name-pinning',
    ],
    ['disks and a filter', (text) => `${text}filter.A = "b"\n`, 'give either `disk-list` or `filter`'],
  ])('%s is one', async (_, change, found) => {
    expect((await mistakes(proxmox, whole(change))).join('\n')).toContain(found);
  });
});

describe('alpine', () => {
  test('what is no shell is named by its line, and what setup-alpine would ask is told', async () => {
    const [first = ''] = await mistakes(alpine, "HOSTNAMEOPTS=dev\nX='geheim\n");
    expect(first).toMatch(/^own\/file is no answer file of setup-alpine: line \d+ is no shell$/);
    expect((await mistakes(alpine, 'HOSTNAMEOPTS=dev\n')).join()).toContain(
      'does not say INTERFACESOPTS, TIMEZONEOPTS',
    );
  });

  test('a real shell reads the variables that were meant, and runs nothing', () => {
    const network = { address: '192.0.2.10/24', gateway: '192.0.2.1', dns: ['192.0.2.53'] };
    const files = alpine.render(answersSchema.parse({ hostname: 'dev', network }) as HashedAnswers, extra);
    const show = `eval "$1"; printf '%s|' "$HOSTNAMEOPTS" "$INTERFACESOPTS" "$DISKOPTS"`;
    const out = execFileSync('sh', ['-c', show, 'sh', files.get('answers') ?? ''], {
      encoding: 'utf8',
      env: { INGOT_DISK: '/dev/vda', INGOT_BRANCH: 'v3.22', PATH: '/usr/bin:/bin' },
    });
    expect(out).toBe(
      'dev|auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet static\n\taddress 192.0.2.10/24\n\tgateway 192.0.2.1\n|-m sys /dev/vda|',
    );
    execFileSync('sh', ['-n'], { input: files.get('install') ?? '' });
  });

  test('the overlay is an archive of /etc that starts the installation, the same each time', () => {
    const files = alpine.render(answers, extra);
    const [[name, bytes] = ['', '']] = alpine.parcel(files, { by: 'initrd' });
    expect(name).toBe('ingot.apkovl.tar.gz');
    const listed = execFileSync('tar', ['-tvz', '--full-time'], {
      input: bytes,
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    });
    expect(
      listed
        .trim()
        .split('\n')
        .map((line) => line.replace(/\s+/g, ' ')),
    ).toEqual([
      '-rw-r--r-- root/root 0 1970-01-01 00:00:00 etc/.default_boot_services',
      `-rw------- root/root ${files.get('answers')?.length} 1970-01-01 00:00:00 etc/ingot/answers`,
      `-rwx------ root/root ${files.get('install')?.length} 1970-01-01 00:00:00 etc/local.d/ingot.start`,
      'lrwxrwxrwx root/root 0 1970-01-01 00:00:00 etc/runlevels/default/local -> /etc/init.d/local',
    ]);
    const out = execFileSync('tar', ['-xzO', 'etc/local.d/ingot.start'], { input: bytes, encoding: 'utf8' });
    expect(out).toBe(files.get('install'));
    expect(alpine.parcel(files, { by: 'initrd' })).toEqual(alpine.parcel(files, { by: 'seed' }));
  });
});
