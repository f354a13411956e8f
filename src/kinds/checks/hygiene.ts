import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { type BootMedium, type CheckGuest, defineCheck, isDisk } from '../../core/kinds.ts';
import { type ImageFiles, openImage } from '../../qemu/image-files.ts';
import { asRaw } from '../../qemu/img.ts';
import { openLive } from '../live/read.ts';
import { checkFailed } from './on-each.ts';

/** The finished disk, never booted, holds no identity and no trace of its making; what boots from it makes its own. */
export const hygiene = defineCheck<Record<string, never>>({
  name: 'hygiene',
  version: 2,
  summary:
    'The finished disk (or live ISO) holds no host keys, machine-id, users, logs, histories or caches; two boots of it are two machines.',
  options: z.strictObject({}),
  example: {},
  title: () => 'no identity, no traces',
  tools: () => [
    { program: 'grub-fstest', debian: 'grub-common', why: 'reads the finished disk without booting or mounting it' },
    { program: 'qemu-img', debian: 'qemu-utils', why: 'unpacks the finished disk to read it' },
  ],
  needs: 'file',
  run: async (_, { medium, guests, scratch }, ctx) => {
    const image = await open(medium, scratch, ctx);
    const found = [...(await traces(image)), ...sameness(guests.map(({ identity }) => identity))];
    if (found.length > 0) {
      const more = found.length === 1 ? '' : `, and ${found.length - 1} more`;
      throw checkFailed(`${found[0]}${more}`, found);
    }
    return `nothing found in ${isDisk(medium) ? 'the disk' : 'the live system'}; ${identities(guests)}`;
  },
});

async function open(medium: BootMedium, scratch: string, ctx: Context): Promise<ImageFiles> {
  if (!isDisk(medium)) return openLive(medium.path, scratch, ctx);
  return openImage(await asRaw(medium, `${scratch}/disk.raw`, ctx), ctx);
}

function identities(guests: readonly CheckGuest[]): string {
  if (guests.length === 0) return 'no guest was booted, so its own keys were not looked at';
  if (guests.length === 1)
    return 'the booted guest made its own host keys; a second one to compare with was not booted';
  return `${guests.length} boots made different host keys and machine-ids`;
}

/** All traces of the build in a root file system, one line each. */
export async function traces(image: ImageFiles): Promise<readonly string[]> {
  const found = await Promise.all([
    hostKeys(image),
    machineIds(image),
    users(image),
    ...['/root', ...(await homes(image))].map((home) => personal(image, home)),
    logs(image, '/var/log'),
    leftovers(image),
  ]);
  return found.flat();
}

async function hostKeys(image: ImageFiles): Promise<readonly string[]> {
  const names = (await image.list('/etc/ssh')).map(({ name }) => name);
  return names.filter((name) => name.startsWith('ssh_host_')).map((name) => `ssh host key /etc/ssh/${name}`);
}

async function machineIds(image: ImageFiles): Promise<readonly string[]> {
  const found: string[] = [];
  // `uninitialized` is what systemd writes for "first boot" (machine-id(5)).
  const id = (await image.readText('/etc/machine-id'))?.trim() ?? '';
  if (id !== '' && id !== 'uninitialized') found.push(`machine id in /etc/machine-id: ${id}`);
  // Mostly a link to the file above, and then as empty.
  const bus = (await image.readText('/var/lib/dbus/machine-id'))?.trim() ?? '';
  if (bus !== '' && bus !== 'uninitialized') found.push(`machine id in /var/lib/dbus/machine-id: ${bus}`);
  return found;
}

async function users(image: ImageFiles): Promise<readonly string[]> {
  const accounts = peopleIn((await image.readText('/etc/passwd')) ?? '').map((name) => `account of a person: ${name}`);
  return [...accounts, ...(await homes(image)).map((home) => `home ${home}`)];
}

/** Accounts of people in passwd(5): from 1000, where Debian starts, to where systemd's own ranges begin. */
export function peopleIn(passwd: string): readonly string[] {
  return passwd.split('\n').flatMap((line) => {
    const [name = '', , uid] = line.split(':');
    return Number(uid) >= 1000 && Number(uid) < 60_000 ? [name] : [];
  });
}

