import type { Host } from '../core/host.ts';

export type GitHubPlace = {
  /** `https://api.github.com`, or `https://HOST/api/v3` of GitHub Enterprise. */
  readonly api: string;
  readonly owner: string;
  readonly repo: string;
  readonly token: string | undefined;
};

export type Release = {
  readonly id: number;
  readonly tag: string;
  readonly body: string;
  readonly isDraft: boolean;
  /** Nothing in it can be changed any more. */
  readonly isImmutable: boolean;
  /** Its page. */
  readonly url: string;
  /** An RFC 6570 template. */
  readonly uploadUrl: string;
  /** ISO 8601 UTC. */
  readonly publishedAt?: string;
};

export type Asset = {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  /** Not what an upload that failed left behind. */
  readonly isWhole: boolean;
  /** Absent where GitHub does not tell it (yet). */
  readonly sha256?: string;
  /** Of the API: with a token, and `Accept: application/octet-stream`, it gives the bytes. */
  readonly apiUrl: string;
  /** For browsers, without a token. */
  readonly url: string;
};

export type ReleaseFields = {
  readonly tag?: string;
  readonly name?: string;
  readonly body?: string;
  readonly isDraft?: boolean;
  /** Whether `releases/latest` leads to it. */
  readonly isLatest?: boolean;
};

/** Bytes to upload: a piece of a file, or a short text. */
export type Upload = {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly from: { readonly file: string; readonly offset: number } | { readonly text: string };
};

/** How patient and how pressing the client is. */
export type Pace = {
  /** Between two requests that change something: GitHub asks for a second. */
  readonly gapMs: number;
  readonly backoffMs: number;
  /** Tries after the first. */
  readonly retries: number;
  /** An upload that takes no bytes for so long is given up. */
  readonly stallMs: number;
};

export type GitHubContext = {
  readonly host: Pick<Host, 'sleep' | 'now' | 'monotonic'>;
  readonly signal: AbortSignal;
  /** Why it is waiting or tries again. */
  readonly onTrouble: (why: string) => void;
};
