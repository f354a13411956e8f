import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { imageOf } from '../../../test/support/spec-project.ts';
import type { Context } from '../../core/context.ts';
import type { EventBody } from '../../core/events.ts';
import { createHost } from '../../host/host.ts';
import type { Machine } from '../../qemu/machine.ts';
import { storePaths } from '../../store/paths.ts';
import type { Workshop } from '../workshop.ts';
import type { BootedGuest } from './boot-guest.ts';
import type { OpenBench } from './guest-bench.ts';
import { GuestStates } from './guest-states.ts';

let home = '';
let events: EventBody[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-guest-states-'));
  events = [];
});
afterEach(() => rm(home, { recursive: true }));

const ctx: Context = {
  host: createHost(),
  signal: new AbortController().signal,
  emit: (event) => events.push(event),
  step: '1-shell',
};
const web = imageOf('source: { packages: { suite: trixie } }\n');

function states(wanted = true): GuestStates {
  return new GuestStates({ paths: storePaths(home) } as Workshop, web, wanted);
}

type Rested = { readonly key: string; readonly disk?: string; readonly save?: Machine['saveState'] };

/** A guest that rests, with keys, a seed and the variables of its firmware. */
async function rest(all: GuestStates, { key, disk = `disk of ${key}`, save }: Rested): Promise<void> {
  const sockets = join(home, 'sockets');
  await mkdir(sockets, { recursive: true });
  for (const name of ['login', 'login.pub', 'host', 'host.pub', 'known_hosts', 'seed.img', 'vars'])
    await writeFile(join(sockets, name), `${name} of ${key}`);
  const seed = { path: join(sockets, 'seed.img'), format: 'raw' as const };
  const bench = { scratch: join(home, 'work'), sockets, seed } as OpenBench;
  const guest = { shape: 'q35', vars: join(sockets, 'vars') } as BootedGuest;
  const saveState = save ?? ((file: string) => writeFile(file, `memory of ${key}`));
  const running = { direct: true, kernel: '6.1' };
  await all.save({ key, disk, guest, bench, machine: { saveState } as Machine, running }, ctx);
}

const layer = (key: string, id = `disk of ${key}`) => ({ key, id });
const kept = async () =>
  (await readdir(join(home, 'store', 'states', `${web.name}-x86_64`)).catch(() => [])).sort((a, b) => (a < b ? -1 : 1));

test('a saved guest is found with its memory, its variables and what gets us in', async () => {
  await rest(states(), { key: 'k' });
  const found = await states().find(layer('k'), ctx);
  expect(found?.shape).toBe('q35');
  expect(found?.running).toEqual({ direct: true, kernel: '6.1' });
  expect(await readFile(found?.file ?? '', 'utf8')).toBe('memory of k');
  expect(await readFile(found?.vars ?? '', 'utf8')).toBe('vars of k');
  const login = (await readdir(found?.keys ?? '')).sort();
  expect(login).toEqual(['host', 'host.pub', 'known_hosts', 'login', 'login.pub', 'seed.img']);
});

test("a guest's memory and keys are nobody else's", async () => {
  await rest(states(), { key: 'k' });
  const folder = join(home, 'store', 'states', `${web.name}-x86_64`, 'k');
  const mode = async (...names: readonly string[]) => (await stat(join(folder, ...names))).mode & 0o777;
  expect([await mode(), await mode('login', 'login')]).toEqual([0o700, 0o600]);
});

test('a state that rested on another disk under the same key is not used', async () => {
  await rest(states(), { key: 'k' });
  expect(await states().find(layer('k', 'made again'), ctx)).toBeUndefined();
  expect(await states().find(layer('other'), ctx)).toBeUndefined();
});

test('the states at the last two layers stay', async () => {
  const all = states();
  for (const key of ['a', 'b', 'c']) await rest(all, { key });
  expect(await kept()).toEqual(['b', 'c']);
});

test('where a build went on from, the next one can go on again', async () => {
  const cold = states();
  for (const key of ['a', 'b', 'c']) await rest(cold, { key });
  for (const key of ['c2', 'c3']) {
    const warm = states();
    expect(await warm.find(layer('b'), ctx)).toBeDefined();
    await rest(warm, { key });
    expect(await kept()).toEqual(['b', key]);
  }
});

test('without warm starts nothing is found and nothing is saved', async () => {
  await rest(states(), { key: 'k' });
  expect(await states(false).find(layer('k'), ctx)).toBeUndefined();
  await rest(states(false), { key: 'l' });
  expect(await kept()).toEqual(['k']);
});

test('a state that cannot be saved is told and leaves nothing', async () => {
  await rest(states(), { key: 'k', save: () => Promise.reject(new Error('no room')) });
  expect(events).toEqual([
    { type: 'log', id: '1-shell', line: "the guest's state could not be saved: Error: no room" },
  ]);
  expect(await readdir(join(home, 'work'))).toEqual([]);
  expect(await kept()).toEqual([]);
});

test('saving that is stopped fails', async () => {
  const stop = new AbortController();
  const stopped = { ...ctx, signal: stop.signal };
  const saveState = () => {
    stop.abort(new Error('stopped by hand'));
    return Promise.reject(new Error('the pipe broke'));
  };
  const bench = { scratch: join(home, 'work') } as OpenBench;
  const resting = {
    key: 'k',
    disk: 'd',
    guest: {} as BootedGuest,
    bench,
    machine: { saveState } as unknown as Machine,
    running: {},
  };
  await expect(states().save(resting, stopped)).rejects.toThrow('stopped by hand');
});
