/** Base64 of a text: what goes through shells, YAML and every installer as it is. */
export function encodeText(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** The text again; undefined for what `encodeText` does not write. */
export function decodeText(base64: string): string | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return encodeText(text) === base64 ? text : undefined;
}
