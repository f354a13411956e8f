import type { HashedAnswers } from './answers.ts';
import { carried, type Deed, finishScript, keysOf } from './finish.ts';
import type { Extra } from './format.ts';
import { onTarget } from './preseed-reading.ts';
import { tooLong } from './refusals.ts';

// The late command becomes one argument of a program: 128 KiB at most (execve(2), MAX_ARG_STRLEN).
const longestCommand = 120 * 1024;

export type Section = { readonly title: string; readonly lines: readonly string[] };

/** What a preconfiguration file says, in the order of the installation. */
export function sectionsOf(answers: HashedAnswers, extra: Extra): readonly Section[] {
  return [
    ...[localization(answers), network(answers, extra), mirror(answers), accounts(answers), clock(answers, extra)],
    ...[partitioning(answers), packages(answers, extra), loader(answers), ending(answers, extra)],
  ];
}

/** A line for a question of the installer itself. */
export function say(question: string, type: string, value = ''): string {
  return `d-i ${question} ${type} ${value}`.trimEnd();
}

function localization({ locale, country, keyboard }: HashedAnswers): Section {
  return {
    title: 'Localization',
    lines: [
      say('debian-installer/locale', 'string', locale),
      ...(country === undefined ? [] : [say('debian-installer/country', 'string', country.toUpperCase())]),
      say('keyboard-configuration/xkb-keymap', 'select', keyboard),
    ],
  };
}

function network(answers: HashedAnswers, { medium }: Extra): Section {
  const { hostname, domain } = answers;
  return {
    title: 'Network',
    lines: [
      say('netcfg/choose_interface', 'select', interfaceOf(answers)),
      ...fixedNetwork(answers),
      ...(medium?.offline === true && answers.network === 'dhcp' ? withoutDhcp : []),
      say('netcfg/get_hostname', 'string', hostname),
      say('netcfg/hostname', 'string', hostname),
      say('netcfg/get_domain', 'string', domain),
      say('netcfg/wireless_wep', 'string'),
      say('hw-detect/load_firmware', 'boolean', 'true'),
    ],
  };
}

/** Where nothing answers, the network stays as it is, after seconds and without a question. */
const withoutDhcp = [
  say('netcfg/link_wait_timeout', 'string', '5'),
  say('netcfg/dhcp_timeout', 'string', '15'),
  say('netcfg/dhcp_failed', 'note'),
  say('netcfg/dhcp_options', 'select', 'Do not configure the network at this time'),
];

export function interfaceOf({ network }: HashedAnswers): string {
  return (network === 'dhcp' ? undefined : network.interface) ?? 'auto';
}

// The address may have its prefix: the question for the netmask is not asked then (netcfg's templates).
export function fixedNetwork({ network }: HashedAnswers): readonly string[] {
  if (network === 'dhcp') return [];
  return [
    say('netcfg/disable_autoconfig', 'boolean', 'true'),
    say('netcfg/get_ipaddress', 'string', network.address),
    say('netcfg/get_gateway', 'string', network.gateway),
    say('netcfg/get_nameservers', 'string', network.dns.join(' ')),
    say('netcfg/confirm_static', 'boolean', 'true'),
  ];
}

function mirror({ mirror: address, proxy, suite }: HashedAnswers): Section {
  const [protocol = 'http', host = '', directory = '/'] = address === undefined ? [] : partsOf(address);
  const proxyLine = say(`mirror/${protocol}/proxy`, 'string', proxy);
  const suiteLines = suite === undefined ? [] : [say('mirror/suite', 'string', suite)];
  if (address === undefined) return { title: 'Mirror', lines: [proxyLine, ...suiteLines] };
  return {
    title: 'Mirror',
    lines: [
      say('mirror/country', 'string', 'manual'),
      say('mirror/protocol', 'string', protocol),
      say(`mirror/${protocol}/hostname`, 'string', host),
      say(`mirror/${protocol}/directory`, 'string', directory),
      proxyLine,
      ...suiteLines,
    ],
  };
}

function partsOf(address: string): readonly string[] {
  const [, protocol = '', host = '', directory = ''] = /^(https?):\/\/([^/]+)(.*)$/.exec(address) ?? [];
  return [protocol, host, directory === '' ? '/' : directory];
}

// `!` disables a password (installation guide, B.4.5); without it the installer would ask for one.
function accounts({ user, root }: HashedAnswers): Section {
  const rootLines = [
    say('passwd/root-login', 'boolean', 'true'),
    say('passwd/root-password-crypted', 'password', root?.password ?? '!'),
  ];
  if (user === undefined)
    return { title: 'Accounts', lines: [...rootLines, say('passwd/make-user', 'boolean', 'false')] };
  return {
    title: 'Accounts',
    lines: [
      ...rootLines,
      say('passwd/make-user', 'boolean', 'true'),
      say('passwd/user-fullname', 'string', user.name),
      say('passwd/username', 'string', user.name),
      say('passwd/user-password-crypted', 'password', user.password ?? '!'),
    ],
  };
}

