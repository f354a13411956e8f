import type { Context } from '../core/context.ts';

/** The keys of one run of guests, made for it and gone with it: nothing is trusted on first use. */
export type GuestKeys = {
  /** Private key file we log in with. */
  readonly loginFile: string;
  readonly loginPublic: string;
  /** The host key that the guest is told to show, as text. */
  readonly hostPrivate: string;
  readonly hostPublic: string;
  readonly knownHostsFile: string;
  /** The name under which the host key is known. */
  readonly alias: string;
};

const hostKeyAlias = 'ingot-guest';

function keygenArgv(file: string): readonly [string, ...string[]] {
  return ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file];
}

/** Make both key pairs in a folder of our own (0700). */
export async function makeKeys(folder: string, { host, signal }: Context): Promise<GuestKeys> {
  const files = { login: `${folder}/login`, host: `${folder}/host` };
  await Promise.all(Object.values(files).map((file) => host.run({ argv: keygenArgv(file) }, { signal })));
  const read = async (path: string) => (await host.files.read(path)).toString('utf8');
  const hostPublic = (await read(`${files.host}.pub`)).trim();
  const knownHostsFile = `${folder}/known_hosts`;
  await host.files.write(knownHostsFile, `${hostKeyAlias} ${hostPublic}\n`, 0o600);
  return {
    loginFile: files.login,
    loginPublic: (await read(`${files.login}.pub`)).trim(),
    hostPrivate: await read(files.host),
    hostPublic,
    knownHostsFile,
    alias: hostKeyAlias,
  };
}
