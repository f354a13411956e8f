import { type Made, type Place, type Recipe, repack } from './repack.ts';
import { nameOf, type Stanza } from './stanzas.ts';

const libraries = 'usr/lib/x86_64-linux-gnu';
const modules = (...names: readonly string[]) => names.map((name) => new RegExp(`/${name}\\.ko(\\.xz)?$`));

/** What an installation on one disk cannot do without. */
const programs: Readonly<Record<string, Recipe>> = {
  'e2fsprogs-udeb': {
    from: ['e2fsprogs', 'libext2fs2t64', 'libcom-err2', 'libss2'],
    files: [
      /^usr\/sbin\/(mke2fs|mkfs\.ext[234]|e2fsck|fsck\.ext[234]|tune2fs|resize2fs|badblocks)$/,
      /^etc\/mke2fs\.conf$/,
      new RegExp(`^${libraries}/lib(ext2fs|e2p|com_err|ss)\\.so\\.\\d`),
    ],
  },
  'libmount1-udeb': { from: ['libmount1'], files: [new RegExp(`^${libraries}/libmount\\.so\\.1`)] },
};

/** The same of modules of the kernel, by the beginning of the name. */
const ofKernel: Readonly<Record<string, Recipe['files']>> = {
  'ext4-modules': modules('ext4', 'jbd2'),
  'scsi-modules': modules('virtio_blk'),
  'loop-modules': modules('loop'),
};

/** Needed by name only, for what such an installation does not do: resizing somebody's Windows. */
export const dispensable = ['ntfs-3g-udeb'];

/** Make what can be made of the installer's packages that a mirror lacks. `version`: of the kernel. */
export async function makeUdebs(missing: readonly Stanza[], version: string, place: Place): Promise<readonly Made[]> {
  const made: Made[] = [];
  for (const stanza of missing) {
    const name = nameOf(stanza);
    const files = ofKernel[name.replace(`-${version}-di`, '')];
    const recipe = files === undefined ? programs[name] : { from: [`linux-image-${version}`], files };
    if (recipe !== undefined) made.push(await repack(withoutModuleNeeds(stanza), recipe, place));
  }
  return made;
}

/** A few modules need fewer others than all of them did: what they need is in the initial RAM disk. */
function withoutModuleNeeds(stanza: Stanza): Stanza {
  return stanza.has('Kernel-Version') ? new Map([...stanza].filter(([name]) => name !== 'Depends')) : stanza;
}
