import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Octokit } from '@octokit/rest';

type Repos = Octokit['rest']['repos'];
type RawRelease = Awaited<ReturnType<Repos['getRelease']>>['data'];
type RawAsset = Awaited<ReturnType<Repos['getReleaseAsset']>>['data'];

export type HeldAsset = {
  readonly id: number;
  name: string;
  /** `starter`: of an upload that failed; the official schema does not know it. */
  state: 'uploaded' | 'starter';
  data: Buffer;
  /** How many more times it is shown without its digest. */
  digestIn: number;
};

export type HeldRelease = {
  readonly id: number;
  tag: string;
  name: string;
  body: string;
  draft: boolean;
  immutable: boolean;
  publishedAt: string | null;
  /** Whether `releases/latest` leads to it, as it was last said. */
  isLatest: boolean;
  readonly assets: HeldAsset[];
};

export type Origins = { readonly api: string; readonly upload: string; readonly storage: string };
export type Repository = { readonly owner: string; readonly repo: string };

const someTime = '2026-11-21T12:00:00Z';
const someone = { login: 'me', id: 1 } as RawRelease['author'];

/** A release as GitHub's schema wants it: the compiler compares the two. */
export function showRelease(held: HeldRelease, origins: Origins, { owner, repo }: Repository): RawRelease {
  const base = `${origins.api}/repos/${owner}/${repo}/releases/${held.id}`;
  // A draft has no tag yet: its page has a name of chance.
  const page = held.draft ? `untagged-${held.id}` : held.tag;
  return {
    url: base,
    html_url: `${origins.api}/${owner}/${repo}/releases/tag/${page}`,
    assets_url: `${base}/assets`,
    upload_url: `${origins.upload}/repos/${owner}/${repo}/releases/${held.id}/assets{?name,label}`,
    tarball_url: null,
    zipball_url: null,
    id: held.id,
    node_id: `R_${held.id}`,
    tag_name: held.tag,
    target_commitish: 'main',
    name: held.name,
    body: held.body,
    draft: held.draft,
    prerelease: false,
    immutable: held.immutable,
    created_at: someTime,
    published_at: held.publishedAt,
    updated_at: someTime,
    author: someone,
    assets: held.assets.map((asset) => showAsset(asset, held, origins, { owner, repo })),
  };
}

export function showAsset(
  held: HeldAsset,
  release: HeldRelease,
  origins: Origins,
  { owner, repo }: Repository,
): RawAsset {
  const tag = release.draft ? `untagged-${release.id}` : release.tag;
  const isKnown = held.state === 'uploaded' && held.digestIn-- <= 0;
  return {
    url: `${origins.api}/repos/${owner}/${repo}/releases/assets/${held.id}`,
    browser_download_url: `${origins.api}/${owner}/${repo}/releases/download/${tag}/${held.name}`,
    id: held.id,
    node_id: `RA_${held.id}`,
    name: held.name,
    label: null,
    state: held.state as RawAsset['state'],
    content_type: 'application/octet-stream',
    size: held.data.length,
    digest: isKnown ? `sha256:${createHash('sha256').update(held.data).digest('hex')}` : null,
    download_count: 0,
    created_at: someTime,
    updated_at: someTime,
    uploader: someone,
  };
}

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

export type State = {
  readonly options: FakeOptions;
  origins: Origins;
  readonly releases: HeldRelease[];
  readonly faults: Fault[];
  readonly asked: string[];
  nextId: number;
  death: { left: number; readonly isDone: boolean } | undefined;
  onChange: (releases: readonly HeldRelease[]) => void;
};

export type Reply = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Buffer;
};
export type Asked = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

export const goodToken = 'ghp_CANARYcanaryCANARYcanary';
export const repository: Repository = { owner: 'me', repo: 'images' };
