import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { IngotError } from '../core/errors.ts';

/** One Ed25519 key and the id that minisign shows: 16 hexadecimal digits in upper case, found from the key. */
export type PublicKey = { readonly id: string; readonly key: KeyObject };
export type Signer = { readonly id: string; readonly privateKey: KeyObject; readonly publicKey: PublicKey };

/** A new key pair. */
export function newSigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey);
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKey = publicKeyOf(createPublicKey(privateKey));
  return { id: publicKey.id, privateKey, publicKey };
}

function publicKeyOf(key: KeyObject): PublicKey {
  return { id: idText(keyNumber(key)), key };
}

/** The private key as PKCS #8, which OpenSSL reads too; locked with a passphrase where there is one. */
export function privateText({ privateKey }: Signer, passphrase?: string): string {
  const lock = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return privateKey.export({ type: 'pkcs8', format: 'pem', ...lock }).toString();
}

/** As `privateText` wrote it. */
export function parsePrivate(text: string, name: string, passphrase?: string): Signer {
  const isLocked = text.includes('ENCRYPTED');
  if (isLocked && passphrase === undefined) {
    const hint = `set ${passphraseVariable}`;
    throw new IngotError({ code: 'AUTH', message: `${name} is locked with a passphrase that is not given`, hint });
  }
  try {
    const key = createPrivateKey({ key: text, format: 'pem', ...(isLocked ? { passphrase } : {}) });
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
    return signerOf(key);
  } catch (cause) {
    const message = isLocked ? `${name} does not open with this passphrase` : `${name} is no private Ed25519 key`;
    throw new IngotError({ code: 'AUTH', message, cause });
  }
}

export const passphraseVariable = 'INGOT_SECRET_SIGNING_KEY';

/** The public key as minisign reads it. */
export function publicText({ id, key }: PublicKey): string {
  return `untrusted comment: minisign public key ${id}\n${publicLine({ key })}\n`;
}

/** The one line that is enough: `minisign -P LINE`. */
export function publicLine({ key }: Pick<PublicKey, 'key'>): string {
  return Buffer.concat([Buffer.from('Ed'), keyNumber(key), rawKey(key)]).toString('base64');
}

/** A public key of minisign: its file or its line. Undefined where a text is neither. */
export function parsePublic(text: string): PublicKey | undefined {
  const line = text.trim().split('\n').at(-1)?.trim() ?? '';
  const bytes = Buffer.from(line, 'base64');
  if (bytes.length !== 42 || bytes.toString('latin1', 0, 2) !== 'Ed') return undefined;
  const x = bytes.subarray(10).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return { id: idText(bytes.subarray(2, 10)), key };
}

export function signBytes({ privateKey }: Signer, data: Uint8Array): Buffer {
  return sign(null, data, privateKey);
}

export function isSigned({ key }: PublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, data, key, signature);
}

/** Eight bytes that tell keys apart. */
export function keyNumber(key: KeyObject): Buffer {
  return createHash('sha256').update(rawKey(key)).digest().subarray(0, 8);
}

/** minisign shows the number as a little-endian integer. */
export function idText(number: Uint8Array): string {
  return Buffer.from(number).reverse().toString('hex').toUpperCase();
}

function rawKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}
