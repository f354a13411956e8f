import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';
import type { Bench } from '../../core/plan.ts';
import type { Script } from '../../core/script.ts';

// Quotes, backslash, $ and ` would mean something to /etc/default/grub, which is shell.
const word = z
  .string()
  .regex(
    /^[!#%&()*+,./0-9:;<=>?@A-Z[\]^_a-z{|}~-]+$/,
    'expected one word of a kernel command line, such as console=ttyS0',
  );

const full = z
  .strictObject({
    add: z.array(word).default([]).describe('Words that must be there; put at the end when they are not.'),
    remove: z.array(word).default([]).describe('Words to take out, each written in full: net.ifnames=0.'),
  })
  .refine((o) => o.add.length + o.remove.length > 0, 'nothing to add or remove')
  .refine((o) => !o.add.some((one) => o.remove.includes(one)), {
    message: 'a word cannot be both added and removed',
    path: ['add'],
  });

const options = z.union([
  z
    .array(word)
    .min(1, 'nothing to add: name a word')
    .transform((add): z.infer<typeof full> => ({ add, remove: [] })),
  full,
]);

export type KernelCmdlineOptions = z.infer<typeof full>;

/**
 * Add words to the kernel command line or take some out, from the next boot on. In a tree the words stand on the one line of
 * /etc/kernel/cmdline, which the disk assembly and kernel-install(8) read; GRUB's own settings follow where the image
 * has them. In a guest the boot loader that is installed is told: GRUB, or entries of the Boot Loader Specification.
 */
export const kernelCmdline = defineStep<KernelCmdlineOptions>({
  name: 'kernel-cmdline',
  version: 2,
  summary: 'Add words to the kernel command line, or take some out.',
  on: ['tree', 'guest'],
  options,
  example: ['console=ttyS0,115200n8', 'panic=30'],
  title: (o) =>
    [o.add.length > 0 ? `add ${o.add.join(' ')}` : '', o.remove.length > 0 ? `remove ${o.remove.join(' ')}` : '']
      .filter((part) => part !== '')
      .join(', ')
      .concat(' (kernel command line)'),
  run: (o, work) => work.exec(kernelCmdlineScript(o, work.bench)),
});

/** Words hold no blanks, so each list is one argument. */
export function kernelCmdlineScript(o: KernelCmdlineOptions, bench: Bench): Script {
  return {
    name: 'changing the kernel command line',
    text: [functions, kernelInstall, grubSettings, bench === 'tree' ? treeLoader : guestLoader].join('\n'),
    args: [o.add.join(' '), o.remove.join(' '), bench],
  };
}

const functions = `set -efu
add=$1 remove=$2 bench=$3
umask 022
has() { case " $2 " in *" $1 "*) return 0 ;; esac; return 1; }
# The line $2 without the removed words, and with those of $1 that it lacks.
edit() {
  line=
  for word in $2; do has "$word" "$remove" || line="$line $word"; done
  for word in $1; do has "$word" "$line" || line="$line $word"; done
  printf '%s\\n' "\${line# }"
}
# The file $1 with each line whose first word is $2 edited; its first words, one for each in $3, stay.
edit_lines() {
  text=$(while IFS= read -r whole || [ -n "$whole" ]; do
    bare=\${whole#"\${whole%%[![:space:]]*}"}
    case $bare in
    "$2"[[:space:]]*)
      head=\${whole%"$bare"}
      for count in $3; do
        head="$head\${bare%%[[:space:]]*} "
        case $bare in *[[:space:]]*) bare=\${bare#*[[:space:]]} ;; *) bare= ;; esac
      done
      printf '%s%s\\n' "$head" "$(edit "$add" "$bare")" ;;
    *) printf '%s\\n' "$whole" ;;
    esac
  done < "$1")
  printf '%s\\n' "$text" > "$1"
}
`;

// A line of ours where there was none would lack the root file system, which kernel-install would then not know.
const kernelInstall = `cmdline=/etc/kernel/cmdline
if [ -e $cmdline ] || [ "$bench" = tree ]; then
  mkdir -p /etc/kernel
  old=
  [ ! -e $cmdline ] || old=$(cat $cmdline)
  edit "$add" "$old" > $cmdline.ingot
  mv -fT $cmdline.ingot $cmdline
fi
`;

// Debian's cloud images set the command line in a file that is read after /etc/default/grub: there ours must come last.
const grubSettings = `grub=/etc/default/grub
names='GRUB_CMDLINE_LINUX GRUB_CMDLINE_LINUX_DEFAULT'
more=$(set +f; grep -lsE '^[[:space:]]*GRUB_CMDLINE_LINUX(_DEFAULT)?=' /etc/default/grub.d/*.cfg || :)
# What the setting $1 is after all files were read, edited; shell text.
grub_value() {
  old=$(set +efu; for file in $grub $more; do [ ! -e "$file" ] || . "$file" >/dev/null; done; eval "printf '%s\\n' \\"\\$$1\\"")
  case $1 in *_DEFAULT) new= ;; *) new=$add ;; esac
  printf '%s="%s"\\n' "$1" "$(edit "$new" "$old" | sed 's/[\\\\"$\`]/\\\\&/g')"
}
if [ -n "$more" ]; then
  last=/etc/default/grub.d/zz-kernel-cmdline.cfg
  { echo '# Read last: what other files set, with the changes that were asked for.'; for name in $names; do grub_value $name; done; } > $last.ingot
  mv -fT $last.ingot $last
elif [ -e $grub ]; then
  grep -q '^GRUB_CMDLINE_LINUX=' $grub || printf '\\nGRUB_CMDLINE_LINUX=""\\n' >> $grub
  for name in $names; do
    new=$(grub_value $name)
    text=$(while IFS= read -r line || [ -n "$line" ]; do
      case $line in "$name="*) line=$new ;; esac
      printf '%s\\n' "$line"
    done < $grub)
    printf '%s\\n' "$text" > $grub
  done
fi
`;

const treeLoader = `if [ -e $grub ] && [ -e /boot/grub/grub.cfg ] && command -v update-grub >/dev/null; then update-grub; fi
`;

const guestLoader = `told= done=
entries=$(set +f; ls /boot/loader/entries/*.conf /boot/efi/loader/entries/*.conf /efi/loader/entries/*.conf 2>/dev/null || :)
if [ -n "$entries" ] && command -v grubby >/dev/null; then
  grubby --update-kernel=ALL \${add:+--args="$add"} \${remove:+--remove-args="$remove"}
  told=y done=y
else
  for entry in $entries; do
    edit_lines "$entry" options 1
    told=y
  done
fi
for folder in /boot/grub /boot/grub2; do
  config=$folder/grub.cfg
  if [ -n "$done" ] || [ ! -e $config ]; then continue; fi
  if head -n 1 $config | grep -q '^# Written by Ingot'; then
    edit_lines $config linux '1 2'
  elif [ $folder = /boot/grub ] && command -v update-grub >/dev/null; then
    update-grub
  elif command -v grub-mkconfig >/dev/null; then
    grub-mkconfig -o $config
  else
    grub2-mkconfig -o $config
  fi
  told=y
done
[ -n "$told" ] || { echo 'this image has no boot loader that can be told: no GRUB, no entries of systemd-boot' >&2; exit 1; }
`;
