import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, type Listening, listen } from '../../src/host/listen.ts';
import { answer } from '../../src/serve/answers.ts';
import { manifestText, publishBuild } from '../../src/store/artifacts.ts';
import { type StorePaths, storePaths } from '../../src/store/paths.ts';
import { publishFile } from '../../src/store/publish-file.ts';
import { openServedTree } from '../../src/store/served-tree.ts';
import { manifestOf } from './manifests.ts';

const never = new AbortController().signal;
export const token = 'a token of thirty two characters'.replaceAll(' ', '-');
/** What lies outside of the served tree, and must never be sent. */
export const canary = 'CANARY-outside-of-the-tree';

export const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

/** A home on the disk, with files around the served tree that nobody may get. */
export async function makeHome(): Promise<StorePaths> {
  const home = await mkdtemp(join(tmpdir(), 'ingot-served-'));
  const paths = storePaths(home);
  await mkdir(paths.artifacts, { recursive: true });
  await writeFile(join(home, 'secret'), canary);
  await mkdir(join(paths.artifacts, 'files'));
  await symlink(join(home, 'secret'), join(paths.artifacts, 'files', 'absolute'));
  await symlink('../../secret', join(paths.artifacts, 'files', 'relative'));
  await symlink('../..', join(paths.artifacts, 'files', 'above'));
  await writeFile(join(paths.artifacts, '.hidden'), canary);
  return paths;
}

export async function removeHome({ home }: StorePaths): Promise<void> {
  await rm(home, { recursive: true });
}

/** Publish a build of an image whose one disk has the given bytes. */
export async function putBuild(paths: StorePaths, build: string, disk: Uint8Array, image = 'web'): Promise<void> {
  const file = `${image}.qcow2`;
  const artifacts = [{ file, format: 'qcow2', bytes: disk.length, sha256: sha256(disk) }];
  const manifest = manifestOf(build, {
    ...{ image, key: build, builtAt: '2026-11-21T12:00:00Z', artifacts },
    ...{ description: 'a web server', system: { ID: 'debian', VERSION_ID: '13' } },
  });
  const staged = join(paths.work, build);
  await mkdir(staged, { recursive: true });
  await writeFile(join(staged, file), disk);
  await writeFile(join(staged, `${file}.sha256`), `${sha256(disk)}  ${file}\n`);
  await writeFile(join(staged, 'manifest.json'), manifestText(manifest));
  await publishBuild(paths, staged, manifest, never);
}

export async function putFile(paths: StorePaths, as: string, data: string | Uint8Array): Promise<void> {
  await publishFile(paths, { as, bytes: piecesOf(Buffer.from(data)) }, never);
}

async function* piecesOf(data: Buffer): AsyncIterable<Uint8Array> {
  yield data;
}

export type Server = Listening & { readonly port: number; readonly accesses: Access[]; readonly errors: unknown[] };

/** The artifact service on a free port of loopback. */
export async function serveHome(
  paths: StorePaths,
  limits: NonNullable<Parameters<typeof listen>[0]['limits']> = {},
): Promise<Server> {
  const serving = {
    tree: openServedTree(paths.artifacts),
    names: new Set(['localhost']),
    token,
    publish: (file: Parameters<typeof publishFile>[1], signal: AbortSignal) => publishFile(paths, file, signal),
  };
  const accesses: Access[] = [];
  const errors: unknown[] = [];
  const listening = await listen({
    at: { host: '127.0.0.1', port: 0 },
    answer: (asked) => answer(serving, asked),
    onAccess: (access) => accesses.push(access),
    onError: (error) => errors.push(error),
    limits,
  });
  return { ...listening, port: listening.address.port, accesses, errors };
}
