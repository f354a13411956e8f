import { expect, test } from 'vitest';
import type { Engine } from '../../src/cli/engine.ts';
import type { BuildRequest, BuildResult } from '../../src/cli/requests/images.ts';
import { readerGone } from '../../src/cli/run.ts';
import { IngotError, SpecError } from '../../src/core/errors.ts';
import type { EventBody } from '../../src/core/events.ts';
import { emitAll, ingot } from '../support/cli.ts';

const path = '/srv/ingot/artifacts/images/debian-13/x86_64/debian-13.qcow2';

const built: BuildResult = {
  image: 'debian-13',
  arch: 'x86_64',
  build: 'b1',
  key: 'k',
  outcome: 'done',
  seconds: 42,
  paths: [path],
  checks: [],
};
const failed: BuildResult = {
  ...built,
  image: 'debian-12',
  outcome: 'failed',
  paths: [],
  error: {
    code: 'STEP_FAILED',
    message: 'scripts/base.sh: exit code 3',
    detail: ['last line'],
    hint: 'look at the log',
  },
};
const events: readonly EventBody[] = [
  { type: 'build.start', image: 'debian-13', arch: 'x86_64', key: 'k' },
  { type: 'step.start', id: '1-shell', title: 'run scripts/base.sh' },
  { type: 'log', id: '1-shell', line: 'hello' },
  { type: 'step.end', id: '1-shell', title: 'run scripts/base.sh', outcome: 'done', seconds: 2 },
  { type: 'build.end', image: 'debian-13', arch: 'x86_64', outcome: 'done', seconds: 42 },
];

function builds(...results: readonly BuildResult[]) {
  const requests: BuildRequest[] = [];
  const engine: Partial<Engine> = {
    build: async (request, io) => {
      requests.push(request);
      emitAll(io, events);
      return results;
    },
  };
  return { engine, requests };
}

test('a build prints the path as its only result, progress beside it', async () => {
  const ran = await ingot('build debian-13', builds(built));
  expect(ran.code).toBe(0);
  expect(ran.stdout).toBe(`${path}\n`);
  expect(ran.stderr).toContain('debian-13 x86_64: ✓ run scripts/base.sh (2.0 s)\n');
  expect(ran.stderr).not.toContain('hello');
  expect(ran.stderr).toMatch(/next: ingot shell debian-13, ingot show debian-13\n$/);
});

test('the files of images that were only needed are no result', async () => {
  const child: BuildResult = { ...built, image: 'node', paths: ['/srv/node.qcow2'] };
  expect((await ingot('build node', builds(built, child))).stdout).toBe('/srv/node.qcow2\n');
  expect((await ingot('build', builds(built, child))).stdout).toBe(`${path}\n/srv/node.qcow2\n`);
  expect(
    JSON.parse((await ingot('build node --json', builds(built, child))).stdout.trim().split('\n').at(-1) ?? ''),
  ).toMatchObject({
    data: [{ image: 'debian-13' }, { image: 'node' }],
  });
});

test('on a terminal the finished tree stays above the path', async () => {
  const ran = await ingot('build debian-13', {
    ...builds(built),
    tty: { columns: 80, rows: 24 },
    env: { NO_COLOR: '1' },
  });
  expect(ran.stderr).toContain('  ✓ run scripts/base.sh');
  expect(ran.stderr).toContain('done in 42 s');
  expect(ran.stdout).toBe(`${path}\n`);
});

test('without options everything is built for this machine, checked and cleaned up after', async () => {
  const { engine, requests } = builds(built);
  await ingot('build', { engine });
  expect(requests).toEqual([
    { images: [], arch: 'native', force: false, refresh: false, checks: true, warm: true, onError: 'clean' },
  ]);
});

test('what to do next names the architecture that was asked for', async () => {
  const ran = await ingot('build debian-13 --arch aarch64', builds({ ...built, arch: 'aarch64' }));
  expect(ran.stderr).toMatch(/next: ingot shell debian-13 --arch aarch64, ingot show debian-13 --arch aarch64\n$/);
});

test('every option reaches the engine', async () => {
  const { engine, requests } = builds(built);
  const options =
    '--arch arm64 --site lab --pass 2 --force --refresh --jobs 3 --no-check --no-warm --on-error keep --output out';
  const ran = await ingot(`build a b ${options} --project p --home h`, { engine });
  expect(requests).toEqual([
    {
      images: ['a', 'b'],
      arch: 'aarch64',
      site: 'lab',
      pass: 2,
      force: true,
      refresh: true,
      jobs: 3,
      checks: false,
      warm: false,
      onError: 'keep',
      output: 'out',
    },
  ]);
  expect(ran.places).toEqual([{ project: 'p', home: 'h' }]);
});

