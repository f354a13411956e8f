import type { Context } from '../core/context.ts';
import type { DiskFile } from '../core/kinds.ts';
import type { GuestKeys } from './keys.ts';

/** Who logs in to a guest that is checked. */
export const loginUser = 'ingot';
/** Who logs in to a guest that is built; taken away when the image is sealed. */
export const buildUser = 'builder';
const hostKeyPath = '/etc/ssh/ingot_host_key';
const dropInPath = '/etc/ssh/sshd_config.d/00-ingot.conf';
const dropIn = `HostKey ${hostKeyPath}\n`;
/** Apart from root's own keys, which may be part of the image. */
const rootKeysPath = '/etc/ssh/ingot_login';
const rootDropIn = `${dropIn}PermitRootLogin prohibit-password
AuthorizedKeysFile ${rootKeysPath} .ssh/authorized_keys .ssh/authorized_keys2
`;
/** Where all of that lies in a guest. */
export const accessFiles = [hostKeyPath, rootKeysPath, dropInPath];

type SeedKeys = Pick<GuestKeys, 'loginPublic' | 'hostPrivate' | 'hostPublic'>;

/**
 * cloud-init's user-data: a login user with our key and passwordless sudo, and our host key beside the image's own,
 * which it still makes itself. JSON is YAML, and quotes itself. RSA keys would cost a slow guest 6 s and prove no more.
 */
export function userData(keys: SeedKeys): string {
  const user = {
    name: loginUser,
    lock_passwd: true,
    shell: '/bin/sh',
    sudo: ['ALL=(ALL) NOPASSWD:ALL'],
    ssh_authorized_keys: [keys.loginPublic],
  };
  const files = [
    { path: hostKeyPath, permissions: '0600', content: keys.hostPrivate },
    { path: dropInPath, permissions: '0644', content: dropIn },
  ];
  const data = {
    users: [user],
    ssh_genkeytypes: ['ed25519', 'ecdsa'],
    // Debian's sudo looks its own host up: without an answer every command would wait 8 s for DNS.
    manage_etc_hosts: 'localhost',
    write_files: files,
  };
  return `#cloud-config\n${JSON.stringify(data, null, 1)}\n`;
}

/** What `bootcmd` adds to /etc/hosts, and sealing takes away. */
export const hostsMark = '# ingot build';

/**
 * The user-data of a guest that is built: a throw-away user with our key, our host key as the only one, the root file
 * system grown, and nothing else of what the image's own first boot would do. Its name stays the image's own.
 */
export function buildUserData(keys: SeedKeys): string {
  const data = {
    users: [
      {
        name: buildUser,
        lock_passwd: true,
        shell: '/bin/sh',
        sudo: ['ALL=(ALL) NOPASSWD:ALL'],
        ssh_authorized_keys: [keys.loginPublic],
      },
    ],
    ssh_keys: { ed25519_private: keys.hostPrivate, ed25519_public: keys.hostPublic },
    ssh_genkeytypes: [],
    preserve_hostname: true,
    // sudo looks its own host up: without an answer every command would wait for DNS.
    bootcmd: [
      `grep -qw "$(hostname)" /etc/hosts || echo "127.0.1.1 $(hostname) ${hostsMark}" >> /etc/hosts`,
      // An earlier guest on this disk may have been entered by `credentials`, with other keys.
      `rm -f ${accessFiles.join(' ')}`,
    ],
    cloud_init_modules: ['bootcmd', 'growpart', 'resizefs', 'users_groups', 'ssh'],
    cloud_config_modules: [],
    cloud_final_modules: [],
  };
  return `#cloud-config\n${JSON.stringify(data, null, 1)}\n`;
}

/**
 * The user-data of a guest that lets us in by `credentials`, for boots that its cloud-init takes part in: nothing of
 * what the image's own first boot would do.
 */
export function bareUserData(): string {
  const data = {
    ...{ users: [], disable_root: false, preserve_hostname: true },
    ...{ cloud_init_modules: ['growpart', 'resizefs'], cloud_config_modules: [], cloud_final_modules: [] },
  };
  return `#cloud-config\n${JSON.stringify(data, null, 1)}\n`;
}

export function metaData(instance: string, name: string | undefined): string {
  const data = { 'instance-id': instance, ...(name === undefined ? {} : { 'local-hostname': name }) };
  return `${JSON.stringify(data)}\n`;
}

type Argv = readonly [string, ...string[]];

/** A floppy-sized FAT file system that cloud-init's NoCloud takes for its seed by the label. */
export function seedArgvs(image: string, files: readonly string[]): readonly Argv[] {
  return [
    ['mformat', '-C', '-f', '1440', '-v', 'CIDATA', '-i', image, '::'],
    ['mcopy', '-i', image, ...files, '::'],
  ];
}

/** Write the NoCloud seed for an image with cloud-init. */
export async function writeSeed(
  request: {
    readonly folder: string;
    readonly instance: string;
    readonly userData: string;
    /** The name that the guest takes; absent: it keeps its own. */
    readonly name?: string;
  },
  { host, signal }: Context,
): Promise<DiskFile> {
  const { folder, instance, userData, name } = request;
  const texts = { 'user-data': userData, 'meta-data': metaData(instance, name) };
  for (const [file, text] of Object.entries(texts)) await host.files.write(`${folder}/${file}`, text, 0o600);
  const path = `${folder}/seed.img`;
  const argvs = seedArgvs(
    path,
    Object.keys(texts).map((file) => `${folder}/${file}`),
  );
  for (const argv of argvs) await host.run({ argv }, { signal });
  return { path, format: 'raw' };
}

/**
 * The SMBIOS string that gives an image the same through systemd (252 and newer) instead of cloud-init: a credential
 * `tmpfiles.extra` in tmpfiles.d(5) lines. Root logs in, since there is nobody to make a user.
 */
export function credentials(keys: SeedKeys): string {
  const lines = [
    'd /etc/ssh/sshd_config.d 0755 root root -',
    `f+~ ${rootKeysPath} 0600 root root - ${base64(`${keys.loginPublic}\n`)}`,
    `f+~ ${hostKeyPath} 0600 root root - ${base64(keys.hostPrivate)}`,
    `f+~ ${dropInPath} 0644 root root - ${base64(rootDropIn)}`,
  ];
  return `io.systemd.credential.binary:tmpfiles.extra=${base64(`${lines.join('\n')}\n`)}`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
