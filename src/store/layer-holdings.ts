import { join } from 'node:path';
import { type Found, holdingsIn, namesIn } from './holding.ts';
import { type LayerRecord, readLayer } from './layers.ts';
import type { StorePaths } from './paths.ts';
import { readState } from './states.ts';

type StoredDisk = { readonly found: Found; readonly layer: LayerRecord | undefined };

/** All layers. One of blocks is of no use without those below it: it goes before them, and is a leftover where one is gone. */
export async function layers(paths: StorePaths): Promise<readonly Found[]> {
  const all = await holdingsIn(paths.layers, 'layer');
  const stored = await Promise.all(all.map(async (found) => ({ found, layer: await readLayer(paths, found.name) })));
  const byId = new Map(stored.flatMap((one) => (one.layer?.disk === undefined ? [] : [[one.layer.disk.id, one]])));
  const used = lastUses(stored, byId);
  return stored.map(({ found, layer }): Found => {
    const name = layer === undefined ? found.name : `${found.name.slice(0, 12)} ${layer.title}`;
    const what = isWhole(layer, byId) ? 'layer' : 'leftover';
    return { ...found, name, what, usedMs: used.get(found) ?? found.usedMs };
  });
}

/** Whether all that a layer of blocks lies on is there; one of a tree lies on nothing that has a name. */
function isWhole(layer: LayerRecord | undefined, byId: ReadonlyMap<string, StoredDisk>): boolean {
  const below = layer?.disk?.below;
  return below === undefined || (byId.has(below) && isWhole(byId.get(below)?.layer, byId));
}

/** When each was last used: just after those on top of it, since who uses them uses it. */
function lastUses(stored: readonly StoredDisk[], byId: ReadonlyMap<string, StoredDisk>): ReadonlyMap<Found, number> {
  const used = new Map(stored.map(({ found }) => [found, found.usedMs]));
  for (const { found, layer } of stored) {
    let after = found.usedMs;
    for (let below = byId.get(layer?.disk?.below ?? ''); below !== undefined; ) {
      after = Math.max(after + 1, used.get(below.found) ?? 0);
      used.set(below.found, after);
      below = byId.get(below.layer?.disk?.below ?? '');
    }
  }
  return used;
}

/** All saved states of guests. One rests on the very layer that was made with it, and is a leftover without that. */
export async function savedStates(paths: StorePaths): Promise<readonly Found[]> {
  const images = await namesIn(paths.states);
  const lists = images.map(async (image) => {
    const all = await holdingsIn(join(paths.states, image), 'saved state');
    return Promise.all(
      all.map(async (found): Promise<Found> => {
        const [state, layer] = await Promise.all([readState(found.path), readLayer(paths, found.name)]);
        const fits = state !== undefined && state.disk === layer?.disk?.id;
        const name = `${image} ${layer?.title ?? found.name.slice(0, 12)}`;
        return { ...found, name, what: fits ? 'saved state' : 'leftover' };
      }),
    );
  });
  return (await Promise.all(lists)).flat();
}