test('a failed step shows cause, last lines and next step, and prints no path', async () => {
  const ran = await ingot('build debian-12', builds(failed));
  expect(ran.code).toBe(1);
  expect(ran.stdout).toBe('');
  expect(ran.stderr).toMatch(
    /error\[STEP_FAILED\]: scripts\/base.sh: exit code 3\n {2}last line\nnext: look at the log\n$/,
  );
});

test('when some of several fail, the exit code is 7 and the good ones are printed', async () => {
  const ran = await ingot('build', builds(failed, built));
  expect(ran.code).toBe(7);
  expect(ran.stdout).toBe(`${path}\n`);
  expect(ran.stderr).toContain('error[STEP_FAILED]: debian-12 x86_64: scripts/base.sh: exit code 3');
  expect(ran.stderr).toContain('1 of 2 images are built');
});

test('a failed check has exit code 6', async () => {
  const error = { code: 'CHECK_FAILED', message: 'kernel panic' } as const;
  expect((await ingot('build', builds({ ...failed, error }))).code).toBe(6);
});

test('--json writes one event a line and the results last', async () => {
  const ran = await ingot('build --json', builds(built));
  const lines = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.type ?? line.kind)).toEqual([...events.map((event) => event.type), 'build']);
  expect(lines.at(-1)).toEqual({ schemaVersion: 1, kind: 'build', data: [built] });
  expect(ran.stderr).toBe('');
});

test('--quiet leaves only the path, --verbose adds every line, --log-file keeps all of it', async () => {
  const quiet = await ingot('build -q --log-file run.log', builds(built));
  expect([quiet.stdout, quiet.stderr]).toEqual([`${path}\n`, '']);
  expect(quiet.logs['run.log']).toContain('2026-11-21T12:00:00.000Z debian-13 x86_64 [1-shell] hello\n');
  expect((await ingot('build -v', builds(built))).stderr).toContain('debian-13 x86_64:   hello\n');
});

test('all mistakes of the files are shown, with exit code 2, and as data with --json', async () => {
  const place = { file: '/home/me/lab/images/a.yaml', line: 2, column: 1, source: 'stpes:' };
  const engine: Partial<Engine> = {
    build: () =>
      Promise.reject(new SpecError([{ message: 'unknown key "stpes"', place, hint: 'did you mean "steps"?' }])),
  };
  const ran = await ingot('build --json', { engine });
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('--> images/a.yaml:2:1');
  expect(ran.stderr).toContain('did you mean "steps"?');
  expect(JSON.parse(ran.stdout)).toMatchObject({
    schemaVersion: 1,
    kind: 'error',
    error: { code: 'SPEC_INVALID', problems: [{ message: 'unknown key "stpes"', place }] },
  });
});

test('a bug shows its stack, asks for a report and has exit code 70', async () => {
  const engine: Partial<Engine> = { build: () => Promise.reject(new TypeError('x is not a function')) };
  const ran = await ingot('build', { engine });
  expect(ran.code).toBe(70);
  expect(ran.stderr).toMatch(
    /error\[INTERNAL\]: TypeError: x is not a function\n {2}at .*\n(.*\n)*next: this is a bug/,
  );
});

test('no word of a failure can steer the terminal', async () => {
  const error = { code: 'STEP_FAILED', message: 'bad \u001b[2J\u0007 name', detail: ['\u001b]0;x\u0007'] } as const;
  const ran = await ingot('build', builds({ ...failed, error }));
  expect(ran.stderr).not.toMatch(/[\u0007\u001b]/);
});

test.each([
  ['SIGINT', 130, 'stopped by Ctrl-C'],
  ['SIGTERM', 143, 'stopped by SIGTERM'],
  ['SIGHUP', 129, 'the terminal went away'],
] as const)('%s says what is cleaned up and ends with %d, hiding what it brought about', async (name, code, words) => {
  let deliver = () => {};
  const ran = await ingot('build', {
    engine: {
      build: async (_request, io) => {
        emitAll(io, events.slice(0, 2));
        deliver();
        throw new IngotError({ code: 'TOOL_FAILED', message: 'mmdebstrap was killed' });
      },
    },
    hand: (interrupts) => {
      deliver = () => interrupts.deliver(name);
    },
  });
  expect(ran.code).toBe(code);
  expect(ran.stderr).toContain(`${words}, cleaning up debian-13 x86_64 (run scripts/base.sh)`);
  expect(ran.stderr).not.toContain('mmdebstrap was killed');
});

test('results of a stopped build keep the exit code of the stop', async () => {
  const ran = await ingot('build', {
    engine: { build: async () => [{ ...failed, outcome: 'cancelled' }, built] },
    hand: (interrupts) => interrupts.deliver('SIGINT'),
  });
  expect(ran.code).toBe(130);
  expect(ran.stdout).toBe(`${path}\n`);
});

test('when nobody reads the output any more, a build ends quietly', async () => {
  const ran = await ingot('build --json', {
    engine: { build: async (_request, io) => io.signal.throwIfAborted() as never },
    hand: (interrupts) => interrupts.stop(readerGone),
  });
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([130, '', '']);
});
