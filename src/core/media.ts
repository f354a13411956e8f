import type { Arch } from './arch.ts';
import type { Context } from './context.ts';
import type { IsoEntry } from './isos.ts';
import type { Json } from './keys.ts';
import type { InstalledPackage } from './manifest.ts';

/** How answers come to an installer. */
export type Delivery =
  /** Files at the root of its initrd. */
  | { readonly by: 'initrd' }
  /** A small disk with the label that it looks for. */
  | { readonly by: 'seed' }
  /** `url`: of the folder that the files lie in, with its last slash. */
  | { readonly by: 'url'; readonly url: string }
  /** `path`: a folder of the ISO, such as `/` or `/nocloud/`; `label`: the ISO's volume id. */
  | { readonly by: 'medium'; readonly path: string; readonly label?: string };

export type MediumRequest = {
  /** The name of the image. */
  readonly image: string;
  readonly delivery: Delivery;
  /** The console of the installer and of what it installs: `ttyS0,115200`. */
  readonly console?: string;
  /** The machine is turned off at the end, not restarted. */
  readonly powerOff?: boolean;
  /** What `carry` gives will lie on the medium. */
  readonly carries?: boolean;
};

/** What an ISO is to hold beside its answers. */
export type CarryRequest = {
  readonly arch: Arch;
  /** What the vendor's ISO holds. */
  readonly files: ReadonlySet<string>;
  /** What `pinCarried` gave. */
  readonly pin: Json;
  /** An empty work folder that stays until the ISO is written. */
  readonly folder: string;
};

/** Files and finished images of the project that an ISO is to hold, and whether it installs without a network. */
export type Carried = {
  /** Paths of the project. */
  readonly files: readonly string[];
  /** Names of images. */
  readonly artifacts: readonly string[];
  readonly offline: boolean;
};

/** A repository that lies on an ISO. */
export type CarriedRepository = {
  /** Files of this machine by their paths in the ISO. */
  readonly files: ReadonlyMap<string, string>;
  readonly packages: readonly InstalledPackage[];
};

export type MediumContext = Context & {
  /** Absolute path of a project-relative path that `files` named. */
  projectFile(path: string): string;
};

/** What makes a vendor's ISO install by itself. */
export type Unattended = {
  /** Words to add to the vendor's boot line; what follows `---` goes behind the vendor's own. */
  readonly words: readonly string[];
  /** The vendor's own boot line, for an ISO whose menu does not show it. */
  readonly ownWords?: readonly string[];
  /** By their paths from the root of the ISO, of the initrd, of the small disk, or below the URL's folder. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** Files for the root of the ISO, however the answers come. */
  readonly onIso?: ReadonlyMap<string, string | Uint8Array>;
  /** The label of the small disk. */
  readonly label?: string;
};

/** What a source that installs from a vendor's ISO says of that ISO. Options are whole, secrets filled in. */
export type Medium<Options> = {
  iso(options: Options): IsoEntry;
  /** The ways that its installer knows. */
  deliveries(options: Options): readonly Delivery['by'][];
  /** What the ISO is to hold beside; undefined: nothing. */
  carried?(options: Options): Carried | undefined;
  /** The present state of what packages for it come from. */
  pinCarried?(options: Options, request: Pick<CarryRequest, 'arch' | 'files'>, ctx: Context): Promise<Json>;
  /** A repository for an ISO that installs without a network. */
  repository?(options: Options, request: CarryRequest, ctx: MediumContext): Promise<CarriedRepository>;
  unattended(options: Options, request: MediumRequest, ctx: MediumContext): Promise<Unattended>;
};
