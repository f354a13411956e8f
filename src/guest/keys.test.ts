import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { makeKeys } from './keys.ts';

test('the host key is known before the guest exists', async () => {
  const files = new Map<string, string>();
  const run = async ({ argv }: { argv: readonly string[] }) => {
    const file = argv.at(-1) ?? '';
    files.set(file, `private ${file}`).set(`${file}.pub`, `ssh-ed25519 ${file}\n`);
  };
  const host = {
    run,
    files: {
      read: async (path: string) => Buffer.from(files.get(path) ?? ''),
      write: async (path: string, text: string) => void files.set(path, text),
    },
  } as unknown as Host;
  const ctx: Context = { host, signal: new AbortController().signal, emit: () => undefined, step: 's' };
  expect(await makeKeys('/k', ctx)).toMatchObject({ loginFile: '/k/login', hostPrivate: 'private /k/host' });
  expect(files.get('/k/known_hosts')).toBe('ingot-guest ssh-ed25519 /k/host\n');
});
