import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAarch64Disk } from '../support/aarch64-disk.ts';
import { asRawDisk, openRoot } from '../support/disk-reading.ts';
import { endsOf, type GuestLab, hasBooted, openGuestLab, pathOf } from '../support/guest-lab.ts';

// The image of the nightly set's foreign.test.ts is made here of packages; this one is somebody else's disk.

let lab: GuestLab;
beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  await makeAarch64Disk(join(lab.project, 'base.raw'));
});
afterAll(() => lab.close());

test('a disk of aarch64 boots by UEFI, is entered without cloud-init, takes a step and is sealed', async () => {
  await lab.write(
    'images/guest.yaml',
    `source: { disk-image: { file: base.raw } }
arch: aarch64
disk: 1G
memory: 1G
steps:
  - shell: { run: "uname -m > /etc/machine" }
`,
  );
  const built = await lab.build(['guest', '--no-check']);
  const path = pathOf(built, 'guest');
  expect(hasBooted(built, 'guest')).toBe(true);
  expect(endsOf(built, 'guest')).toContain('1-shell done');
  const raw = join(lab.folder, 'guest.raw');
  await asRawDisk(path, raw);
  const root = await openRoot(raw);
  await root.check();
  expect(await root.read('/etc/machine')).toBe('aarch64\n');
  expect(await root.read('/etc/systemd/system/ssh-host-keys.service')).toContain('ssh-keygen -A');
  const facts = await readFile(join(dirname(path), 'image-version.txt'), 'utf8');
  expect(facts).toContain('DEBIAN_VERSION');
});
