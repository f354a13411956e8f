import { idText, isSigned, keyNumber, type PublicKey, type Signer, signBytes } from './keys.ts';

/**
 * A detached signature as minisign writes and reads it (its man page and README): Ed25519 over the BLAKE2b-512 of the
 * file, and once more over that signature and the trusted comment.
 */
export function minisignText(signer: Signer, blake2b: Uint8Array, comment: string): string {
  const signature = signBytes(signer, blake2b);
  const whole = signBytes(signer, Buffer.concat([signature, Buffer.from(comment)]));
  const line = Buffer.concat([Buffer.from('ED'), keyNumber(signer.publicKey.key), signature]);
  return [
    `untrusted comment: signature from minisign secret key ${signer.id}`,
    line.toString('base64'),
    `${commentStart}${comment}`,
    whole.toString('base64'),
    '',
  ].join('\n');
}

const commentStart = 'trusted comment: ';

/** Why a detached signature does not hold for a file with this BLAKE2b-512; undefined: it holds. */
export function minisignFault(text: string, blake2b: Uint8Array, trusted: readonly PublicKey[]): string | undefined {
  const [, line = '', comment = '', last = ''] = text.split('\n');
  const bytes = Buffer.from(line, 'base64');
  if (bytes.length !== 74 || bytes.toString('latin1', 0, 2) !== 'ED' || !comment.startsWith(commentStart)) {
    return 'the detached signature is not one that minisign writes';
  }
  const id = idText(bytes.subarray(2, 10));
  const key = trusted.find((one) => one.id === id);
  if (key === undefined) return `the detached signature is by key ${id}, which is not trusted`;
  const signature = bytes.subarray(10);
  if (!isSigned(key, blake2b, signature)) return 'the detached signature is not of these bytes';
  const whole = Buffer.concat([signature, Buffer.from(comment.slice(commentStart.length))]);
  const isWhole = isSigned(key, whole, Buffer.from(last, 'base64'));
  return isWhole ? undefined : 'the trusted comment of the detached signature was changed';
}
