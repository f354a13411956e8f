import type { Dispatcher } from 'undici';
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
import { parseAddress, parseContentRange, passingFault, shownUrl } from './fetch-rules.ts';

/** Bytes of a file, from `start` to before `end`. */
export type ByteRange = { readonly start: number; readonly end: number };

export type RangesRequest = {
  readonly url: string;
  /** How long the file must be. */
  readonly total: number;
  readonly ranges: readonly ByteRange[];
  readonly signal: AbortSignal;
  /** Called with each range when all of it is here; several at a time. */
  readonly onRange: (range: ByteRange, bytes: Buffer) => Promise<void>;
  /** Bytes that came, as they come. */
  readonly onBytes?: (bytes: number) => void;
  readonly onRetry?: (why: string) => void;
  readonly pace?: Pace;
};

/** The server sends whole files only. */
export class NoRangesError extends Error {}

/** The file on the server is not the one that was asked for: it was published anew meanwhile. */
export class ChangedError extends Error {}

const connections = 6;

/**
 * Fetch parts of a file, several at a time, each tried again where a connection broke. Fails with NoRangesError,
 * ChangedError, or as `fetchFile` does.
 */
export async function fetchRanges(request: RangesRequest): Promise<void> {
  const url = parseAddress(request.url);
  const pace = request.pace ?? usualPace;
  const dispatcher = await openDispatcher(url, pace);
  const failed = new AbortController();
  const signal = AbortSignal.any([request.signal, failed.signal]);
  const transfer: Transfer = { request, url, pace, dispatcher, signal };
  const waiting = [...request.ranges].reverse();
  const work = async () => {
    for (let range = waiting.pop(); range !== undefined; range = waiting.pop()) await bring(range, transfer);
  };
  try {
    const workers = Array.from({ length: connections }, () =>
      work().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    await Promise.allSettled(workers);
    request.signal.throwIfAborted();
    failed.signal.throwIfAborted();
  } finally {
    await dispatcher.destroy();
  }
}

type Transfer = {
  readonly request: RangesRequest;
  readonly url: URL;
  readonly pace: Pace;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
};

async function bring(range: ByteRange, transfer: Transfer): Promise<void> {
  const { request, pace, signal, url } = transfer;
  for (let failures = 0; ; ) {
    try {
      return await request.onRange(range, await connectOnce(range, transfer));
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof PassingError ? error.message : passingFault(error);
      if (why === undefined) throw error;
      failures += 1;
      if (failures > pace.retries) throw gaveUp(url, why, error);
      request.onRetry?.(why);
      const backoff = pace.backoffMs * 2 ** (failures - 1) * (1 + Math.random());
      await pause((error instanceof PassingError ? error.waitMs : undefined) ?? backoff, signal);
    }
  }
}

async function connectOnce(range: ByteRange, transfer: Transfer): Promise<Buffer> {
  const stall = watchStall(transfer.pace.stallMs);
  let stop = (): void => undefined;
  try {
    const signal = AbortSignal.any([transfer.signal, stall.signal]);
    const response = await follow(transfer, { range: `bytes=${range.start}-${range.end - 1}` }, signal);
    const body = readEagerly(response.body);
    stop = body.stop;
    refuseOthers(range, transfer, response);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body) {
      stall.saw(chunk.length);
      transfer.request.onBytes?.(chunk.length);
      chunks.push(chunk);
      length += chunk.length;
      if (length > range.end - range.start) throw new ChangedError('more came than was asked for');
    }
    if (length < range.end - range.start) throw new PassingError('the download ended too early');
    return Buffer.concat(chunks);
  } catch (error) {
    if (stall.signal.aborted) throw new PassingError(`no data came for ${transfer.pace.stallMs / 1000} s`);
    throw error;
  } finally {
    stall.stop();
    stop();
  }
}

function refuseOthers(range: ByteRange, { url, request }: Transfer, response: Dispatcher.ResponseData): void {
  const { statusCode: status, headers } = response;
  if (status === 200) {
    const whole = range.start === 0 && Number(oneOf(headers['content-length'])) === range.end;
    if (whole && range.end === request.total) return;
    throw new NoRangesError(`${shownUrl(url)} comes only whole`);
  }
  if (status === 416) throw new ChangedError('it has no such bytes');
  if (status !== 206) throw failedStatus(url, response);
  const said = parseContentRange(oneOf(headers['content-range']));
  const isOther = said?.total !== undefined && said.total !== request.total;
  if (said?.start !== range.start || isOther) throw new ChangedError('other bytes came than were asked for');
}

function gaveUp(url: URL, why: string, cause: unknown): IngotError {
  return new IngotError({
    code: 'TOOL_FAILED',
    message: `${shownUrl(url)} could not be downloaded: ${why}`,
    hint: 'check the network and the proxy settings; the same command goes on with what is here already',
    cause,
  });
}
