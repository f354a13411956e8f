import { expect, test } from 'vitest';
import type { PinReport, PinsRequest } from '../../src/cli/requests/upkeep.ts';
import { ingot } from '../support/cli.ts';

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
const moved: PinReport = {
  name: 'debian',
  what: 'pin',
  arch: 'x86_64',
  state: 'moved',
  changes: [{ name: 'sha256', from: a, to: b }],
};
const fixed: PinReport = { name: 'k3s', what: 'pin', state: 'fixed', changes: [] };
const source: PinReport = {
  name: 'web',
  what: 'source',
  arch: 'aarch64',
  state: 'new',
  changes: [{ name: 'digest', to: `sha512:${a}${b}` }],
};
const failed: PinReport = {
  ...{ name: 'gone', what: 'pin', state: 'failed', changes: [] },
  error: { code: 'NOT_FOUND', message: 'https://a.example/SUMS is not there (HTTP 404)', hint: 'look' },
};

test('a check shows what moved, from what to what, and the command that follows', async () => {
  const asked: PinsRequest[] = [];
  const pins = async (request: PinsRequest) => {
    asked.push(request);
    return { pins: [moved, fixed, source] };
  };
  const ran = await ingot('pins check debian --site lab', { engine: { pins } });
  expect(asked).toEqual([{ names: ['debian'], update: false, site: 'lab' }]);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toBe(
    [
      'debian     x86_64   moved  sha256 aaaaaaaaaaaa -> bbbbbbbbbbbb',
      'k3s                 fixed',
      'image web  aarch64  new    digest sha512:aaaaaaaaaaaa',
      '',
    ].join('\n'),
  );
  expect(ran.stderr).toBe('next: ingot pins update (2 changes)\n');
});

test('an update says which file was written', async () => {
  const ran = await ingot('pins update', {
    engine: { pins: async () => ({ pins: [moved], written: '/p/versions.yaml' }) },
  });
  expect([ran.code, ran.stderr]).toEqual([0, 'written: /p/versions.yaml\n']);
});

test('what cannot be looked up is told, with the exit code of some failed or of its cause', async () => {
  const some = await ingot('pins check', { engine: { pins: async () => ({ pins: [fixed, failed] }) } });
  expect(some.code).toBe(7);
  expect(some.stderr).toContain('error[NOT_FOUND]: gone: https://a.example/SUMS is not there (HTTP 404)');
  const refused = { ...failed, error: { code: 'INPUT_REFUSED', message: 'x' } } as const;
  expect((await ingot('pins check', { engine: { pins: async () => ({ pins: [refused] }) } })).code).toBe(3);
});

test('as data everything is whole', async () => {
  const ran = await ingot('pins update --json', { engine: { pins: async () => ({ pins: [moved], written: '/p/v' }) } });
  expect(JSON.parse(ran.stdout)).toEqual({
    schemaVersion: 1,
    kind: 'pins',
    data: { update: true, pins: [moved], written: '/p/v' },
  });
});

test.each(['pins', 'pins follow'])('%s is a mistake of usage', async (line) => {
  expect((await ingot(line)).code).toBe(2);
});
