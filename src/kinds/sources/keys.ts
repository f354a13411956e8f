import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { TreeSession } from '../../core/kinds.ts';
import { fileBytes } from '../image-files.ts';
import type { Distro } from './archive.ts';

const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const ubuntuKeyring = '/usr/share/keyrings/ubuntu-archive-keyring.gpg';
/** Where the distributions' own packages put their keys, on any machine. */
export const keyrings: Readonly<Record<Distro, string>> = { debian: debianKeyring, ubuntu: ubuntuKeyring };

type KeyOptions = { readonly distro: Distro; readonly keyring?: string | undefined };

type Keys = {
  /** Words before the URI of a source. */
  readonly option: string;
  /** A folder with nothing but the project's own keys. */
  readonly folder?: string;
  /** The project's own keys, and where the image looks for the keys of its archive. */
  readonly own?: string;
  readonly inImage: string;
};

/**
 * The keys that sign the archive, where apt finds them: the distribution's are named in each source, which takes no path
 * with a space; a project may have one, so its own are in a folder that is all apt trusts.
 */
export async function placeKeys(o: KeyOptions, tree: TreeSession, { host }: Context): Promise<Keys> {
  const path = o.keyring === undefined ? keyrings[o.distro] : tree.projectFile(o.keyring);
  if ((await host.files.stat(path)) === undefined) {
    throw new IngotError({
      code: 'TOOL_MISSING',
      message: `the keys that sign ${o.distro} packages are not on this machine: ${path}`,
      hint: `install ${o.distro}-archive-keyring, or name a file with \`keyring:\``,
    });
  }
  if (o.keyring === undefined) return { option: `[signed-by=${path}] `, inImage: path };
  const isArmored = (await host.files.read(path, { length: 5 })).toString('latin1') === '-----';
  const name = `${o.distro}.${isArmored ? 'asc' : 'gpg'}`;
  const folder = `${tree.scratch}/keys`;
  const place = ['sh', '-c', 'mkdir "$0" && cat > "$0/$1"', folder, name] as const;
  await tree.run({ argv: place }, { stdin: fileBytes(host.files, path) });
  return { option: '', folder, own: path, inImage: `/etc/apt/keyrings/${name}` };
}

/** Packages that apt finds signed by nobody it was told to trust are refused, which is no failure of a tool. */
export function refuseUnsigned(error: unknown): never {
  const lines = error instanceof IngotError && error.code === 'TOOL_FAILED' ? error.detail : [];
  const said = lines.filter((line) => /^E: .* is not signed|^W: GPG error: |signatures (couldn't be|were)/.test(line));
  if (!said.some((line) => line.startsWith('E: '))) throw error;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: 'the package archive is not signed by the keys that were to sign it',
    hint: "compare the mirror with the keys: `keyring:` names those of an archive that is not the distribution's own",
    detail: said,
    cause: error,
  });
}
