import { z } from 'zod';

/** What an installer asks, as a person answers it once for all distributions. */
export const answersSchema = z.strictObject({
  hostname: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a host name of small letters, digits and dashes')
    .describe('The name of the machine, without its domain.'),
  domain: z
    .string()
    .regex(
      /^(?=.{1,190}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/,
      'expected a domain such as example.org',
    )
    .optional()
    .describe('What follows the host name. Proxmox VE needs it.'),
  timezone: z
    .string()
    .regex(/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+){0,2}$/, 'expected a time zone such as UTC or Europe/Berlin')
    .default('UTC')
    .describe('A name of the time zone database.'),
  locale: z
    .string()
    .regex(
      /^(?:C|[a-z]{2,3}_[A-Z]{2})(?:\.[A-Za-z0-9-]+)?(?:@[a-z]+)?$/,
      'expected a locale such as en_US.UTF-8 or C.UTF-8',
    )
    .default('en_US.UTF-8')
    .describe('Language, country and encoding.'),
  keyboard: z
    .string()
    .regex(/^[a-z]{2,10}(?:\([a-z0-9_]+(?:-[a-z0-9_]+)*\))?$/, 'expected a keyboard layout such as us, de or ch(fr)')
    .default('us')
    .describe('A layout of X, with a variant in parentheses.'),
  country: z
    .string()
    .regex(/^[a-z]{2}$/, 'expected a country of two small letters, such as at')
    .optional()
    .describe('Where the machine stands; default: the country of the locale.'),
  disk: diskSchema(),
  packages: z
    .array(
      z
        .string()
        .regex(
          /^[@A-Za-z0-9][A-Za-z0-9+._-]*$/,
          'expected a package name; @NAME is a group, where the distribution has groups',
        ),
    )
    .default([])
    .describe('Packages of the distribution, beside its base system.'),
  user: userSchema().optional().describe('A person who logs in. Without one nobody but root is made.'),
  root: accountSchema().optional().describe('How root logs in; without this, root has no password and no keys.'),
  network: networkSchema(),
  mirror: webAddress('expected an address such as http://mirror.example.org/debian, without a password')
    .optional()
    .describe('Where packages come from; default: what the medium says.'),
  proxy: webAddress('expected an address such as http://proxy.example.org:3128, without a password')
    .optional()
    .describe('An HTTP proxy for packages; it stays in the installed system.'),
  suite: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/, 'expected a suite name such as trixie')
    .optional()
    .describe('The release to install, where a medium can install several (Debian).'),
  'kernel-args': z
    .array(
      z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9_.,:=/+@%-]*$/,
          'expected one word, such as console=ttyS0,115200, without quotes',
        ),
    )
    .default([])
    .describe('Words for the kernel of the installed system.'),
  email: z
    .string()
    .regex(
      /^[A-Za-z0-9._+-]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
      'expected a mail address',
    )
    .optional()
    .describe('Where the system sends its mail (Proxmox VE); default: root at the full host name.'),
});

export type Answers = z.output<typeof answersSchema>;

/** Where `${secret.x}` may stand in the answers. */
export const answersSecretsIn: readonly (readonly string[])[] = [
  ['user', 'password'],
  ['root', 'password'],
];

/** A crypt(3) hash, as /etc/shadow holds it. */
export type PasswordHash = string & z.core.$brand<'PasswordHash'>;

/** Answers in one form for each meaning, whose passwords are hashes. */
export type HashedAnswers = Omit<Answers, 'user' | 'root'> & {
  readonly user?: (Omit<User, 'password'> & { readonly password?: PasswordHash | undefined }) | undefined;
  readonly root?: (Omit<Account, 'password'> & { readonly password?: PasswordHash | undefined }) | undefined;
};

type User = NonNullable<Answers['user']>;
type Account = NonNullable<Answers['root']>;

