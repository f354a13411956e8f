import { z } from 'zod';
import { type Arch, arches } from './arch.ts';
import { checkPublished, type Published, publishedFields } from './published.ts';

/** Families of installers; Rocky, Alma and CentOS have Fedora's. */
export const isoDistributions = ['debian', 'ubuntu', 'fedora', 'proxmox', 'alpine'] as const;
export type IsoDistribution = (typeof isoDistributions)[number];

/** An entry of `isos.yaml` for one architecture: an ISO, or where `kernel` and `initrd` are files, no ISO but those. */
export type IsoEntry = Published & {
  readonly name: string;
  readonly distribution: IsoDistribution;
  readonly arch: Arch;
  /** Where in the ISO, when not where the distribution has it; or netboot files. */
  readonly kernel?: string | Published | undefined;
  readonly initrd?: string | Published | undefined;
};

const pathInIso = z
  .string()
  .regex(
    /^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\x00-\x1f\x7f]+$/,
    'expected a path in the ISO without a slash at its start, such as install.amd/vmlinuz',
  );
const bootFile = z.union([pathInIso, z.strictObject(publishedFields).superRefine(checkPublished)]);

const perArch = {
  ...publishedFields,
  kernel: bootFile
    .optional()
    .describe(
      'Where the kernel is in the ISO; default: where the distribution has it. Or a netboot file: `{ url, checksum }`.',
    ),
  initrd: bootFile.optional().describe('The same of its initrd.'),
};

/** An entry as a person writes it, before the members of its architectures are put beside the common ones. */
export const writtenIso = z.strictObject({
  distribution: z
    .enum(isoDistributions)
    .describe('The family of its installer; Rocky, Alma and CentOS have that of fedora.'),
  arch: z
    .union([
      z.enum(arches),
      z.strictObject({ x86_64: z.strictObject(perArch).optional(), aarch64: z.strictObject(perArch).optional() }),
    ])
    .describe('Its architecture; or a map from architectures to what differs between them.'),
  ...perArch,
});

/** An entry for one architecture, whole. */
export const isoEntry: z.ZodType<IsoEntry> = z
  .strictObject({
    name: z.string(),
    distribution: z.enum(isoDistributions),
    arch: z.enum(arches),
    ...perArch,
  })
  .superRefine((entry, check) => {
    const isFile = [entry.kernel, entry.initrd].map((file) => typeof file === 'object');
    if (!isFile.includes(true)) return checkPublished(entry, check);
    const message = 'netboot files are `kernel` and `initrd`, both of them, and no ISO beside them';
    const isNetboot = !isFile.includes(false) && entry.url === undefined && entry.file === undefined;
    if (!isNetboot) check.addIssue({ code: 'custom', message });
  });

/** For the options of kinds: a person writes a name, which is replaced by its entry before options are parsed. */
export const isoOption = z
  .custom<IsoEntry>(
    (value) => isoEntry.safeParse(value).success,
    'expected the name of an entry of isos.yaml, such as debian-13-netinst',
  )
  .meta({ type: 'string' });

/** An entry of this name, where it matters to nobody which. */
export function exampleIso(name: string) {
  return { name, distribution: 'debian', arch: 'x86_64', file: `isos/${name}.iso` } as const;
}

/** The files of an entry: one ISO, or a kernel and its initrd. */
export type IsoFiles = { readonly iso: Published } | { readonly kernel: Published; readonly initrd: Published };

/** What is to be fetched for an entry. */
export function filesOfIso(entry: IsoEntry): IsoFiles {
  const { kernel, initrd, url, file, checksum } = entry;
  if (typeof kernel === 'object' && typeof initrd === 'object') return { kernel, initrd };
  return { iso: { url, file, checksum } };
}

/** Where the installer's kernel and initrd are in an ISO. */
export function bootPathsOf({ distribution, arch, kernel, initrd }: IsoEntry): {
  readonly kernel: string;
  readonly initrd: string;
} {
  const usual = usualPaths[distribution](arch);
  return {
    kernel: typeof kernel === 'string' ? kernel : usual.kernel,
    initrd: typeof initrd === 'string' ? initrd : usual.initrd,
  };
}

// As the vendors' own boot menus name them.
const usualPaths: Readonly<
  Record<IsoDistribution, (arch: Arch) => { readonly kernel: string; readonly initrd: string }>
> = {
  debian: (arch) => {
    const folder = arch === 'x86_64' ? 'install.amd' : 'install.a64';
    return { kernel: `${folder}/vmlinuz`, initrd: `${folder}/initrd.gz` };
  },
  ubuntu: () => ({ kernel: 'casper/vmlinuz', initrd: 'casper/initrd' }),
  fedora: () => ({ kernel: 'images/pxeboot/vmlinuz', initrd: 'images/pxeboot/initrd.img' }),
  proxmox: () => ({ kernel: 'boot/linux26', initrd: 'boot/initrd.img' }),
  alpine: () => ({ kernel: 'boot/vmlinuz-lts', initrd: 'boot/initramfs-lts' }),
};
