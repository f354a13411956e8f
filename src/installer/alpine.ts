import { shellQuote } from '../core/script.ts';
import { checkAlpine } from './alpine-check.ts';
import { installScript } from './alpine-install.ts';
import { overlay } from './alpine-overlay.ts';
import { readAlpine } from './alpine-reading.ts';
import { type Answers, fullName, type HashedAnswers } from './answers.ts';
import { type Deed, finishScript, keysOf } from './finish.ts';
import {
  type AnswerFormat,
  type BootWords,
  type Delivery,
  type Extra,
  type Files,
  folderIn,
  type Refusal,
} from './format.ts';
import { confirmed, fileOf, refuseAll, unasked } from './refusals.ts';

const file = 'answers';
const install = 'install';
const carrier = 'ingot.apkovl.tar.gz';

/**
 * Alpine's setup-alpine with an answer file (setup-alpine(8)). A live system runs it, which takes it from an overlay
 * (apkovl): `install` is what the overlay starts. What setup-alpine does not ask is done in the installed system.
 */
export const alpine: AnswerFormat = {
  name: 'alpine',
  file,
  deliveries: ['initrd', 'seed', 'url', 'medium'],
  tools: [],
  medium: 'scripts',
  seed: { label: 'INGOT' },
  refuses,
  render: (answers, extra) => {
    refuseAll(refuses(answers));
    return adopt(answersFile(answers), answers, extra);
  },
  adopt: (text, extra) => adopt(text, undefined, extra),
  read: (files) => confirmed(alpine, files, readAlpine(file, fileOf(files, file), fileOf(files, install))),
  check: (files, ctx, as) => checkAlpine(fileOf(files, file), as ?? file, ctx),
  words,
  ownWords: () => ['modules=loop,squashfs,sd-mod,usb-storage'],
  parcel: (files, delivery) =>
    new Map([
      [`${folderIn(delivery)}${carrier}`, overlay({ answers: fileOf(files, file), install: fileOf(files, install) })],
    ]),
};

function adopt(text: string, answers: HashedAnswers | undefined, extra: Extra): Files {
  const script = finishScript(answers === undefined ? scripts(extra) : deedsOf(answers, extra));
  return new Map([
    [file, text],
    [install, installScript({ answers, script, powerOff: extra.powerOff, hasMedium: extra.medium !== undefined })],
  ]);
}

function refuses(answers: Answers | HashedAnswers): readonly Refusal[] {
  const { disk, network, suite } = answers;
  const who = "Alpine's installer";
  const release = { message: `${who} has one release: that of its medium`, hint: 'leave it out' };
  return [
    ...unasked(answers, ['country', 'email'], who),
    ...(suite === undefined ? [] : [{ path: ['suite'], ...release }]),
    ...(network !== 'dhcp' && network.dns.length === 0
      ? [{ path: ['network', 'dns'], message: `${who} asks for name servers with a fixed address`, hint: 'give one' }]
      : []),
    ...(disk.filesystem === 'zfs'
      ? [{ path: ['disk', 'filesystem'], message: `${who} cannot make zfs`, hint: 'use ext4, xfs or btrfs' }]
      : []),
  ];
}

/** Variables that setup-alpine reads as shell; it splits most of them into words of its programs. */
function answersFile(answers: HashedAnswers): string {
  const { network, timezone, user, mirror, proxy, packages, keyboard } = answers;
  const variables: readonly (readonly [string, string])[] = [
    ['KEYMAPOPTS', keyboard === 'us' ? 'none' : keymap(keyboard)],
    ['HOSTNAMEOPTS', fullName(answers)],
    ['DEVDOPTS', 'mdev'],
    ['INTERFACESOPTS', interfaces(network)],
    ...(network === 'dhcp' ? [] : [['DNSOPTS', nameServers(answers.domain, network.dns)] as const]),
    ['TIMEZONEOPTS', timezone],
    ['PROXYOPTS', proxy ?? 'none'],
    ['USEROPTS', user === undefined ? 'none' : `-g audio,input,video,netdev ${user.name}`],
    ['SSHDOPTS', packages.some((name) => /^openssh(-server)?$/.test(name)) ? 'openssh' : 'none'],
    ['NTPOPTS', 'busybox'],
    ['LBUOPTS', 'none'],
    ['APKCACHEOPTS', 'none'],
  ];
  const repositories =
    mirror === undefined ? "'-c -1'" : `"${mirror}/$INGOT_BRANCH/main ${mirror}/$INGOT_BRANCH/community"`;
  return [
    ...variables.map(([name, value]) => `${name}=${shellQuote(value)}`),
    `APKREPOSOPTS=${repositories}`,
    'DISKOPTS="-m sys $INGOT_DISK"',
    '',
  ].join('\n');
}

function keymap(keyboard: string): string {
  const [layout = '', variant] = keyboard.replace(')', '').split('(');
  return variant === undefined ? `${layout} ${layout}` : `${layout} ${layout}-${variant}`;
}

function interfaces(network: HashedAnswers['network']): string {
  const face = (network === 'dhcp' ? undefined : network.interface) ?? 'eth0';
  const lines =
    network === 'dhcp'
      ? [`iface ${face} inet dhcp`]
      : [
          `iface ${face} inet${network.address.includes(':') ? '6' : ''} static`,
          `\taddress ${network.address}`,
          `\tgateway ${network.gateway}`,
        ];
  return ['auto lo', 'iface lo inet loopback', '', `auto ${face}`, ...lines, ''].join('\n');
}

function nameServers(domain: string | undefined, servers: readonly string[]): string {
  return [...(domain === undefined ? [] : ['-d', domain]), ...servers].join(' ');
}

// The live system's accounts are copied: root has an empty password there. `*` lets keys in, as Alpine's sshd has no PAM.
function deedsOf(answers: HashedAnswers, extra: Extra): readonly Deed[] {
  const { user, root, packages, locale } = answers;
  return [
    { do: 'locale', locale },
    ...(packages.length === 0 ? [] : [{ do: 'packages', names: packages } as const]),
    { do: 'password', user: 'root', hash: root?.password ?? '*' },
    ...keysOf('root', root?.['ssh-keys']),
    ...(user === undefined ? [] : [{ do: 'password', user: user.name, hash: user.password ?? '*' } as const]),
    ...(user === undefined ? [] : keysOf(user.name, user['ssh-keys'])),
    ...(user?.sudo === true ? [{ do: 'sudo', user: user.name, asks: user.password !== undefined } as const] : []),
    ...scripts(extra),
  ];
}

function scripts({ postInstall }: Extra): readonly Deed[] {
  return postInstall.map((script) => ({ do: 'script', ...script }));
}

function words(delivery: Delivery, { console }: BootWords = {}): readonly string[] {
  return [...wayTo(delivery), ...(console === undefined ? [] : [`console=${console}`])];
}

// Overlays are looked for on all disks, CDs too, but only in their roots; in the initrd by a path (mkinitfs's init).
function wayTo(delivery: Delivery): readonly string[] {
  switch (delivery.by) {
    case 'initrd':
      return [`apkovl=/${carrier}`];
    case 'seed':
    case 'medium':
      return [];
    case 'url':
      return ['ip=dhcp', `apkovl=${delivery.url}${carrier}`];
  }
}
