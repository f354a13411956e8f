import { expect, test } from 'vitest';
import { type Fault, strikeEach } from './each-step.ts';

const twin = (name: string) => new URL(`programs/twin-${name}.ts`, import.meta.url).pathname;

test.concurrent('a store that ignores a failed fsync is found out', async () => {
  const deaf = { twin: twin('deaf'), problem: /was not noticed/ };
  const { problems } = await strikeEach({ calls: 'fsync', what: 'error=EIO' }, deaf);
  expect(problems.join('\n')).toMatch(deaf.problem);
});

test.concurrent('a publish of one file after the other is found out by a kill between them', async () => {
  const pair = { twin: twin('pair'), problem: /\.sha256 says/ };
  const { problems } = await strikeEach({ calls: 'rename', what: 'signal=KILL' }, pair);
  expect(problems.join('\n')).toMatch(pair.problem);
});

// At least so many calls there are; fewer mean that the store leaves out what makes it safe, or the fault did not strike.
const faults: readonly (readonly [Fault, number])[] = [
  [{ calls: 'fsync', what: 'error=EIO' }, 20],
  [{ calls: 'fsync', what: 'signal=KILL' }, 20],
  [{ calls: 'rename', what: 'error=ENOSPC' }, 8],
  [{ calls: 'rename', what: 'signal=KILL' }, 8],
  [{ calls: 'symlink', what: 'error=ENOSPC' }, 1],
  [{ calls: 'symlink', what: 'signal=KILL' }, 1],
  [{ calls: 'mkdir', what: 'error=ENOSPC' }, 10],
  [{ calls: 'mkdir', what: 'signal=KILL' }, 10],
  [{ calls: 'unlink', what: 'signal=KILL' }, 4],
  [{ calls: 'rmdir', what: 'signal=KILL' }, 2],
];

test.concurrent.for(faults)('a store struck at each step by %j stays whole and works again', async ([fault, least]) => {
  const { struck, problems } = await strikeEach(fault);
  expect(problems).toEqual([]);
  expect(struck).toBeGreaterThanOrEqual(least);
});
