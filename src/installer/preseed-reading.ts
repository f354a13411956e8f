import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { canonical, type HashedAnswers } from './answers.ts';
import { type Deed, readCarried } from './finish.ts';
import type { Reading } from './format.ts';
import { mediumThere } from './medium-there.ts';
import { asPasswordHash } from './password.ts';
import { notOurs } from './refusals.ts';

const { begin, end } = mediumThere('/cdrom', '/target');

/** A late command that has the folder of the ISO where scripts find it. */
export const onTarget = { begin: `${begin} && `, end: ` && ${end}` } as const;

type Values = ReadonlyMap<string, string>;

/** What the lines of a preconfiguration file say, each question once. */
export function readPreseed(file: string, text: string): Reading {
  const values = new Map<string, string>();
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, question = '', value = ''] = /^\S+ (\S+) \S+(?: (.*))?$/.exec(line) ?? [];
    if (question === '' || values.has(question) || line.endsWith('\\')) throw notOurs(file, `line ${i + 1} is another`);
    values.set(question, value);
  }
  const command = values.get('preseed/late_command');
  const hasMedium = command?.startsWith(onTarget.begin) === true && command.endsWith(onTarget.end);
  const inTarget = hasMedium ? command.slice(onTarget.begin.length, -onTarget.end.length) : (command ?? '');
  const words = /^in-target sh -c '([^']*)'$/.exec(inTarget)?.[1];
  const offline = values.get('apt-setup/use_mirror') === 'false';
  const deeds = command === undefined ? [] : readCarried(words ?? '');
  if (deeds === undefined) throw notOurs(file, 'it has another late command');
  return {
    answers: canonical({ ...systemIn(values), ...packagesIn(values, deeds), ...accountsIn(values, deeds) }),
    extra: {
      postInstall: deeds.flatMap((deed) => (deed.do === 'script' ? [{ name: deed.name, text: deed.text }] : [])),
      powerOff: values.get('debian-installer/exit/poweroff') === 'true',
      ...(hasMedium || offline ? { medium: { offline } } : {}),
    },
  };
}

function packagesIn(values: Values, deeds: readonly Deed[]): Pick<HashedAnswers, 'packages'> {
  const named = deeds.flatMap((deed) => (deed.do === 'repository' ? deed.names : []));
  return { packages: [...listOf(values.get('pkgsel/include') ?? ''), ...named] };
}

function listOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

function systemIn(values: Values): Omit<HashedAnswers, 'user' | 'root' | 'packages'> {
  const said = (question: string) => values.get(question) ?? '';
  const given = (question: string) => (said(question) === '' ? undefined : said(question));
  return {
    hostname: said('netcfg/get_hostname'),
    domain: given('netcfg/get_domain'),
    timezone: said('time/zone'),
    locale: said('debian-installer/locale'),
    country: given('debian-installer/country')?.toLowerCase(),
    keyboard: said('keyboard-configuration/xkb-keymap'),
    disk: {
      ...(values.has('partman-auto/disk') ? { device: said('partman-auto/disk') } : {}),
      filesystem: said('partman/default_filesystem') as HashedAnswers['disk']['filesystem'],
    },
    network: networkIn(values),
    mirror: mirrorIn(values),
    proxy: given('mirror/http/proxy') ?? given('mirror/https/proxy'),
    suite: given('mirror/suite'),
    'kernel-args': listOf(said('debian-installer/add-kernel-opts')),
  };
}

function networkIn(values: Values): HashedAnswers['network'] {
  const address = values.get('netcfg/get_ipaddress');
  if (address === undefined) return 'dhcp';
  const face = values.get('netcfg/choose_interface');
  return {
    address,
    gateway: values.get('netcfg/get_gateway') ?? '',
    dns: listOf(values.get('netcfg/get_nameservers') ?? ''),
    ...(face === undefined || face === 'auto' ? {} : { interface: face }),
  };
}

function mirrorIn(values: Values): string | undefined {
  const protocol = values.get('mirror/protocol');
  if (protocol === undefined) return undefined;
  const host = values.get(`mirror/${protocol}/hostname`) ?? '';
  return `${protocol}://${host}${values.get(`mirror/${protocol}/directory`) ?? ''}`;
}

function accountsIn(values: Values, deeds: readonly Deed[]): Pick<HashedAnswers, 'user' | 'root'> {
  const keys = (name: string) => deeds.flatMap((deed) => (deed.do === 'keys' && deed.user === name ? deed.keys : []));
  const name = values.get('passwd/username');
  const user =
    name === undefined
      ? undefined
      : {
          name,
          password: asPasswordHash(values.get('passwd/user-password-crypted') ?? ''),
          'ssh-keys': [...keys(name)],
          sudo: deeds.some((deed) => deed.do === 'sudo'),
        };
  const root = {
    password: asPasswordHash(values.get('passwd/root-password-crypted') ?? ''),
    'ssh-keys': [...keys('root')],
  };
  return { root, ...(user === undefined ? {} : { user }) };
}

/**
 * Let debconf look at a preconfiguration file, without its database: that may be locked, which it would take for a mistake
 * and not tell. It prints lines as they are, which may hold passwords, so only their numbers are told.
 */
export async function checkPreseed(
  text: string,
  { as }: { readonly as: string },
  { host, signal }: Context,
): Promise<void> {
  const { exitCode, stderr } = await host.run(
    { argv: ['debconf-set-selections', '-c'], env: { DEBCONF_DB_REPLACE: 'Pipe{infd:none outfd:none}', LC_ALL: 'C' } },
    { signal, stdin: text, ok: [0, 1] },
  );
  const wrong = stderr.split('\n').flatMap((line) => mistakeIn(line) ?? []);
  const [first] = wrong;
  if (exitCode === 0 && first === undefined) return;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${as} is not a preseed file: ${first ?? 'debconf refuses it'}`,
    hint: 'a line is OWNER QUESTION TYPE VALUE, such as: d-i time/zone string UTC',
    detail: wrong.slice(1),
  });
}

function mistakeIn(line: string): string | undefined {
  const parse = /^error: parse error on line (\d+)/.exec(line)?.[1];
  if (parse !== undefined) return `line ${parse} is not complete`;
  const number = /^warning: Unknown type .*, skipping line (\d+)$/.exec(line)?.[1];
  return number === undefined ? undefined : `line ${number} has an unknown type`;
}
