import type { Script } from '../core/script.ts';

/**
 * Waits until what a boot started has come to its end; jobs of it would race with the steps. cloud-init's own words are
 * read where it leaves them: its program takes seconds to start in a guest that is translated.
 */
export const settledScript: Script = {
  name: 'waiting for the first boot',
  text: `if [ -d /run/systemd/system ]; then timeout 300 systemctl is-system-running --wait >/dev/null 2>&1 || :
elif command -v cloud-init >/dev/null; then cloud-init status --wait >/dev/null 2>&1 || :
fi
[ -e /run/cloud-init/enabled ] || exit 0
result=/run/cloud-init/result.json
[ -e $result ] || cloud-init status --wait >/dev/null 2>&1 || :
grep -q '"errors": \\[\\]' $result 2>/dev/null || { cloud-init status --long >&2; exit 1; }
`,
};

/**
 * Waits too, where cloud-init takes no part, and grows the root file system to its disk as cloud-init would. What cannot
 * be grown stays as it is.
 */
export const grownScript: Script = {
  name: 'waiting for the first boot',
  text: `grow() {
  set -- $(findmnt -nvo SOURCE,FSTYPE /)
  cd -P "/sys/class/block/\${1##*/}" 2>/dev/null || return 0
  if [ -e partition ]; then
    read -r number <partition
    read -r start <start
    read -r size <size
    read -r whole <../size
    disk=$(readlink -f ..)
    # Two MiB: what tables and alignment take.
    if [ $((whole - start - size)) -ge 4096 ]; then
      disk=/dev/\${disk##*/}
      # The kernel has the partition in use, so it is told by itself.
      echo ', +' | sfdisk -q -f --no-reread --no-tell-kernel -N "$number" "$disk" || return 0
      partx -u --nr "$number" "$disk"
    fi
  fi
  case $2 in
  ext[234]) resize2fs "$1" ;;
  xfs) xfs_growfs / ;;
  btrfs) btrfs filesystem resize max / ;;
  esac
}
grow >/dev/null
timeout 300 systemctl is-system-running --wait >/dev/null 2>&1 || :
`,
};
