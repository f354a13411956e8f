import { expect, test } from 'vitest';
import type { StepContext, Work } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import { copy, placeTreeScript } from './copy.ts';

type Exec = { readonly script: Script; readonly stdin: string | AsyncIterable<Uint8Array> | undefined };

const project: Readonly<Record<string, { kind: 'file' | 'directory' | 'link'; bytes?: string }>> = {
  '/project/motd': { kind: 'file', bytes: 'hello' },
  '/project/link': { kind: 'link' },
  '/project/folder': { kind: 'directory' },
  '/project/folder/a': { kind: 'file', bytes: 'a' },
};

const files = {
  stat: async (path: string) => {
    const found = project[path];
    return found === undefined ? undefined : { kind: found.kind, size: found.bytes?.length ?? 0, mode: 0o644 };
  },
  realPath: async (path: string) => path.replace('/link', '/motd'),
  list: async () => ['a'],
  read: async (path: string) => Buffer.from(project[path]?.bytes ?? ''),
};

async function ran(written: unknown): Promise<Exec> {
  const done: Exec[] = [];
  const work = {
    exec: async (script: Script, more: { stdin?: Exec['stdin'] }) => done.push({ script, stdin: more.stdin }),
  };
  const ctx = { host: { files }, projectFile: (path: string) => `/project/${path}` };
  await copy.run(copy.options.parse(written), work as unknown as Work, ctx as unknown as StepContext);
  return done[0] as Exec;
}

async function textOf(stdin: Exec['stdin']): Promise<string> {
  if (typeof stdin === 'string' || stdin === undefined) return stdin ?? '';
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('a text goes in on stdin as a string, so that its secrets can be filled in late', async () => {
  const { script, stdin } = await ran({ content: 'key=${secret.key}', to: '/etc/key', mode: '0600', owner: 'app:app' });
  expect(stdin).toBe('key=${secret.key}');
  expect(script.args).toEqual(['/etc/key', 'app:app', '0600']);
  expect(copy.secretsIn).toEqual([['content']]);
});

test.each(['motd', 'link'])('the file %s goes in as its bytes', async (from) => {
  const { script, stdin } = await ran({ from, to: '/etc/motd' });
  expect(await textOf(stdin)).toBe('hello');
  expect(script.args).toEqual(['/etc/motd', 'root:root', '0644']);
});

test('a folder goes in as a tar stream and leaves folders and links that are there as they are', async () => {
  const { script, stdin } = await ran({ from: 'folder', to: '/' });
  expect(script).toEqual(placeTreeScript({ to: '/', owner: 'root:root' }));
  expect(script.text).toContain('--no-overwrite-dir --keep-directory-symlink');
  expect((await textOf(stdin)).slice(257, 262)).toBe('ustar');
});

test('a path that is not in the project is named', async () => {
  await expect(ran({ from: 'nope', to: '/etc/x' })).rejects.toThrow('there is no file or folder nope');
});

test.each([
  [{ to: '/etc/x' }],
  [{ from: 'a', content: 'b', to: '/etc/x' }],
  [{ from: '../a', to: '/etc/x' }],
  [{ from: '/etc/passwd', to: '/etc/x' }],
  [{ from: 'a', to: 'etc/x' }],
  [{ from: 'a', to: '/etc/../x' }],
  [{ from: 'a', to: '/etc//x' }],
  [{ from: 'a', to: '/etc/x/' }],
  [{ from: 'a', to: '/etc/x\ny' }],
  [{ content: 'a', to: '/' }],
  [{ content: 'a', to: '/x', mode: 644 }],
  [{ content: 'a', to: '/x', mode: '0888' }],
  [{ content: 'a', to: '/x', owner: 'root' }],
  [{ content: 'a', to: '/x', owner: 'a b:c' }],
  [{ content: 'a', to: '/x', owner: '-R:root' }],
])('%j is refused', (written) => {
  expect(copy.options.safeParse(written).success).toBe(false);
});

test.each(["/srv/it's here/$x", '/é', '/.hidden', '/a..b'])('the path %s is taken as it is', (to) => {
  expect(copy.options.safeParse({ content: '', to }).success).toBe(true);
});

test('the title says what comes where, and files what it depends on', () => {
  const written = copy.options.parse({ from: 'motd', to: '/etc/motd' });
  expect(copy.title(written)).toBe('copy motd to /etc/motd');
  expect(copy.files?.(written)).toEqual(['motd']);
  expect(copy.title(copy.options.parse({ content: '', to: '/etc/motd' }))).toBe('write /etc/motd');
});
