import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type HeldAsset,
  type HeldRelease,
  type Origins,
  type Repository,
  showAsset,
  showRelease,
} from './fake-github-data.ts';

export type FakeOptions = {
  /** An asset may have no more bytes; GitHub's is 2 GiB - 1. */
  readonly mostBytes: number;
  /** Nothing of it is seen without a token. */
  readonly isPrivate: boolean;
  /** Releases can no longer be changed once they are published. */
  readonly immutable: boolean;
  /** Digests are computed after the answer to an upload. */
  readonly lateDigests: boolean;
};

/** What happens to the next request that matches, once. */
export type Fault = {
  /** `POST /repos/o/n/releases`, with `*` for anything. */
  readonly on: string;
  /** Cut the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Do what was asked for, and lose the answer. */
  readonly loseAnswer?: true;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
};

export type FakeGitHub = {
  readonly origins: Origins;
  readonly releases: HeldRelease[];
  /** `METHOD path` of every request, without queries. */
  readonly asked: string[];
  /** Called after each change, with what anybody can see. */
  onChange: (releases: readonly HeldRelease[]) => void;
  fail(...faults: readonly Fault[]): void;
  /** Nothing goes wrong any more. */
  calm(): void;
  /** From the given request that changes something on, answer nobody; that one may be done all the same. */
  dieAt(request: number, isDone: boolean): void;
  /** Put everything back to an earlier state. */
  restore(releases: readonly HeldRelease[]): void;
  /** Names of the assets of a release, sorted. */
  names(tag: string): readonly string[];
  close(): Promise<void>;
};

export const goodToken = 'ghp_CANARYcanaryCANARYcanary';
export const repository: Repository = { owner: 'me', repo: 'images' };

type Reply = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Buffer;
};
type Asked = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

/** A stand-in for GitHub's releases, strict where GitHub is: API, uploads and storage are three servers on loopback. */
export async function startFakeGitHub(options: Partial<FakeOptions> = {}): Promise<FakeGitHub> {
  const state: State = {
    options: { mostBytes: 2 ** 31 - 1, isPrivate: false, immutable: false, lateDigests: false, ...options },
    origins: { api: '', upload: '', storage: '' },
    releases: [],
    faults: [],
    asked: [],
    nextId: 100,
    death: undefined,
    onChange: () => {},
  };
  const servers = [serverOf(state, answerApi), serverOf(state, answerUpload), serverOf(state, answerStorage)];
  const [api = '', upload = '', storage = ''] = await Promise.all(servers.map(listen));
  state.origins = { api, upload, storage };
  return {
    origins: state.origins,
    releases: state.releases,
    asked: state.asked,
    set onChange(told: FakeGitHub['onChange']) {
      state.onChange = told;
    },
    fail: (...faults) => void state.faults.push(...faults),
    calm: () => {
      state.faults.splice(0);
      state.death = undefined;
    },
    dieAt: (request, isDone) => {
      state.death = { left: request, isDone };
    },
    restore: (releases) => {
      const copies = releases.map((one) => ({ ...one, assets: one.assets.map((asset) => ({ ...asset })) }));
      state.releases.splice(0, state.releases.length, ...copies);
    },
    names: (tag) => (state.releases.find((one) => one.tag === tag)?.assets ?? []).map(({ name }) => name).sort(),
    close: async () => {
      await Promise.all(servers.map(stop));
    },
  };
}

type State = {
  readonly options: FakeOptions;
  origins: Origins;
  readonly releases: HeldRelease[];
  readonly faults: Fault[];
  readonly asked: string[];
  nextId: number;
  death: { left: number; readonly isDone: boolean } | undefined;
  onChange: FakeGitHub['onChange'];
};

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function serverOf(state: State, answer: (state: State, asked: Asked) => Reply): Server {
  return createServer((request, response) => void serve(state, answer, request, response));
}

