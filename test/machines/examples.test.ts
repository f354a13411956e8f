import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import { openGuestLab, pathOf } from '../support/guest-lab.ts';

/** All but `installer`, which wants an ISO that only its vendor has, and those that build nothing. */
const examples = ['test-vm', 'minimal', 'web-server', 'container-host', 'developer'];

test.each(examples)('the images of the example %s are built and pass their checks', async (example) => {
  const lab = await openGuestLab(example);
  try {
    const built = await lab.build(['--arch', process.arch === 'arm64' ? 'aarch64' : 'x86_64']);
    const images = globSync('images/*.yaml', { cwd: lab.project }).map((file) => basename(file, '.yaml'));
    expect(images).not.toEqual([]);
    for (const image of images) {
      const text = await readFile(join(dirname(pathOf(built, image)), 'manifest.json'), 'utf8');
      const { checks } = JSON.parse(text) as Manifest;
      expect(checks).not.toEqual([]);
      expect(checks.filter(({ outcome }) => outcome !== 'done')).toEqual([]);
    }
  } finally {
    await lab.close();
  }
});
