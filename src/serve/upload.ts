import { createHash, timingSafeEqual } from 'node:crypto';
import { IngotError } from '../core/errors.ts';
import type { Answer, Asked } from '../host/listen.ts';
import type { FileToPublish } from '../store/publish-file.ts';
import type { ForeignFile } from '../store/served-files.ts';
import { publishNames } from '../store/served-names.ts';
import { isForeign, pathOf, type Wanted } from './address.ts';
import { refusal } from './refusal.ts';

export type Uploads = {
  /** Who knows it may bring files. */
  readonly token: string;
  publish(file: FileToPublish, signal: AbortSignal): Promise<ForeignFile>;
};

/** The answer to a file that is brought: it is whole and has its name, or nothing happened. */
export async function upload(uploads: Uploads, wanted: Wanted, asked: Asked): Promise<Answer> {
  const { headers } = asked;
  if (isForeign(headers)) return refusal(403, 'a page of another server may not change anything here');
  if (!isKnown(headers['authorization'], uploads.token)) {
    return refusal(401, 'send the token of this server', { 'www-authenticate': 'Bearer realm="ingot"' });
  }
  if (wanted.isFolder) return refusal(409, 'a folder cannot be brought');
  if (headers['content-range'] !== undefined) return refusal(400, 'send the whole file');
  const digest = readDigest(headers);
  if (digest === unclear) return refusal(400, 'Content-Digest and Repr-Digest hold no SHA-256');
  try {
    const as = publishNames(wanted.names.join('/')).join('/');
    const known = digest === undefined ? {} : { sha256: digest };
    const length = Number(headers['content-length'] ?? Number.NaN);
    const size = Number.isNaN(length) ? {} : { size: length };
    const file = await uploads.publish({ as, bytes: asked.body(), ...known, ...size }, asked.signal);
    const body = `${JSON.stringify(file)}\n`;
    return {
      status: 201,
      headers: {
        location: pathOf(wanted.names, false),
        etag: `"sha256:${file.sha256}"`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
      body,
    };
  } catch (error) {
    if (!(error instanceof IngotError)) throw error;
    const status = error.code === 'NO_SPACE' ? 507 : error.code === 'USAGE' ? 409 : 400;
    return refusal(status, error.code === 'NO_SPACE' ? 'no space left' : error.message);
  }
}

function isKnown(header: string | readonly string[] | undefined, token: string): boolean {
  const [, given] = /^Bearer +(\S+)$/i.exec(String(header ?? '')) ?? [];
  // Digests are of one length: what comparing takes tells nothing.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && token !== '' && timingSafeEqual(digest(given), digest(token));
}

const unclear = 'unclear';

/** The SHA-256 that is promised (RFC 9530), in hexadecimal. */
function readDigest(headers: Asked['headers']): string | undefined {
  const header = headers['repr-digest'] ?? headers['content-digest'];
  if (header === undefined) return undefined;
  const [, encoded = ''] = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/]{43}=):/.exec(String(header)) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length === 32 ? bytes.toString('hex') : unclear;
}
