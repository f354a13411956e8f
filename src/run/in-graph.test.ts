import { expect, test } from 'vitest';
import { inGraph } from './in-graph.ts';

/** Tasks by name with what they need; each runs until it is let go, and `log` tells what started and ended. */
function machine(needs: Readonly<Record<string, readonly string[]>>, jobs: number) {
  const log: string[] = [];
  const gates = new Map(Object.keys(needs).map((name) => [name, Promise.withResolvers<void>()]));
  const all = inGraph(Object.keys(needs), {
    jobs,
    needs: (name) => needs[name] ?? [],
    run: async (name, done) => {
      log.push(`+${name}`);
      await gates.get(name)?.promise;
      log.push(`-${name}`);
      return `${name}(${(needs[name] ?? []).map((other) => done.get(other)).join(' ')})`;
    },
  });
  const finish = async (...names: readonly string[]): Promise<string> => {
    for (const name of names) gates.get(name)?.resolve();
    // What follows from an end is a chain of promises, and no timer.
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
    return log.splice(0).join(' ');
  };
  return { all, gates, finish };
}

test('a task starts when all it needs are done, and has their results', async () => {
  const { all, finish } = machine({ base: [], other: [], node: ['base'], both: ['node', 'other'] }, 9);
  expect(await finish()).toBe('+base +other');
  expect(await finish('base')).toBe('-base +node');
  expect(await finish('node')).toBe('-node');
  expect(await finish('other')).toBe('-other +both');
  await finish('both');
  expect(await all).toEqual(['base()', 'other()', 'node(base())', 'both(node(base()) other())']);
});

test('no more than so many run at once, and one that is ready does not wait for one that is not', async () => {
  const { all, finish } = machine({ base: [], node: ['base'], free: [], last: [] }, 2);
  expect(await finish()).toBe('+base +free');
  expect(await finish('free')).toBe('-free +last');
  expect(await finish('base')).toBe('-base +node');
  await finish('node', 'last');
  expect(await all).toHaveLength(4);
});

test('a circle is an error and not a wait for ever', async () => {
  await expect(machine({ a: ['b'], b: ['a'] }, 1).all).rejects.toThrow('circle');
});

test('when one breaks, the others that run are waited for and no more are started', async () => {
  const { all, gates, finish } = machine({ bad: [], slow: [], next: ['slow'] }, 2);
  const ended: string[] = [];
  const failed = all.catch((error: Error) => ended.push(error.message));
  gates.get('bad')?.reject(new Error('broken'));
  expect(await finish()).toBe('+bad +slow');
  expect(ended).toEqual([]);
  expect(await finish('slow')).toBe('-slow');
  await failed;
  expect(ended).toEqual(['broken']);
});

test('nothing to do is done', async () => {
  expect(await machine({}, 1).all).toEqual([]);
});
