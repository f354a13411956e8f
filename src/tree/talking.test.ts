import { expect, test } from 'vitest';
import { IngotError } from '../core/errors.ts';
import type { Host, StartOptions } from '../core/host.ts';
import { startTalking } from './talking.ts';

function program() {
  let tell: (line: string) => void = () => undefined;
  const ended = Promise.withResolvers<{ exitCode: number; signal: undefined }>();
  const start = async (_: unknown, { onLine }: StartOptions) => {
    tell = onLine ?? tell;
    return { exited: ended.promise, lastLines: () => ['last words'] };
  };
  const failure = (detail: readonly string[]) => new IngotError({ code: 'STEP_FAILED', message: 'it ended', detail });
  const started = startTalking({ argv: ['x'] }, failure, { start } as unknown as Host);
  return { started, tell: (line: string) => tell(line), end: () => ended.resolve({ exitCode: 1, signal: undefined }) };
}

test('a word is heard whether it is said before or after somebody listens', async () => {
  const { started, tell } = program();
  const { says } = await started;
  tell('noise');
  tell('ready 42');
  expect(await says('ready')).toBe('ready 42');
  const later = says('done');
  tell('done');
  expect(await later).toBe('done');
});

test('a program that ends before it says the word is an error with its last words', async () => {
  const { started, end } = program();
  const waiting = (await started).says('ready');
  end();
  await expect(waiting).rejects.toMatchObject({ message: 'it ended', detail: ['last words'] });
});
