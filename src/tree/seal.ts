import type { Arch } from '../core/arch.ts';
import type { Script } from '../core/script.ts';
import type { Filesystem } from '../core/spec.ts';

/** Raised when the same tree would be sealed to other bytes. */
export const sealVersion = 2;

/** The serial console of each architecture, where servers and clouds look. */
export const serialConsole: Readonly<Record<Arch, string>> = { x86_64: 'ttyS0,115200n8', aarch64: 'ttyAMA0,115200n8' };

/**
 * The fixed last stage: take away what makes a machine itself and what building left behind, and put in what makes
 * the disk boot and grow. Runs inside the image.
 */
export function sealScript(arch: Arch, filesystem: Filesystem): Script {
  return {
    text: [forgetText(), ...system(arch, filesystem), firstBoot].join('\n'),
    interpreter: ['/bin/sh', '-eu'],
  };
}

/** What makes a machine itself, but for its id, of which an empty file has to stay. */
const identity = [
  ...['/var/lib/dbus/machine-id', '/etc/ssh/ssh_host_*_key', '/etc/ssh/ssh_host_*_key.pub'],
  ...['/var/lib/systemd/random-seed', '/var/lib/systemd/credential.secret', '/etc/.updated', '/var/.updated'],
  ...['instance', 'instances', 'data', 'sem', 'seed'].map((name) => `/var/lib/cloud/${name}`),
  // A folder of journals has the machine's id for its name.
  '/var/log/journal/*',
  ...['/var/lib/dhcp/*.leases', '/var/lib/NetworkManager/*.lease', '/var/lib/systemd/timers/*'],
  // Who it is to DHCP servers, and what its addresses are made from: dhcpcd(8), NetworkManager(8).
  ...['/var/lib/dhcpcd/*', '/var/lib/NetworkManager/secret_key'],
];

/** What building left behind. */
const traces = [
  ...['/var/cache/apt/*.bin', '/var/cache/apt/archives/*.deb', '/var/cache/apt/archives/partial'],
  ...['/var/cache/apt/archives/lock', '/var/lib/apt/lists', '/var/cache/dnf', '/var/cache/ldconfig/aux-cache'],
  ...['/var/cache/debconf/*-old', '/var/lib/dpkg/*-old'],
  ...['passwd', 'shadow', 'group', 'gshadow', 'subuid', 'subgid'].map((name) => `/etc/${name}-`),
  ...['/var/tmp/*', '/tmp/*', '/run/log', '/root/.cache', '/root/.ansible'],
  ...['bash_history', 'lesshst', 'viminfo', 'wget-hsts', 'python_history', 'selected_editor'].map((n) => `/root/.${n}`),
  ...['/home/*/.bash_history', '/home/*/.lesshst', '/home/*/.python_history'],
  // Installers keep their answers, password hashes among them: Debian's, subiquity, anaconda.
  ...['/var/log/installer', '/etc/cloud/cloud.cfg.d/99-installer.cfg', '/var/log/anaconda'],
  ...['/root/anaconda-ks.cfg', '/root/original-ks.cfg', '/root/initial-setup-ks.cfg'],
];

/** Takes these away too. One program does it all: each costs a guest that is translated some hundredths of a second. */
function forgetText(more: readonly string[] = []): string {
  return `
: > /etc/machine-id
rm -rf ${[...identity, ...traces, ...more].join(' ')}
[ ! -d /var/lib/apt ] || mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
[ ! -d /var/log ] || find /var/log -type f -delete
`;
}

/**
 * The part of it for a system that was installed by others, which boots and grows in a way of its own, and some more to
 * be taken away (patterns of a shell). Text for a shell that stops at errors.
 */
export function forgetSystemText(more: readonly string[]): string {
  return [forgetText(more), firstBoot].join('\n');
}

function system(arch: Arch, filesystem: Filesystem): readonly string[] {
  const pass = filesystem === 'ext4' ? 1 : 0;
  return [
    `
if [ ! -s /etc/fstab ] || grep -q UNCONFIGURED /etc/fstab; then
  printf 'LABEL=root / ${filesystem} defaults,noatime,x-systemd.growfs 0 ${pass}\\n' > /etc/fstab
  printf 'LABEL=ESP /boot/efi vfat umask=0077,nofail 0 0\\n' >> /etc/fstab
fi
mkdir -p /boot/efi /boot/grub /etc/kernel
if [ ! -s /etc/kernel/cmdline ]; then
  echo 'root=LABEL=root ro console=tty0 console=${serialConsole[arch]}' > /etc/kernel/cmdline
fi
if [ ! -e /boot/grub/grub.cfg ]; then
  sed "s|@cmdline@|$(sed 's/[\\\\|&]/\\\\&/g' /etc/kernel/cmdline | tr '\\n' ' ' | sed 's/ *$//')|" > /boot/grub/grub.cfg <<'GRUB'
${grubMenu(arch)}GRUB
fi
`,
  ];
}

/** Boots the newest kernel by the links that Debian and Ubuntu keep, so kernel updates need no menu of their own. */
function grubMenu(arch: Arch): string {
  const serial = 'serial --unit=0 --speed=115200\nterminal_input console serial\nterminal_output console serial\n';
  return `# Written by Ingot; \`update-grub\` replaces it where GRUB's own tools are wanted.
${arch === 'x86_64' ? serial : ''}set timeout=0
set default=0
menuentry 'Linux' {
  if [ -e /vmlinuz ]; then
    linux /vmlinuz @cmdline@
    initrd /initrd.img
  else
    linux /boot/vmlinuz @cmdline@
    initrd /boot/initrd.img
  fi
}
`;
}

/** Host keys are made by cloud-init where there is one, else by a unit of ours before sshd starts. */
const firstBoot = `
if [ -x /usr/sbin/sshd ] && [ ! -e /usr/bin/cloud-init ] && [ -d /etc/systemd/system ]; then
  cat > /etc/systemd/system/ssh-host-keys.service <<'UNIT'
[Unit]
Description=Make the ssh host keys of this machine
Before=ssh.service sshd.service
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
UNIT
  systemctl --root=/ enable ssh-host-keys.service
fi
`;
