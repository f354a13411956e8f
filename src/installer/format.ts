import type { Context } from '../core/context.ts';
import type { Tool } from '../core/kinds.ts';
import type { Answers, HashedAnswers } from './answers.ts';

/** What an installation does beside answering questions. */
export type Extra = {
  /** Scripts that run inside the installed system, in this order, as root; one that fails ends the installation. */
  readonly postInstall: readonly PostInstall[];
  /** The machine is turned off at the end, not restarted. */
  readonly powerOff: boolean;
  /** The folder `ingot` of the ISO is at /media/ingot while scripts run; `offline`: packages come from the repository in it alone. */
  readonly medium?: { readonly offline: boolean };
};

/** `name`: for people, one line. A text without `#!` is for /bin/sh. */
export type PostInstall = { readonly name: string; readonly text: string };

/** What a rendering says. */
export type Reading = { readonly answers: HashedAnswers; readonly extra: Extra };

/** How answers come to an installer. */
export type Delivery =
  | { readonly by: 'initrd' }
  /** A small disk with the format's label. */
  | { readonly by: 'seed' }
  /** `url`: of the folder that the files lie in, with its last slash. */
  | { readonly by: 'url'; readonly url: string }
  /** `path`: a folder of the ISO, such as `/` or `/ingot/`; `label`: the ISO's volume id, for media that are no CD. */
  | { readonly by: 'medium'; readonly path: string; readonly label?: string };

export type BootWords = {
  /** Some answers are needed before the rest can be fetched. */
  readonly answers?: HashedAnswers;
  /** The console of the installer and of what it installs: `ttyS0,115200`. */
  readonly console?: string;
};

/** An answer that the installer of a distribution has no question for. */
export type Refusal = { readonly path: readonly string[]; readonly message: string; readonly hint?: string };

export type Files = ReadonlyMap<string, string>;

/** The language that one family of installers is answered in. */
export type AnswerFormat = {
  readonly name: 'preseed' | 'autoinstall' | 'kickstart' | 'answer' | 'alpine';
  /** The file that somebody's own file takes the place of. */
  readonly file: string;
  /** The ways that its installer knows, the best first. */
  readonly deliveries: readonly Delivery['by'][];
  readonly tools: readonly Tool[];
  /** What can be used of the folder `ingot` of the ISO: its files, by scripts, or the repository in it as well. */
  readonly medium?: 'scripts' | 'repository';
  /** Volume label of a disk on which the installer looks for answers by itself. */
  readonly seed?: { readonly label: string };
  /** What this installer cannot carry, all at once. */
  refuses(answers: Answers | HashedAnswers): readonly Refusal[];
  /** Files by the names that the installer looks for. Throws SPEC_INVALID for what it refuses. */
  render(answers: HashedAnswers, extra: Extra): Files;
  /** The files around somebody's own `file`, where it does not stand alone. */
  adopt?(text: string, extra: Extra): Files;
  /** What a rendering says, read as its installer would; throws where anything stands that `render` does not write. */
  read(files: Files): Reading;
  /** Find mistakes in files, somebody's own too, which `as` then names. Throws INPUT_REFUSED. */
  check(files: Files, ctx: Context, as?: string): Promise<void>;
  /** Words to add to the vendor's boot line. What follows `---` stays in the installed system, where the installer can do that. */
  words(delivery: Delivery, boot?: BootWords): readonly string[];
  /** The vendor's own boot line, for booting kernel and initrd without the ISO's loader; goes before `words`. */
  ownWords(medium: { readonly label?: string }): readonly string[];
  /** The files as they lie: from the root of the seed, initrd or ISO, or below the URL's folder. */
  parcel(files: Files, delivery: Delivery): ReadonlyMap<string, string | Uint8Array>;
  /** What the ISO itself must hold in its root, however the answers come. */
  onMedium?(files: Files, delivery: Delivery): Files;
};

/** Where a delivery's files lie, relative to its root: '' or `folder/`. */
export function folderIn(delivery: Delivery): string {
  return delivery.by === 'medium' ? delivery.path.replace(/^\/+/, '') : '';
}
