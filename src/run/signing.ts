import { join } from 'node:path';
import { IngotError } from '../core/errors.ts';
import type { Files } from '../core/host.ts';
import type { StorePaths } from '../store/paths.ts';
import { type PublicKey, parsePrivate, parsePublic, passphraseVariable, type Signer } from '../trace/keys.ts';
import type { Workshop } from './workshop.ts';

/** Where the private key of a home lies, and the public halves of all that it ever had. */
export function keyFiles({ home }: StorePaths) {
  const folder = join(home, 'keys');
  return { folder, private: join(folder, 'ingot.key'), publicOf: (id: string) => join(folder, `${id}.pub`) };
}

/** The key that this home signs with; undefined where there is none. Fails with AUTH where it cannot be used. */
export async function openSigner({ host, paths }: Pick<Workshop, 'host' | 'paths'>): Promise<Signer | undefined> {
  const { private: path } = keyFiles(paths);
  const stat = await host.files.stat(path);
  if (stat === undefined) return undefined;
  if ((stat.mode & 0o077) !== 0) {
    const message = `${path} may be read by others, so it proves nothing`;
    throw new IngotError({ code: 'AUTH', message, hint: `chmod 600 ${path}` });
  }
  const text = (await host.files.read(path)).toString('utf8');
  return parsePrivate(text, path, host.env[passphraseVariable]);
}

/** Keys whose signatures this home believes: its own, and others that a person put beside them. */
export async function trustedKeys(paths: StorePaths, files: Files): Promise<readonly PublicKey[]> {
  const { folder } = keyFiles(paths);
  const names = (await files.list(folder)).filter((name) => name.endsWith('.pub')).sort();
  const texts = await Promise.all(names.map((name) => files.readText(join(folder, name))));
  return texts.flatMap((text) => parsePublic(text ?? '') ?? []);
}
