import type { Arch } from '../core/arch.ts';
import type { Tool } from '../core/kinds.ts';

/** The programs that booting a guest and logging in to it needs. UEFI firmware is a file, found when it is wanted. */
export function guestTools(arch: Arch): readonly Tool[] {
  const why = 'boots the image to prove that it works';
  return [
    { program: `qemu-system-${arch}`, debian: arch === 'x86_64' ? 'qemu-system-x86' : 'qemu-system-arm', why },
    { program: 'qemu-img', debian: 'qemu-utils', why: 'makes the throw-away overlay a guest runs on' },
    { program: 'ssh', debian: 'openssh-client', why: 'logs in to the booted image' },
    { program: 'ssh-keygen', debian: 'openssh-client', why: 'makes the keys of a guest' },
    { program: 'mformat', debian: 'mtools', why: 'writes the seed that tells a guest its keys' },
  ];
}
