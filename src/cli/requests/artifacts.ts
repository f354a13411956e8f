import type { Arch } from '../../core/arch.ts';

export type ConvertRequest = {
  /** Paths as the person wrote them. */
  readonly file: string;
  readonly output: string;
  /** A format, or what its files end in: `vma`, `img.xz`. */
  readonly to: string;
  /** Options of the format by name, as text. */
  readonly options: Readonly<Record<string, string>>;
  /** Of the machine that the disk is for, where the format tells of one. */
  readonly arch: Arch | 'native';
  /** Write over files that are there. */
  readonly force: boolean;
};

export type Converted = {
  /** Absolute. */
  readonly path: string;
  readonly format: string;
  readonly bytes: number;
  readonly seconds: number;
  /** Absolute paths of files that belong to it. */
  readonly beside: readonly string[];
};

export type ServeRequest = {
  /** Port 0: any that is free. */
  readonly host: string;
  readonly port: number;
  /** What the server is called, besides its addresses and this machine's own names. */
  readonly names: readonly string[];
  /** As the person wrote it; undefined: one in the home, made when it is not there. */
  readonly tokenFile?: string;
};

export type PublishRequest = {
  /** As the person wrote it; relative to where the command was run. */
  readonly file: string;
  /** Its path in the served tree. */
  readonly as: string;
  readonly sha256?: string;
};

export type PublishedFile = {
  /** Absolute path of its name. */
  readonly file: string;
  /** Below the address of the server. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
};
