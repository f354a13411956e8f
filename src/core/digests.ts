/** What a file must hash to, in lower-case hexadecimal digits. */
export type Digest = { readonly sha256: string } | { readonly sha512: string };

export type DigestAlgorithm = 'sha256' | 'sha512';

/** A digest as the name of its algorithm and the digits. */
export function digestParts(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  if ('sha256' in digest) return { algorithm: 'sha256', hex: digest.sha256 };
  return { algorithm: 'sha512', hex: digest.sha512 };
}

/** `sha256:HEX` or `sha512:HEX`; undefined when a text is neither. */
export function parseDigest(text: string): Digest | undefined {
  const [, sha256, sha512] = /^(?:sha256:([0-9a-f]{64})|sha512:([0-9a-f]{128}))$/.exec(text) ?? [];
  if (sha256 !== undefined) return { sha256 };
  return sha512 === undefined ? undefined : { sha512 };
}

/** As `parseDigest` reads it. */
export function digestText(digest: Digest): string {
  const { algorithm, hex } = digestParts(digest);
  return `${algorithm}:${hex}`;
}
