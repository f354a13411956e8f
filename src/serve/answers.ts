import { createHash } from 'node:crypto';
import type { Answer, Asked } from '../host/listen.ts';
import { hostMark } from '../store/card-list.ts';
import type { ServedFile, ServedFolder, ServedTree } from '../store/served-tree.ts';
import { isOurHost, pathOf, readTarget, type Wanted } from './address.ts';
import { isSame, judge, modified, type State } from './conditions.ts';
import { listingJson, listingPage } from './listing.ts';
import { mediaType } from './media-types.ts';
import { readRange } from './ranges.ts';
import { refusal } from './refusal.ts';
import { type Uploads, upload } from './upload.ts';

export type Serving = Uploads & {
  readonly tree: ServedTree;
  /** What this server may be called in a Host header, besides addresses; lower case. */
  readonly names: ReadonlySet<string>;
};

/** The answer to a request for the served tree, or to a file that is brought. */
export async function answer(serving: Serving, asked: Asked): Promise<Answer> {
  const wanted = readTarget(asked.target);
  if (wanted === undefined) return refusal(400, 'no such path can be');
  const host = wanted.authority ?? text(asked.headers['host']);
  if (!isOurHost(host, serving.names)) {
    return refusal(421, 'this server has no such name: ingot serve --name NAME gives it one');
  }
  if (asked.method === 'PUT') return upload(serving, wanted, { ...asked, headers: { ...asked.headers, host } });
  if (asked.method !== 'GET' && asked.method !== 'HEAD') {
    return refusal(405, 'only GET, HEAD and PUT', { allow: 'GET, HEAD, PUT' });
  }
  const found = await serving.tree.find(wanted.names);
  if (found === undefined) return refusal(404, 'there is nothing of this name');
  if (found.kind === 'folder') return folderAnswer(found, wanted, asked);
  try {
    if (wanted.isFolder) {
      await found.close();
      return refusal(404, 'there is no folder of this name');
    }
    if (wanted.names.join('/') === 'os_list.json') return await cardsAnswer(found, String(host), asked);
    return await fileAnswer(found, wanted, asked);
  } catch (error) {
    await found.close();
    throw error;
  }
}

async function fileAnswer(file: ServedFile, { names }: Wanted, { method, headers }: Asked): Promise<Answer> {
  const about = {
    ...stateHeaders(file),
    'content-type': mediaType(names.at(-1) ?? ''),
    'cache-control': names[0] === 'blobs' ? 'public, max-age=31536000, immutable' : 'no-cache',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    // A picture is a document of its own when it is looked at alone.
    'content-security-policy': 'sandbox',
  };
  const verdict = judge(headers, file);
  if (verdict !== undefined) {
    await file.close();
    return verdict === 304 ? { status: 304, headers: about } : refusal(412, 'it changed');
  }
  const range = method === 'GET' && isSame(text(headers['if-range']), file) ? text(headers['range']) : undefined;
  const part = readRange(range, file.bytes);
  if (part === 'none') {
    await file.close();
    return refusal(416, 'it has no such bytes', { 'content-range': `bytes */${file.bytes}` });
  }
  const { first, last } = part ?? { first: 0, last: file.bytes - 1 };
  const sent = last - first + 1;
  const common = { ...about, 'content-length': sent };
  if (sent === 0) {
    await file.close();
    return { status: 200, headers: common };
  }
  const body = { first, last, read: file.read, close: file.close };
  if (part === undefined) return { status: 200, headers: common, body };
  return { status: 206, headers: { ...common, 'content-range': `bytes ${first}-${last}/${file.bytes}` }, body };
}

function stateHeaders(state: State): Readonly<Record<string, string>> {
  const time = modified(state);
  return { etag: `"${state.tag}"`, ...(time === undefined ? {} : { 'last-modified': time }) };
}

/** The list for Raspberry Pi Imager holds whole addresses: they lead to where the client found the list. */
async function cardsAnswer(file: ServedFile, host: string, asked: Asked): Promise<Answer> {
  const scheme = asked.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const list = (await file.text()).replaceAll(hostMark, `${scheme}://${host}`);
  await file.close();
  return documentAnswer(list, 'application/json', asked);
}

async function folderAnswer(folder: ServedFolder, { names, isFolder, query }: Wanted, asked: Asked): Promise<Answer> {
  if (!isFolder) {
    const location = `${pathOf(names, true)}${query}`;
    return refusal(301, 'it is a folder', { location, 'cache-control': 'no-cache' });
  }
  const entries = await folder.entries();
  if (/\bapplication\/json\b/.test(text(asked.headers['accept']) ?? '')) {
    return documentAnswer(listingJson(entries), 'application/json', asked, { vary: 'Accept' });
  }
  return documentAnswer(listingPage(names, entries), 'text/html; charset=utf-8', asked, {
    vary: 'Accept',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
}

function documentAnswer(
  body: string,
  type: string,
  { headers }: Asked,
  more: Readonly<Record<string, string>> = {},
): Answer {
  const tag = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const about = {
    etag: `"${tag}"`,
    'content-type': type,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    ...more,
  };
  const verdict = judge(headers, { tag });
  if (verdict === 412) return refusal(412, 'it changed');
  if (verdict === 304) return { status: 304, headers: about };
  return { status: 200, headers: { ...about, 'content-length': Buffer.byteLength(body) }, body };
}

function text(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