async function serve(
  state: State,
  answer: (state: State, asked: Asked) => Reply,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://fake');
  const method = request.method ?? '';
  const line = `${method} ${url.pathname}`;
  state.asked.push(line);
  const fault = takeFault(state, `${line}${url.search}`);
  const chunks: Buffer[] = [];
  let got = 0;
  try {
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      got += (chunk as Buffer).length;
      if (fault?.cutAfter !== undefined && got >= fault.cutAfter) {
        leaveStarter(state, method, url);
        request.socket.resetAndDestroy();
        return;
      }
    }
  } catch {
    // The other side went away in the middle of an upload.
    leaveStarter(state, method, url);
    return;
  }
  const asked = { method, url, headers: request.headers, body: Buffer.concat(chunks) };
  if (isDead(state, method)) {
    if (state.death?.isDone === true && state.death.left === 0) answer(state, asked);
    request.socket.resetAndDestroy();
    return;
  }
  const reply = fault?.status === undefined ? answer(state, asked) : faultReply(state, fault, asked);
  if (fault?.loseAnswer === true) {
    request.socket.resetAndDestroy();
    return;
  }
  const limits = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': '1795000000' };
  const bytes = reply.bytes ?? (reply.body === undefined ? undefined : Buffer.from(JSON.stringify(reply.body)));
  const type = reply.bytes === undefined ? 'application/json; charset=utf-8' : 'application/octet-stream';
  response.writeHead(reply.status, { 'content-type': type, ...limits, ...reply.headers }).end(bytes);
}

/** Whether nobody is answered any more; the request at which that begins is number 0. */
function isDead({ death }: State, method: string): boolean {
  if (death === undefined || (method === 'GET' && death.left > 0)) return false;
  return --death.left <= 0;
}

