import { IngotError } from '../core/errors.ts';
import { canonical, type HashedAnswers } from './answers.ts';
import { type Deed, readCarried } from './finish.ts';
import type { Reading } from './format.ts';
import { type Kickstart, type Mistake, optionOf, parseKickstart } from './kickstart-lines.ts';
import { prefixOf } from './netmask.ts';
import { asPasswordHash } from './password.ts';
import { notOurs } from './refusals.ts';

/** What a Kickstart file of ours says. */
export function readKickstart(file: string, text: string): Reading {
  const parsed = parseKickstart(text);
  const [mistake] = parsed.mistakes;
  if (mistake !== undefined) throw notOurs(file, `line ${mistake.line}: ${mistake.message}`);
  const posts = parsed.sections.filter(({ words }) => words[0] === '%post');
  const post = posts.find(({ words }) => !words.includes('--nochroot'));
  const deeds = post === undefined ? [] : readCarried(post.body.join('\n'));
  if (deeds === undefined) throw notOurs(file, 'it has another %post');
  return {
    answers: canonical({ ...systemIn(file, parsed), ...accountsIn(parsed, deeds) }),
    extra: {
      postInstall: deeds.flatMap((deed) => (deed.do === 'script' ? [{ name: deed.name, text: deed.text }] : [])),
      powerOff: wordsOf(parsed, 'poweroff') !== undefined,
      ...(posts.length > 1 ? { medium: { offline: false } } : {}),
    },
  };
}

function wordsOf({ commands }: Kickstart, name: string): readonly string[] | undefined {
  return commands.find(({ words }) => words[0] === name)?.words;
}

function option(parsed: Kickstart, command: string, name: string): string | undefined {
  return optionOf(wordsOf(parsed, command) ?? [], name);
}

function systemIn(file: string, parsed: Kickstart): Omit<HashedAnswers, 'user' | 'root'> {
  const [, hostname = '', domain] = /^([^.]*)(?:\.(.*))?$/.exec(option(parsed, 'network', 'hostname') ?? '') ?? [];
  const device = option(parsed, 'ignoredisk', 'only-use');
  const isBtrfs = option(parsed, 'autopart', 'type') === 'btrfs';
  const list = parsed.sections.find(({ words }) => words[0] === '%packages')?.body ?? [];
  return {
    hostname,
    domain,
    timezone: wordsOf(parsed, 'timezone')?.[1] ?? '',
    locale: wordsOf(parsed, 'lang')?.[1] ?? '',
    keyboard: (option(parsed, 'keyboard', 'xlayouts') ?? '').replace(' (', '('),
    disk: {
      ...(device === undefined ? {} : { device: `/dev/${device}` }),
      filesystem: (isBtrfs ? 'btrfs' : option(parsed, 'autopart', 'fstype')) as HashedAnswers['disk']['filesystem'],
    },
    packages: list.slice(1),
    network: networkIn(file, wordsOf(parsed, 'network') ?? []),
    mirror: option(parsed, 'url', 'url'),
    proxy: option(parsed, 'url', 'proxy'),
    'kernel-args': option(parsed, 'bootloader', 'append')?.split(' ') ?? [],
  };
}

function networkIn(file: string, words: readonly string[]): HashedAnswers['network'] {
  const said = (name: string) => optionOf(words, name);
  const face = said('device');
  const rest = {
    dns: said('nameserver')?.split(',') ?? [],
    ...(face === undefined || face === 'link' ? {} : { interface: face }),
  };
  const six = said('ipv6');
  if (six !== undefined) return { address: six, gateway: said('ipv6gateway') ?? '', ...rest };
  const four = said('ip');
  if (four === undefined) return 'dhcp';
  const prefix = prefixOf(said('netmask') ?? '');
  if (prefix === undefined) throw notOurs(file, 'it has a netmask that is none');
  return { address: `${four}/${prefix}`, gateway: said('gateway') ?? '', ...rest };
}

function accountsIn(parsed: Kickstart, deeds: readonly Deed[]): Pick<HashedAnswers, 'user' | 'root'> {
  const keys = (name: string) =>
    parsed.commands.flatMap(({ words }) =>
      words[0] === 'sshkey' && optionOf(words, 'username') === name ? words.slice(2) : [],
    );
  const root = { password: asPasswordHash(wordsOf(parsed, 'rootpw')?.[2] ?? ''), 'ssh-keys': keys('root') };
  const name = option(parsed, 'user', 'name');
  if (name === undefined) return { root };
  const password = asPasswordHash(option(parsed, 'user', 'password') ?? '');
  return { root, user: { name, password, 'ssh-keys': keys(name), sudo: deeds.some((deed) => deed.do === 'sudo') } };
}

// Of Fedora 43 and RHEL 9 and 10, without those that were removed from all of them (pykickstart's handlers).
const known = new Set(
  `authselect autopart bootc bootloader btrfs cdrom clearpart cmdline driverdisk eula fcoe firewall firstboot graphical
  group halt harddrive hmc ignoredisk iscsi iscsiname keyboard lang liveimg logging logvol mediacheck module mount network
  nfs nvdimm ostreecontainer ostreesetup part partition poweroff raid rdp realm reboot repo reqpart rescue rhsm rootpw
  selinux services shutdown skipx snapshot sshkey sshpw syspurpose text timesource timezone updates url user vnc volgroup
  xconfig zerombr zfcp zipl`.split(/\s+/),
);

/** Find mistakes in a Kickstart file: quotes, sections, commands that do not exist, questions it leaves open. */
export function checkKickstart(text: string, as: string): void {
  const parsed = parseKickstart(text);
  const strange = parsed.commands.flatMap(({ line, words: [name = ''] }): readonly Mistake[] =>
    known.has(name) ? [] : [{ line, message: `there is no command "${name.slice(0, 40)}"` }],
  );
  const [first, ...more] = [...parsed.mistakes, ...strange]
    .sort((a, b) => a.line - b.line)
    .map(({ line, message }) => `line ${line}: ${message}`);
  if (first === undefined) return;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${as} is not a Kickstart file: ${first}`,
    hint: 'a section goes from %NAME to %end; everything else is one command a line',
    detail: more,
  });
}
