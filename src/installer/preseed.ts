import type { Answers, HashedAnswers } from './answers.ts';

import { type AnswerFormat, type BootWords, type Delivery, type Extra, folderIn, type Refusal } from './format.ts';
import { checkPreseed, readPreseed } from './preseed-reading.ts';
import { fixedNetwork, interfaceOf, say, sectionsOf } from './preseed-sections.ts';
import { confirmed, fileOf, refuseAll, unasked } from './refusals.ts';

const file = 'preseed.cfg';

/**
 * Debian's installer: a preconfiguration file (Debian GNU/Linux Installation Guide, appendix B). It asks nothing with
 * these answers at priority `critical`, and takes its own default where they do not say, as for the mirror.
 */
export const preseed: AnswerFormat = {
  name: 'preseed',
  file,
  deliveries: ['initrd', 'url', 'medium'],
  tools: [{ program: 'debconf-set-selections', debian: 'debconf', why: 'checks preseed files' }],
  refuses,
  render: (answers, extra) => new Map([[file, render(answers, extra)]]),
  read: (files) => confirmed(preseed, files, readPreseed(file, fileOf(files, file))),
  check: (files, ctx, as) => checkPreseed(fileOf(files, file), { as: as ?? file }, ctx),
  words,
  medium: 'repository',
  ownWords: () => [],
  parcel: (files, delivery) => new Map([[`${folderIn(delivery)}${file}`, fileOf(files, file)]]),
};

function refuses(answers: Answers | HashedAnswers): readonly Refusal[] {
  const others = unasked(answers, ['email'], "Debian's installer");
  if (answers.disk.filesystem !== 'zfs') return others;
  const hint = 'use ext4, xfs or btrfs';
  return [...others, { path: ['disk', 'filesystem'], message: "Debian's installer cannot make zfs", hint }];
}

function render(answers: HashedAnswers, extra: Extra): string {
  refuseAll(refuses(answers));
  const text = sectionsOf(answers, extra).map(
    ({ title, lines }) => `# ${title}\n${lines.map((line) => `${line}\n`).join('')}`,
  );
  return `#_preseed_V1\n${text.join('')}`;
}

/**
 * The Linux kernel's words: what follows `---` stays in the installed system. A file in the initrd is read before anything
 * is asked; others after the network, so what that needs is here (installation guide, B.2). Words hold no spaces: of
 * several name servers only the first is used then.
 */
function words(delivery: Delivery, { answers, console }: BootWords = {}): readonly string[] {
  const consoleWords = console === undefined ? [] : [`console=${console}`];
  const kept = consoleWords.length === 0 ? [] : ['---', ...consoleWords];
  return ['priority=critical', ...wayTo(delivery, answers), ...consoleWords, ...kept];
}

function wayTo(delivery: Delivery, answers: HashedAnswers | undefined): readonly string[] {
  switch (delivery.by) {
    case 'initrd':
      return [];
    case 'url':
      return ['auto=true', `preseed/url=${delivery.url}${file}`, ...(answers === undefined ? [] : netWords(answers))];
    case 'medium':
      return ['auto=true', `preseed/file=/cdrom${delivery.path}${file}`];
    case 'seed':
      throw new Error("Debian's installer looks for no seed disk");
  }
}

function netWords(answers: HashedAnswers): readonly string[] {
  const { hostname, domain, network } = answers;
  const fixed =
    network === 'dhcp' ? [] : fixedNetwork({ ...answers, network: { ...network, dns: network.dns.slice(0, 1) } });
  const lines = [
    say('netcfg/choose_interface', 'select', interfaceOf(answers)),
    say('netcfg/get_hostname', 'string', hostname),
    say('netcfg/hostname', 'string', hostname),
    ...(domain === undefined ? [] : [say('netcfg/get_domain', 'string', domain)]),
    ...fixed,
  ];
  return lines.map((line) => line.split(' ')).map(([, question, , value = '']) => `${question}=${value}`);
}
