import type { Dispatcher } from 'undici';
import { type Digest, digestParts } from '../core/digests.ts';
import { IngotError } from '../core/errors.ts';
import { readEagerly } from './eager.ts';
import {
  failedStatus,
  follow,
  oneOf,
  openDispatcher,
  type Pace,
  PassingError,
  pause,
  usualPace,
  watchStall,
} from './fetch-connection.ts';
import { parseAddress, parseContentRange, passingFault, shownUrl, validatorOf } from './fetch-rules.ts';
import { PartialFile } from './partial.ts';

export type FetchRequest = {
  readonly url: string;
  /** Absolute path of the file to make; `TO.part` and `TO.part.json` beside it hold an unfinished download. */
  readonly to: string;
  /** Without it a download that an earlier process left is not gone on with. */
  readonly digest?: Digest;
  readonly maxBytes?: number;
  /** Sent to the server of the address only, never to one that it redirects to. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Bytes so far, and in all where the server says it. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** Why it is tried again. */
  readonly onRetry?: (why: string) => void;
  readonly pace?: Pace;
};

export type Fetched = { readonly bytes: number };

const enoughProgress = 1024 * 1024;

/**
 * Download a file, whole and of the digest it must have, or not at all. Goes on where a connection broke, also in the next
 * process, but only with bytes that the server says are of the same version. Proxies are taken from the
 * environment. Fails with INPUT_REFUSED (digest, size, redirect), NOT_FOUND, AUTH, NO_SPACE or TOOL_FAILED (network).
 */
export async function fetchFile(request: FetchRequest): Promise<Fetched> {
  request.signal.throwIfAborted();
  const url = parseAddress(request.url);
  const dispatcher = await openDispatcher(url, request.pace ?? usualPace);
  const { algorithm } = wanted(request);
  const partial = await PartialFile.open(`${request.to}.part`, request.url, algorithm);
  const transfer: Transfer = { request, url, partial, dispatcher, pace: request.pace ?? usualPace };
  try {
    if (request.digest === undefined) await partial.restart();
    await bring(transfer);
    // Bytes of two connections that do not make the file may be the server's fault: once more, in one piece.
    if (isWrong(transfer) && partial.resumed) {
      request.onRetry?.('the parts of the download do not fit together');
      await partial.restart();
      await bring(transfer);
    }
    if (isWrong(transfer)) throw await refuse(transfer, wrongDigest(transfer));
    await partial.commit(request.to);
    return { bytes: partial.size };
  } finally {
    await partial.close();
    await dispatcher.destroy();
  }
}

type Transfer = {
  readonly request: FetchRequest;
  readonly url: URL;
  readonly partial: PartialFile;
  readonly dispatcher: Dispatcher;
  readonly pace: Pace;
};

/** Try until all bytes are there, at most so many times in a row without progress. */
async function bring(transfer: Transfer): Promise<void> {
  const { request, partial, pace } = transfer;
  let failures = 0;
  let reached = partial.size;
  while (!partial.complete) {
    try {
      await connectOnce(transfer);
      return;
    } catch (error) {
      request.signal.throwIfAborted();
      const why = error instanceof PassingError ? error.message : passingFault(error);
      if (why === undefined) throw lasting(transfer, error);
      failures = partial.size >= reached + enoughProgress ? 1 : failures + 1;
      reached = partial.size;
      if (failures > pace.retries) throw gaveUp(transfer, why, error);
      request.onRetry?.(why);
      const backoff = pace.backoffMs * 2 ** (failures - 1) * (1 + Math.random());
      const asked = error instanceof PassingError ? error.waitMs : undefined;
      await pause(asked ?? backoff, request.signal);
    }
  }
}

/** One connection: from the request to the last byte it brings. */
async function connectOnce(transfer: Transfer): Promise<void> {
  const { request, partial, pace } = transfer;
  const stall = watchStall(pace.stallMs);
  let stop = (): void => undefined;
  try {
    const signal = AbortSignal.any([request.signal, stall.signal]);
    const response = await follow({ ...transfer, own: request.headers ?? {} }, rangeHeaders(partial), signal);
    const body = readEagerly(response.body);
    stop = body.stop;
    if (!(await accept(transfer, response))) return;
    for await (const chunk of body) {
      stall.saw(chunk.length);
      if (partial.size + chunk.length > (request.maxBytes ?? Infinity)) throw await refuse(transfer, tooLong(transfer));
      await partial.append(chunk);
      request.onProgress?.(partial.size, partial.origin?.total);
    }
  } catch (error) {
    if (stall.signal.aborted) throw new PassingError(`no data came for ${pace.stallMs / 1000} s`);
    throw error;
  } finally {
    stall.stop();
    stop();
  }
  const total = partial.origin?.total;
  if (total !== undefined && partial.size !== total) {
    throw new PassingError(`the download ended at ${partial.size} of ${total} bytes`);
  }
}

