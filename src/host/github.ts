import type { Octokit } from '@octokit/rest';
import { callsOf, usualPace } from './github-calls.ts';
import type { Asset, GitHubContext, GitHubPlace, Pace, Release, ReleaseFields, Upload } from './github-types.ts';
import { uploadAsset } from './github-upload.ts';

export type GitHub = ReturnType<typeof clientOf>;

/**
 * The releases of one repository, by the official client. Its plugins for retries are not used: they would send a body
 * again that is read already. Waits for GitHub's limits and tries again what may pass; the rest are IngotErrors.
 */
export async function openGitHub(place: GitHubPlace, context: GitHubContext, pace: Pace = usualPace): Promise<GitHub> {
  const [{ Octokit: Client }, { EnvHttpProxyAgent, fetch }] = await Promise.all([
    import('@octokit/rest'),
    import('undici'),
  ]);
  const dispatcher = new EnvHttpProxyAgent();
  const octokit = new Client({
    baseUrl: place.api,
    userAgent: 'ingot',
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ...(place.token === undefined ? {} : { auth: place.token }),
    // Node's own fetch takes no proxy from the environment.
    request: { fetch: (url: string, init: Parameters<typeof fetch>[1]) => fetch(url, { ...init, dispatcher }) },
  });
  return clientOf(octokit, { place, context, pace, close: () => dispatcher.destroy() });
}

type Around = {
  readonly place: GitHubPlace;
  readonly context: GitHubContext;
  readonly pace: Pace;
  readonly close: () => Promise<void>;
};

function clientOf(octokit: Octokit, { place, context, pace, close }: Around) {
  const { owner, repo } = place;
  const { signal } = context;
  const calls = callsOf(context, pace);
  const grace = graceAfter(signal);
  // What is begun here is brought to its end, or readers would be left with half of it.
  const acts = callsOf({ ...context, signal: grace.signal }, pace);
  const { repos } = octokit.rest;
  const at = { owner, repo, request: { signal } };
  const act = { owner, repo, request: { signal: grace.signal } };
  const releases = () =>
    calls.call(`the releases of ${owner}/${repo}`, async () =>
      (await octokit.paginate(repos.listReleases, { ...at, per_page: 100 })).map(releaseFrom),
    );
  const assets = (release: Pick<Release, 'id' | 'tag'>) =>
    calls.call(`the assets of ${release.tag}`, async () => {
      const all = await octokit.paginate(repos.listReleaseAssets, { ...at, release_id: release.id, per_page: 100 });
      return all.map(assetFrom);
    });
  const removeAsset = (asset: Pick<Asset, 'id' | 'name'>) =>
    acts.remove(`removing ${asset.name}`, () => repos.deleteReleaseAsset({ ...act, asset_id: asset.id }));
  return {
    async close(): Promise<void> {
      grace.end();
      await close();
    },
    /** All of them, the newest first; drafts only with a token that may write. */
    releases,
    assets,
    removeAsset,
    /** A draft. */
    create(tag: string, fields: ReleaseFields): Promise<Release> {
      let tried = false;
      return calls.change(`making the release ${tag}`, async () => {
        // Of a request that broke nobody knows whether it was done.
        const made = tried ? (await releases()).find((one) => one.isDraft && one.tag === tag) : undefined;
        tried = true;
        if (made !== undefined) return made;
        const { data } = await repos.createRelease({ ...at, ...fieldsOf(fields), tag_name: tag, draft: true });
        return releaseFrom(data);
      });
    },
    update: (release: Pick<Release, 'id' | 'tag'>, fields: ReleaseFields): Promise<Release> =>
      acts.change(`changing the release ${release.tag}`, async () =>
        releaseFrom((await repos.updateRelease({ ...act, ...fieldsOf(fields), release_id: release.id })).data),
      ),
    removeRelease: (release: Pick<Release, 'id' | 'tag'>): Promise<void> =>
      acts.remove(`removing the release ${release.tag}`, () => repos.deleteRelease({ ...act, release_id: release.id })),
    /** Without a pause before it: while names are turned, readers wait. */
    rename: (asset: Pick<Asset, 'id' | 'name'>, name: string): Promise<Asset> =>
      acts.call(`calling ${asset.name} ${name}`, async () =>
        assetFrom((await repos.updateReleaseAsset({ ...act, asset_id: asset.id, name })).data),
      ),
    upload: (release: Release, upload: Upload, onBytes: (sent: number) => void): Promise<Asset> =>
      uploadAsset(
        upload,
        {
          calls,
          signal,
          assets: () => assets(release),
          remove: removeAsset,
          async send(body, stop) {
            const { data } = (await octokit.request({
              method: 'POST',
              url: release.uploadUrl,
              name: upload.name,
              headers: { 'content-type': 'application/octet-stream', 'content-length': upload.bytes },
              // An empty stream would be sent without a length.
              data: upload.bytes === 0 ? '' : body,
              request: { signal: stop },
            })) as { readonly data: RawAsset };
            return assetFrom(data);
          },
        },
        onBytes,
      ),
  };
}

const graceMs = 30_000;

/** A signal that is aborted some time after another one. */
function graceAfter(signal: AbortSignal) {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => late.abort(signal.reason), graceMs);
  };
  if (signal.aborted) late.abort(signal.reason);
  else signal.addEventListener('abort', begin, { once: true });
  return {
    signal: late.signal,
    end: () => {
      signal.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
}

type RawRelease = Awaited<ReturnType<Octokit['rest']['repos']['getRelease']>>['data'];
type RawAsset = Awaited<ReturnType<Octokit['rest']['repos']['getReleaseAsset']>>['data'];

function releaseFrom(raw: RawRelease): Release {
  return {
    id: raw.id,
    tag: raw.tag_name,
    body: raw.body ?? '',
    isDraft: raw.draft,
    isImmutable: raw.immutable === true,
    url: raw.html_url,
    uploadUrl: raw.upload_url,
    ...(raw.published_at === null ? {} : { publishedAt: raw.published_at }),
  };
}

function assetFrom({ id, name, size, state, digest, url, browser_download_url: browserUrl }: RawAsset): Asset {
  const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(digest ?? '') ?? [];
  const told = sha256 === undefined ? {} : { sha256 };
  return { id, name, bytes: size, isWhole: state === 'uploaded', ...told, apiUrl: url, url: browserUrl };
}

function fieldsOf({ tag, name, body, isDraft, isLatest }: ReleaseFields) {
  return {
    ...(tag === undefined ? {} : { tag_name: tag }),
    ...(name === undefined ? {} : { name }),
    ...(body === undefined ? {} : { body }),
    ...(isDraft === undefined ? {} : { draft: isDraft }),
    ...(isLatest === undefined ? {} : { make_latest: isLatest ? ('true' as const) : ('false' as const) }),
  };
}
