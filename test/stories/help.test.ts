import { expect, test } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { exitCodes } from '../../src/core/errors.ts';
import { ingot } from '../support/cli.ts';

test('ingot alone says what it is and where to start', async () => {
  const ran = await ingot('');
  expect(ran.code).toBe(0);
  expect(ran.stdout.split('\n').length).toBeLessThan(15);
  expect(ran.stdout).toContain('ingot new lab');
  for (const name of Object.keys(verbs)) expect(ran.stdout).toContain(name);
});

test.each(Object.keys(verbs))(
  'the help of %s shows examples before anything else, and fits 80 columns',
  async (name) => {
    const ran = await ingot(`${name} --help`, { tty: { columns: 80, rows: 24 }, env: { NO_COLOR: '1' } });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toBe('');
    expect(ran.stdout.indexOf('Examples:')).toBeGreaterThan(0);
    expect(ran.stdout.indexOf('Examples:')).toBeLessThan(ran.stdout.indexOf('Usage:'));
    expect(ran.stdout).toContain(`ingot ${name}`);
    expect(ran.stdout).not.toMatch(/default: [{[]/);
    for (const line of ran.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  },
);

test.each(Object.keys(verbs))('ingot help %s is the same text', async (name) => {
  expect((await ingot(`help ${name}`)).stdout).toBe((await ingot(`${name} --help`)).stdout);
});

test('the front page lists every command and the options of all', async () => {
  const { stdout } = await ingot('--help');
  for (const word of [...Object.keys(verbs), '--json', '--project', '--home', '--log-file', '--no-color']) {
    expect(stdout).toContain(word);
  }
});

test('every exit code is explained', async () => {
  const { stdout } = await ingot('help exit-codes');
  for (const [name, code] of Object.entries(exitCodes))
    expect(stdout).toMatch(new RegExp(`^ +${code} .*\\b${name}\\b`, 'm'));
});

test('the environment is explained', async () => {
  expect((await ingot('help environment')).stdout).toContain('INGOT_HOME');
});

test('help has colours on a terminal, unless they are unwanted', async () => {
  const tty = { columns: 80, rows: 24 };
  expect((await ingot('build --help', { tty })).stdout).toContain('\u001b[1mExamples:');
  expect((await ingot('build --help --no-color', { tty })).stdout).not.toContain('\u001b');
  expect((await ingot('build --help', { tty, env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
  expect((await ingot('build --help')).stdout).not.toContain('\u001b');
});

test('the version is the only output of --version', async () => {
  const ran = await ingot('--version');
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  ['biuld', "unknown command 'biuld'", 'did you mean build?'],
  ['build --frce', "unknown option '--frce'", 'did you mean --force?'],
  ['help exit-code', "there is no command or topic 'exit-code'", 'did you mean ingot help exit-codes?'],
  ['check', "missing required argument 'image'", 'ingot --help'],
  ['build --jobs none', "'none' is invalid. Expected a whole number from 1", 'ingot --help'],
  ['build --arch mips', 'Expected x86_64 or aarch64', 'ingot --help'],
  ['build --on-error stop', 'Allowed choices are clean, keep, shell', 'ingot --help'],
  ['list debian-13', "too many arguments for 'list'", 'ingot --help'],
  ['--project x', 'no command given', 'ingot --help'],
])('ingot %s is refused with exit code 2, a reason and a way on', async (line, reason, hint) => {
  const ran = await ingot(line);
  expect([ran.code, ran.stdout, ran.places]).toEqual([2, '', []]);
  expect(ran.stderr).toContain(`error[USAGE]: `);
  expect(ran.stderr).toContain(reason);
  expect(ran.stderr).toContain(hint);
});

test('wrong usage is data with --json', async () => {
  const ran = await ingot('biuld --json');
  expect(JSON.parse(ran.stdout)).toMatchObject({
    kind: 'error',
    error: { code: 'USAGE', hint: 'did you mean build?' },
  });
});
