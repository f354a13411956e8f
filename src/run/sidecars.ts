import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { ArtifactFile, SidecarFile } from '../core/manifest.ts';
import type { Plan } from '../core/plan.ts';
import { refusedSidecar } from '../core/sidecars.ts';
import { withRoom } from '../core/space.ts';
import { layerSidecars } from '../store/layers.ts';
import type { StorePaths } from '../store/paths.ts';

/** Put the files that steps gave out, whose layers are all stored, beside the artifacts. Of two of one name the later counts. */
export async function placeSidecars(
  paths: StorePaths,
  plan: Plan,
  { folder, artifacts }: { readonly folder: string; readonly artifacts: readonly ArtifactFile[] },
  ctx: Context,
): Promise<readonly SidecarFile[]> {
  const names = artifacts.map(({ file }) => file);
  const found = new Map<string, string>();
  for (const step of plan.stages.flatMap((stage) => stage.steps)) {
    for (const [name, path] of await layerSidecars(paths, step.key ?? '')) {
      const refused = refusedSidecar(name, names);
      if (refused !== undefined) throw new IngotError({ code: 'SPEC_INVALID', message: `${step.title}: ${refused}` });
      found.set(name, path);
    }
  }
  const { files } = ctx.host;
  const placed = [...found].map(async ([file, path]): Promise<SidecarFile> => {
    const to = join(folder, file);
    const bytes = (await files.stat(path))?.size ?? 0;
    const copy = () => ctx.host.run({ argv: ['install', '-m', '0644', '--', path, to] }, { signal: ctx.signal });
    await withRoom(to, bytes, copy);
    return { file, bytes, sha256: await files.sha256(to, ctx.signal) };
  });
  return (await Promise.all(placed)).sort((a, b) => (a.file < b.file ? -1 : 1));
}
