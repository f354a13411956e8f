import { expect, test } from 'vitest';
import type { Files, Host } from '../core/host.ts';
import { createProject } from './create.ts';

function hostWith(there: Readonly<Record<string, readonly string[] | 'file'>>) {
  const written = new Map<string, number | undefined>();
  const files: Partial<Files> = {
    stat: async (path) => {
      const found = there[path];
      if (found === undefined) return undefined;
      return { kind: found === 'file' ? 'file' : 'directory', size: 0, mode: 0, modifiedMs: 0 };
    },
    list: async (path) => {
      const found = there[path];
      return found === undefined || found === 'file' ? [] : found;
    },
    makeDirectory: async () => {},
    write: async (path, _data, mode) => void written.set(path, mode),
  };
  return { host: { files } as Host, written };
}

const request = { folder: 'lab', files: { 'ingot.yaml': 'name: lab\n', 'scripts/base.sh': '#!/bin/sh\n' } };

test('a project is written into a new folder, scripts being programs', async () => {
  const { host, written } = hostWith({});
  expect(await createProject(request, '/home/me', host)).toBe('/home/me/lab');
  expect([...written]).toEqual([
    ['/home/me/lab/ingot.yaml', 0o644],
    ['/home/me/lab/scripts/base.sh', 0o755],
  ]);
});

test('an empty folder is good enough', async () => {
  const { host, written } = hostWith({ '/home/me/lab': [] });
  await createProject(request, '/home/me', host);
  expect(written.size).toBe(2);
});

test.each([[{ '/home/me/lab': ['notes.txt'] }], [{ '/home/me/lab': 'file' as const }]])(
  'what is there already is never touched: %j',
  async (there) => {
    const { host, written } = hostWith(there);
    await expect(createProject(request, '/home/me', host)).rejects.toMatchObject({ code: 'USAGE' });
    expect(written.size).toBe(0);
  },
);
