import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from '../core/arch.ts';
import { moveFolder } from './durable.ts';
import type { StorePaths } from './paths.ts';

/** Whose guest it was, and the key of the layer that its disk rested at. */
export type StateId = { readonly image: string; readonly arch: Arch; readonly key: string };

/** A guest's memory and devices at rest. Only an accelerator: whoever cannot use it boots from the layer. */
export type SavedState = {
  /** Where the state and what is needed to get in lie. */
  readonly folder: string;
  /** What machine it fits. */
  readonly shape: string;
  /** The id of the layer that it rests on: under the same key another may have taken its place since. */
  readonly disk: string;
  /** The kernel that ran in it, as far as it is known. */
  readonly kernel?: string;
  /** Whether it was booted by its kernel directly. */
  readonly direct?: boolean;
};

type Record = Omit<SavedState, 'folder'> & { readonly schemaVersion: 1; readonly bytes: number };

const record = 'state.json';

/** Where a guest's state goes in its folder. */
export function stateFile(folder: string): string {
  return join(folder, 'state.zst');
}

/** A saved state, marked as used now; undefined when there is none or it is not whole. */
export async function findState(paths: StorePaths, id: StateId, nowMs: number): Promise<SavedState | undefined> {
  const folder = join(statesOf(paths, id), id.key);
  const state = await readState(folder);
  if (state === undefined) return undefined;
  await utimes(join(folder, record), nowMs / 1000, nowMs / 1000).catch(() => undefined);
  return state;
}

/** What lies in a state's folder, without using it; undefined when it is not whole. */
export async function readState(folder: string): Promise<SavedState | undefined> {
  try {
    const { bytes, schemaVersion: _, ...state } = JSON.parse(await readFile(join(folder, record), 'utf8')) as Record;
    return (await stat(stateFile(folder))).size === bytes ? { ...state, folder } : undefined;
  } catch {
    return undefined;
  }
}

/** Keep a state; of the same image only those at the layers `beside` stay with it. Nothing is lost where it cannot be kept. */
export async function keepState(
  paths: StorePaths,
  id: StateId,
  { folder, ...state }: SavedState,
  beside: readonly string[],
): Promise<void> {
  const { size } = await stat(stateFile(folder));
  const text = JSON.stringify({ schemaVersion: 1, ...state, bytes: size } satisfies Record);
  await writeFile(join(folder, record), text);
  await dropState(paths, id);
  await moveFolder(folder, join(statesOf(paths, id), id.key));
  const wanted = new Set([id.key, ...beside]);
  for (const key of await readdir(statesOf(paths, id))) if (!wanted.has(key)) await dropState(paths, { ...id, key });
}

/** Forget a state. */
export async function dropState(paths: StorePaths, id: StateId): Promise<void> {
  await rm(join(statesOf(paths, id), id.key), { recursive: true, force: true });
}

function statesOf(paths: StorePaths, { image, arch }: StateId): string {
  return join(paths.states, `${image}-${arch}`);
}
