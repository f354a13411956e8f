import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-read-only-'));
});
afterEach(async () => {
  await mode(0o755);
  await rm(folder, { recursive: true });
});

async function mode(bits: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? bits : bits & 0o666);
  await chmod(folder, bits);
}

/** The command line as somebody who has no more rights than files give; root has them by its capabilities. */
function ingot(...words: readonly string[]) {
  const plain = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all'] : [];
  const [program = '', ...args] = [...plain, process.execPath, 'src/main.ts', ...words, '--home', folder];
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status, stderr };
}

const writing = [['gc'], ['registry', 'rebuild'], ['keys', 'new'], ['publish', 'README.md', '--as', 'files/readme']];

test.each([
  ['new', []],
  ['used', writing],
])('who may not write a %s home is told which path it is and what to do', async (_, before) => {
  for (const words of before) expect(ingot(...words)).toMatchObject({ status: 0 });
  await mode(0o555);
  const names = await readdir(folder, { recursive: true });
  for (const words of writing) {
    const { status, stderr } = ingot(...words);
    expect({ words, status }).toEqual({ words, status: 4 });
    expect(stderr).toMatch(
      new RegExp(`^error\\[AUTH\\]: you may not (make|change|open) ${folder}/.*\nnext: run it as whoever`, 'm'),
    );
  }
  expect(await readdir(folder, { recursive: true })).toEqual(names);
  expect(ingot('registry')).toMatchObject({ status: 0 });
});

test('images are not built into a home that may not be written', async () => {
  await mode(0o555);
  const { status, stderr } = ingot('build', 'debian-13', '--arch', 'x86_64', '--project', 'catalog');
  expect({ status, stderr }).toMatchObject({
    status: 4,
    stderr: expect.stringContaining(`you may not make ${folder}/`),
  });
});
