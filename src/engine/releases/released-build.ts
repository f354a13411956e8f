import { join } from 'node:path';
import { IngotError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { Asset } from '../../host/github-types.ts';
import type { Entry } from '../../release/entry.ts';
import { contentsFile } from '../../run/finish.ts';
import { type FinishedBuild, manifestFile } from '../../store/artifacts.ts';
import { bringAsset, type Remote } from './remote.ts';
import { findAsset } from './remote-entries.ts';

type Released = { readonly entry: Entry; readonly assets: readonly Asset[] };
type Around = { readonly host: Host; readonly signal: AbortSignal; readonly folder: string };

/** What a release tells of a build, brought into a folder: all that `ingot diff` compares, not the images. */
export async function bringBuild(remote: Remote, { entry, assets }: Released, around: Around): Promise<FinishedBuild> {
  const { host, signal, folder } = around;
  for (const file of [manifestFile, contentsFile]) {
    const [wanted, ...others] = entry.files.find((one) => one.file === file)?.assets ?? [];
    const asset = wanted === undefined || others.length > 0 ? undefined : findAsset(assets, wanted);
    if (asset === undefined || wanted === undefined) {
      if (file === contentsFile) continue;
      throw new IngotError({ code: 'NOT_FOUND', message: `the release holds no manifest of ${entry.image}` });
    }
    await bringAsset(remote, asset, { to: join(folder, file), signal, sha256: wanted.sha256 });
  }
  return { folder, manifest: JSON.parse((await host.files.readText(join(folder, manifestFile))) ?? '') as Manifest };
}
