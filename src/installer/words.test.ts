import { expect, test } from 'vitest';
import { answersSchema, type HashedAnswers } from './answers.ts';
import type { BootWords, Delivery } from './format.ts';
import { type Distribution, formatOf } from './formats.ts';

const network = { address: '192.0.2.10/24', gateway: '192.0.2.1', dns: ['192.0.2.53', '192.0.2.54'] };
const answers = answersSchema.parse({ hostname: 'dev', domain: 'example.org', network }) as HashedAnswers;
const url = 'http://10.0.2.2:8000/token/';
const console = 'ttyS0,115200';

test.each<[Distribution, Delivery, BootWords, string]>([
  ['debian', { by: 'initrd' }, {}, 'priority=critical'],
  [
    'debian',
    { by: 'url', url },
    { answers, console },
    `priority=critical auto=true preseed/url=${url}preseed.cfg netcfg/choose_interface=auto netcfg/get_hostname=dev netcfg/hostname=dev netcfg/get_domain=example.org netcfg/disable_autoconfig=true netcfg/get_ipaddress=192.0.2.10/24 netcfg/get_gateway=192.0.2.1 netcfg/get_nameservers=192.0.2.53 netcfg/confirm_static=true console=ttyS0,115200 --- console=ttyS0,115200`,
  ],
  ['debian', { by: 'medium', path: '/' }, {}, 'priority=critical auto=true preseed/file=/cdrom/preseed.cfg'],
  ['ubuntu', { by: 'seed' }, { console }, 'autoinstall console=ttyS0,115200 --- console=ttyS0,115200'],
  ['ubuntu', { by: 'url', url }, {}, `autoinstall ds=nocloud;s=${url}`],
  ['ubuntu', { by: 'medium', path: '/nocloud/' }, {}, 'autoinstall ds=nocloud;s=/cdrom/nocloud/'],
  ['fedora', { by: 'initrd' }, { console }, 'inst.ks=file:/ks.cfg console=ttyS0,115200'],
  ['fedora', { by: 'seed' }, {}, ''],
  ['fedora', { by: 'url', url }, {}, `inst.ks=${url}ks.cfg`],
  ['fedora', { by: 'medium', path: '/' }, {}, 'inst.ks=cdrom:/ks.cfg'],
  ['fedora', { by: 'medium', path: '/x/', label: 'Fedora S 43' }, {}, 'inst.ks=hd:LABEL=Fedora\\x20S\\x2043:/x/ks.cfg'],
  ['proxmox', { by: 'medium', path: '/' }, { console }, 'proxmox-start-auto-installer console=ttyS0,115200'],
  ['alpine', { by: 'initrd' }, {}, 'apkovl=/ingot.apkovl.tar.gz'],
  ['alpine', { by: 'seed' }, { console }, 'console=ttyS0,115200'],
  ['alpine', { by: 'url', url }, {}, `ip=dhcp apkovl=${url}ingot.apkovl.tar.gz`],
])('%s by %j', (distribution, delivery, boot, words) => {
  expect(formatOf(distribution).words(delivery, boot).join(' ')).toBe(words);
});

test('an installer that looks for its own medium is told its label', () => {
  expect(formatOf('fedora').ownWords({ label: 'Fedora 43' })).toEqual(['inst.stage2=hd:LABEL=Fedora\\x2043']);
});

test.each<[Distribution, Delivery, readonly string[]]>([
  ['debian', { by: 'initrd' }, ['preseed.cfg']],
  ['debian', { by: 'medium', path: '/ingot/' }, ['ingot/preseed.cfg']],
  ['ubuntu', { by: 'seed' }, ['user-data', 'meta-data']],
  ['ubuntu', { by: 'medium', path: '/nocloud/' }, ['nocloud/user-data', 'nocloud/meta-data']],
  ['fedora', { by: 'seed' }, ['ks.cfg']],
  ['alpine', { by: 'url', url }, ['ingot.apkovl.tar.gz']],
])('%s by %j: the files lie where its installer looks', (distribution, delivery, names) => {
  const format = formatOf(distribution);
  const files = format.render(answers, { postInstall: [], powerOff: true });
  expect([...format.parcel(files, delivery).keys()]).toEqual(names);
});

test.each<[Delivery, string, readonly string[]]>([
  [{ by: 'medium', path: '/' }, 'mode = "iso"\n', ['auto-installer-mode.toml', 'answer.toml', 'proxmox-first-boot']],
  [
    { by: 'seed' },
    'mode = "partition"\npartition_label = "proxmox-ais"\n',
    ['auto-installer-mode.toml', 'proxmox-first-boot'],
  ],
  [
    { by: 'url', url },
    `mode = "http"\n\n[http]\nurl = "${url}answer.toml"\n`,
    ['auto-installer-mode.toml', 'proxmox-first-boot'],
  ],
])('the ISO of Proxmox VE says that its answers come by %j', (delivery, mode, names) => {
  const files = new Map([
    ['answer.toml', 'answers'],
    ['proxmox-first-boot', 'program'],
  ]);
  const found = formatOf('proxmox').onMedium?.(files, delivery);
  expect([...(found?.keys() ?? [])]).toEqual(names);
  expect(found?.get('auto-installer-mode.toml')).toBe(mode);
});
