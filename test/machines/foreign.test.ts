import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asRawDisk, openRoot } from '../support/disk-reading.ts';
import { type GuestLab, hasBooted, openGuestLab, pathOf } from '../support/guest-lab.ts';

// A machine of the other architecture: its programs run by qemu-user while the tree is filled, then its own kernel boots.
const [arch, machine] = process.arch === 'x64' ? (['aarch64', 'aarch64'] as const) : (['x86_64', 'x86_64'] as const);

let lab: GuestLab;
beforeAll(async () => {
  lab = await openGuestLab('test-vm');
});
afterAll(() => lab.close());

test(`a guest of ${arch} is entered without cloud-init, and takes its steps`, async () => {
  await lab.write(
    'images/foreign.yaml',
    `source: { packages: { suite: bookworm, include: [openssh-server, dbus, udev] } }
arch: ${arch}
disk: 2G
steps:
  - copy: { to: /etc/systemd/network/80-dhcp.network, content: "[Match]\\nType=ether\\n[Network]\\nDHCP=yes\\n" }
  - services: { enable: [ssh, systemd-networkd] }
`,
  );
  await lab.write(
    'images/guest.yaml',
    `source: { image: foreign }
arch: ${arch}
disk: 2G
memory: 1G
steps:
  - shell: { run: "uname -m > /etc/machine" }
`,
  );
  const built = await lab.build(['guest', '--no-check']);
  const path = pathOf(built, 'guest');
  expect(hasBooted(built, 'guest')).toBe(true);
  const raw = join(dirname(path), 'guest.raw');
  await asRawDisk(path, raw);
  const root = await openRoot(raw);
  await root.check();
  expect(await root.read('/etc/machine')).toBe(`${machine}\n`);
  await rm(raw);
  const facts = await readFile(join(dirname(path), 'image-version.txt'), 'utf8');
  expect(facts).toContain('DEBIAN_VERSION');
});
