import type { Arch } from './arch.ts';
import type { Place } from './errors.ts';
import type { Json } from './keys.ts';
import type { Keep } from './manifest.ts';

export const filesystems = ['ext4', 'btrfs', 'xfs'] as const;
export type Filesystem = (typeof filesystems)[number];

export const firmwares = ['bios', 'uefi'] as const;
export type Firmware = (typeof firmwares)[number];

/** One use of a kind in a spec file: `- shell: scripts/base.sh` is kind `shell` with its options, parsed. */
export type KindUse = {
  readonly kind: string;
  /** The options after parsing, defaults filled in; `${site.x}` and `${pins.x}` replaced, `${secret.x}` left as written. */
  readonly options: Json;
  /** Where it is written, which may be a fragment. */
  readonly place: Place;
  readonly refs: References;
};

/** The values a use took from elsewhere, by name; of secrets only the names. */
export type References = {
  readonly site: Readonly<Record<string, string>>;
  readonly pins: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
};

/** One image for one architecture and site, complete: fragments merged, values substituted, options parsed. */
export type ImageSpec = {
  readonly name: string;
  readonly arch: Arch;
  readonly site?: string;
  /** Absolute path of the image's own file. */
  readonly file: string;
  readonly description: string;
  readonly pass: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly source: KindUse;
  /** Size of the disk in bytes, a multiple of 1 MiB. */
  readonly disk: number;
  readonly filesystem: Filesystem;
  /** Which firmwares the disk must boot under; on aarch64 always `['uefi']`. */
  readonly firmware: readonly Firmware[];
  readonly steps: readonly KindUse[];
  readonly checks: readonly KindUse[];
  readonly formats: readonly KindUse[];
  /** Of build and check guests, in bytes; changes no result. */
  readonly memory: number;
  readonly cpus: number;
  readonly virtualization: 'auto' | 'required';
  /** How a build guest of an image with an access of its own lets us in; default: through the seed we give it. */
  readonly ssh?: SshAccess;
  /** How long its finished builds stay; default: as long as nobody wants their room. */
  readonly keep?: Keep;
  /** Boot guests with Secure Boot enforced, on firmware that has its keys enrolled. */
  readonly secureBoot: boolean;
  /** Where each top-level setting came from: key -> the file that set it last. */
  readonly origins: Readonly<Record<string, string>>;
};

/** The firmware of build guests: BIOS where the image boots under it, which starts faster and has no variables. */
export function buildFirmware({ arch, firmware, secureBoot }: ImageSpec): Firmware {
  return arch === 'x86_64' && firmware.includes('bios') && !secureBoot ? 'bios' : 'uefi';
}

/** An access that an image brings along: a private key file of the project, or a password (`${secret.x}`). */
export type SshAccess = { readonly user: string } & ({ readonly key: string } | { readonly password: string });

/** A folder with `ingot.yaml`, read whole. */
export type Project = {
  /** Absolute path. */
  readonly root: string;
  readonly name: string;
  /** One entry per image and architecture, sorted by pass, then name, then architecture. */
  readonly images: readonly ImageSpec[];
  /** Where `ingot publish --to NAME` leads. */
  readonly publish: Readonly<Record<string, PublishPlace>>;
};

/** A place that copies of finished images go to; see `publish` in `ingot.yaml`. */
export type PublishPlace = {
  /** A folder, relative to the project, or an `ssh://` address. */
  readonly to: string;
  /** What a copy is called there; `${image}` and `${arch}` stand for those. */
  readonly name?: string | undefined;
  readonly format?: string | undefined;
};
