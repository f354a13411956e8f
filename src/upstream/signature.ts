import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';

export type Signed = {
  /** What was signed; with the signature in it where there is no other. */
  readonly text: Buffer;
  /** A detached signature. */
  readonly signature?: Buffer;
  /** Absolute path of the keys that may sign, as text (armored) or not. */
  readonly keyring: string;
  /** The address, for errors. */
  readonly name: string;
};

/**
 * The text, when one of the keys signed it: gpgv looks at nothing but the keys it is given. Of a text with its signature in
 * it only what was signed comes back.
 */
export async function verifiedText(signed: Signed, ctx: Context): Promise<string> {
  const { host, signal } = ctx;
  // gpgv goes on after the first of several texts, whoever signed the next.
  if (signed.signature === undefined && signed.text.toString('latin1').split(inlineMark).length !== 2) {
    throw refused(signed.name, 'it does not hold one signed text');
  }
  return host.withTemporary(async (folder) => {
    await host.files.write(`${folder}/keys`, await keysIn(signed.keyring, ctx), 0o600);
    await host.files.write(`${folder}/text`, signed.text, 0o600);
    if (signed.signature !== undefined) await host.files.write(`${folder}/signature`, signed.signature, 0o600);
    const argv = gpgvArgv(folder, signed.signature !== undefined);
    const { stdout } = await host.run({ argv }, { signal, ok: [0, 1, 2], onLine: () => undefined });
    const problem = problemIn(stdout);
    if (problem !== undefined) throw refused(signed.name, problem);
    if (signed.signature !== undefined) return signed.text.toString('utf8');
    const proven = await host.files.readText(`${folder}/signed`);
    if (proven === undefined) throw refused(signed.name, 'nothing in it is signed');
    return proven;
  });
}

const inlineMark = '-----BEGIN PGP SIGNED MESSAGE-----';

/** The command line of gpgv(1); with a detached signature, or for a text that has it inside. */
export function gpgvArgv(folder: string, isDetached: boolean): readonly [string, ...string[]] {
  const files = isDetached ? [`${folder}/signature`, `${folder}/text`] : [`${folder}/text`];
  const output = isDetached ? [] : ['--output', `${folder}/signed`];
  return ['gpgv', '--homedir', folder, '--status-fd', '1', '--keyring', `${folder}/keys`, ...output, '--', ...files];
}

/**
 * What is wrong, by gpgv's status lines (GnuPG's doc/DETAILS); undefined when at least one signature is good and none is
 * bad. Signatures of keys we were not given say nothing.
 */
export function problemIn(status: string): string | undefined {
  const words = status.split('\n').flatMap((line) => {
    const [, word, id] = /^\[GNUPG:\] ([A-Z_]+) ?(\S*)/.exec(line) ?? [];
    return word === undefined ? [] : [{ word, id: id ?? '' }];
  });
  const having = (...wanted: readonly string[]) => words.find(({ word }) => wanted.includes(word));
  const bad = having('BADSIG');
  if (bad !== undefined) return `the signature of key ${bad.id} is over other bytes`;
  const revoked = having('REVKEYSIG');
  if (revoked !== undefined) return `key ${revoked.id} was revoked`;
  if (having('GOODSIG') !== undefined && having('VALIDSIG') !== undefined) return undefined;
  const expired = having('EXPKEYSIG', 'EXPSIG');
  if (expired !== undefined) return `the signature or its key ${expired.id} has expired`;
  const unknown = having('NO_PUBKEY', 'ERRSIG');
  if (unknown !== undefined) return `it is signed by key ${unknown.id}, which is not among the keys`;
  return 'it has no signature';
}

function refused(name: string, problem: string): IngotError {
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} is not signed as it must be: ${problem}`,
    hint: 'if the vendor has a new key, get it from the vendor and check it before you put it into the keyring',
  });
}

/** gpgv takes only the binary form. */
async function keysIn(path: string, { host }: Context): Promise<Buffer> {
  const bytes = await host.files.read(path);
  return bytes.includes('-----BEGIN PGP') ? dearmored(bytes.toString('latin1')) : bytes;
}

/** The keys of blocks of text (RFC 9580, 6.2), one after another. */
export function dearmored(text: string): Buffer {
  const blocks = text.matchAll(
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\s*\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g,
  );
  const keys = [...blocks].map(([, block = '']) => {
    const body = block.replaceAll('\r', '').replace(/^(?:[^\n:]+:[^\n]*\n)*\n?/, '');
    // The checksum behind the last line of keys.
    return Buffer.from(body.replace(/\n=[A-Za-z0-9+/]{4}\s*$/, ''), 'base64');
  });
  return Buffer.concat(keys);
}
