import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failureOf, type GuestLab, openGuestLab } from '../support/guest-lab.ts';

let lab: GuestLab;
let programs = '';
let calls = '';
let search: { readonly PATH: string };

/** Programs that would open a disk, each telling that it was called before it does its work. */
beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  [programs, calls] = [join(lab.folder, 'programs'), join(lab.folder, 'calls')];
  search = { PATH: `${programs}:${process.env['PATH']}` };
  await mkdir(programs);
  for (const name of ['qemu-img', 'qemu-system-x86_64', 'qemu-system-aarch64', 'debugfs']) {
    const script = `#!/bin/sh\necho "$0 $*" >> '${calls}'\nPATH=\${PATH#*:} exec ${name} "$@"\n`;
    await writeFile(join(programs, name), script, { mode: 0o755 });
  }
});
afterAll(() => lab.close());

const build = async (disk: string) => {
  await lab.write(
    'images/web.yaml',
    `source: { disk-image: { file: ${disk} } }\nsteps: [{ shell: { run: "true" } }]\n`,
  );
  await writeFile(calls, '');
  return lab.build(['web', '--no-check'], { env: search });
};

test.each([
  ['names a file of this machine below it', ['-b', '/etc/passwd', '-F', 'raw', '-u'], /backing file/],
  ['keeps its data in another file', ['-o', 'data_file=DATA,data_file_raw=on'], /data file/],
  ['says it has 64 PiB', [], /L1 table/],
])('a qcow2 that %s is refused, and no program opens it', async (what, words, expected) => {
  const disk = join(lab.project, 'hostile.qcow2');
  const data = join(lab.folder, 'data.raw');
  const options = words.map((word) => word.replace('DATA', data));
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, disk, '1G']);
  if (what.includes('PiB')) {
    const bytes = await readFile(disk);
    bytes.writeBigUInt64BE(1n << 56n, 24);
    await writeFile(disk, bytes);
  }
  const built = await build('hostile.qcow2');
  expect(failureOf(built, 'web').message).toMatch(expected);
  expect(built.code).toBe(3);
  expect(await readFile(calls, 'utf8')).not.toContain('hostile');
  // It would be told.
  spawnSync(join(programs, 'qemu-img'), ['info', disk], { env: search });
  expect(await readFile(calls, 'utf8')).toContain('hostile');
});
