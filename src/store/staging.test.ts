import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stagingName, sweepStaging } from './staging.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-staging-'));
});
afterEach(() => rm(folder, { recursive: true }));

const day = 86_400;

async function put(name: string, ageSeconds = 0): Promise<void> {
  await writeFile(join(folder, name), '');
  const time = Date.now() / 1000 - ageSeconds;
  await utimes(join(folder, name), time, time);
}

/** Another program with something on its way. */
async function startOther(): Promise<{ readonly name: string; readonly end: () => Promise<unknown> }> {
  const script = `import { stagingName } from '${import.meta.dirname}/staging.ts';
    console.log(stagingName());
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [name] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const end = () => {
    child.stdin.end();
    return once(child, 'close');
  };
  return { name, end };
}

test('what a program that is gone had on its way is taken away, what a living one has stays', async () => {
  const other = await startOther();
  const staying = [stagingName(), other.name, 'b1'];
  for (const name of staying) await put(name, 2 * day);
  await sweepStaging(folder, Date.now());
  expect((await readdir(folder)).sort()).toEqual(staying.sort());
  await other.end();
  await sweepStaging(folder, Date.now());
  expect((await readdir(folder)).sort()).toEqual(staying.filter((name) => name !== other.name).sort());
});

test('a living program that has the id of one that is gone, before a restart of the machine perhaps, keeps nothing', async () => {
  const [space, pid, birth = '', rest] = stagingName().split('-');
  await put([space, pid, `${birth.slice(1)}0`, rest].join('-'));
  await sweepStaging(folder, Date.now());
  expect(await readdir(folder)).toEqual([]);
});

test('of processes that cannot be asked for, only what is long forgotten goes', async () => {
  const elsewhere = () => stagingName().replace(/^\.\w*/, '.elsewhere');
  const [fresh, old] = [elsewhere(), elsewhere()];
  await put(fresh);
  await put(old, 2 * day);
  await sweepStaging(folder, Date.now());
  expect(await readdir(folder)).toEqual([fresh]);
});

test('no two names are the same, and a folder that is not there needs no sweeping', async () => {
  expect(new Set(Array.from({ length: 100 }, stagingName)).size).toBe(100);
  await sweepStaging(join(folder, 'none'), Date.now());
});
