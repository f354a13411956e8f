import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Count = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** Resolves with what there is to say: nothing when all is well. */
export type StaticCheck = { readonly name: string; readonly run: () => Promise<string> };

type Ended = { readonly exitCode: number; readonly output: string };

export const none: Count = { passed: 0, failed: 0, skipped: 0 };

/** The sum of two counts. */
export function add(a: Count, b: Count): Count {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The last line of the test command. */
export function closingLine(count: Count): string {
  return `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`;
}

/** Run a check, print one line for it, and its complaints below. */
export async function runCheck(check: StaticCheck): Promise<Count> {
  const started = performance.now();
  const complaints = await check.run().catch((error: unknown) => String(error));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${complaints === '' ? 'ok  ' : 'FAIL'}  ${check.name.padEnd(24)} ${seconds.padStart(5)} s`);
  if (complaints === '') return { ...none, passed: 1 };
  console.log(complaints.trimEnd());
  return { ...none, failed: 1 };
}

/** Run a vitest project before the eyes of the user, and count its tests. */
export async function runSuite(project: string): Promise<Count> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { exitCode } = await runNode(
    ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters],
    true,
  );
  const text = await readFile(report, 'utf8').catch(() => undefined);
  await rm(folder, { recursive: true });
  return countOf(text, exitCode);
}

/** What vitest's JSON report says; a run that failed without a failed test counts as one. */
export function countOf(report: string | undefined, exitCode: number): Count {
  const said = JSON.parse(report ?? '{}') as Readonly<Record<string, unknown>>;
  const number = (name: string): number => {
    const value = said[name];
    return typeof value === 'number' ? value : 0;
  };
  const failed = number('numFailedTests');
  return {
    passed: number('numPassedTests'),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: number('numPendingTests') + number('numTodoTests'),
  };
}

/** Run a script with this Node in the repository's root; its output is kept, or shown as it comes. */
export function runNode(argv: readonly string[], show = false): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
    const child = spawn(process.execPath, argv, { env, stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? 1, output }));
  });
}
