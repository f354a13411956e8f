import { parse } from 'smol-toml';
import { z } from 'zod';
import { canonical, type HashedAnswers } from './answers.ts';
import { readFinish } from './finish.ts';
import type { Reading } from './format.ts';
import { asPasswordHash } from './password.ts';
import { proxmoxKeyboards } from './proxmox-words.ts';
import { notOurs } from './refusals.ts';

const pool = z.strictObject({ raid: z.literal('raid0') }).optional();

/** All that we write, and nothing else. */
const written = z.strictObject({
  global: z.strictObject({
    keyboard: z.string(),
    country: z.string(),
    fqdn: z.string(),
    mailto: z.string(),
    timezone: z.string(),
    'root-password-hashed': z.string(),
    'root-ssh-keys': z.array(z.string()).optional(),
    'reboot-mode': z.enum(['power-off', 'reboot']),
  }),
  network: z.union([
    z.strictObject({ source: z.literal('from-dhcp') }),
    z.strictObject({
      source: z.literal('from-answer'),
      cidr: z.string(),
      dns: z.string(),
      gateway: z.string(),
      filter: z.strictObject({ ID_NET_NAME: z.string() }),
    }),
  ]),
  'disk-setup': z.strictObject({
    filesystem: z.enum(['ext4', 'xfs', 'btrfs', 'zfs']),
    filter: z.strictObject({ DEVNAME: z.literal('/dev/*') }).optional(),
    'disk-list': z.tuple([z.string()]).optional(),
    zfs: pool,
    btrfs: pool,
  }),
  'first-boot': z.strictObject({ source: z.literal('from-iso'), ordering: z.literal('fully-up') }).optional(),
});

type Written = z.infer<typeof written>;

/** What an answer file of ours says, with the program of the first boot. */
export function readAnswer(file: string, text: string, script: string | undefined): Reading {
  const found = written.safeParse(parse(text));
  if (!found.success) throw notOurs(file, z.prettifyError(found.error));
  const deeds = readFinish(script ?? '');
  if (deeds === undefined) throw notOurs(file, 'it comes with another first-boot program');
  return {
    answers: canonical(answersIn(found.data)),
    extra: {
      postInstall: deeds.flatMap((deed) => (deed.do === 'script' ? [{ name: deed.name, text: deed.text }] : [])),
      powerOff: found.data.global['reboot-mode'] === 'power-off',
    },
  };
}

function answersIn({ global, network, 'disk-setup': disk }: Written): HashedAnswers {
  const [, hostname = '', domain] = /^([^.]*)(?:\.(.*))?$/.exec(global.fqdn) ?? [];
  const [layout = ''] = [...proxmoxKeyboards].find(([, name]) => name === global.keyboard) ?? [];
  const device = disk['disk-list']?.[0];
  return {
    hostname,
    domain,
    timezone: global.timezone,
    locale: 'en_US.UTF-8',
    keyboard: layout,
    country: global.country,
    email: global.mailto,
    disk: { ...(device === undefined ? {} : { device: `/dev/${device}` }), filesystem: disk.filesystem },
    packages: [],
    root: {
      password: asPasswordHash(global['root-password-hashed']),
      'ssh-keys': global['root-ssh-keys'] ?? [],
    },
    network: networkIn(network),
    'kernel-args': [],
  };
}

function networkIn(network: Written['network']): HashedAnswers['network'] {
  if (network.source === 'from-dhcp') return 'dhcp';
  const face = network.filter.ID_NET_NAME;
  return {
    address: network.cidr,
    gateway: network.gateway,
    dns: [network.dns],
    ...(face === '*' ? {} : { interface: face }),
  };
}
