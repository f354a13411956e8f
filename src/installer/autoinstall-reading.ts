import { parse } from 'yaml';
import { z } from 'zod';
import { canonical, type HashedAnswers } from './answers.ts';
import { type Deed, readCarried } from './finish.ts';
import type { Reading } from './format.ts';
import { asPasswordHash } from './password.ts';
import { notOurs } from './refusals.ts';

const hash = z.string().transform((text, check) => {
  const found = asPasswordHash(text);
  if (found === undefined) check.addIssue({ code: 'custom', message: 'no hash of ours' });
  return found ?? z.NEVER;
});

const account = z.strictObject({
  name: z.string(),
  shell: z.literal('/bin/bash'),
  lock_passwd: z.boolean(),
  passwd: hash.optional(),
  ssh_authorized_keys: z.array(z.string()),
  sudo: z.string().optional(),
});

const wired = z.strictObject({
  match: z.strictObject({ name: z.string() }),
  addresses: z.tuple([z.string()]),
  routes: z.tuple([z.strictObject({ to: z.literal('default'), via: z.string() })]),
  nameservers: z.strictObject({ addresses: z.array(z.string()) }).optional(),
});

/** All that we write, and nothing else. */
const written = z.strictObject({
  version: z.literal(1),
  locale: z.string(),
  keyboard: z.strictObject({ layout: z.string(), variant: z.string().optional() }),
  timezone: z.string(),
  network: z.strictObject({ version: z.literal(2), ethernets: z.strictObject({ main: wired }) }).optional(),
  proxy: z.string().optional(),
  apt: z
    .strictObject({
      'mirror-selection': z.strictObject({ primary: z.tuple([z.strictObject({ uri: z.string() })]) }),
      geoip: z.literal(false),
      fallback: z.literal('abort'),
    })
    .optional(),
  storage: z.strictObject({
    layout: z.strictObject({
      name: z.enum(['direct', 'zfs']),
      match: z.union([z.strictObject({ size: z.literal('largest') }), z.strictObject({ path: z.string() })]),
    }),
  }),
  packages: z.array(z.string()),
  'user-data': z.strictObject({
    hostname: z.string(),
    fqdn: z.string().optional(),
    users: z.tuple([z.union([account, z.strictObject({ name: z.literal('root'), lock_passwd: z.literal(false) })])]),
  }),
  'late-commands': z.array(z.array(z.string())).optional(),
  shutdown: z.enum(['poweroff', 'reboot']),
});

type Written = z.infer<typeof written>;

/** What user-data of ours says. */
export function readAutoinstall(file: string, text: string): Reading {
  const found = z.strictObject({ autoinstall: written }).safeParse(parse(text, { version: '1.1' }));
  if (!found.success) throw notOurs(file, z.prettifyError(found.error));
  const { autoinstall: said } = found.data;
  const deeds = deedsIn(said);
  if (deeds === undefined) throw notOurs(file, 'it has other late-commands');
  return {
    answers: canonical({ ...systemIn(said, deeds), ...accountsIn(said, deeds) }),
    extra: {
      postInstall: deeds.flatMap((deed) => (deed.do === 'script' ? [{ name: deed.name, text: deed.text }] : [])),
      powerOff: said.shutdown === 'poweroff',
      ...((said['late-commands'] ?? []).length > 1 ? { medium: { offline: false } } : {}),
    },
  };
}

function deedsIn(said: Written): readonly Deed[] | undefined {
  const commands = said['late-commands'] ?? [];
  if (commands.length === 0) return [];
  // Of three, the first and the last have the ISO's folder there.
  const command = commands[commands.length === 3 ? 1 : 0] ?? [];
  return command.slice(0, -1).join(' ') === 'curtin in-target -- sh -c' ? readCarried(command.at(-1) ?? '') : undefined;
}

function systemIn(said: Written, deeds: readonly Deed[]): Omit<HashedAnswers, 'user' | 'root'> {
  const { layout, variant } = said.keyboard;
  const { match, name } = said.storage.layout;
  const { hostname, fqdn } = said['user-data'];
  return {
    hostname,
    domain: fqdn?.slice(hostname.length + 1),
    timezone: said.timezone,
    locale: said.locale,
    keyboard: variant === undefined ? layout : `${layout}(${variant})`,
    disk: { ...('path' in match ? { device: match.path } : {}), filesystem: name === 'zfs' ? 'zfs' : 'ext4' },
    packages: said.packages,
    network: networkIn(said),
    mirror: said.apt?.['mirror-selection'].primary[0].uri,
    proxy: said.proxy,
    'kernel-args': deeds.flatMap((deed) => (deed.do === 'kernel_args' ? deed.words : [])),
  };
}

function networkIn({ network }: Written): HashedAnswers['network'] {
  if (network === undefined) return 'dhcp';
  const { match, addresses, routes, nameservers } = network.ethernets.main;
  return {
    address: addresses[0],
    gateway: routes[0].via,
    dns: nameservers?.addresses ?? [],
    ...(match.name === 'e*' ? {} : { interface: match.name }),
  };
}

function accountsIn(said: Written, deeds: readonly Deed[]): Pick<HashedAnswers, 'user' | 'root'> {
  const [user] = said['user-data'].users;
  const [password] = deeds.flatMap((deed) => (deed.do === 'password' ? (asPasswordHash(deed.hash) ?? []) : []));
  const root = { password, 'ssh-keys': deeds.flatMap((deed) => (deed.do === 'keys' ? deed.keys : [])) };
  if (!('shell' in user)) return { root };
  const { name, passwd, ssh_authorized_keys: keys, sudo } = user;
  return { root, user: { name, password: passwd, 'ssh-keys': keys, sudo: sudo !== undefined } };
}
