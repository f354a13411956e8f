import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type Digest, digestText, parseDigest } from '../core/digests.ts';
import { IngotError } from '../core/errors.ts';
import type { Json } from '../core/keys.ts';
import type { PinContext } from '../core/kinds.ts';
import type { Material } from '../core/manifest.ts';
import { type Published, sidecar } from '../core/published.ts';
import { type ChecksumList, fileNameOf, lookUpDigest, sidecarOf } from './look-up.ts';

/** What a published file is called. */
export function nameOfPublished({ url, file }: Published): string {
  return url === undefined ? (file?.split('/').at(-1) ?? '') : fileNameOf(url);
}

/** Where the digest is looked up; undefined: a person wrote it down, or there is none. */
export function listOfPublished({ url, checksum }: Published): ChecksumList | undefined {
  if (checksum === sidecar) return sidecarOf(url ?? '');
  return typeof checksum === 'object' ? checksum : undefined;
}

/** Files of the project that it takes: itself, and the keys that may sign its list. */
export function projectFilesOf({ file, checksum }: Published): readonly string[] {
  const keyring = typeof checksum === 'object' ? checksum.keyring : undefined;
  return [file, keyring].filter((path) => path !== undefined);
}

/** The digest that its list has now, to be kept; null where there is no list. */
export async function pinPublished(published: Published, ctx: PinContext): Promise<Json> {
  const list = listOfPublished(published);
  if (list === undefined) return null;
  const { url } = published;
  const name = url ?? pathToFileURL(`/${nameOfPublished(published)}`).href;
  return { ...(url === undefined ? {} : { url }), digest: digestText(await lookUpDigest(name, list, ctx)) };
}

const pinned = z.object({ digest: z.string() });

/** What its bytes must be, by what `pinPublished` answered; undefined for a file of the project without a checksum. */
export function digestOfPublished(published: Published, pin: Json): Digest | undefined {
  if (listOfPublished(published) !== undefined) return parseDigest(pinned.parse(pin).digest);
  return typeof published.checksum === 'string' ? parseDigest(published.checksum) : undefined;
}

/** A published file as it is recorded; undefined where nothing says what its bytes must be. */
export function materialOf(published: Published, pin: Json): Material | undefined {
  const digest = digestOfPublished(published, pin);
  if (digest === undefined) return undefined;
  const { url } = published;
  return { name: nameOfPublished(published), ...(url === undefined ? {} : { uri: url }), digest: { ...digest } };
}

type FetchContext = {
  projectFile(path: string): string;
  fetch(url: string, digest: Digest): Promise<string>;
};

/** The path of its bytes, which are what the pin says; a file of the project without a checksum is used as it is. */
export async function bringPublished(published: Published, pin: Json, ctx: FetchContext): Promise<string> {
  const digest = digestOfPublished(published, pin);
  const { url, file = '' } = published;
  if (digest === undefined) return ctx.projectFile(file);
  try {
    return await ctx.fetch(url ?? pathToFileURL(ctx.projectFile(file)).href, digest);
  } catch (error) {
    throw listOfPublished(published) === undefined ? error : movedOn(error);
  }
}

/** Where a digest was looked up once, the likely cause of another one is a new release in the place of the old. */
function movedOn(error: unknown): unknown {
  if (!(error instanceof IngotError) || (error.code !== 'INPUT_REFUSED' && error.code !== 'NOT_FOUND')) return error;
  const { code, message, detail } = error;
  const hint = 'if the vendor has released another one since: `ingot pins update`, or build with --refresh';
  return new IngotError({ code, message, hint, detail, cause: error });
}
