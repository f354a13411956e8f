import { dirname, join, resolve } from 'node:path';
import type { CreateRequest } from '../cli/requests/upkeep.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';

/** Write the files of a new project into a folder that is new or empty; gives its absolute path. */
export async function createProject(request: CreateRequest, cwd: string, { files }: Host): Promise<string> {
  const folder = resolve(cwd, request.folder);
  const stat = await files.stat(folder);
  const isEmpty = stat === undefined || (stat.kind === 'directory' && (await files.list(folder)).length === 0);
  if (!isEmpty) {
    const hint = 'name a folder that is new or empty';
    throw new IngotError({ code: 'USAGE', message: `${folder} is there already and not empty`, hint });
  }
  for (const [path, text] of Object.entries(request.files)) {
    const file = join(folder, path);
    await files.makeDirectory(dirname(file), 0o755);
    await files.write(file, text, text.startsWith('#!') ? 0o755 : 0o644);
  }
  return folder;
}
