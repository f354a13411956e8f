import type { Arch } from '../core/arch.ts';
import type { Tool } from '../core/kinds.ts';
import type { Filesystem } from '../core/spec.ts';
import { binfmt } from './namespace.ts';

export type TreeToolsRequest = {
  readonly arch: Arch;
  readonly filesystem: Filesystem;
  /** Of the build machine; undefined: one that Ingot makes no images for. */
  readonly hostArch: Arch | undefined;
  /** Root maps ids without help. */
  readonly isRoot: boolean;
};

/** The programs of the build machine that making a tree and a disk from it needs, whatever the steps are. */
export function treeTools({ arch, filesystem, hostArch, isRoot }: TreeToolsRequest): readonly Tool[] {
  const emulator = { debian: 'qemu-user-static', why: `runs ${arch} programs on another processor` };
  return [
    { program: 'unshare', debian: 'util-linux', why: 'makes the namespaces a build runs in' },
    { program: 'setpriv', debian: 'util-linux', why: 'ends helpers together with the build' },
    ...(isRoot ? [] : [{ program: 'newuidmap', debian: 'uidmap', why: 'builds without root' }]),
    { program: 'bwrap', debian: 'bubblewrap', why: 'keeps steps away from the files of this machine' },
    ...(arch === hostArch ? [] : [{ program: binfmt[arch].emulator, ...emulator }]),
    { program: 'tar', debian: 'tar', why: 'packs layers' },
    { program: 'zstd', debian: 'zstd', why: 'compresses layers' },
    { program: 'sfdisk', debian: 'fdisk', why: 'writes partition tables' },
    { program: 'mcopy', debian: 'mtools', why: 'fills the EFI system partition' },
    ...filesystemTools[filesystem],
  ];
}

const filesystemTools: Readonly<Record<Filesystem, readonly Tool[]>> = {
  ext4: [
    { program: 'mke2fs', debian: 'e2fsprogs', why: 'makes and fills ext4 file systems' },
    { program: 'debugfs', debian: 'e2fsprogs', why: 'sets the times in ext4 file systems' },
  ],
  btrfs: [{ program: 'mkfs.btrfs', debian: 'btrfs-progs', why: 'makes and fills btrfs file systems' }],
  xfs: [
    { program: 'mkfs.xfs', debian: 'xfsprogs', why: 'makes xfs file systems' },
    { program: 'xfs_protofile', debian: 'xfsprogs', why: 'fills xfs file systems; Debian 12 has none yet' },
  ],
};
