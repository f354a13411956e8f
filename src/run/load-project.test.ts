import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { problemLine } from '../../test/support/spec-project.ts';
import { IngotError, SpecError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { Choice } from '../spec/read-project.ts';
import { findProject, loadProject } from './load-project.ts';

const pipe = { pipe: true } as const;
const locked = { size: 1 };

type Entry = string | Uint8Array | { readonly link: string } | { readonly size: number } | typeof pipe;

/** A file system of a few names; says which files were read. */
function hostOf(entries: Readonly<Record<string, Entry>>): { readonly host: Host; readonly read: string[] } {
  const read: string[] = [];
  const all: readonly (readonly [string, Entry])[] = Object.entries<Entry>({
    '/p/ingot.yaml': 'name: demo\n',
    ...entries,
  });
  const isFolder = (path: string) => path === '/' || all.some(([name]) => name.startsWith(`${path}/`));
  const find = (path: string) => all.find(([name]) => name === path)?.[1];
  const realPath = (path: string): string => {
    const parts = posix.resolve(path).split('/').filter(Boolean);
    let here = '';
    for (const [i, part] of parts.entries()) {
      here = `${here}/${part}`;
      const entry = find(here);
      if (typeof entry === 'object' && 'link' in entry) {
        return realPath(posix.join(posix.resolve(posix.dirname(here), entry.link), ...parts.slice(i + 1)));
      }
    }
    if (find(here) === undefined && !isFolder(here || '/')) throw new Error('ENOENT');
    return here || '/';
  };
  const files = {
    realPath: async (path: string) => realPath(path),
    stat: async (path: string) => {
      const folder = posix.dirname(path);
      if (!all.some(([name]) => name.startsWith(folder))) return undefined;
      const name = posix.join(realPath(folder), posix.basename(path));
      const entry = find(name);
      if (entry === undefined) return isFolder(name) ? { kind: 'directory', size: 0 } : undefined;
      if (typeof entry === 'string') return { kind: 'file', size: entry.length };
      if (entry instanceof Uint8Array) return { kind: 'file', size: entry.length };
      if ('pipe' in entry) return { kind: 'other', size: 0 };
      return 'link' in entry ? { kind: 'link', size: 1 } : { kind: 'file', size: entry.size };
    },
    list: async (path: string) => {
      const inside = all.filter(([name]) => name.startsWith(`${path}/`));
      return [...new Set(inside.map(([name]) => name.slice(path.length + 1).split('/')[0] ?? ''))];
    },
    read: async (path: string) => {
      read.push(path);
      const entry = find(path);
      if (entry === locked) throw new Error('EACCES');
      return typeof entry === 'string' ? Buffer.from(entry) : Buffer.from(entry as Uint8Array);
    },
  };
  return { host: { files, arch: 'x64' } as unknown as Host, read };
}

async function problemsOf(entries: Readonly<Record<string, Entry>>, choice: Choice = {}): Promise<readonly string[]> {
  const { host } = hostOf(entries);
  const error = await loadProject('/p', { kinds: fakeKinds, host }, choice).catch((thrown: unknown) => thrown);
  if (!(error instanceof SpecError)) throw error;
  return error.problems.map(problemLine);
}

const source = 'source: { packages: { suite: trixie } }\n';

test('a project is read with the fragments its images name, and those that these name', async () => {
  const { host } = hostOf({
    '/p/images/a.yaml': `extends: [f/b.yaml]\n${source}steps: [{ shell: x.sh }]\n`,
    '/p/f/b.yaml': 'extends: [./c.yaml]\ndisk: 9G\n',
    '/p/c.yaml': 'description: deep\n',
    '/p/x.sh': 'true\n',
  });
  const project = await loadProject('/p', { kinds: fakeKinds, host });
  expect(project).toMatchObject({
    root: '/p',
    name: 'demo',
    images: [{ name: 'a', description: 'deep', disk: 9 * 1024 ** 3 }],
  });
});

test('only what the named images need is read, and each file once', async () => {
  const { host, read } = hostOf({
    '/p/images/a.yaml': 'source: { image: b }\n',
    '/p/images/b.yaml': `extends: f.yaml\n${source}`,
    '/p/images/other.yaml': 'extends: g.yaml\n',
    '/p/f.yaml': '',
    '/p/g.yaml': '',
    '/p/sites/s.yaml': 'a: 1\n',
    '/p/sites/t.yaml': 'a: 1\n',
  });
  const { images } = await loadProject('/p', { kinds: fakeKinds, host }, { images: ['a'], site: 's' });
  expect(images.map(({ name }) => name)).toEqual(['b', 'a']);
  expect([...read].sort()).toEqual([
    '/p/f.yaml',
    '/p/images/a.yaml',
    '/p/images/b.yaml',
    '/p/ingot.yaml',
    '/p/sites/s.yaml',
  ]);
});

test('the project is found from any folder below it', async () => {
  const { host } = hostOf({ '/p/scripts/deep/x.sh': '' });
  expect(await findProject('/p/scripts/deep', host)).toBe('/p');
  expect(await findProject('/p', host)).toBe('/p');
  expect(await findProject('/elsewhere/x', host)).toBeUndefined();
});

test('a folder without ingot.yaml is a usage error that says how to go on', async () => {
  const { host } = hostOf({ '/q/x': '' });
  await expect(loadProject('/q', { kinds: fakeKinds, host })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'there is no ingot.yaml in /q',
    hint: expect.stringContaining('ingot new'),
  });
});

