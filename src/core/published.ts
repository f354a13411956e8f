import { z } from 'zod';
import { parseDigest } from './digests.ts';

/** A path inside the project: relative, never leading out of it. */
export const projectPath = z
  .string()
  .regex(
    /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\x00-\x1f\x7f]+$/,
    'expected a path inside the project, such as files/motd',
  );

/** Whether a text is an address that may be fetched from: https, http or file, without a password. */
export function isAddress(text: string): boolean {
  if (!/^(https?:\/\/[^/]|file:\/\/\/)[^\s\x00-\x1f\x7f]+$/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.username === '' && url.password === '' && url.hash === '';
}

const address = z
  .string()
  .refine(isAddress, 'expected an address that starts with https://, http:// or file:/// and holds no password');

const checksumList = z
  .strictObject({
    file: address.describe('A list of checksums: SHA256SUMS, SHA512SUMS, CHECKSUM.'),
    signature: address.optional().describe('Its detached signature; without one it must be signed within.'),
    keyring: projectPath.optional().describe('A file of the project with the keys that may sign it.'),
  })
  .refine((o) => o.signature === undefined || o.keyring !== undefined, {
    message: 'a signature needs `keyring`: a file of the project with the keys that may sign',
    path: ['keyring'],
  });

/** In the place of a digest: it stands beside the file, in a list of one. */
export const sidecar = 'sidecar';

const checksum = z.union([
  z
    .string()
    .refine(
      (text) => text === sidecar || parseDigest(text) !== undefined,
      'expected sha256: and 64 hexadecimal digits (lower case), sha512: and 128, `sidecar`, or { file: URL of SHA256SUMS }',
    ),
  checksumList,
]);

/** How a person names a file that somebody publishes, or one of the project; to be used with `checkPublished`. */
export const publishedFields = {
  url: address.optional().describe('Where it is: https, http or file.'),
  file: projectPath.optional().describe('A file of the project, in place of `url`.'),
  checksum: checksum
    .optional()
    .describe(
      '`sha256:…` or `sha512:…`; `sidecar`: what stands at URL`.sha256`, as beside artifacts of Ingot; or `{ file, signature, keyring }`: a list of checksums that vendors publish, with its signature. Needed with `url`.',
    ),
};

/** A file somebody publishes, with what its bytes must be, or a file of the project. */
export type Published = {
  readonly url?: string | undefined;
  readonly file?: string | undefined;
  readonly checksum?: z.infer<typeof checksum> | undefined;
};

/** A zod check for `superRefine`: what must hold between the fields. */
export function checkPublished(published: Published, check: z.RefinementCtx): void {
  for (const { holds, message, path } of rules) {
    if (!holds(published)) check.addIssue({ code: 'custom', message, path: [...path] });
  }
}

type Rule = {
  readonly holds: (published: Published) => boolean;
  readonly message: string;
  readonly path: readonly string[];
};

const rules: readonly Rule[] = [
  {
    holds: (o) => (o.url === undefined) !== (o.file === undefined),
    message: 'expected either `url` or `file`',
    path: [],
  },
  {
    holds: (o) => o.url === undefined || o.checksum !== undefined,
    message:
      'a `url` needs its `checksum`: sha256:HEX, sha512:HEX, { file: URL of SHA256SUMS }, or `sidecar` for an artifact of Ingot',
    path: ['url'],
  },
  {
    holds: (o) => o.checksum !== sidecar || o.url !== undefined,
    message: '`sidecar` is for a `url`',
    path: ['checksum'],
  },
];
