import { join } from 'node:path';
import { projectFolder } from '../../cli/place.ts';
import type { ReleasePlace } from '../../cli/requests/release.ts';
import { IngotError, SpecError } from '../../core/errors.ts';
import { isApiAddress, repositoryPattern } from '../../core/repository.ts';
import { secretNames } from '../../core/secrets.ts';
import { fetchFile } from '../../host/fetch.ts';
import { type GitHub, openGitHub } from '../../host/github.ts';
import type { Asset, Release } from '../../host/github-types.ts';
import { readDocument } from '../../spec/document.ts';
import { Problems } from '../../spec/problems.ts';
import { readReleaseSettings } from '../../spec/read-project.ts';
import type { ReleaseSettings } from '../../spec/settings.ts';
import { type Ground, secretsFrom } from '../site.ts';

/** The releases of a repository, as this run may see them. */
export type Remote = {
  readonly github: GitHub;
  /** `owner/name`. */
  readonly repository: string;
  /** Its address for browsers. */
  readonly web: string;
  /** Who fetches needs none where the repository is public. */
  readonly hasToken: boolean;
  /** How an asset is fetched: its address, and what is said to that server alone. */
  source(asset: Asset): { readonly url: string; readonly headers: Readonly<Record<string, string>> };
};

export type RemoteContext = {
  readonly signal: AbortSignal;
  /** Why it waits or tries again. */
  readonly onTrouble: (why: string) => void;
};

const publicApi = 'https://api.github.com';

/** Do something with the releases that flags or `ingot.yaml` name. */
export async function withRemote<T>(
  ground: Ground,
  said: ReleasePlace,
  context: RemoteContext,
  action: (remote: Remote) => Promise<T>,
): Promise<T> {
  const settings = await settingsOf(ground);
  const repository = said.repository ?? settings.repository;
  const api = (said.api ?? settings.api ?? publicApi).replace(/\/+$/, '');
  if (repository === undefined) throw noRepository();
  if (!repositoryPattern.test(repository)) {
    const message = `${JSON.stringify(repository)} is not the name of a repository`;
    throw new IngotError({ code: 'USAGE', message, hint: 'it is like owner/name' });
  }
  if (!isApiAddress(api)) {
    throw new IngotError({ code: 'USAGE', message: `the address of the API must be https: ${api}` });
  }
  const token = tokenOf(settings, ground);
  const [owner = '', repo = ''] = repository.split('/');
  const github = await openGitHub({ api, owner, repo, token }, { host: ground.host, ...context });
  try {
    return await action({
      github,
      repository,
      web: `${webOf(api)}/${repository}`,
      hasToken: token !== undefined,
      source: ({ apiUrl, url }) =>
        token === undefined
          ? { url, headers: {} }
          : { url: apiUrl, headers: { authorization: `token ${token}`, accept: 'application/octet-stream' } },
    });
  } finally {
    await github.close();
  }
}

/** What `ingot.yaml` says; nothing where there is no project. */
async function settingsOf({ host, place, cwd }: Ground): Promise<ReleaseSettings> {
  const isFile = async (path: string) => (await host.files.stat(path))?.kind === 'file';
  const root = await projectFolder(place, { env: host.env, cwd, isFile }).catch((error: unknown) => {
    if (place.project !== undefined) throw error;
    return undefined;
  });
  if (root === undefined) return {};
  const path = join(root, 'ingot.yaml');
  const problems = new Problems();
  const settings = readReleaseSettings(
    readDocument('ingot.yaml', path, (await host.files.readText(path)) ?? ''),
    problems,
  );
  if (problems.size > 0) throw new SpecError(problems.sorted());
  return settings;
}

/** Whether `ingot.yaml` names a repository for releases. */
export async function hasRepository(ground: Ground): Promise<boolean> {
  return (await settingsOf(ground)).repository !== undefined;
}

function noRepository(): IngotError {
  const hint = 'write `release: { repository: owner/name }` into ingot.yaml, or give --repository owner/name';
  return new IngotError({ code: 'USAGE', message: 'no repository is named whose releases are meant', hint });
}

function tokenOf({ token }: ReleaseSettings, { host }: Ground): string | undefined {
  const [secret] = secretNames(token ?? '');
  if (secret !== undefined) return secretsFrom(host.env)(secret);
  return [host.env['GH_TOKEN'], host.env['GITHUB_TOKEN']].find((value) => value !== undefined && value !== '');
}

/** Browsers see GitHub Enterprise at its root, the API below it. */
function webOf(api: string): string {
  return api === publicApi ? 'https://github.com' : new URL(api).origin;
}

/** Fails with AUTH where there is no token to change anything with. */
export function requireToken({ hasToken }: Remote): void {
  if (hasToken) return;
  const hint = 'set GITHUB_TOKEN to a token that may write to the contents of the repository';
  throw new IngotError({ code: 'AUTH', message: 'there is no token for GitHub', hint });
}

/** The release of a tag; else a draft that is to become it, the newest. */
export async function findRelease({ github }: Remote, tag: string): Promise<Release | undefined> {
  const same = (await github.releases()).filter((one) => one.tag === tag);
  return same.find(({ isDraft }) => !isDraft) ?? same[0];
}

/** Lists and notes are small. */
const mostTextBytes = 64 * 1024 * 1024;

export type Bringing = {
  readonly to: string;
  readonly signal: AbortSignal;
  readonly sha256?: string;
  readonly maxBytes?: number;
  readonly onProgress?: (done: number, total: number | undefined) => void;
  readonly onRetry?: (why: string) => void;
};

/** Bring an asset to a path, whole or not at all; a download that broke goes on. */
export async function bringAsset(remote: Remote, asset: Asset, bringing: Bringing): Promise<void> {
  const { sha256, ...rest } = bringing;
  const digest = sha256 ?? asset.sha256;
  await fetchFile({
    ...remote.source(asset),
    ...rest,
    ...(digest === undefined ? {} : { digest: { sha256: digest } }),
  });
}

/** The text of a small asset. */
export async function readAsset(
  remote: Remote,
  asset: Asset,
  { host, signal }: Pick<Ground, 'host'> & { readonly signal: AbortSignal },
): Promise<string> {
  return host.withTemporary(async (folder) => {
    const to = join(folder, 'asset');
    await bringAsset(remote, asset, { to, signal, maxBytes: mostTextBytes });
    return (await host.files.readText(to)) ?? '';
  });
}
