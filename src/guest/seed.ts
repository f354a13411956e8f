import type { Context } from '../core/context.ts';
import type { DiskFile } from '../core/kinds.ts';
import type { GuestKeys } from './keys.ts';

export const loginUser = 'ingot';
const hostKeyPath = '/etc/ssh/ingot_host_key';
const dropInPath = '/etc/ssh/sshd_config.d/00-ingot.conf';
const dropIn = `HostKey ${hostKeyPath}\n`;

type SeedKeys = Pick<GuestKeys, 'loginPublic' | 'hostPrivate'>;

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

export function metaData(instance: string): string {
  return `${JSON.stringify({ 'instance-id': instance, 'local-hostname': 'ingot-guest' })}\n`;
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
  request: { readonly folder: string; readonly keys: SeedKeys; readonly instance: string },
  { host, signal }: Context,
): Promise<DiskFile> {
  const { folder, keys, instance } = request;
  const texts = { 'user-data': userData(keys), 'meta-data': metaData(instance) };
  for (const [name, text] of Object.entries(texts)) await host.files.write(`${folder}/${name}`, text, 0o600);
  const path = `${folder}/seed.img`;
  const argvs = seedArgvs(
    path,
    Object.keys(texts).map((name) => `${folder}/${name}`),
  );
  for (const argv of argvs) await host.run({ argv }, { signal });
  return { path, format: 'raw' };
}

/**
 * The SMBIOS string that gives an image without cloud-init the same through systemd (252 and newer): a credential
 * `tmpfiles.extra` in tmpfiles.d(5) lines. Root logs in, since there is nobody to make a user.
 */
export function credentials(keys: SeedKeys): string {
  const lines = [
    'd /root/.ssh 0700 root root -',
    `f+~ /root/.ssh/authorized_keys 0600 root root - ${base64(`${keys.loginPublic}\n`)}`,
    'd /etc/ssh/sshd_config.d 0755 root root -',
    `f+~ ${hostKeyPath} 0600 root root - ${base64(keys.hostPrivate)}`,
    `f+~ ${dropInPath} 0644 root root - ${base64(dropIn)}`,
  ];
  return `io.systemd.credential.binary:tmpfiles.extra=${base64(`${lines.join('\n')}\n`)}`;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
