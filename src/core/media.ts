import type { Context } from './context.ts';
import type { IsoEntry } from './isos.ts';

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
  unattended(options: Options, request: MediumRequest, ctx: MediumContext): Promise<Unattended>;
};
