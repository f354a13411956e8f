import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { IngotError } from '../core/errors.ts';
import type { Calls } from './github-calls.ts';
import { PassingFault, verdictOf } from './github-faults.ts';
import type { Asset, Upload } from './github-types.ts';

/** The requests that an upload is made of. */
export type UploadRequests = {
  readonly calls: Calls;
  readonly signal: AbortSignal;
  send(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Asset>;
  assets(): Promise<readonly Asset[]>;
  remove(asset: Asset): Promise<void>;
};

/** How often something else under the same name is taken away. */
const mostTaken = 3;

/**
 * Upload until GitHub holds the right bytes under the name. Nobody can go on with half an asset: what a broken upload
 * left is looked at, taken where it is whole after all, and else removed.
 */
export async function uploadAsset(
  upload: Upload,
  requests: UploadRequests,
  onBytes: (sent: number) => void,
): Promise<Asset> {
  const { calls, signal } = requests;
  const wait = calls.patience(`uploading ${upload.name}`);
  for (let taken = 0; ; ) {
    try {
      await calls.rest();
      const asset = await sendOnce(upload, requests, onBytes);
      if (isRight(asset, upload)) return asset;
      await requests.remove(asset);
      throw new PassingFault(`it arrived as ${asset.bytes} bytes called ${asset.name}, or as other bytes`);
    } catch (error) {
      signal.throwIfAborted();
      const isTaken = verdictOf(error, '', 0).kind === 'taken';
      if (!isTaken || ++taken > mostTaken) await wait(error);
      const left = (await requests.assets()).find(({ name }) => name === upload.name);
      if (left !== undefined && isRight(left, upload)) return left;
      if (left !== undefined) await requests.remove(left);
    }
  }
}

function isRight(asset: Asset, { name, bytes, sha256 }: Upload): boolean {
  const isSame = asset.sha256 === undefined || asset.sha256 === sha256;
  return asset.isWhole && asset.name === name && asset.bytes === bytes && isSame;
}

async function sendOnce(upload: Upload, requests: UploadRequests, onBytes: (sent: number) => void): Promise<Asset> {
  const stalled = new AbortController();
  const { stallMs } = requests.calls.pace;
  const timer = setTimeout(() => stalled.abort(), stallMs);
  const saw = (sent: number) => {
    timer.refresh();
    onBytes(sent);
  };
  try {
    return await requests.send(bytesOf(upload, saw), AbortSignal.any([requests.signal, stalled.signal]));
  } catch (error) {
    requests.signal.throwIfAborted();
    if (stalled.signal.aborted) throw new PassingFault(`nothing moved for ${stallMs / 1000} s`);
    throw ownFault(error) ?? error;
  } finally {
    clearTimeout(timer);
  }
}

const chunkBytes = 256 * 1024;

/** The bytes as they are read, none of them kept; ends with an error when they are not those that were promised. */
async function* bytesOf(upload: Upload, saw: (sent: number) => void): AsyncIterable<Uint8Array> {
  const { from, bytes, sha256 } = upload;
  const hash = createHash('sha256');
  let sent = 0;
  for await (const chunk of 'text' in from ? [Buffer.from(from.text)] : pieces(from, bytes)) {
    hash.update(chunk);
    sent += chunk.length;
    // The last byte is held back until it is known that all were right.
    if (sent >= bytes && hash.copy().digest('hex') !== sha256) break;
    yield chunk;
    saw(sent);
  }
  if (sent === bytes && hash.digest('hex') === sha256) return;
  const message = `${'text' in from ? upload.name : from.file} changed while it was uploaded`;
  throw new IngotError({ code: 'INPUT_REFUSED', message, hint: 'run the same command again' });
}

function pieces({ file, offset }: { file: string; offset: number }, bytes: number): AsyncIterable<Buffer> {
  return createReadStream(file, { start: offset, end: offset + bytes - 1, highWaterMark: chunkBytes });
}

/** The error with which our own bytes ended: the client wraps it. */
function ownFault(error: unknown): IngotError | undefined {
  if (error instanceof IngotError) return error;
  return error instanceof Error && error.cause !== undefined ? ownFault(error.cause) : undefined;
}
