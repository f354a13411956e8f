import { expect, test } from 'vitest';
import { fakeContext } from '../../test/support/fake-guest.ts';
import type { EventBody } from '../core/events.ts';
import type { Command, RunOptions } from '../core/host.ts';
import { defineStep } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import type { ImageSpec } from '../core/spec.ts';
import type { BootedGuest } from './guest/boot-guest.ts';
import { lendProject, packArgv, sizeArgv } from './lend-project.ts';
import type { Workshop } from './workshop.ts';

test("a project is measured and packed as root's, without its history and the store", () => {
  expect(sizeArgv('/p', ['.'], ['.git', 'var/home'])).toEqual([
    ...['du', '-cs', '-B1', '--apparent-size', '--exclude=/p/.git', '--exclude=/p/var/home', '--', '/p'],
  ]);
  const packed = packArgv('/p', '/w/project.tar', ['scripts/a.sh', '-x'], ['.git']);
  expect(packed.slice(packed.indexOf('--exclude=./.git'))).toEqual([
    ...['--exclude=./.git', '-C', '/p', '-cf', '/w/project.tar', '--', './scripts/a.sh', './-x'],
  ]);
  expect(packed).toEqual(expect.arrayContaining(['--owner=0', '--group=0', '--numeric-owner', '--anchored']));
});

const mib = 1024 * 1024;
const copy = defineStep<string>({
  ...({ name: 'copy', version: 1, summary: '', on: ['guest'], example: '' } as const),
  options: undefined as never,
  title: () => '',
  files: (path) => [path],
  run: async () => undefined,
});

/** Lend a project to a guest; what was packed, what the guest got, what was warned of. */
async function lend(sizes: Readonly<Record<string, number>>, steps: readonly string[], home = '/home') {
  const packed: (readonly string[])[] = [];
  const excluded: string[] = [];
  const got: string[] = [];
  const warned: string[] = [];
  const run = async ({ argv }: Command) => {
    const parts = argv.slice(argv.indexOf('--') + 1);
    if (argv[0] === 'tar') packed.push(parts);
    if (argv[0] === 'tar') excluded.push(...argv.filter((word) => word.startsWith('--exclude=')));
    const total = parts.reduce((sum, part) => sum + (sizes[part] ?? 0), 0);
    return { exitCode: 0, stdout: `1\tx\n${total}\ttotal\n`, stderr: '' };
  };
  const read = async (_: string, { offset = 0 } = {}) => Buffer.from(offset === 0 ? 'tar' : '');
  const guest = {
    run: async (script: Script, { stdin }: RunOptions) => {
      if (typeof stdin === 'string') got.push(stdin);
      else for await (const bytes of stdin ?? []) got.push(Buffer.from(bytes).toString());
      expect(script.text).toContain('mount -o remount,ro /run/ingot/project');
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  } as unknown as BootedGuest;
  const ctx = {
    ...fakeContext({ run, files: { read } as never }),
    emit: (event: EventBody) => void (event.type === 'warning' && warned.push(event.message)),
  };
  const workshop = { root: '/p', paths: { home }, kinds: { steps: new Map([['copy', copy]]) } } as unknown as Workshop;
  const spec = { name: 'web', steps: steps.map((options) => ({ kind: 'copy', options })) } as unknown as ImageSpec;
  await lendProject(guest, { workshop, spec, folder: '/w' }, ctx);
  return { packed, excluded, got, warned };
}

test('a guest gets all of a project, but not a store that lies in it', async () => {
  const all = await lend({ '/p': 3 * mib }, ['a']);
  expect([all.packed, all.got, all.warned]).toEqual([[['./.']], ['tar'], []]);
  expect(all.excluded).toEqual(['--exclude=./.git']);
  expect((await lend({}, [], '/p/var')).excluded).toEqual(['--exclude=./.git', '--exclude=./var']);
});

test('of a large project a guest gets what the steps name, and where that is too large nothing', async () => {
  const some = await lend({ '/p': 900 * mib, '/p/a': mib }, ['a', 'a']);
  expect([some.packed, some.got]).toEqual([[['./a']], ['tar']]);
  expect(some.warned).toEqual([expect.stringContaining('only what the steps of web name is copied')]);
  const none = await lend({ '/p': 900 * mib, '/p/a': 800 * mib }, ['a']);
  expect([none.packed, none.got]).toEqual([[], ['']]);
  expect(none.warned).toEqual([expect.stringContaining('nothing of it is copied')]);
});
