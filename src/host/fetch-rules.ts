import { lookup } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { IngotError } from '../core/errors.ts';

/** An address as it may be shown: without a password and without a query, which may hold a signature. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?...'}`;
}

/** The address a download starts from; only http and https. */
export function parseAddress(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'https:' || parsed?.protocol === 'http:') return parsed;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `not an http or https address: ${parsed?.protocol ?? url}`,
    hint: 'downloads come over https (or http)',
  });
}

/** Where a redirect leads, when it may be followed: never to a lesser protocol, another kind of address or this machine. */
export function redirectTarget(from: URL, location: string | undefined, first: URL): URL {
  const refuse = (why: string) =>
    new IngotError({
      code: 'INPUT_REFUSED',
      message: `${shownUrl(from)} redirects ${why}`,
      hint: 'name the address of the file itself, or ask who runs the server',
    });
  if (location === undefined || !URL.canParse(location, from)) throw refuse('to no address');
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refuse(`to ${target.protocol}`);
  if (from.protocol === 'https:' && target.protocol === 'http:') throw refuse('from https to http');
  if (isGuarded(target.hostname, first.hostname) && isLocal(target.hostname)) {
    throw refuse(`to this machine or its link: ${target.host}`);
  }
  return target;
}

/** Whether a host may not be this machine: it was named by a server somewhere else. */
function isGuarded(host: string, firstHost: string): boolean {
  return host !== firstHost && !isLoopback(firstHost);
}

/** A resolver that refuses names of other hosts than the first one that turn out to be this machine or its link. */
export function guardedLookup(firstHost: string, resolve: LookupFunction = lookup): LookupFunction {
  return (host, options, callback) => {
    resolve(host, options, (error, address, family) => {
      const found = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      if (error !== null || !isGuarded(host, firstHost) || !found.some(isLocal)) {
        callback(error, address, family);
        return;
      }
      const refused = new IngotError({
        code: 'INPUT_REFUSED',
        message: `a redirect leads to ${host}, which is this machine or its link`,
      });
      callback(refused, address, family);
    });
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addSubnet('0.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addAddress('::', 'ipv6');
const link = new BlockList();
link.addSubnet('169.254.0.0', 16, 'ipv4');
link.addSubnet('fe80::', 10, 'ipv6');

function isLoopback(host: string): boolean {
  return /^(.*\.)?localhost\.?$/i.test(host) || isIn(loopback, host);
}

/** Whether a host name or address is loopback or link-local by how it is written. */
export function isLocal(host: string): boolean {
  return isLoopback(host) || isIn(link, host);
}

function isIn(list: BlockList, host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * What may stand in `If-Range` (RFC 9110, 13.1.5): a strong entity tag, or a date of change that is at least a second
 * older than the answer. Undefined: what was fetched cannot be gone on with.
 */
export function validatorOf(headers: IncomingHttpHeaders): string | undefined {
  const { etag, date } = headers;
  if (etag !== undefined) return /^"[^"]*"$/.test(etag) ? etag : undefined;
  const changed = headers['last-modified'];
  if (changed === undefined || date === undefined) return undefined;
  return Date.parse(date) - Date.parse(changed) >= 1000 ? changed : undefined;
}

/** `Content-Range: bytes 100-199/200` or, of a 416, `bytes *` and the size. */
export function parseContentRange(
  text: string | undefined,
): { readonly start: number | undefined; readonly total: number | undefined } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, start, total] = match;
  return {
    start: start === undefined ? undefined : Number(start),
    total: total === undefined || total === '*' ? undefined : Number(total),
  };
}

/** How long a server asks to wait, in milliseconds: `Retry-After` as seconds or a date. */
export function retryAfterMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

// Codes of node:net, node:dns, llhttp and undici for what may well go away by itself.
const passing =
  /^(E(CONNRESET|CONNREFUSED|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NETDOWN|AI_AGAIN|NOTFOUND)|ENOTFOUND|HPE_.*|UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|CLOSED|DESTROYED|RES_CONTENT_LENGTH_MISMATCH|ABORTED|PRX.*))$/;

/** What went wrong on the network, in plain words, when trying again may help; else undefined. */
export function passingFault(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AggregateError) return passingFault(error.errors[0]);
  const code = 'code' in error ? String(error.code) : '';
  if (!passing.test(code)) return error.cause === undefined ? undefined : passingFault(error.cause);
  return plainWords[code] ?? `the connection failed (${error.message || code})`;
}

const plainWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'the name of the server cannot be resolved',
  EAI_AGAIN: 'the name of the server cannot be resolved now',
  ETIMEDOUT: 'the server does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'the server does not answer',
};
