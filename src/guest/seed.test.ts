import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { bareUserData, buildUserData, credentials, metaData, seedArgvs, userData } from './seed.ts';

const keys = {
  loginPublic: 'ssh-ed25519 AAAA',
  hostPrivate: '-----BEGIN\nb64\n-----END\n',
  hostPublic: 'ssh-ed25519 BBBB',
};

test('the seed is cloud-config with our key, our host key, and sudo without a password', () => {
  const text = userData(keys);
  expect(text.startsWith('#cloud-config\n')).toBe(true);
  const data = parse(text);
  expect(data.users).toMatchObject([
    { name: 'ingot', sudo: ['ALL=(ALL) NOPASSWD:ALL'], ssh_authorized_keys: ['ssh-ed25519 AAAA'], lock_passwd: true },
  ]);
  expect(data.write_files).toEqual([
    { path: '/etc/ssh/ingot_host_key', permissions: '0600', content: keys.hostPrivate },
    { path: '/etc/ssh/sshd_config.d/00-ingot.conf', permissions: '0644', content: 'HostKey /etc/ssh/ingot_host_key\n' },
  ]);
});

test('the image makes its own host keys, and does not waste time on RSA', () => {
  expect(parse(userData(keys))).toMatchObject({ ssh_genkeytypes: ['ed25519', 'ecdsa'] });
});

test('a guest that is built gets a throw-away user, only our host key, and keeps its own name', () => {
  const data = parse(buildUserData(keys));
  expect(data.users).toMatchObject([{ name: 'builder', ssh_authorized_keys: ['ssh-ed25519 AAAA'] }]);
  expect(data.ssh_keys).toEqual({ ed25519_private: keys.hostPrivate, ed25519_public: keys.hostPublic });
  expect(data).toMatchObject({ preserve_hostname: true, cloud_config_modules: [], cloud_final_modules: [] });
  expect(parse(metaData('ingot-1', undefined))).toEqual({ 'instance-id': 'ingot-1' });
});

test('where we get in by other means, cloud-init makes nobody, writes no key and keeps the name', () => {
  const data = parse(bareUserData());
  expect(data).toEqual({
    ...{ users: [], disable_root: false, preserve_hostname: true },
    ...{ cloud_init_modules: ['growpart', 'resizefs'], cloud_config_modules: [], cloud_final_modules: [] },
  });
});

test('meta-data names the instance', () => {
  expect(parse(metaData('ingot-1', 'ingot-guest'))).toEqual({
    'instance-id': 'ingot-1',
    'local-hostname': 'ingot-guest',
  });
});

test('the seed disk is FAT with the label that NoCloud looks for', () => {
  const argvs = seedArgvs('/s/seed.img', ['/s/user-data', '/s/meta-data']);
  expect(argvs[0]).toEqual(['mformat', '-C', '-f', '1440', '-v', 'CIDATA', '-i', '/s/seed.img', '::']);
  expect(argvs[1]).toEqual(['mcopy', '-i', '/s/seed.img', '/s/user-data', '/s/meta-data', '::']);
});

test('systemd gets the same as tmpfiles lines in one credential', () => {
  const [name, value] = credentials(keys).split('tmpfiles.extra=');
  expect(name).toBe('io.systemd.credential.binary:');
  const lines = Buffer.from(value ?? '', 'base64')
    .toString()
    .trim()
    .split('\n');
  const written = lines.flatMap((line) => {
    const [type, path, mode, , , , content] = line.split(' ');
    return type === 'f+~' ? [[path, mode, Buffer.from(content ?? '', 'base64').toString()]] : [];
  });
  expect(written).toEqual([
    ['/etc/ssh/ingot_login', '0600', 'ssh-ed25519 AAAA\n'],
    ['/etc/ssh/ingot_host_key', '0600', keys.hostPrivate],
    [
      ...['/etc/ssh/sshd_config.d/00-ingot.conf', '0644'],
      `HostKey /etc/ssh/ingot_host_key
PermitRootLogin prohibit-password
AuthorizedKeysFile /etc/ssh/ingot_login .ssh/authorized_keys .ssh/authorized_keys2
`,
    ],
  ]);
  // What root's own keys are is the image's business.
  expect(lines.join('\n')).not.toContain('/root');
});
