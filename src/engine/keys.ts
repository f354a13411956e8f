import { join } from 'node:path';
import type { NewKey } from '../cli/requests/trace.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { withLock } from '../host/lock.ts';
import { keyFiles } from '../run/signing.ts';
import { writeDurable } from '../store/durable.ts';
import type { StorePaths } from '../store/paths.ts';
import { newSigner, passphraseVariable, privateText, publicLine, publicText } from '../trace/keys.ts';

/** Make the key that this home signs with. A key that is there stays. */
export async function makeKey(paths: StorePaths, host: Host, signal: AbortSignal): Promise<NewKey> {
  const files = keyFiles(paths);
  const passphrase = host.env[passphraseVariable];
  return withLock(join(paths.locks, 'keys.lock'), { signal }, async () => {
    if ((await host.files.stat(files.private)) !== undefined) {
      const hint = 'move that file away to have another one; what the old key signed stays trusted';
      throw new IngotError({ code: 'USAGE', message: `there is a key already: ${files.private}`, hint });
    }
    await host.files.makeDirectory(files.folder, 0o700);
    const signer = newSigner();
    const { id, publicKey } = signer;
    const publicFile = join(paths.artifacts, 'keys', `${id}.pub`);
    const staging = paths.work;
    await writeDurable({ path: files.publicOf(id), staging }, publicText(publicKey));
    await writeDurable({ path: publicFile, staging }, publicText(publicKey));
    await writeDurable({ path: files.private, staging }, privateText(signer, passphrase || undefined), 0o600);
    const locked = passphrase !== undefined && passphrase !== '';
    return { id, locked, privateFile: files.private, publicFile, publicKey: publicLine(publicKey) };
  });
}