function rangeHeaders(partial: PartialFile): Readonly<Record<string, string>> {
  const validator = partial.origin?.validator;
  if (partial.size === 0 || validator === undefined) return {};
  return { range: `bytes=${partial.size}-`, 'if-range': validator };
}

/** Make the partial file ready for the bytes of an answer; false when there are none to come. */
async function accept(transfer: Transfer, response: Dispatcher.ResponseData): Promise<boolean> {
  const { partial, request } = transfer;
  if (response.statusCode === 206) {
    if (!goesOn(partial, response)) return startOver(transfer);
    partial.resumed = true;
  } else if (response.statusCode === 200) {
    const length = oneOf(response.headers['content-length']);
    const total = length === undefined ? undefined : Number(length);
    await partial.restart({ url: request.url, validator: validatorOf(response.headers), total });
  } else if (response.statusCode === 416 && partial.size > 0) {
    const range = parseContentRange(oneOf(response.headers['content-range']));
    if (range?.total !== partial.size) return startOver(transfer);
    return false;
  } else {
    throw failedStatus(transfer.url, response);
  }
  if ((partial.origin?.total ?? 0) > (request.maxBytes ?? Infinity)) throw await refuse(transfer, tooLong(transfer));
  await partial.requireSpace();
  return true;
}

/** Whether a 206 brings exactly the next bytes of the same version: some servers send parts of a newer one. */
function goesOn(partial: PartialFile, response: Dispatcher.ResponseData): boolean {
  const range = parseContentRange(oneOf(response.headers['content-range']));
  const origin = partial.origin;
  if (origin?.validator === undefined || range?.start !== partial.size) return false;
  if (range.total !== undefined && origin.total !== undefined && range.total !== origin.total) return false;
  const { etag, 'last-modified': changed } = response.headers;
  const now = origin.validator.startsWith('"') ? etag : changed;
  return now === undefined || now === origin.validator;
}

async function startOver({ partial }: Transfer): Promise<never> {
  await partial.restart();
  throw new PassingError('the file changed on the server', 0);
}

function isWrong({ request, partial }: Transfer): boolean {
  const { hex } = wanted(request);
  return hex !== undefined && partial.hex !== hex;
}

function wanted({ digest }: FetchRequest) {
  return digest === undefined ? { algorithm: 'sha256' as const, hex: undefined } : digestParts(digest);
}

async function refuse({ partial }: Transfer, error: IngotError): Promise<IngotError> {
  await partial.discard();
  return error;
}

function wrongDigest({ url, request, partial }: Transfer): IngotError {
  const { algorithm, hex } = wanted(request);
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `${shownUrl(url)} is not the file that was asked for: its ${algorithm.replace('sha', 'SHA-')} differs`,
    hint: 'if the file was meant to change, write the new digest down; if not, do not trust it',
    detail: [`expected ${hex}`, `received ${partial.hex}`, `${partial.size} bytes, removed`],
  });
}

function tooLong({ url, request }: Transfer): IngotError {
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `${shownUrl(url)} is longer than the ${request.maxBytes} bytes that are allowed`,
  });
}

/** A fault of the system or of TLS that trying again does not cure; an error without a code is our own bug. */
function lasting(transfer: Transfer, error: unknown): unknown {
  const known = !(error instanceof IngotError) && error instanceof Error && 'code' in error;
  return known ? gaveUp(transfer, error.message, error) : error;
}

function gaveUp({ url, partial }: Transfer, why: string, cause: unknown): IngotError {
  const kept = partial.size > 0 && partial.origin?.validator !== undefined;
  return new IngotError({
    code: 'TOOL_FAILED',
    message: `${shownUrl(url)} could not be downloaded: ${why}`,
    hint: `check the network and the proxy settings${kept ? '; the same command goes on with what is here already' : ''}`,
    cause,
  });
}
