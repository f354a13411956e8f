import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { IngotError } from '../../core/errors.ts';
import { digest } from '../../core/keys.ts';
import type { StepContext } from '../../core/kinds.ts';
import { fileBytes } from '../image-files.ts';
import { packTar } from '../tar.ts';
import { installedFolder, privateEnvironment } from './command.ts';
import { type Requirements, readRequirements } from './requirements.ts';

export type InstallRequest = {
  /** The requirements file, a path of the project. */
  readonly requirements: string;
  /** Paths of the project whose bytes count for the step. */
  readonly counted: readonly string[];
};

/** Have the roles and collections of a requirements file in the work folder; installed once for all builds. */
export async function installRequirements({ requirements, counted }: InstallRequest, ctx: StepContext): Promise<void> {
  const { host, signal } = ctx;
  const text = await host.files.readText(ctx.projectFile(requirements));
  if (text === undefined)
    throw new IngotError({ code: 'NOT_FOUND', message: `there is no file ${requirements} in the project` });
  const wanted = readRequirements(text);
  if (wanted === undefined) throw refused(requirements, 'is no list of roles and no map with roles or collections');
  const local = wanted.local.map((path) => locate(path, { requirements, counted }));
  tellLoose(requirements, wanted, ctx);
  const digests = await Promise.all(local.map((path) => digestLocal(ctx.projectFile(path), ctx)));
  const key = digest({ version: 1, text, local: digests });
  const folder = installedFolder(ctx);
  const packed = await ctx.keep(key, async (file) => {
    await runGalaxy(requirements, wanted, ctx);
    await host.run({ argv: ['tar', '-cf', file, '-C', folder, '.'] }, { signal });
  });
  await host.files.makeDirectory(folder, 0o700);
  await host.run({ argv: ['tar', '-xf', packed, '-C', folder] }, { signal });
}

/** A path as the requirements file has it, as one of the project; only such a one that counts for the step. */
function locate(path: string, { requirements, counted }: InstallRequest): string {
  const inProject = path.startsWith('/') ? undefined : join(dirname(requirements), path);
  const isCounted = (one: string) => inProject === one || inProject?.startsWith(`${one}/`) === true;
  if (inProject !== undefined && counted.some(isCounted)) return inProject.replace(/\/$/, '');
  throw refused(
    requirements,
    `names ${path}, and a change there would not be seen`,
    inProject === undefined || inProject.startsWith('..')
      ? 'move it into the project and name it by a relative path'
      : `add ${inProject} to \`files\` of the step`,
  );
}

function refused(file: string, why: string, hint?: string): IngotError {
  return new IngotError({ code: 'SPEC_INVALID', message: `${file} ${why}`, ...(hint === undefined ? {} : { hint }) });
}

function tellLoose(file: string, { loose }: Requirements, { emit }: StepContext): void {
  if (loose.length === 0) return;
  emit({
    type: 'warning',
    message: `${file} names no exact version of ${loose.join(', ')}`,
    hint: 'give each a version, so that every build everywhere gets the same',
  });
}

async function digestLocal(path: string, { host }: StepContext): Promise<string> {
  const { files } = host;
  const real = await files.realPath(path).catch(() => undefined);
  if (real === undefined) throw new IngotError({ code: 'NOT_FOUND', message: `there is no file or folder ${path}` });
  const isFolder = (await files.stat(real))?.kind === 'directory';
  const hash = createHash('sha256');
  const bytes = isFolder ? packTar({ folder: real, owner: 'root:root', mode: '0644' }, files) : fileBytes(files, real);
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

/** Relative paths in the file are looked for from where ansible-galaxy is run. */
async function runGalaxy(requirements: string, wanted: Requirements, ctx: StepContext): Promise<void> {
  const path = ctx.projectFile(requirements);
  const folder = installedFolder(ctx);
  const env = privateEnvironment(ctx, ctx.host.env);
  const onLine = (line: string) => ctx.emit({ type: 'log', id: ctx.step, line });
  const run = (...words: string[]) =>
    ctx.host.run({ argv: ['ansible-galaxy', ...words], env, cwd: dirname(path) }, { signal: ctx.signal, onLine });
  await ctx.host.files.makeDirectory(folder, 0o700);
  if (wanted.roles) await run('role', 'install', `--role-file=${path}`, `--roles-path=${join(folder, 'roles')}`);
  if (wanted.collections)
    await run('collection', 'install', `--requirements-file=${path}`, `--collections-path=${folder}`);
}
