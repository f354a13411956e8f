import {
  type Asked,
  goodToken,
  type HeldAsset,
  type HeldRelease,
  type Reply,
  repository,
  type State,
  showAsset,
  showRelease,
} from './fake-github-data.ts';

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

/** What the API answers, and the addresses for browsers. */
export function answerApi(state: State, asked: Asked): Reply {
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

type ReleaseBody = { tag_name?: string; name?: string; body?: string; draft?: boolean; make_latest?: string };

function createRelease(state: State, asked: Asked): Reply {
  const { tag_name: tag, name = '', body = '', draft = false } = JSON.parse(asked.body.toString()) as ReleaseBody;
  if (tag === undefined) return refused(422, 'Invalid request. "tag_name" wasn\'t supplied.');
  if (state.releases.some((one) => !one.draft && one.tag === tag)) return alreadyExists('Release', 'tag_name');
  const release = {
    id: state.nextId++,
    tag,
    name,
    body,
    draft: true,
    immutable: false,
    publishedAt: null,
    isLatest: false,
    assets: [],
  };
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
  const { tag_name: tag, name, body, draft, make_latest: latest } = JSON.parse(asked.body.toString()) as ReleaseBody;
  if (body !== undefined && body.length > 125_000)
    return refused(422, 'body is too long (maximum is 125000 characters)');
  release.tag = tag ?? release.tag;
  release.name = name ?? release.name;
  release.body = body ?? release.body;
  if (latest !== undefined) release.isLatest = latest === 'true';
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

/** What the server for uploads answers. */
export function answerUpload(state: State, asked: Asked): Reply {
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

/** What the storage answers, to which both send people. */
export function answerStorage(state: State, { method, url, headers }: Asked): Reply {
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
