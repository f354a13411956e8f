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
export async function makeKeys(folder: string, ctx: Context): Promise<GuestKeys> {
  const { host, signal } = ctx;
  const files = ['login', 'host'].map((name) => `${folder}/${name}`);
  await Promise.all(files.map((file) => host.run({ argv: keygenArgv(file) }, { signal })));
  const hostPublic = (await host.files.read(`${folder}/host.pub`)).toString('utf8').trim();
  await host.files.write(`${folder}/known_hosts`, `${hostKeyAlias} ${hostPublic}\n`, 0o600);
  return readKeys(folder, ctx);
}

/** The key pairs that were made in a folder. */
export async function readKeys(folder: string, { host }: Context): Promise<GuestKeys> {
  const read = async (name: string) => (await host.files.read(`${folder}/${name}`)).toString('utf8');
  return {
    loginFile: `${folder}/login`,
    loginPublic: (await read('login.pub')).trim(),
    hostPrivate: await read('host'),
    hostPublic: (await read('host.pub')).trim(),
    knownHostsFile: `${folder}/known_hosts`,
    alias: hostKeyAlias,
  };
}
