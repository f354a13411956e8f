import { join } from 'node:path';
import type { Arch } from '../core/arch.ts';

/** Where everything lies under INGOT_HOME; the layout that other tools may rely on is `artifacts/`. */
export type StorePaths = {
  readonly home: string;
  /** Layers by key, `layers/<key>/`. */
  readonly layers: string;
  /** Saved states of guests at rest, by image and architecture, `states/<image>-<arch>/<key>/`. */
  readonly states: string;
  /** Verified inputs by digest. */
  readonly inputs: string;
  /** What steps made once for all builds, by key. */
  readonly kept: string;
  /** Package files as they were downloaded. */
  readonly packages: string;
  /** What sources were pinned to, by source id. */
  readonly pins: string;
  /** Check results by artifact digest. */
  readonly checks: string;
  /** How earlier builds went, by image and architecture. */
  readonly history: string;
  /** One folder a build: events, console logs, ledger. */
  readonly builds: string;
  /** Unfinished work; nothing here outlives its build. */
  readonly work: string;
  readonly locks: string;
  /** The served tree. */
  readonly artifacts: string;
  /** The folder of it in which finished builds are put and looked for. */
  readonly shelf: Shelf;
};

/** Disks, ISOs that install by themselves, and folders to start an installation from over the network. */
export const shelves = ['images', 'isos', 'netboot'] as const;
export type Shelf = (typeof shelves)[number];

/** All paths of a home folder. */
export function storePaths(home: string): StorePaths {
  const store = join(home, 'store');
  return {
    home,
    layers: join(store, 'layers'),
    states: join(store, 'states'),
    inputs: join(store, 'inputs'),
    kept: join(store, 'kept'),
    packages: join(store, 'packages'),
    pins: join(store, 'pins'),
    checks: join(store, 'checks'),
    history: join(store, 'history'),
    work: join(store, 'work'),
    builds: join(home, 'builds'),
    locks: join(home, 'locks'),
    artifacts: join(home, 'artifacts'),
    shelf: 'images',
  };
}

/** The same home, for finished builds of another kind. */
export function onShelf(paths: StorePaths, shelf: Shelf): StorePaths {
  return { ...paths, shelf };
}

/** Where everything of the shelf lies. */
export function shelfFolder({ artifacts, shelf }: StorePaths): string {
  return join(artifacts, shelf);
}

/** The stable folder of an image: a link to its newest finished build. */
export function imageFolder(paths: StorePaths, image: string, arch: Arch): string {
  return join(shelfFolder(paths), image, arch);
}

/** Where finished builds of an image lie; `.builds` is not listed by web servers. */
export function buildsFolder(paths: StorePaths, image: string): string {
  return join(shelfFolder(paths), image, '.builds');
}
