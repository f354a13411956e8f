import { expect, test } from 'vitest';
import { originWords } from './words.ts';

const packages = {
  builtAt: '2026-11-21T10:04:59.000Z',
  steps: [{ id: 'source', title: 'debian trixie', key: 'a', outcome: 'done', seconds: 1 }],
  source: { kind: 'packages', options: {}, pin: null },
} as const;

test.each([
  [packages, undefined, 'made on 2026-11-21 10:04 UTC from debian trixie, not signed by a trusted key'],
  [
    {
      ...packages,
      builder: { ingot: '0.1.0', platform: 'linux', arch: 'x64' },
      base: { name: 'noble.img', digest: { sha256: 'ab'.repeat(32) } },
      materials: [{ name: 'tool.tgz', digest: { sha256: 'cd'.repeat(32) } }],
      git: { commit: 'e'.repeat(40), dirty: true },
    },
    'ABCD',
    'made on 2026-11-21 10:04 UTC by Ingot 0.1.0 on linux x64 from noble.img (sha256 abababababab), with tool.tgz (sha256 cdcdcdcdcdcd), at commit eeeeeeeeeeee with uncommitted changes, signed by key ABCD',
  ],
] as const)('where an image came from is said in a sentence', (manifest, signedBy, words) => {
  expect(originWords(manifest, signedBy)).toBe(words);
});
