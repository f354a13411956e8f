import { expect, test } from 'vitest';
import type { ImageEntry, ImageFiles } from '../../qemu/image-files.ts';
import { peopleIn, sameness, traces } from './hygiene.ts';

/** An image that holds these files; a path that ends in a slash is an empty folder. */
function image(texts: Readonly<Record<string, string>>): ImageFiles {
  return {
    readText: async (path) => texts[path],
    copy: async () => undefined,
    list: async (folder) => {
      const entries = new Map<string, ImageEntry>();
      for (const [path, text] of Object.entries(texts)) {
        if (!path.startsWith(`${folder}/`)) continue;
        const [name = '', ...below] = path.slice(folder.length + 1).split('/');
        const kind = below.length > 0 ? 'directory' : 'file';
        if (name !== '') entries.set(name, { name, kind, size: kind === 'file' ? text.length : 0, changed: 0 });
      }
      return [...entries.values()];
    },
  };
}

const clean = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
  '/etc/machine-id': '',
  '/etc/ssh/sshd_config': 'x',
  '/root/.bashrc': 'x',
  '/root/.ssh/': '',
  '/home/': '',
  '/var/log/README': 'a text of systemd',
  '/var/log/wtmp': '',
  '/var/log/journal/': '',
  '/var/lib/apt/lists/lock': '',
  '/var/lib/cloud/instances/': '',
};

test('a sealed image has no traces', async () => {
  expect(await traces(image(clean))).toEqual([]);
  expect(await traces(image({ ...clean, '/etc/machine-id': 'uninitialized\n' }))).toEqual([]);
});

test.each([
  ['/etc/ssh/ssh_host_rsa_key', 'x', 'ssh host key /etc/ssh/ssh_host_rsa_key'],
  ['/etc/machine-id', 'b08dfa6083e7567a1921a715000001fb\n', 'machine id in /etc/machine-id'],
  ['/var/lib/dbus/machine-id', 'b08d\n', 'machine id in /var/lib/dbus/machine-id'],
  ['/etc/passwd', 'packer:x:1000:1000::/home/packer:/bin/sh\n', 'account of a person: packer'],
  ['/home/packer/.profile', 'x', 'home /home/packer'],
  ['/var/log/apt/history.log', 'x', 'log /var/log/apt/history.log (1 bytes)'],
  ['/var/log/journal/abc/system.journal', 'x', 'log /var/log/journal/abc/system.journal'],
  ['/root/.bash_history', 'x', 'history /root/.bash_history'],
  ['/root/.ssh/authorized_keys', 'x', 'ssh login of the build /root/.ssh/authorized_keys'],
  ['/var/lib/systemd/random-seed', 'x', 'random seed or secret /var/lib/systemd/random-seed'],
  ['/var/lib/apt/lists/deb_InRelease', 'x', 'package list /var/lib/apt/lists/deb_InRelease'],
  ['/var/lib/dhcpcd/duid', 'x', 'network lease or identity /var/lib/dhcpcd/duid'],
  ['/var/lib/NetworkManager/secret_key', 'x', 'network identity /var/lib/NetworkManager/secret_key'],
  ['/var/cache/apt/pkgcache.bin', 'x', 'package cache /var/cache/apt/pkgcache.bin'],
  ['/var/cache/apt/archives/vim.deb', 'x', 'downloaded package /var/cache/apt/archives/vim.deb'],
  ['/var/log/installer/cdebconf/questions.dat', 'x', 'log /var/log/installer/cdebconf/questions.dat'],
  ['/etc/cloud/cloud.cfg.d/99-installer.cfg', 'x', 'answers of an installer /etc/cloud/cloud.cfg.d/99-installer.cfg'],
  ['/root/anaconda-ks.cfg', 'x', 'answers of an installer /root/anaconda-ks.cfg'],
  ['/root/original-ks.cfg', 'x', 'answers of an installer /root/original-ks.cfg'],
  ['/var/lib/cloud/instances/i-1/sem', 'x', 'cloud-init ran here: /var/lib/cloud/instances/i-1'],
])('%s is found', async (path, text, trace) => {
  const found = await traces(image({ ...clean, [path]: text }));
  expect(found.some((line) => line.startsWith(trace))).toBe(true);
});

test('accounts of services and of systemd are no people', () => {
  expect(peopleIn('a:x:999:1::/:\nb:x:61184:1::/:\nc:x:59999:1::/:\nbroken\n')).toEqual(['c']);
});

test('what two boots share is found', () => {
  const machine = (machineId: string, ...hostKeys: readonly string[]) => ({ machineId, hostKeys });
  expect(sameness([machine('1', 'a', 'b'), machine('2', 'c', 'd')])).toEqual([]);
  expect(sameness([machine('1', 'a'), machine('1', 'a')])).toEqual([
    'two boots have the same machine-id 1',
    'two boots have the same host key a',
  ]);
  expect(sameness([machine('')])).toEqual([
    'no ssh host key is made at the first boot',
    'no machine-id is made at the first boot',
  ]);
  expect(sameness([])).toEqual([]);
});
