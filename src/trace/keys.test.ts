import { expect, test } from 'vitest';
import { newSigner, parsePrivate, parsePublic, privateText, publicLine, publicText } from './keys.ts';

test('a private key comes back from its text, locked or not', () => {
  const signer = newSigner();
  expect(parsePrivate(privateText(signer), 'k').id).toBe(signer.id);
  const locked = privateText(signer, 'a word');
  expect(locked).toContain('ENCRYPTED');
  expect(parsePrivate(locked, 'k', 'a word').id).toBe(signer.id);
  expect(() => parsePrivate(locked, 'k')).toThrow('k is locked with a passphrase that is not given');
  expect(() => parsePrivate(locked, 'k', 'another')).toThrow('k does not open with this passphrase');
  expect(() => parsePrivate('nonsense', 'k')).toThrow('k is no private Ed25519 key');
});

test('a public key comes back from its file and from its line', () => {
  const { publicKey } = newSigner();
  for (const text of [publicText(publicKey), publicLine(publicKey)]) expect(parsePublic(text)?.id).toBe(publicKey.id);
  expect(parsePublic('untrusted comment: x\nRWQ=\n')).toBeUndefined();
  expect(parsePublic('')).toBeUndefined();
});
