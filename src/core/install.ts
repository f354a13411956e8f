/** Keys of the machine's keyboard and pauses between them, in order. */
export type Keystroke = { readonly keys: readonly string[] } | { readonly waitMs: number };

/** What stands beside the disk that is installed on; it is only read. */
type Attached = {
  readonly path: string;
  /** A CD to the installer, or a disk with a file system on it. */
  readonly as: 'cdrom' | 'disk';
};

/** An installer that is to be run to its end in a machine of its own. */
export type InstallRequest = {
  /** What is booted directly; without it the CD boots by itself. */
  readonly kernel?: { readonly file: string; readonly initrd: string };
  /** A kernel that hardware virtualization may be proven with, where none is booted directly. */
  readonly probe?: string;
  /** Words for its command line; `url` is the address of the folder that `serve` lies in. */
  readonly words: (url: string) => readonly string[];
  readonly attached: readonly Attached[];
  /** Files to be had by HTTP while the installer runs, each once. */
  readonly serve?: ReadonlyMap<string, string | Uint8Array>;
  /** What is typed. */
  readonly typing?: (url: string) => readonly Keystroke[];
  /** How long it may take in all; without it as long as something happens. */
  readonly limitMs?: number;
  /**
   * When it is over: the machine turns itself off; or restarts, which leaves open whether all went well; or has written to
   * the disk, which installers do when nobody is asked any more.
   */
  readonly end?: 'off' | 'off-or-restart' | 'writes';
  /** `none`: the machine has no network. */
  readonly network?: 'none';
  /** How long nothing at all may happen; without it 5 minutes, stretched where there is no hardware virtualization. */
  readonly silenceMs?: number;
};
