import { isAbsolute, resolve } from 'node:path';
import { IngotError } from '../core/errors.ts';

/** A folder that copies are put into: of this machine, or of one that ssh reaches. */
export type DeliveryPlace = {
  readonly folder: string;
  readonly ssh?: { readonly host: string; readonly user?: string; readonly port?: number };
};

/** Where `--to` leads: `ssh://[user@]host[:port]/path` (`/~/path`: below the login's home), or a folder relative to `from`. */
export function parsePlace(to: string, from: string): DeliveryPlace {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to)) return parseSsh(to);
  if (to === '' || to.includes('\0')) throw refused(to, 'it is no folder');
  return { folder: isAbsolute(to) ? to : resolve(from, to) };
}

// OpenSSH refuses other names itself since 9.6; before, they could reach a shell by a ProxyCommand.
const plain = /^[A-Za-z0-9_][A-Za-z0-9_.@%+-]*$/;
const address = /^ssh:\/\/(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:/@[\]]*)(?::(\d{1,5}))?(\/[\s\S]*)?$/;

function parseSsh(to: string): DeliveryPlace {
  if (!to.startsWith('ssh://')) throw refused(to, 'only folders and ssh:// addresses are known');
  const [match, user, named = '', port, path] = address.exec(to) ?? [];
  if (match === undefined) throw refused(to, 'it is no address');
  const host = named.replace(/^\[(.*)\]$/, '$1');
  if (!(named.startsWith('[') || plain.test(host))) throw refused(to, 'it names no host');
  if (user !== undefined && !plain.test(user)) throw refused(to, 'it names no user; passwords are not written here');
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) throw refused(to, 'it has no port of TCP');
  return {
    folder: folderOf(to, path ?? ''),
    ssh: { host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: Number(port) }) },
  };
}

function folderOf(to: string, path: string): string {
  let folder: string;
  try {
    folder = decodeURIComponent(path);
  } catch {
    throw refused(to, 'a % begins no two hexadecimal digits');
  }
  if (folder === '' || folder.includes('\0')) throw refused(to, 'it names no folder');
  // Relative to where a login begins.
  return /^\/~(\/|$)/.test(folder) ? `.${folder.slice(2)}` : folder;
}

function refused(to: string, why: string): IngotError {
  return new IngotError({
    code: 'USAGE',
    message: `cannot publish to ${JSON.stringify(to)}: ${why}`,
    hint: 'name a folder, ssh://[user@]host[:port]/path, or an entry under `publish` in ingot.yaml',
  });
}

/** What a place is called in messages. */
export function placeName({ folder, ssh }: DeliveryPlace): string {
  return ssh === undefined ? folder : `${ssh.host}:${folder}`;
}

const mostName = 180;

/** A name that a file may have there. */
export function checkName(name: string): string {
  const isFine = !/[/\0]/.test(name) && !['', '.', '..'].includes(name) && Buffer.byteLength(name) <= mostName;
  if (isFine) return name;
  const message = `a file cannot be called ${JSON.stringify(name)}`;
  throw new IngotError({ code: 'USAGE', message, hint: `a name without a slash, of at most ${mostName} bytes` });
}