async function homes(image: ImageFiles): Promise<readonly string[]> {
  const entries = await image.list('/home');
  return entries
    .filter(({ kind, name }) => kind === 'directory' && name !== 'lost+found')
    .map(({ name }) => `/home/${name}`);
}

const histories = /^\.(.*_history|histfile|lesshst|viminfo|wget-hsts|sudo_as_admin_successful)$/;

async function personal(image: ImageFiles, home: string): Promise<readonly string[]> {
  const files = (await image.list(home)).filter(({ kind, size }) => kind === 'file' && size > 0);
  const shells = files.filter(({ name }) => histories.test(name)).map(({ name }) => `history ${home}/${name}`);
  const keys = (await image.list(`${home}/.ssh`)).filter(({ kind, size }) => kind === 'file' && size > 0);
  const secrets = keys.filter(({ name }) => /^(authorized_keys|id_|known_hosts)/.test(name));
  return [...shells, ...secrets.map(({ name }) => `ssh login of the build ${home}/.ssh/${name}`)];
}

// systemd's own link to a text about the journal.
const noLog = '/var/log/README';

async function logs(image: ImageFiles, folder: string): Promise<readonly string[]> {
  const found = await Promise.all(
    (await image.list(folder)).map(async ({ name, kind, size }) => {
      const path = `${folder}/${name}`;
      if (kind === 'directory') return logs(image, path);
      return size === 0 || path === noLog ? [] : [`log ${path} (${size} bytes)`];
    }),
  );
  return found.flat();
}

/** Files that come from running or updating a system: folder, names, what they are. Empty ones do not count. */
const remains: readonly (readonly [string, RegExp, string])[] = [
  ['/var/lib/systemd', /^random-seed$|^credential\.secret$/, 'random seed or secret'],
  ['/var/lib/apt/lists', /^(?!lock$)/, 'package list'],
  ['/var/cache/apt', /\.bin$/, 'package cache'],
  ['/var/cache/apt/archives', /\.deb$/, 'downloaded package'],
  ['/var/cache/apt/archives/partial', /./, 'downloaded package'],
  ['/var/lib/dhcp', /\.leases?$/, 'network lease'],
  ['/var/lib/dhcpcd', /^(duid|secret)$|\.lease6?$/, 'network lease or identity'],
  ['/var/lib/NetworkManager', /^secret_key$/, 'network identity'],
  ['/etc/udev/rules.d', /persistent-net/, 'name of a network card'],
  ['/etc/netplan', /^50-cloud-init\.yaml$/, 'network of the build'],
  ['/etc/cloud/cloud.cfg.d', /^99-installer\.cfg$/, 'answers of an installer'],
  ['/root', /^(anaconda|original|initial-setup)-ks\.cfg$/, 'answers of an installer'],
];

async function leftovers(image: ImageFiles): Promise<readonly string[]> {
  const found = await Promise.all(
    remains.map(async ([folder, names, what]) => {
      const files = (await image.list(folder)).filter(({ kind, size }) => kind === 'file' && size > 0);
      return files.filter(({ name }) => names.test(name)).map(({ name }) => `${what} ${folder}/${name}`);
    }),
  );
  const instances = (await image.list('/var/lib/cloud/instances')).map(
    ({ name }) => `cloud-init ran here: /var/lib/cloud/instances/${name}`,
  );
  return [...found.flat(), ...instances];
}

/** What machines that booted from one image share though it should be theirs alone. */
export function sameness(machines: readonly CheckGuest['identity'][]): readonly string[] {
  const found: string[] = [];
  if (machines.some(({ hostKeys }) => hostKeys.length === 0)) found.push('no ssh host key is made at the first boot');
  if (machines.some(({ machineId }) => machineId === '')) found.push('no machine-id is made at the first boot');
  const ids = machines.map(({ machineId }) => machineId).filter((id) => id !== '');
  if (new Set(ids).size < ids.length) found.push(`two boots have the same machine-id ${ids[0]}`);
  const keys = machines.flatMap(({ hostKeys }) => hostKeys);
  const shared = keys.filter((key, index) => keys.indexOf(key) !== index);
  return [...found, ...shared.map((key) => `two boots have the same host key ${key}`)];
}