function clock({ timezone }: HashedAnswers, { medium }: Extra): Section {
  return {
    title: 'Clock',
    lines: [
      say('clock-setup/utc', 'boolean', 'true'),
      say('time/zone', 'string', timezone),
      say('clock-setup/ntp', 'boolean', String(medium?.offline !== true)),
    ],
  };
}

/** The first disk that is not the medium of the installation: with a stick in the machine there are two. */
const chooseDisk =
  'for disk in $(list-devices disk); do if ! grep -q "^$disk" /proc/mounts; then debconf-set partman-auto/disk "$disk"; debconf-set grub-installer/bootdev "$disk"; break; fi; done';

function partitioning({ disk }: HashedAnswers): Section {
  const chosen = disk.device === undefined ? ['partman/early_command', chooseDisk] : ['partman-auto/disk', disk.device];
  return {
    title: 'Partitions',
    lines: [
      say(chosen[0] ?? '', 'string', chosen[1]),
      say('partman-auto/method', 'string', 'regular'),
      say('partman-auto/choose_recipe', 'select', 'atomic'),
      say('partman/default_filesystem', 'string', disk.filesystem),
      say('partman-lvm/device_remove_lvm', 'boolean', 'true'),
      say('partman-md/device_remove_md', 'boolean', 'true'),
      say('partman-efi/non_efi_system', 'boolean', 'true'),
      say('partman-partitioning/confirm_write_new_label', 'boolean', 'true'),
      say('partman/choose_partition', 'select', 'finish'),
      say('partman/confirm', 'boolean', 'true'),
      say('partman/confirm_nooverwrite', 'boolean', 'true'),
    ],
  };
}

// With a repository of our own the late command installs them: of the vendor's the installer itself takes the base system.
function packages({ packages: names }: HashedAnswers, { medium }: Extra): Section {
  const offline = medium?.offline === true;
  return {
    title: 'Packages',
    lines: [
      ...(offline ? withoutMirror : []),
      say('apt-setup/cdrom/set-first', 'boolean', 'false'),
      say('apt-setup/disable-cdrom-entries', 'boolean', 'true'),
      say('pkgsel/run_tasksel', 'boolean', 'false'),
      say('pkgsel/include', 'string', offline ? '' : names.join(' ')),
      say('pkgsel/upgrade', 'select', offline ? 'none' : 'safe-upgrade'),
      say('pkgsel/update-policy', 'select', 'none'),
      'popularity-contest popularity-contest/participate boolean false',
    ],
  };
}

const withoutMirror = [
  say('apt-setup/use_mirror', 'boolean', 'false'),
  say('apt-setup/no_mirror', 'boolean', 'true'),
  say('apt-setup/services-select', 'multiselect'),
];

// The disk is moved to other machines, whose firmware knows no entry of it: so the removable path as well.
function loader(answers: HashedAnswers): Section {
  return {
    title: 'Boot loader',
    lines: [
      say('grub-installer/only_debian', 'boolean', 'true'),
      say('grub-installer/with_other_os', 'boolean', 'true'),
      say('grub-installer/bootdev', 'string', answers.disk.device ?? 'default'),
      say('grub-installer/force-efi-extra-removable', 'boolean', 'true'),
      say('debian-installer/add-kernel-opts', 'string', answers['kernel-args'].join(' ')),
    ],
  };
}

function ending(answers: HashedAnswers, extra: Extra): Section {
  const script = finishScript(deedsOf(answers, extra));
  const inTarget = `in-target sh -c '${carried(script)}'`;
  const command = extra.medium === undefined ? inTarget : `${onTarget.begin}${inTarget}${onTarget.end}`;
  if (command.length > longestCommand) throw tooLong(extra, "Debian's installer");
  return {
    title: 'End',
    lines: [
      ...(script === '' ? [] : [say('preseed/late_command', 'string', command)]),
      say('finish-install/reboot_in_progress', 'note'),
      ...(extra.powerOff ? [say('debian-installer/exit/poweroff', 'boolean', 'true')] : []),
    ],
  };
}

function deedsOf({ user, root, packages: names }: HashedAnswers, { postInstall, medium }: Extra): readonly Deed[] {
  return [
    ...(medium?.offline === true && names.length > 0 ? [{ do: 'repository', names } as const] : []),
    ...keysOf('root', root?.['ssh-keys']),
    ...(user === undefined ? [] : keysOf(user.name, user['ssh-keys'])),
    ...(user?.sudo === true ? [{ do: 'sudo', user: user.name, asks: user.password !== undefined } as const] : []),
    ...postInstall.map((script) => ({ do: 'script', ...script }) as const),
  ];
}