function diskSchema() {
  const device = z
    .string()
    .regex(/^\/dev\/[a-z][a-z0-9/_.:-]*$/, 'expected a whole disk such as /dev/vda')
    .describe('The disk to install on; default: the first one, or the largest, as the installer has it.');
  const filesystem = z.enum(['ext4', 'xfs', 'btrfs', 'zfs']).default('ext4').describe('The root file system.');
  const parts = z.strictObject({ device: device.optional(), filesystem });
  return z
    .union([z.literal('whole'), device, parts])
    .transform((disk): z.output<typeof parts> => {
      if (typeof disk === 'object') return disk;
      return disk === 'whole' ? { filesystem: 'ext4' } : { device: disk, filesystem: 'ext4' };
    })
    .default({ filesystem: 'ext4' })
    .describe('Where the system goes; all that was on that disk is lost. `whole`: the only disk.');
}

function accountSchema() {
  return z.strictObject({
    password: z
      .string()
      .min(1)
      .optional()
      .describe('Best as `${secret.NAME}`; only its hash reaches the installer. Without one, only keys log in.'),
    'ssh-keys': z.array(publicKey()).default([]).describe('Public keys that may log in.'),
  });
}

function userSchema() {
  return z.strictObject({
    name: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'expected a user name of small letters, digits, dashes and _')
      .refine((name) => name !== 'root', 'root has its own answer: `root`')
      .describe('The login name.'),
    ...accountSchema().shape,
    sudo: z
      .boolean()
      .default(false)
      .describe('May become root by sudo: with the own password, or without one where the user has none.'),
  });
}

function networkSchema() {
  const address = z.union([z.ipv4(), z.ipv6()], 'expected an IP address').describe('An IP address.');
  const parts = z.strictObject({
    address: z
      .union([z.cidrv4(), z.cidrv6()], 'expected an address with its prefix, such as 192.0.2.10/24')
      .describe('With the length of its prefix: 192.0.2.10/24.'),
    gateway: address,
    dns: z.array(address).default([]).describe('Name servers.'),
    interface: z
      .string()
      .regex(/^[a-z][a-z0-9_.-]{0,14}$/, 'expected a network interface such as enp1s0')
      .optional()
      .describe('Default: the first that has a link.'),
  });
  return z
    .union([z.literal('dhcp'), parts])
    .default('dhcp')
    .describe('`dhcp`, or a fixed address.');
}

// Vendors' tools put addresses into shell files without quotes (alpine-conf's setup-proxy), so only harmless letters.
function webAddress(expected: string) {
  return z
    .string()
    .regex(/^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~%+-]*)*$/, expected);
}

// The comment may hold anything a person can see: line separators would start a new line in Kickstart (Python's splitlines).
function publicKey() {
  return z
    .string()
    .regex(
      /^(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\p{C}\p{Zl}\p{Zp}]*)?$/u,
      'expected one line as in id_ed25519.pub: ssh-ed25519 AAAA… comment',
    );
}

/** The same answers in the one form that `read` gives back: each meaning is written in one way. */
export function canonical(answers: HashedAnswers): HashedAnswers {
  const { country, email, user, root, ...rest } = answers;
  const sudo = user?.sudo === true ? ['sudo'] : [];
  const rootSaysNothing = root?.password === undefined && (root?.['ssh-keys'] ?? []).length === 0;
  return withoutUndefined({
    ...rest,
    packages: [...new Set([...answers.packages, ...sudo])],
    user,
    root: rootSaysNothing ? undefined : root,
    mirror: answers.mirror?.replace(/\/+$/, ''),
    country: country === countryOf(answers.locale) ? undefined : country,
    email: email === `root@${fullName(answers)}` ? undefined : email,
  });
}

/** The country of a locale; of one without: the United States, as the default locale has it. */
export function countryOf(locale: string): string {
  return /_([A-Z]{2})/.exec(locale)?.[1]?.toLowerCase() ?? 'us';
}

export function fullName({ hostname, domain }: Pick<Answers, 'hostname' | 'domain'>): string {
  return domain === undefined ? hostname : `${hostname}.${domain}`;
}

function withoutUndefined<T extends object>(value: T): T {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([key, member]: [string, unknown]) => [key, isMap(member) ? withoutUndefined(member) : member]),
  ) as T;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
