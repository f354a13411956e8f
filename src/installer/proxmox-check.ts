import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { IngotError } from '../core/errors.ts';
import { proxmoxKeyboardNames } from './proxmox-words.ts';

const address = z.union([z.ipv4(), z.ipv6()], 'expected an IP address');
const texts = z.record(z.string(), z.string());
const size = z.number().positive().optional();
const fullName = z
  .string()
  .regex(
    /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/,
    'expected a full host name such as pve.example.org',
  );
const least: Readonly<Record<string, number>> = {
  ...{ raid0: 1, raid1: 2, raid10: 4, 'raidz-1': 3, 'raidz-2': 4, 'raidz-3': 5 },
};
const raid = z.enum(['raid0', 'raid1', 'raid10', 'raidz-1', 'raidz-2', 'raidz-3']);

const global = z.strictObject({
  country: z.string().regex(/^[a-z]{2}$/, 'expected a country of two small letters'),
  fqdn: z.union(
    [fullName, z.strictObject({ source: z.literal('from-dhcp').optional(), domain: z.string().optional() })],
    'expected a full host name such as pve.example.org, or { source = "from-dhcp" }',
  ),
  keyboard: z.enum(proxmoxKeyboardNames as [string, ...string[]]),
  mailto: z.email(),
  timezone: z.string(),
  'root-password': z.string().min(8, 'expected at least 8 characters').optional(),
  'root-password-hashed': z.string().regex(/^\$/, 'expected a hash of crypt(3)').optional(),
  'root-ssh-keys': z.array(z.string()).optional(),
  'reboot-on-error': z.boolean().optional(),
  'reboot-mode': z.enum(['reboot', 'power-off']).optional(),
  'subscription-key': z.string().optional(),
});

const network = z.strictObject({
  source: z.enum(['from-dhcp', 'from-answer']).optional(),
  cidr: z.union([z.cidrv4(), z.cidrv6()], 'expected an address with its prefix').optional(),
  dns: address.optional(),
  gateway: address.optional(),
  filter: texts.optional(),
  'interface-name-pinning': z
    .strictObject({ enabled: z.boolean(), mapping: z.record(z.string(), z.string().max(15)).optional() })
    .optional(),
});

const disks = z.strictObject({
  filesystem: z.enum(['ext4', 'xfs', 'zfs', 'btrfs']),
  'disk-list': z.array(z.string()).optional(),
  filter: texts.optional(),
  'filter-match': z.enum(['any', 'all']).optional(),
  lvm: z.strictObject({ hdsize: size, swapsize: size, maxroot: size, maxvz: size, minfree: size }).optional(),
  zfs: z
    .strictObject({
      raid: raid.optional(),
      ashift: z.int().optional(),
      'arc-max': z.int().optional(),
      checksum: z.string().optional(),
      compress: z.string().optional(),
      copies: z.int().optional(),
      hdsize: size,
    })
    .optional(),
  btrfs: z
    .strictObject({ raid: raid.optional(), compress: z.union([z.string(), z.boolean()]).optional(), hdsize: size })
    .optional(),
});

/** The rules of Proxmox VE's answer file (proxmox-auto-installer 9.2), and those between its keys. */
const rules = z
  .strictObject({
    global,
    network,
    'disk-setup': disks,
    'post-installation-webhook': z
      .strictObject({ url: z.url(), 'cert-fingerprint': z.string().optional(), 'auth-token': z.string().optional() })
      .optional(),
    'first-boot': z
      .strictObject({
        source: z.enum(['from-url', 'from-iso']),
        ordering: z.enum(['before-network', 'network-online', 'fully-up']).optional(),
        url: z.url().optional(),
        'cert-fingerprint': z.string().optional(),
      })
      .optional(),
  })
  .superRefine((answer, check) => {
    for (const [holds, path, message] of between(answer)) {
      if (!holds) check.addIssue({ code: 'custom', path: path.split('.'), message });
    }
  });

type Parts = { global: z.infer<typeof global>; network: z.infer<typeof network>; 'disk-setup': z.infer<typeof disks> };
type Rule = readonly [holds: boolean, path: string, message: string];

function between({
  global: g,
  network: n,
  'disk-setup': d,
  ...rest
}: Parts & { 'first-boot'?: unknown }): readonly Rule[] {
  const fields = [n.cidr, n.dns, n.gateway, n.filter];
  const list = d['disk-list'] ?? [];
  const chosen = [list.length > 0, Object.keys(d.filter ?? {}).length > 0];
  const own = d.filesystem === 'zfs' || d.filesystem === 'btrfs' ? d.filesystem : 'lvm';
  const level = own === 'lvm' ? 'raid0' : d[own]?.raid;
  const first = rest['first-boot'] as { readonly source: string; readonly url?: string } | undefined;
  const swap = d.lvm?.swapsize ?? 0;
  return [
    [
      (g['root-password'] === undefined) !== (g['root-password-hashed'] === undefined),
      'global',
      'give either `root-password` or `root-password-hashed`',
    ],
    [
      n.source !== 'from-answer' || fields.every((field) => field !== undefined),
      'network',
      '`from-answer` needs `cidr`, `dns`, `gateway` and `filter`',
    ],
    [
      n.source === 'from-answer' || fields.every((field) => field === undefined),
      'network',
      '`cidr`, `dns`, `gateway` and `filter` are for `source = "from-answer"`',
    ],
    [chosen[0] !== chosen[1], 'disk-setup', 'give either `disk-list` or `filter`'],
    [new Set(list).size === list.length, 'disk-setup.disk-list', 'a disk stands there twice'],
    [own !== 'lvm' || list.length < 2, 'disk-setup.disk-list', `${d.filesystem} takes one disk`],
    [
      ['lvm', 'zfs', 'btrfs'].every((name) => name === own || d[name as 'lvm'] === undefined),
      'disk-setup',
      `${d.filesystem} takes options of \`${own}\` only`,
    ],
    [level !== undefined, `disk-setup.${own}`, 'give `raid`'],
    [
      list.length === 0 || list.length >= (least[level ?? ''] ?? 1),
      'disk-setup.disk-list',
      `${level} needs ${least[level ?? '']} disks`,
    ],
    [
      d.lvm?.hdsize === undefined || swap <= d.lvm.hdsize / 2,
      'disk-setup.lvm',
      'the swap is larger than half of the disk',
    ],
    [first?.source !== 'from-url' || first.url !== undefined, 'first-boot', '`from-url` needs `url`'],
  ];
}

/** Find mistakes in an answer file; keys may be written with underscores, as before Proxmox VE 8.4. */
export function checkAnswer(text: string, as: string): void {
  const found = rules.safeParse(dashed(parseToml(text, as)));
  if (found.success) return;
  const [first, ...more] = found.error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter((word) => word !== '').join(': '),
  );
  throw new IngotError({ code: 'INPUT_REFUSED', message: `${as} is no answer file: ${first ?? ''}`, detail: more });
}

function parseToml(text: string, as: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new IngotError({
      code: 'INPUT_REFUSED',
      message: `${as} is not TOML: line ${error.line}, column ${error.column} cannot be read`,
    });
  }
}

/** Old spellings of keys; names of devices and their properties stay as they are. */
function dashed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [
      key.replaceAll('_', '-'),
      key === 'filter' || key === 'mapping' ? member : dashed(member),
    ]),
  );
}
