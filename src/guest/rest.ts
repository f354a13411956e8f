import type { Script } from '../core/script.ts';
import { shellQuote } from '../core/script.ts';

/** What a guest at rest says and is told on its channel, one word or line at a time. */
export const restWords = { frozen: 'frozen', thawed: 'thawed', sealed: 'sealed' } as const;

/** The exit code of a guest that cannot rest: no channel, or a root file system that cannot be frozen. */
export const cannotRest = 75;

/** Finds the channel's device, also where udev makes no link for it. */
const findChannel = `channel=
for one in /sys/class/virtio-ports/*; do
  name=
  [ ! -e "$one/name" ] || read -r name <"$one/name" || :
  [ "$name" != ingot ] || channel=/dev/\${one##*/}
done
`;

/**
 * Bring the guest's file systems to rest: what was deleted is given back to the disk, everything is written, nothing
 * changes until the channel says to go on. Caches are dropped before, so that a saved state is small.
 */
export const restScript: Script = {
  name: 'freezing the file systems',
  text: `${findChannel}[ -n "$channel" ] || exit ${cannotRest}
exec 3<>"$channel"
places=
while read -r device place kind options rest; do
  case $device in /dev/*) ;; *) continue ;; esac
  case $kind in iso9660 | squashfs | erofs) continue ;; esac
  case $options in rw | rw,*) places="$place $places" ;; esac
done </proc/self/mounts
sync
for place in $places; do fstrim "$place" 2>/dev/null || :; done
echo 3 >/proc/sys/vm/drop_caches
frozen=
thaw() { for place in $frozen; do fsfreeze -u "$place"; done; }
for place in $places; do
  if fsfreeze -f "$place" 2>/dev/null; then frozen="$place $frozen"
  elif [ "$place" = / ]; then thaw; exit ${cannotRest}
  fi
done
echo ${restWords.frozen} >&3
read -r word now entropy <&3
thaw
printf %s "$entropy" >/dev/urandom
date -s "@$now" >/dev/null
echo ${restWords.thawed} >&3
`,
};

/** What ends a rest: the time in seconds since 1970, and bytes that make two guests of one state differ. */
export function goOn(nowMs: number, entropy: Buffer): string {
  return `go ${(nowMs / 1000).toFixed(3)} ${entropy.toString('hex')}`;
}

/** Turns itself off in a way that runs `script` when all else has ended: nothing writes to the disk after it. */
export function lastActScript(script: string): Script {
  return {
    name: 'turning off',
    // In memory: the script itself would still be on the disk while it runs.
    text: `act=/run/ingot-seal
printf %s ${shellQuote(lastAct(script))} >"$act"
chmod 700 "$act"
if [ ! -d /run/systemd/system ]; then sync; sh "$act" && echo o >/proc/sysrq-trigger; exit; fi
hooks=/lib/systemd/system-shutdown
[ -e /lib/systemd/systemd-shutdown ] || hooks=/usr/lib/systemd/system-shutdown
mkdir -p "$hooks"
printf '#!/bin/sh\\nhook=$0 exec sh %s\\n' "$act" >"$hooks/ingot-seal"
chmod 755 "$hooks/ingot-seal"
systemctl poweroff --no-block
`,
  };
}

/** Runs as the last program of the guest (systemd-shutdown(8), system-shutdown/), its root file system read-only. */
function lastAct(script: string): string {
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
${findChannel}exec >/dev/console 2>&1
mount -o remount,rw /
[ -z "$hook" ] || rm -f "$hook"
(
set -eu
${script}
)
ended=$?
# Blocks are free, and so given back, only when their deletion is in the journal.
sync
fstrim / || :
mount -o remount,ro / 2>/dev/null || sync
[ $ended = 0 ] || exit $ended
[ -z "$channel" ] || echo ${restWords.sealed} >"$channel"
echo 'ingot: ${restWords.sealed}'
`;
}
