import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';
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
 * Add words to the kernel command line or take some out. The words stand on the one line of /etc/kernel/cmdline, which
 * the disk assembly and kernel-install(8) read; GRUB's own settings follow where the image has them.
 */
export const kernelCmdline = defineStep<KernelCmdlineOptions>({
  name: 'kernel-cmdline',
  version: 1,
  summary: 'Add words to the kernel command line, or take some out.',
  on: ['tree', 'guest'],
  options,
  example: ['console=ttyS0,115200n8', 'panic=30'],
  title: (o) =>
    [o.add.length > 0 ? `add ${o.add.join(' ')}` : '', o.remove.length > 0 ? `remove ${o.remove.join(' ')}` : '']
      .filter((part) => part !== '')
      .join(', ')
      .concat(' (kernel command line)'),
  run: (o, work) => work.exec(kernelCmdlineScript(o)),
});

/** Words hold no blanks, so each list is one argument. */
export function kernelCmdlineScript(o: KernelCmdlineOptions): Script {
  return { text: scriptText, args: [o.add.join(' '), o.remove.join(' ')] };
}

const scriptText = `set -efu
add=$1 remove=$2
has() { case " $2 " in *" $1 "*) return 0 ;; esac; return 1; }
# The line $2 without the removed words, and with those of $1 that it lacks.
edit() {
  line=
  for word in $2; do has "$word" "$remove" || line="$line $word"; done
  for word in $1; do has "$word" "$line" || line="$line $word"; done
  printf '%s\\n' "\${line# }"
}

cmdline=/etc/kernel/cmdline
umask 022
mkdir -p /etc/kernel
old=
[ ! -e $cmdline ] || old=$(cat $cmdline)
edit "$add" "$old" > $cmdline.ingot
mv -fT $cmdline.ingot $cmdline

# The same for one setting of /etc/default/grub, which is shell text.
grub=/etc/default/grub
set_grub() {
  old=$(set +eu; . $grub >/dev/null; eval "printf '%s\\n' \\"\\$$1\\"")
  new=$(edit "$2" "$old" | sed 's/[\\\\"$\`]/\\\\&/g')
  text=$(while IFS= read -r line || [ -n "$line" ]; do
    case $line in "$1="*) line="$1=\\"$new\\"" ;; esac
    printf '%s\\n' "$line"
  done < $grub)
  printf '%s\\n' "$text" > $grub
}
if [ -e $grub ]; then
  grep -q '^GRUB_CMDLINE_LINUX=' $grub || printf '\\nGRUB_CMDLINE_LINUX=""\\n' >> $grub
  set_grub GRUB_CMDLINE_LINUX "$add"
  if grep -q '^GRUB_CMDLINE_LINUX_DEFAULT=' $grub; then set_grub GRUB_CMDLINE_LINUX_DEFAULT ''; fi
  if [ -e /boot/grub/grub.cfg ] && command -v update-grub >/dev/null; then update-grub; fi
fi
`;
