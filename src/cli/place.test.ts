import { expect, test } from 'vitest';
import { homeFolder, projectFolder } from './place.ts';

const nowhere = { project: undefined, home: undefined };

function around(files: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  return { env, cwd, isFile: async (path: string) => files.includes(path) };
}

test.each([
  ['the flag, from where we are', { project: undefined, home: '../out' }, { INGOT_HOME: '/b' }, '/w/out'],
  ['INGOT_HOME', nowhere, { INGOT_HOME: '/srv/ingot', XDG_DATA_HOME: '/x' }, '/srv/ingot'],
  ['the XDG data folder', nowhere, { INGOT_HOME: '', XDG_DATA_HOME: '/x', HOME: '/home/me' }, '/x/ingot'],
  [
    'its default, a relative one being ignored',
    nowhere,
    { XDG_DATA_HOME: 'x', HOME: '/home/me' },
    '/home/me/.local/share/ingot',
  ],
])('results lie in %s', (_name, place, env, folder) => {
  expect(homeFolder(place, { env, cwd: '/w/here' })).toBe(folder);
});

test('without any home the person is told what to set', () => {
  expect(() => homeFolder(nowhere, { env: {}, cwd: '/' })).toThrow('no home folder');
});

test('the project is the nearest folder upwards', async () => {
  const files = ['/home/me/lab/ingot.yaml', '/home/me/ingot.yaml'];
  expect(await projectFolder(nowhere, around(files, '/home/me/lab/images'))).toBe('/home/me/lab');
});

test('a named project goes before the nearest, and must be one', async () => {
  const files = ['/a/ingot.yaml', '/b/ingot.yaml', '/c/ingot.yaml'];
  const here = around(files, '/a', { INGOT_PROJECT: '/b' });
  expect(await projectFolder({ project: '../c', home: undefined }, here)).toBe('/c');
  expect(await projectFolder(nowhere, here)).toBe('/b');
  await expect(projectFolder({ project: 'x', home: undefined }, here)).rejects.toThrow('no project in /a/x');
});

test('the catalogue is the project of its own repository only', async () => {
  const env = { INGOT_CATALOG: '/src/ingot/catalog' };
  const files = ['/src/ingot/catalog/ingot.yaml'];
  expect(await projectFolder(nowhere, around(files, '/src/ingot/docs', env))).toBe('/src/ingot/catalog');
  await expect(projectFolder(nowhere, around(files, '/src/ingot2', env))).rejects.toThrow(
    'no ingot.yaml in /src/ingot2',
  );
});