test('a choice that is not there is told before any image is read', async () => {
  const { host, read } = hostOf({ '/p/images/debian.yaml': source });
  const error = await loadProject('/p', { kinds: fakeKinds, host }, { images: ['debain'] }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(IngotError);
  expect(error).toMatchObject({ code: 'USAGE', hint: 'did you mean "debian"?' });
  expect(read).toEqual([]);
});

test.each<[string, Readonly<Record<string, Entry>>, readonly string[]]>([
  [
    'a script that is not there, beside another mistake',
    { '/p/images/a.yaml': `disk: 1X\n${source}steps:\n  - shell: no.sh\n  - shel: x\n` },
    [
      'images/a.yaml:1:7 disk: expected a size like 8G or 512M, not "1X"',
      'images/a.yaml:4:12 there is no file "no.sh" (looked for /p/no.sh)',
      'images/a.yaml:5:5 unknown step "shel" (did you mean "shell"?)',
    ],
  ],
  [
    'the key of a login that is not there',
    { '/p/images/a.yaml': `${source}ssh: { user: admin, key: keys/id }\n` },
    ['images/a.yaml:2:26 there is no file "keys/id" (looked for /p/keys/id)'],
  ],
  [
    'a script in a fragment of two images, once',
    {
      '/p/images/a.yaml': `extends: f.yaml\n${source}`,
      '/p/images/b.yaml': `extends: f.yaml\n${source}`,
      '/p/f.yaml': 'steps: [{ shell: no.sh }]\n',
    },
    ['f.yaml:1:18 there is no file "no.sh" (looked for /p/no.sh)'],
  ],
  [
    'a script behind a link out of the project',
    {
      '/p/images/a.yaml': `${source}steps: [{ shell: s.sh }]\n`,
      '/p/s.sh': { link: '/etc/shadow' },
      '/etc/shadow': 'x',
    },
    ['images/a.yaml:2:18 "s.sh" leads out of the project'],
  ],
  [
    'a fragment in a linked folder',
    {
      '/p/images/a.yaml': `extends: [f/x.yaml]\n${source}`,
      '/p/f': { link: '../outside' },
      '/outside/x.yaml': 'disk: 9G\n',
    },
    ['f/x.yaml:1:1 this file leads out of the project'],
  ],
  [
    'an image that is a link out of the project',
    { '/p/images/a.yaml': { link: '/etc/passwd' }, '/etc/passwd': 'root' },
    ['images/a.yaml:1:1 this file leads out of the project'],
  ],
  ['an image that may not be read', { '/p/images/a.yaml': locked }, ['images/a.yaml:1:1 cannot be read: EACCES']],
  ['an image that is a pipe', { '/p/images/a.yaml': pipe }, ['images/a.yaml:1:1 this is not a file']],
  [
    'an image of 10 MB',
    { '/p/images/a.yaml': { size: 10 * 1024 ** 2 } },
    [
      'images/a.yaml:1:1 this file has 10.0 MiB; a spec file has at most 1 MiB (move long texts into files of their own)',
    ],
  ],
  [
    'an image that is no UTF-8',
    { '/p/images/a.yaml': Uint8Array.of(0x61, 0x3a, 0xff, 0x0a) },
    ['images/a.yaml:1:1 this file is not UTF-8 text (save it as UTF-8)'],
  ],
  [
    'a fragment that is not there, with its right name',
    { '/p/images/a.yaml': `extends: [f/bsae.yaml]\n${source}`, '/p/f/base.yaml': '' },
    ['images/a.yaml:1:11 no file "f/bsae.yaml" in the project (did you mean "f/base.yaml"?)'],
  ],
])('refused: %s', async (_, entries, expected) => {
  expect(await problemsOf(entries)).toEqual(expected);
});

test('a project reached through a link, with links inside it, is read', async () => {
  const { host } = hostOf({
    '/home/lab': { link: '/p' },
    '/p/images/a.yaml': { link: '../specs/a.yaml' },
    '/p/specs/a.yaml': source,
  });
  const { images, root } = await loadProject('/home/lab', { kinds: fakeKinds, host });
  expect(images.map(({ name }) => name)).toEqual(['a']);
  expect(root).toBe('/home/lab');
});
