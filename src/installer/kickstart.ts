import { type Answers, fullName, type HashedAnswers } from './answers.ts';
import { carried, type Deed, finishScript } from './finish.ts';
import { type AnswerFormat, type BootWords, type Delivery, type Extra, folderIn, type Refusal } from './format.ts';
import { checkKickstart, readKickstart } from './kickstart-reading.ts';
import { mediumThere } from './medium-there.ts';
import { netmaskOf } from './netmask.ts';
import { confirmed, fileOf, refuseAll, tooLong, unasked } from './refusals.ts';

const file = 'ks.cfg';

/**
 * Anaconda, the installer of Fedora, RHEL and their kin: a Kickstart file (pykickstart, Anaconda's boot options). In
 * `cmdline` mode it ends with an error where it would have to ask.
 */
export const kickstart: AnswerFormat = {
  name: 'kickstart',
  file,
  deliveries: ['initrd', 'seed', 'url', 'medium'],
  tools: [],
  medium: 'scripts',
  seed: { label: 'OEMDRV' },
  refuses,
  render: (answers, extra) => {
    refuseAll(refuses(answers));
    const lines = [...settings(answers), ...packages(answers), ...post(answers, extra)];
    return new Map([[file, [...lines, extra.powerOff ? 'poweroff' : 'reboot', ''].join('\n')]]);
  },
  read: (files) => confirmed(kickstart, files, readKickstart(file, fileOf(files, file))),
  check: async (files, _, as) => checkKickstart(fileOf(files, file), as ?? file),
  words,
  ownWords: ({ label }) => (label === undefined ? [] : [`inst.stage2=${byLabel(label)}`]),
  parcel: (files, delivery) => new Map([[`${folderIn(delivery)}${file}`, fileOf(files, file)]]),
};

function refuses(answers: Answers | HashedAnswers): readonly Refusal[] {
  const { disk, suite, mirror, proxy } = answers;
  const release = { message: 'Anaconda has one release: that of its medium', hint: 'leave it out' };
  const alone = { message: 'Anaconda takes a proxy only together with a mirror', hint: 'give `mirror` as well' };
  return [
    ...unasked(answers, ['country', 'email'], 'Anaconda'),
    ...(suite === undefined ? [] : [{ path: ['suite'], ...release }]),
    ...(proxy !== undefined && mirror === undefined ? [{ path: ['proxy'], ...alone }] : []),
    ...(disk.filesystem === 'zfs'
      ? [{ path: ['disk', 'filesystem'], message: 'Anaconda cannot make zfs', hint: 'use ext4, xfs or btrfs' }]
      : []),
  ];
}

function settings(answers: HashedAnswers): readonly string[] {
  const { mirror, proxy, locale, keyboard, timezone } = answers;
  const layout = keyboard.replace('(', ' (');
  return [
    'cmdline',
    `lang ${locale}`,
    `keyboard --xlayouts=${quote(layout)}`,
    `timezone ${timezone} --utc`,
    network(answers),
    ...(mirror === undefined ? [] : [line('url', [`--url=${quote(mirror)}`, proxy && `--proxy=${quote(proxy)}`])]),
    ...disk(answers),
    ...accounts(answers),
    'firstboot --disable',
  ];
}

function network(answers: HashedAnswers): string {
  const named = ['--activate', `--hostname=${fullName(answers)}`];
  if (answers.network === 'dhcp') return line('network', ['--bootproto=dhcp', '--device=link', ...named]);
  const { address, gateway, dns, interface: face = 'link' } = answers.network;
  const [ip = '', prefix = ''] = address.split('/');
  const own = address.includes(':')
    ? ['--noipv4', `--ipv6=${address}`, `--ipv6gateway=${gateway}`]
    : ['--bootproto=static', `--ip=${ip}`, `--netmask=${netmaskOf(Number(prefix))}`, `--gateway=${gateway}`];
  const servers = dns.length === 0 ? undefined : `--nameserver=${dns.join(',')}`;
  return line('network', [...own, servers, `--device=${face}`, ...named]);
}

