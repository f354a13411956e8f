import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('on a machine that is set up for the tests, setup finds nothing to do', () => {
  const { status, stdout } = spawnSync('./setup', ['--dev', '--dry-run'], { encoding: 'utf8' });
  expect(stdout).toBe('Everything is here already: nothing to do.\n');
  expect(status).toBe(0);
});

test('make lists every image of the catalogue and how to build it', () => {
  const { status, stdout } = spawnSync('make', [], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ {2}debian-12 +Debian 12/m);
  expect(stdout).toMatch(/^ {2}debian-13 +Debian 13/m);
  expect(stdout).toContain('make IMAGE');
});

test('make shows the tools, and those of an image', () => {
  for (const target of ['deps', 'deps-debian-13']) {
    const { status, stdout } = spawnSync('make', [target], { encoding: 'utf8' });
    expect(stdout).toMatch(/mmdebstrap +\d/);
    expect(status).toBe(0);
  }
});
