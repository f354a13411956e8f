import type { Digest } from '../core/digests.ts';
import type { PinContext } from '../core/kinds.ts';
import { verifiedText } from './signature.ts';
import { findDigest } from './sums.ts';

/** Where the digest of a file is published. */
export type ChecksumList = {
  /** The address of a list of checksums. */
  readonly file: string;
  /** The address of its detached signature. */
  readonly signature?: string | undefined;
  /** A file of the project with the keys that may sign it; without a signature beside it, it is signed within. */
  readonly keyring?: string | undefined;
};

/** The list that stands beside an artifact of Ingot. */
export function sidecarOf(url: string): ChecksumList {
  return { file: `${url}.sha256` };
}

/** The digest that a list has now for the file of an address. With keys, the list is believed only when they signed it. */
export async function lookUpDigest(url: string, list: ChecksumList, ctx: PinContext): Promise<Digest> {
  const text = await ctx.read(list.file);
  const signature = list.signature === undefined ? {} : { signature: await ctx.read(list.signature) };
  const proven =
    list.keyring === undefined
      ? text.toString('utf8')
      : await verifiedText({ text, ...signature, keyring: ctx.projectFile(list.keyring), name: list.file }, ctx);
  return findDigest(proven, fileNameOf(url), list.file);
}

/** The last part of an address, as lists of checksums have it. */
export function fileNameOf(url: string): string {
  const { pathname } = new URL(url);
  const name = pathname.split('/').findLast((part) => part !== '') ?? pathname;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