// Without LVM the root file system can grow with the disk. btrfs is a scheme of its own.
function disk({ disk: { device, filesystem }, 'kernel-args': args }: HashedAnswers): readonly string[] {
  const name = device?.replace(/^\/dev\//, '');
  return [
    ...(name === undefined ? [] : [`ignoredisk --only-use=${name}`]),
    'zerombr',
    'clearpart --all --initlabel',
    filesystem === 'btrfs' ? 'autopart --type=btrfs' : `autopart --type=plain --fstype=${filesystem}`,
    ...(args.length === 0 ? [] : [`bootloader --append=${quote(args.join(' '))}`]),
  ];
}

function accounts({ root, user }: HashedAnswers): readonly string[] {
  const keysFor = (name: string, keys: readonly string[] = []) =>
    keys.map((key) => `sshkey --username=${name} ${quote(key)}`);
  const password = (hash: string | undefined) =>
    hash === undefined ? '--lock' : `--iscrypted --password=${quote(hash)}`;
  return [
    root?.password === undefined ? 'rootpw --lock' : `rootpw --iscrypted ${quote(root.password)}`,
    ...keysFor('root', root?.['ssh-keys']),
    ...(user === undefined ? [] : [`user --name=${user.name} ${password(user.password)}`]),
    ...(user === undefined ? [] : keysFor(user.name, user['ssh-keys'])),
  ];
}

function packages({ packages: names }: HashedAnswers): readonly string[] {
  return ['', '%packages', '@core', ...names, '%end'];
}

function post({ user }: HashedAnswers, extra: Extra): readonly string[] {
  const sudo: readonly Deed[] =
    user?.sudo === true ? [{ do: 'sudo', user: user.name, asks: user.password !== undefined }] : [];
  const script = finishScript([...sudo, ...extra.postInstall.map((one) => ({ do: 'script', ...one }) as const)]);
  if (script === '') return [''];
  const command = carried(script);
  if (command.length > longestCommand) throw tooLong(extra, 'Anaconda');
  const inTarget = ['', '%post --erroronfail', command, '%end'];
  if (extra.medium === undefined) return [...inTarget, ''];
  return [...outside(onTarget.begin), ...inTarget, ...outside(onTarget.end), ''];
}

// Where Anaconda has its medium, and where the installed system is to a script that is in no chroot
// (Anaconda's boot options; RHEL 10, "%post script section options").
const onTarget = mediumThere('/run/install/repo', '/mnt/sysroot');

function outside(command: string): readonly string[] {
  return ['', '%post --nochroot --erroronfail', command, '%end'];
}

// Anaconda is given the whole file at once, but a shell line beyond this is refused by programs that edit it.
const longestCommand = 120 * 1024;

function line(command: string, options: readonly (string | undefined)[]): string {
  return [command, ...options.filter((option) => option !== undefined && option !== '')].join(' ');
}

/** A word to Python's shlex, which pykickstart splits lines with: nothing is special in single quotes. */
function quote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function words(delivery: Delivery, { console }: BootWords = {}): readonly string[] {
  return [...wayTo(delivery), ...(console === undefined ? [] : [`console=${console}`])];
}

function wayTo(delivery: Delivery): readonly string[] {
  switch (delivery.by) {
    case 'initrd':
      return [`inst.ks=file:/${file}`];
    case 'seed':
      return [];
    case 'url':
      return [`inst.ks=${delivery.url}${file}`];
    case 'medium': {
      const path = `${delivery.path}${file}`;
      return [`inst.ks=${delivery.label === undefined ? `cdrom:${path}` : `${byLabel(delivery.label)}:${path}`}`];
    }
  }
}

/** A stick is no CD: only its label finds it. */
function byLabel(label: string): string {
  return `hd:LABEL=${label.replaceAll(' ', '\\x20')}`;
}
