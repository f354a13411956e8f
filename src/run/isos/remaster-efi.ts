import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { BootEntry } from '../../iso/boot-line.ts';
import type { EfiImage, IsoFacts } from '../../iso/facts.ts';
import { editGrub } from '../../iso/grub.ts';

export type EditedEfi =
  | { readonly from: string; readonly path: string }
  | { readonly from: string; readonly partition: number; readonly type: string };

/**
 * A copy of the file system that UEFI starts from, with its menus changed. Undefined where there is none, or its menus only
 * lead to those of the ISO.
 */
export async function editEfi(
  request: {
    readonly iso: string;
    readonly facts: IsoFacts;
    readonly entry: BootEntry;
    readonly folder: string;
  },
  ctx: Context,
): Promise<EditedEfi | undefined> {
  const { iso, facts, entry, folder } = request;
  const { efi } = facts;
  if (efi === undefined) return undefined;
  const image = `${iso}@@${efi.offset}`;
  const edited = await editedMenus(image, entry, folder, ctx);
  if (edited.length === 0) return undefined;
  const from = join(folder, 'efi.img');
  await takeOut(iso, efi, from, ctx);
  for (const { path, file } of edited) await putBack({ path, file, from, facts }, ctx);
  return 'path' in efi ? { from, path: efi.path } : { from, partition: efi.partition, type: efi.type };
}

type Menu = { readonly path: string; readonly file: string };

async function editedMenus(image: string, entry: BootEntry, folder: string, ctx: Context): Promise<readonly Menu[]> {
  const paths = (await filesIn(image, ctx)).filter((path) => /\/grub\.cfg$/i.test(path));
  const found: Menu[] = [];
  for (const [index, path] of paths.entries()) {
    const file = join(folder, `efi-${index}.cfg`);
    await mtools(['mcopy', '-n', '-i', image, path, file], ctx);
    const text = (await ctx.host.files.read(file)).toString('latin1');
    const edited = editGrub(text, entry);
    if (edited === undefined) continue;
    await ctx.host.files.write(file, Buffer.from(edited, 'latin1'), 0o600);
    found.push({ path, file });
  }
  return found;
}

/** Paths as mtools writes them; it takes an empty file system for a missing one. */
async function filesIn(image: string, { host, signal }: Context): Promise<readonly string[]> {
  const argv = ['mdir', '-/', '-b', '-i', image, '::/'] as const;
  const { exitCode, stdout, stderr } = await host.run({ argv, env: mtoolsEnv }, { signal, ok: [0, 1] });
  if (exitCode === 0) return stdout.split('\n');
  if (stderr.includes('not found')) return [];
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: 'the file system that UEFI starts from cannot be read',
    detail: stderr.split('\n').slice(-5),
  });
}

async function takeOut(iso: string, { offset, bytes }: EfiImage, to: string, { host, signal }: Context): Promise<void> {
  const range = [`skip=${offset}`, `count=${bytes}`, 'iflag=skip_bytes,count_bytes', 'bs=1M'];
  await host.run({ argv: ['dd', `if=${iso}`, `of=${to}`, ...range, 'status=none'] }, { signal });
}

async function putBack(
  { path, file, from, facts }: Menu & { readonly from: string; readonly facts: IsoFacts },
  ctx: Context,
): Promise<void> {
  await ctx.host.run({ argv: ['touch', '-d', `@${facts.epoch}`, '--', file] }, { signal: ctx.signal });
  try {
    await mtools(['mcopy', '-o', '-m', '-i', from, file, path], ctx, facts.epoch);
  } catch (error) {
    if (!(error instanceof IngotError) || !error.detail.some((line) => /disk full/i.test(line))) throw error;
    const message = `the file system that UEFI starts from has no room for a longer ${path.replace('::', '')}`;
    throw new IngotError({ code: 'INPUT_REFUSED', message, hint: 'shorten `kernel-args`', cause: error });
  }
}

// Vendors' file systems have sizes that mtools finds odd.
const mtoolsEnv = { MTOOLS_SKIP_CHECK: '1', TZ: 'UTC' } as const;

async function mtools(argv: readonly [string, ...string[]], ctx: Context, epoch = 0): Promise<string> {
  const env = { ...mtoolsEnv, SOURCE_DATE_EPOCH: String(epoch) };
  return (await ctx.host.run({ argv, env }, { signal: ctx.signal })).stdout;
}