function takeFault(state: State, line: string): Fault | undefined {
  const index = state.faults.findIndex(({ on }) => {
    const pattern = on.replaceAll(/[.?+^$()[\]{}|\\]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${pattern}$`).test(line);
  });
  return index === -1 ? undefined : state.faults.splice(index, 1)[0];
}

function faultReply(state: State, fault: Fault, { method, url }: Asked): Reply {
  const status = fault.status ?? 500;
  if (status >= 500) leaveStarter(state, method, url);
  return { status, body: { message: fault.message ?? 'Server Error' }, headers: fault.headers ?? {} };
}

/** What GitHub keeps of an upload that failed. */
function leaveStarter(state: State, method: string, url: URL): void {
  const [, id] = /\/releases\/(\d+)\/assets$/.exec(url.pathname) ?? [];
  const release = state.releases.find((one) => String(one.id) === id);
  const name = url.searchParams.get('name');
  if (method !== 'POST' || release === undefined || name === null) return;
  if (release.assets.some((one) => one.name === name)) return;
  release.assets.push({ id: state.nextId++, name, state: 'starter', data: Buffer.alloc(0), digestIn: 0 });
}

const prefix = `/repos/${repository.owner}/${repository.repo}/releases`;

function refused(status: number, message: string, errors?: readonly object[]): Reply {
  return { status, body: { message, ...(errors === undefined ? {} : { errors }), documentation_url: 'https://docs' } };
}

const alreadyExists = (resource: string, field: string) =>
  refused(422, 'Validation Failed', [{ resource, code: 'already_exists', field }]);

type Access = 'none' | 'read' | 'write';

/** What the token of a request may do; a reply where it is refused at once. */
function accessOf(state: State, { headers, method }: Asked): Access | Reply {
  if (headers['user-agent'] === undefined) return refused(403, 'Request forbidden by administrative rules.');
  const { authorization } = headers;
  if (authorization !== undefined && authorization !== `token ${goodToken}`) return refused(401, 'Bad credentials');
  if (authorization !== undefined) return 'write';
  if (state.options.isPrivate) return refused(404, 'Not Found');
  return method === 'GET' ? 'read' : refused(401, 'Requires authentication');
}

function answerApi(state: State, asked: Asked): Reply {
  const download = /^\/me\/images\/releases\/download\/([^/]+)\/([^/]+)$/.exec(asked.url.pathname);
  if (download !== null) return answerBrowser(state, decodeURIComponent(download[1] ?? ''), download[2] ?? '');
  const access = accessOf(state, asked);
  if (typeof access !== 'string') return access;
  const path = asked.url.pathname;
  if (!path.startsWith(prefix)) return refused(404, 'Not Found');
  const rest = path.slice(prefix.length);
  const [, asset] = /^\/assets\/(\d+)$/.exec(rest) ?? [];
  if (asset !== undefined) return answerAsset(state, asked, Number(asset));
  const [, id, list] = /^\/(\d+)(\/assets)?$/.exec(rest) ?? [];
  const visible = state.releases.filter(({ draft }) => !draft || access === 'write');
  const release = visible.find((one) => String(one.id) === id);
  if (rest === '' && asked.method === 'GET') {
    const newest = [...visible].reverse();
    return paged(
      asked,
      state,
      newest.map((one) => showRelease(one, state.origins, repository)),
    );
  }
  if (rest === '' && asked.method === 'POST') return createRelease(state, asked);
  if (release === undefined) return refused(404, 'Not Found');
  if (list !== undefined) {
    return paged(
      asked,
      state,
      release.assets.map((one) => showAsset(one, release, state.origins, repository)),
    );
  }
  return changeRelease(state, asked, release);
}

/** A page of a list, 30 long where nothing else is asked for, 100 at most, and where the next one is. */
function paged({ url }: Asked, state: State, all: readonly unknown[]): Reply {
  const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
  const page = Number(url.searchParams.get('page') ?? 1);
  const body = all.slice((page - 1) * size, page * size);
  if (page * size >= all.length) return { status: 200, body };
  const next = new URL(url.pathname + url.search, state.origins.api);
  next.searchParams.set('page', String(page + 1));
  return { status: 200, body, headers: { link: `<${next.href}>; rel="next"` } };
}

type ReleaseBody = { tag_name?: string; name?: string; body?: string; draft?: boolean };

function createRelease(state: State, asked: Asked): Reply {
  const { tag_name: tag, name = '', body = '', draft = false } = JSON.parse(asked.body.toString()) as ReleaseBody;
  if (tag === undefined) return refused(422, 'Invalid request. "tag_name" wasn\'t supplied.');
  if (state.releases.some((one) => !one.draft && one.tag === tag)) return alreadyExists('Release', 'tag_name');
  const release = { id: state.nextId++, tag, name, body, draft: true, immutable: false, publishedAt: null, assets: [] };
  state.releases.push(release);
  if (!draft) publish(state, release);
  state.onChange(state.releases);
  return { status: 201, body: showRelease(release, state.origins, repository) };
}

function publish(state: State, release: HeldRelease): void {
  release.draft = false;
  release.immutable = state.options.immutable;
  release.publishedAt = `2026-11-21T12:00:${String(release.id % 60).padStart(2, '0')}Z`;
}

function changeRelease(state: State, asked: Asked, release: HeldRelease): Reply {
  if (asked.method === 'GET') return { status: 200, body: showRelease(release, state.origins, repository) };
  if (asked.method === 'DELETE') {
    state.releases.splice(state.releases.indexOf(release), 1);
    state.onChange(state.releases);
    return { status: 204 };
  }
  const { tag_name: tag, name, body, draft } = JSON.parse(asked.body.toString()) as ReleaseBody;
  if (body !== undefined && body.length > 125_000)
    return refused(422, 'body is too long (maximum is 125000 characters)');
  release.tag = tag ?? release.tag;
  release.name = name ?? release.name;
  release.body = body ?? release.body;
  if (draft === false && release.draft) {
    const isTaken = state.releases.some((one) => one !== release && !one.draft && one.tag === release.tag);
    if (isTaken) return alreadyExists('Release', 'tag_name');
    publish(state, release);
  }
  state.onChange(state.releases);
  return { status: 200, body: showRelease(release, state.origins, repository) };
}

function findAsset(state: State, id: number): readonly [HeldRelease, HeldAsset] | undefined {
  for (const release of state.releases) {
    const asset = release.assets.find((one) => one.id === id);
    if (asset !== undefined) return [release, asset];
  }
  return undefined;
}

function answerAsset(state: State, asked: Asked, id: number): Reply {
  const [release, asset] = findAsset(state, id) ?? [];
  if (release === undefined || asset === undefined) return refused(404, 'Not Found');
  if (asked.method === 'GET') {
    if (asked.headers.accept !== 'application/octet-stream') {
      return { status: 200, body: showAsset(asset, release, state.origins, repository) };
    }
    return toStorage(state, asset);
  }
  if (release.immutable) return refused(422, 'Cannot change assets of an immutable release.');
  if (asked.method === 'DELETE') {
    release.assets.splice(release.assets.indexOf(asset), 1);
    state.onChange(state.releases);
    return { status: 204 };
  }
  const { name } = JSON.parse(asked.body.toString()) as { name?: string };
  if (name !== undefined) {
    if (release.assets.some((one) => one !== asset && one.name === name)) return alreadyExists('ReleaseAsset', 'name');
    asset.name = tidy(name);
  }
  state.onChange(state.releases);
  return { status: 200, body: showAsset(asset, release, state.origins, repository) };
}

function answerBrowser(state: State, tag: string, name: string): Reply {
  const release = state.releases.find((one) => !one.draft && one.tag === tag);
  const asset = release?.assets.find((one) => one.name === name && one.state === 'uploaded');
  if (asset === undefined || state.options.isPrivate) return refused(404, 'Not Found');
  return toStorage(state, asset);
}

/** Addresses of the storage are signed, and other ones each time. */
function toStorage(state: State, { id }: HeldAsset): Reply {
  return { status: 302, headers: { location: `${state.origins.storage}/blobs/${id}?sig=${state.nextId++}` } };
}

function tidy(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '.');
}

function answerUpload(state: State, asked: Asked): Reply {
  const access = accessOf(state, asked);
  if (typeof access !== 'string') return access;
  const [, id] = new RegExp(`^${prefix}/(\\d+)/assets$`).exec(asked.url.pathname) ?? [];
  const release = state.releases.find((one) => String(one.id) === id);
  const name = asked.url.searchParams.get('name');
  if (release === undefined || asked.method !== 'POST') return refused(404, 'Not Found');
  if (asked.headers['content-length'] === undefined) return refused(411, 'Length Required');
  if (asked.headers['content-type'] === undefined || name === null) return refused(400, 'Bad Request');
  if (release.immutable) return refused(422, 'Cannot upload assets to an immutable release.');
  if (asked.body.length > state.options.mostBytes) {
    return refused(422, 'Validation Failed', [{ resource: 'ReleaseAsset', code: 'custom', field: 'size' }]);
  }
  if (release.assets.some((one) => one.name === tidy(name))) return alreadyExists('ReleaseAsset', 'name');
  if (release.assets.length >= 1000) return refused(422, 'Validation Failed', [{ code: 'custom', field: 'count' }]);
  const digestIn = state.options.lateDigests ? 1 : 0;
  const asset: HeldAsset = { id: state.nextId++, name: tidy(name), state: 'uploaded', data: asked.body, digestIn };
  release.assets.push(asset);
  state.onChange(state.releases);
  return { status: 201, body: showAsset(asset, release, state.origins, repository) };
}

function answerStorage(state: State, { method, url, headers }: Asked): Reply {
  // The real ones refuse a request that is signed twice.
  if (headers.authorization !== undefined) return refused(400, 'Only one auth mechanism allowed');
  const [, id] = /^\/blobs\/(\d+)$/.exec(url.pathname) ?? [];
  const found = findAsset(state, Number(id));
  if (found === undefined || method !== 'GET') return refused(404, 'BlobNotFound');
  const [, { data }] = found;
  const etag = `"0x${id}"`;
  const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  if (start === undefined || (headers['if-range'] ?? etag) !== etag) {
    return { status: 200, bytes: data, headers: { etag, 'content-length': String(data.length) } };
  }
  const range = `bytes ${start}-${data.length - 1}/${data.length}`;
  return { status: 206, bytes: data.subarray(Number(start)), headers: { etag, 'content-range': range } };
}
