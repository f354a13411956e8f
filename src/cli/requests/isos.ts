import type { Arch } from '../../core/arch.ts';
import type { ErrorRecord, Outcome } from '../../core/events.ts';
import type { IsoDistribution } from '../../core/isos.ts';
import type { Published } from '../../core/published.ts';
import type { Selection } from './images.ts';

export type IsoReport = {
  readonly name: string;
  readonly distribution: IsoDistribution;
  readonly arch: Arch;
  /** Addresses, or paths in the project. */
  readonly from: readonly string[];
  /** How its bytes are known: a digest that is written down, a list of checksums that is signed or not, or nothing. */
  readonly proof: 'digest' | 'signed list' | 'list' | 'none';
  /** Absent: it must be fetched first. `verified`: it had the right bytes when it came into the store. */
  readonly here?: { readonly bytes: number; readonly verified: boolean; readonly paths: readonly string[] };
};

/** Which ISOs; no names: all. `native`: this machine's architecture where the ISO has it. */
export type IsoRequest = { readonly names: readonly string[]; readonly arch: Selection['arch'] };

export type IsoDownloadRequest = IsoRequest & {
  /** Ask the lists of checksums again. */
  readonly refresh: boolean;
  /** A file that is here already, as the person wrote it, relative to where the command was run; one ISO only. */
  readonly from?: string;
};

export type IsoDownload = {
  readonly name: string;
  readonly arch: Arch;
  /** `cached`: it was here. */
  readonly outcome: Outcome;
  readonly paths: readonly string[];
  readonly error?: ErrorRecord;
};

/** Something that an image's installer starts from. */
export type MediaRequest = {
  readonly image: string;
  readonly arch: Selection['arch'];
  readonly site?: string;
  readonly console?: string;
  /** Turn the machine off at the end. */
  readonly powerOff: boolean;
  /** Ask the lists of checksums again. */
  readonly refresh: boolean;
  /** Also put the finished files into this folder, as the person wrote it. */
  readonly output?: string;
};

/** A folder to start the installer from over the network. */
export type NetbootRequest = MediaRequest & {
  /** Where the served tree is to be had, with its last slash; without it addresses are relative. */
  readonly base?: string;
};

export type IsoBuildRequest = MediaRequest & {
  /** `iso`; `disk`: a second one; or the address of a folder, with its last slash. */
  readonly answers: string;
  /** Until the entry of the menu starts by itself. */
  readonly timeoutSeconds: number;
  /** Boot it, and run it to its end on an empty disk, before anybody sees it. */
  readonly checks: boolean;
};

export type IsoBuild = {
  readonly image: string;
  readonly arch: Arch;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** The ISO first, at their stable names. */
  readonly paths: readonly string[];
  readonly error?: ErrorRecord;
};

export type IsoVerification = {
  readonly name: string;
  readonly arch: Arch;
  /** Of netboot files. */
  readonly part?: 'kernel' | 'initrd';
  /** `unproven`: it is here, and nothing says what its bytes must be. */
  readonly state: 'good' | 'bad' | 'absent' | 'unproven';
  readonly path?: string;
  readonly digest?: string;
  readonly error?: ErrorRecord;
};

export type AddIsoRequest = {
  readonly name: string;
  /** An address or a path as the person wrote it; paths are relative to where the command was run. */
  readonly from: string;
  /** A digest, `sidecar`, or the address of a list of checksums. */
  readonly checksum?: string;
  readonly signature?: string;
  readonly keyring?: string;
  /** Undefined: as the name tells. */
  readonly distribution?: IsoDistribution;
  readonly arch?: Arch;
  readonly kernel?: string;
  readonly initrd?: string;
};

export type AddedIso = {
  readonly name: string;
  /** Absolute path of `isos.yaml`, and the line of the entry. */
  readonly file: string;
  readonly line: number;
  readonly entry: {
    readonly distribution: IsoDistribution;
    readonly arch: Arch;
    readonly url?: string;
    readonly file?: string;
    readonly checksum?: NonNullable<Published['checksum']>;
    readonly kernel?: string;
    readonly initrd?: string;
  };
};
