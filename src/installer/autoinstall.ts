import { stringify } from 'yaml';
import { type Answers, fullName, type HashedAnswers } from './answers.ts';
import { checkAutoinstall } from './autoinstall-check.ts';
import { readAutoinstall } from './autoinstall-reading.ts';
import { carried, type Deed, finishScript, keysOf } from './finish.ts';
import { type AnswerFormat, type BootWords, type Delivery, type Extra, folderIn, type Refusal } from './format.ts';
import { mediumThere } from './medium-there.ts';
import { confirmed, fileOf, refuseAll, tooLong, unasked } from './refusals.ts';

const file = 'user-data';
const beside = 'meta-data';

/**
 * Ubuntu's installer (subiquity): cloud-init's user-data with the key `autoinstall` (Autoinstall configuration reference
 * manual). It asks nothing when the word `autoinstall` is on the kernel's command line.
 */
export const autoinstall: AnswerFormat = {
  name: 'autoinstall',
  file,
  deliveries: ['seed', 'url', 'medium'],
  tools: [],
  medium: 'scripts',
  seed: { label: 'CIDATA' },
  refuses,
  render: (answers, extra) => {
    refuseAll(refuses(answers));
    const text = stringify(
      { autoinstall: config(answers, extra) },
      { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 },
    );
    return new Map([
      [file, `#cloud-config\n${text}`],
      [beside, ''],
    ]);
  },
  read: (files) => confirmed(autoinstall, files, readAutoinstall(file, fileOf(files, file))),
  check: (files, ctx, as) => checkAutoinstall(fileOf(files, file), as ?? file, ctx),
  words,
  ownWords: () => [],
  parcel: (files, delivery) => {
    const folder = folderIn(delivery);
    return new Map([
      [`${folder}${file}`, fileOf(files, file)],
      [`${folder}${beside}`, files.get(beside) ?? ''],
    ]);
  },
};

// A command is an argument of programs: 128 KiB at most (execve(2), MAX_ARG_STRLEN).
const longestCommand = 120 * 1024;

function refuses(answers: Answers | HashedAnswers): readonly Refusal[] {
  const { disk, suite } = answers;
  const makes = { message: `Ubuntu's installer makes ext4 or zfs by itself, not ${disk.filesystem}`, hint: 'use ext4' };
  return [
    ...unasked(answers, ['country', 'email'], "Ubuntu's installer"),
    ...(suite === undefined
      ? []
      : [{ path: ['suite'], message: "Ubuntu's installer has one release: that of its medium", hint: 'leave it out' }]),
    ...(['ext4', 'zfs'].includes(disk.filesystem) ? [] : [{ path: ['disk', 'filesystem'], ...makes }]),
  ];
}

function config(answers: HashedAnswers, extra: Extra): object {
  const { network, mirror, proxy } = answers;
  const [, layout, variant] = /^([^(]*)(?:\((.*)\))?$/.exec(answers.keyboard) ?? [];
  const commands = lateCommands(answers, extra);
  return {
    version: 1,
    locale: answers.locale,
    keyboard: { layout, ...(variant === undefined ? {} : { variant }) },
    timezone: answers.timezone,
    ...(network === 'dhcp' ? {} : { network: fixedNetwork(network) }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(mirror === undefined ? {} : { apt: aptOf(mirror) }),
    storage: { layout: layoutOf(answers.disk) },
    packages: answers.packages,
    'user-data': userData(answers),
    ...(commands.length === 0 ? {} : { 'late-commands': commands }),
    shutdown: extra.powerOff ? 'poweroff' : 'reboot',
  };
}

function fixedNetwork(network: Exclude<HashedAnswers['network'], 'dhcp'>): object {
  const { address, gateway, dns } = network;
  const main = {
    match: { name: network.interface ?? 'e*' },
    addresses: [address],
    routes: [{ to: 'default', via: gateway }],
    ...(dns.length === 0 ? {} : { nameservers: { addresses: dns } }),
  };
  return { version: 2, ethernets: { main } };
}

// The default, offline-install, would hide that a mirror cannot be reached.
function aptOf(mirror: string): object {
  return { 'mirror-selection': { primary: [{ uri: mirror }] }, geoip: false, fallback: 'abort' };
}

function layoutOf({ device, filesystem }: HashedAnswers['disk']): object {
  const name = filesystem === 'zfs' ? 'zfs' : 'direct';
  return { name, match: device === undefined ? { size: 'largest' } : { path: device } };
}

/**
 * Who there is, as cloud-init makes it at the first boot: with `identity`, a user would always be an administrator, and
 * there would have to be one.
 */
function userData(answers: HashedAnswers): object {
  const { hostname, domain, user } = answers;
  return {
    hostname,
    ...(domain === undefined ? {} : { fqdn: fullName(answers) }),
    // The list must not be empty (cloud-init's schema), and without one there would be the user `ubuntu`.
    users: [user === undefined ? { name: 'root', lock_passwd: false } : account(user)],
  };
}

function account(user: NonNullable<HashedAnswers['user']>): object {
  const { name, password, sudo } = user;
  return {
    name,
    shell: '/bin/bash',
    ...(password === undefined ? { lock_passwd: true } : { lock_passwd: false, passwd: password }),
    ssh_authorized_keys: user['ssh-keys'],
    ...(sudo ? { sudo: password === undefined ? 'ALL=(ALL) NOPASSWD:ALL' : 'ALL=(ALL) ALL' } : {}),
  };
}

/** The ISO is at /cdrom of the live system, and the installed system at /target. */
const onTarget = mediumThere('/cdrom', '/target');

function shell(command: string): readonly string[] {
  return ['sh', '-c', command];
}

function lateCommands(answers: HashedAnswers, extra: Extra): readonly (readonly string[])[] {
  const script = finishScript(deedsOf(answers, extra));
  if (script === '') return [];
  const command = carried(script);
  if (command.length > longestCommand) throw tooLong(extra, "Ubuntu's installer");
  const inTarget = ['curtin', 'in-target', '--', 'sh', '-c', command];
  return extra.medium === undefined ? [inTarget] : [shell(onTarget.begin), inTarget, shell(onTarget.end)];
}

function deedsOf({ root, 'kernel-args': args }: HashedAnswers, { postInstall }: Extra): readonly Deed[] {
  return [
    ...(root?.password === undefined ? [] : [{ do: 'password', user: 'root', hash: root.password } as const]),
    ...keysOf('root', root?.['ssh-keys']),
    ...(args.length === 0 ? [] : [{ do: 'kernel_args', words: args } as const]),
    ...postInstall.map((script) => ({ do: 'script', ...script }) as const),
  ];
}

/** The semicolon is a separator to GRUB: there the word must stand in quotes. What follows `---` stays in the installed system. */
function words(delivery: Delivery, { console }: BootWords = {}): readonly string[] {
  const consoleWords = console === undefined ? [] : [`console=${console}`];
  const kept = consoleWords.length === 0 ? [] : ['---', ...consoleWords];
  return ['autoinstall', ...wayTo(delivery), ...consoleWords, ...kept];
}

function wayTo(delivery: Delivery): readonly string[] {
  switch (delivery.by) {
    case 'seed':
      return [];
    case 'url':
      return [`ds=nocloud;s=${delivery.url}`];
    case 'medium':
      return [`ds=nocloud;s=/cdrom${delivery.path}`];
    case 'initrd':
      throw new Error("Ubuntu's installer reads no answers from its initrd");
  }
}
