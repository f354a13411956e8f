import { stringify } from 'smol-toml';
import { type Answers, countryOf, fullName, type HashedAnswers } from './answers.ts';
import { type Deed, finishScript } from './finish.ts';
import type { AnswerFormat, BootWords, Delivery, Extra, Files, Refusal } from './format.ts';
import { checkAnswer } from './proxmox-check.ts';
import { readAnswer } from './proxmox-reading.ts';
import { proxmoxKeyboards } from './proxmox-words.ts';
import { confirmed, fileOf, refuseAll, tooLong, unasked } from './refusals.ts';

const file = 'answer.toml';
/** Where the installer looks for the program of the first boot, on the ISO. */
const firstBoot = 'proxmox-first-boot';
/** FIRST_BOOT_EXEC_MAX_SIZE of the installer. */
const largestFirstBoot = 1024 * 1024;

/**
 * Proxmox VE's automatic installation, 8.4 and newer (its answer file; proxmox-auto-installer). It knows root alone and
 * installs no further packages; scripts run at the first boot of the installed system. The ISO itself must say how
 * answers come: `onMedium`.
 */
export const proxmox: AnswerFormat = {
  name: 'answer',
  file,
  deliveries: ['medium', 'seed', 'url'],
  tools: [],
  seed: { label: 'PROXMOX-AIS' },
  refuses,
  render,
  read: (files) => confirmed(proxmox, files, readAnswer(file, fileOf(files, file), files.get(firstBoot))),
  check: async (files, _, as) => checkAnswer(fileOf(files, file), as ?? file),
  words,
  ownWords: () => ['ro', 'ramdisk_size=16777216', 'rw', 'quiet', 'splash=silent'],
  // It looks in the root of its ISO alone.
  parcel: (files) => new Map([[file, fileOf(files, file)]]),
  onMedium: (files, delivery) => {
    const script = files.get(firstBoot);
    return new Map([
      ['auto-installer-mode.toml', modeFile(delivery)],
      ...(delivery.by === 'medium' ? [[file, fileOf(files, file)] as const] : []),
      ...(script === undefined ? [] : [[firstBoot, script] as const]),
    ]);
  },
};

function words(delivery: Delivery, { console }: BootWords = {}): readonly string[] {
  if (delivery.by === 'initrd') throw noInitrd();
  return ['proxmox-start-auto-installer', ...(console === undefined ? [] : [`console=${console}`])];
}

function noInitrd(): Error {
  return new Error("Proxmox VE's installer reads no answers from its initrd");
}

function modeFile(delivery: Delivery): string {
  switch (delivery.by) {
    case 'medium':
      return stringify({ mode: 'iso' });
    case 'seed':
      return stringify({ mode: 'partition', partition_label: 'proxmox-ais' });
    case 'url':
      return stringify({ mode: 'http', http: { url: `${delivery.url}${file}` } });
    case 'initrd':
      throw noInitrd();
  }
}

function refuses(answers: Answers | HashedAnswers): readonly Refusal[] {
  const { domain, root, locale, keyboard, network, disk } = answers;
  const isPool = disk.filesystem === 'zfs' || disk.filesystem === 'btrfs';
  const who = "Proxmox VE's installer";
  const problems: readonly (readonly [boolean, readonly string[], string, string?])[] = [
    [domain === undefined, ['domain'], `${who} needs a full host name`, 'give `domain`, such as example.org'],
    [
      root?.password === undefined,
      ['root', 'password'],
      `${who} needs a password for root`,
      'give it as ${secret.NAME}',
    ],
    [locale !== 'en_US.UTF-8', ['locale'], `${who} always takes en_US.UTF-8`, 'leave it out'],
    [!proxmoxKeyboards.has(keyboard), ['keyboard'], `${who} has no layout ${keyboard}`],
    [network !== 'dhcp' && network.dns.length !== 1, ['network', 'dns'], `${who} takes one name server`],
    [
      isPool && disk.device === undefined,
      ['disk'],
      `${disk.filesystem} needs a \`device\`: ${who} would take all disks`,
    ],
    [
      /^\/dev\/.*\//.test(disk.device ?? ''),
      ['disk', 'device'],
      `${who} takes the name of a disk only, such as /dev/sda`,
    ],
  ];
  return [
    ...unasked(answers, ['user', 'packages', 'mirror', 'proxy', 'suite', 'kernel-args'], who),
    ...problems.flatMap(([is, path, message, hint]) =>
      is ? [{ path, message, ...(hint === undefined ? {} : { hint }) }] : [],
    ),
  ];
}

function render(answers: HashedAnswers, extra: Extra): Files {
  refuseAll(refuses(answers));
  const script = finishScript(extra.postInstall.map((one): Deed => ({ do: 'script', ...one })));
  if (Buffer.byteLength(script) > largestFirstBoot) throw tooLong(extra, "Proxmox VE's installer");
  const { root, disk } = answers;
  const raid = disk.filesystem === 'zfs' || disk.filesystem === 'btrfs' ? { [disk.filesystem]: { raid: 'raid0' } } : {};
  const keys = root?.['ssh-keys'] ?? [];
  const global = {
    keyboard: proxmoxKeyboards.get(answers.keyboard) ?? '',
    country: answers.country ?? countryOf(answers.locale),
    fqdn: fullName(answers),
    mailto: answers.email ?? `root@${fullName(answers)}`,
    timezone: answers.timezone,
    'root-password-hashed': root?.password ?? '',
    ...(keys.length === 0 ? {} : { 'root-ssh-keys': keys }),
    'reboot-mode': extra.powerOff ? 'power-off' : 'reboot',
  };
  const text = stringify({
    global,
    network: networkOf(answers.network),
    'disk-setup': { filesystem: disk.filesystem, ...diskOf(disk.device), ...raid },
    ...(script === '' ? {} : { 'first-boot': { source: 'from-iso', ordering: 'fully-up' } }),
  });
  return new Map([[file, text], ...(script === '' ? [] : [[firstBoot, script] as const])]);
}

// Filters are globs over what udev says of a device; the first that matches is taken.
function networkOf(network: HashedAnswers['network']): object {
  if (network === 'dhcp') return { source: 'from-dhcp' };
  const { address, gateway, dns, interface: face = '*' } = network;
  return { source: 'from-answer', cidr: address, dns: dns[0] ?? '', gateway, filter: { ID_NET_NAME: face } };
}

function diskOf(device: string | undefined): object {
  return device === undefined ? { filter: { DEVNAME: '/dev/*' } } : { 'disk-list': [device.replace(/^\/dev\//, '')] };
}
