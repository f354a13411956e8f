import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  checksums,
  checksumsByOther,
  sums,
  sumsSigned,
  sumsSignedByOld,
  sumsSignedByOther,
  vendorKeyring,
  vendorKeys,
} from '../../test/support/signed-lists.ts';
import type { Context } from '../core/context.ts';
import { createHost } from '../host/host.ts';
import { dearmored, gpgvArgv, problemIn, verifiedText } from './signature.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-signature-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function verify(text: string, signature?: string, keys: string | Buffer = vendorKeys): Promise<string> {
  const keyring = join(folder, 'keys');
  await writeFile(keyring, keys);
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true });
  vi.stubEnv('TMPDIR', temporary);
  const ctx = { host: createHost(), signal: new AbortController().signal } as unknown as Context;
  const detached = signature === undefined ? {} : { signature: Buffer.from(signature) };
  try {
    return await verifiedText({ text: Buffer.from(text), ...detached, keyring, name: 'https://a.example/SUMS' }, ctx);
  } finally {
    vi.unstubAllEnvs();
    expect(await readdir(temporary)).toEqual([]);
  }
}

test.each([
  ['as text', vendorKeys],
  ['in binary', vendorKeyring],
])('a detached signature of a key that is given %s is good', async (_, keys) => {
  expect(await verify(sums, sumsSigned, keys)).toBe(sums);
});

test('of a text that is signed within only what was signed is believed', async () => {
  const added = `${'0'.repeat(64)}  disk.img\n`;
  const text = await verify(`${added}${checksums}${added}`);
  expect(text).toContain('SHA512 (disk.img) = 82d8');
  expect(text).toContain('\n-- a line that begins with dashes');
  expect(text).not.toContain(added.slice(0, 64));
});

const message = (why: string) => `https://a.example/SUMS is not signed as it must be: ${why}`;

test.each<[string, string, string | undefined, string]>([
  ['over other bytes', `${sums}x`, sumsSigned, 'the signature of key 98E93E25A8D42607 is over other bytes'],
  ['of a key that was not given', sums, sumsSignedByOther, 'it is signed by key XXXX, which is not among the keys'],
  ['of a key that has expired', sums, sumsSignedByOld, 'the signature or its key XXXX has expired'],
  ['that is none', sums, 'nothing', 'it has no signature'],
  ['that is missing within', sums, undefined, 'it does not hold one signed text'],
  [
    'within of a key that was not given',
    checksumsByOther,
    undefined,
    'it is signed by key XXXX, which is not among the keys',
  ],
  ['of the first of two texts', checksums + checksumsByOther, undefined, 'it does not hold one signed text'],
  [
    'within that was changed',
    checksums.replace('82d8', '92d8'),
    undefined,
    'the signature of key 98E93E25A8D42607 is over other bytes',
  ],
])('a signature %s is refused', async (_, text, signature, why) => {
  const refused = await verify(text, signature).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'INPUT_REFUSED' });
  const shown = (refused as Error).message.replace(/(it is signed by|its) key [0-9A-F]{16}/, '$1 key XXXX');
  expect(shown).toBe(message(why));
});

test('no keys at all mean no signature', async () => {
  await expect(verify(sums, sumsSigned, 'this is no key')).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

test('keys as text are the keys in binary', () => {
  expect(dearmored(vendorKeys)).toEqual(vendorKeyring);
  const dressed = vendorKeys
    .replaceAll('BLOCK-----\n\n', 'BLOCK-----\nVersion: X\nComment: y\n\n')
    .replaceAll('\n', '\r\n');
  expect(dearmored(dressed)).toEqual(vendorKeyring);
});

test('gpgv is given the keys and nothing of the person, and says what it found to a program', () => {
  const common = ['gpgv', '--homedir', '/t', '--status-fd', '1', '--keyring', '/t/keys'];
  expect(gpgvArgv('/t', true)).toEqual([...common, '--', '/t/signature', '/t/text']);
  expect(gpgvArgv('/t', false)).toEqual([...common, '--output', '/t/signed', '--', '/t/text']);
});

const status = (...words: readonly string[]) => words.map((word) => `[GNUPG:] ${word}\n`).join('');

test.each<[readonly string[], string | undefined]>([
  [['GOODSIG A x', 'VALIDSIG F'], undefined],
  [['ERRSIG B 1 2', 'NO_PUBKEY B', 'GOODSIG A x', 'VALIDSIG F'], undefined],
  [['GOODSIG A x', 'VALIDSIG F', 'BADSIG B y'], 'the signature of key B is over other bytes'],
  [['REVKEYSIG A x', 'VALIDSIG F'], 'key A was revoked'],
  [['EXPKEYSIG A x', 'VALIDSIG F'], 'the signature or its key A has expired'],
  [['GOODSIG A x'], 'it has no signature'],
  [[], 'it has no signature'],
])('%j of gpgv means: %s', (words, problem) => {
  expect(problemIn(status(...words))).toBe(problem);
});

test('words of a signer that look like a status are none', () => {
  expect(problemIn('x [GNUPG:] GOODSIG A x\n [GNUPG:] VALIDSIG F\n')).toBe('it has no signature');
});
