import { expect, test } from 'vitest';
import type { StepContext, Work } from '../../core/kinds.ts';
import { fetch, fetchScript } from './fetch.ts';

test.each([
  ['/etc/os-release', { from: '/etc/os-release', as: 'os-release' }, 'fetch /etc/os-release'],
  [{ from: '/etc/os-release' }, { from: '/etc/os-release', as: 'os-release' }, 'fetch /etc/os-release'],
  [
    { from: '/var/lib/x/facts', as: 'facts.json' },
    { from: '/var/lib/x/facts', as: 'facts.json' },
    'fetch /var/lib/x/facts as facts.json',
  ],
])('%j names a file and where it goes', (written, parsed, title) => {
  expect(fetch.options.parse(written)).toEqual(parsed);
  expect(fetch.title(parsed)).toBe(title);
});

test.each([
  ['etc/os-release'],
  ['/'],
  ['/etc/../shadow'],
  ['/etc/manifest.json'],
  ['/var/log/.hidden'],
  [{ from: '/etc/x', as: '../x' }],
  [{ from: '/etc/x', as: 'lab.qcow2.sha256' }],
  [{ from: '/etc/x', to: 'x' }],
])('%j is refused', (written) => {
  expect(fetch.options.safeParse(written).success).toBe(false);
});

test('the bytes go into the sidecar of that name', async () => {
  const read: unknown[] = [];
  const work = { readTo: async (...words: unknown[]) => read.push(words) } as unknown as Work;
  const ctx = { sidecar: (name: string) => `/layer/sidecar.${name}` } as StepContext;
  await fetch.run({ from: "/it's", as: 'x' }, work, ctx);
  expect(read).toEqual([[fetchScript("/it's"), '/layer/sidecar.x']]);
  expect(fetchScript("/it's").args).toEqual(["/it's"]);
});
