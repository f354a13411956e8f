import { shellQuote } from '../core/script.ts';
import type { HashedAnswers } from './answers.ts';
import { carried } from './finish.ts';
import { mediumThere } from './medium-there.ts';

export type InstallRequest = {
  /** Undefined: somebody's own answer file, which says the disk itself or as `$INGOT_DISK`. */
  readonly answers: HashedAnswers | undefined;
  /** What is done in the installed system; empty for nothing. */
  readonly script: string;
  readonly powerOff: boolean;
  /** What the ISO holds for scripts is at /media/ingot while they run. */
  readonly hasMedium: boolean;
};

/**
 * The program that Alpine's live system runs at its end of booting. It takes itself away first, since all of /etc is copied
 * to the disk. A question that the answers do not cover stays on the console.
 */
export function installScript({ answers, script, powerOff, hasMedium }: InstallRequest): string {
  const args = answers?.['kernel-args'] ?? [];
  const device = answers?.disk.device;
  return `${[
    start,
    `INGOT_DISK=${device ?? ''}`,
    findDisk,
    `export ROOTFS=${answers?.disk.filesystem ?? 'ext4'}`,
    `export KERNELOPTS=${args.length === 0 ? '' : shellQuote(args.join(' '))}`,
    run,
    ...(script === '' ? [] : [enter, ...inTarget(`chroot /mnt sh -c '${carried(script)}'`, hasMedium)]),
    powerOff ? 'poweroff' : 'reboot',
  ].join('\n')}\n`;
}

const start = `#!/bin/sh
exec </dev/console >/dev/console 2>&1
set -eu
trap 'test $? -eq 0 || echo "ingot: the installation failed"' EXIT
mv /etc/ingot /tmp/ingot
rm -f /etc/local.d/ingot.start /etc/runlevels/default/local /etc/.default_boot_services
`;

// The first disk that nothing is mounted from: a stick with the medium is one as well.
const findDisk = `for path in /sys/block/*/device; do
  name=\${path%/device}
  name=\${name##*/}
  case $name in sr* | fd* | mtd*) continue ;; esac
  if [ -z "$INGOT_DISK" ] && ! grep -q "^/dev/$name" /proc/mounts; then INGOT_DISK=/dev/$name; fi
done
INGOT_BRANCH=v$(cut -d. -f1,2 /etc/alpine-release)
export INGOT_DISK INGOT_BRANCH ERASE_DISKS="$INGOT_DISK"`;

const run = `
setup-alpine -e -f /tmp/ingot/answers
`;

const enter = `for part in "$INGOT_DISK"*; do
  if ! mount "$part" /mnt 2>/dev/null; then continue; fi
  if [ -e /mnt/etc/alpine-release ]; then break; fi
  umount /mnt
done
test -e /mnt/etc/alpine-release
mount --bind /dev /mnt/dev
mount -t proc proc /mnt/proc
cp /etc/resolv.conf /mnt/etc/resolv.conf`;

// Alpine's initramfs has its medium at a name of the device, below /media.
const findMedium = 'for path in /media/*/ingot; do INGOT_MEDIUM=${path%/ingot}; done';
const onTarget = mediumThere('"$INGOT_MEDIUM"', '/mnt');

function inTarget(command: string, hasMedium: boolean): readonly string[] {
  return hasMedium ? [findMedium, onTarget.begin, command, onTarget.end] : [command];
}

const form =
  /\nINGOT_DISK=(\S*)\n[\s\S]*\nexport ROOTFS=(\S+)\nexport KERNELOPTS=('[^']*'|\S*)\n[\s\S]*?(?:\nchroot \/mnt sh -c '([^']*)'(\numount [^\n]*)?)?\n(poweroff|reboot)\n$/;

/** What such a program has of the answers; undefined when it is another. */
export function readInstall(text: string):
  | {
      readonly device: string;
      readonly filesystem: string;
      readonly args: readonly string[];
      readonly words: string;
      readonly powerOff: boolean;
      readonly hasMedium: boolean;
    }
  | undefined {
  const found = form.exec(text);
  if (found === null) return undefined;
  const [, device = '', filesystem = '', options = '', words = '', after, end] = found;
  const args = options === '' ? [] : options.replaceAll("'", '').split(' ');
  return { device, filesystem, args, words, powerOff: end === 'poweroff', hasMedium: after !== undefined };
}
