import { join, relative } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Files } from '../core/host.ts';
import type { ImageSpec } from '../core/spec.ts';
import type { BootedGuest } from './guest/boot-guest.ts';
import { runInGuest } from './guest/guest-work.ts';
import { projectFolder } from './root-shell.ts';
import type { Workshop } from './workshop.ts';

/** More than this of a project is not copied into the memory of a guest. */
const mostBytes = 64 * 1024 * 1024;

type Argv = readonly [string, ...string[]];

/** The size of parts of a project, in the last line. */
export function sizeArgv(root: string, parts: readonly string[], aside: readonly string[]): Argv {
  const without = aside.map((path) => `--exclude=${join(root, path)}`);
  return ['du', '-cs', '-B1', '--apparent-size', ...without, '--', ...parts.map((part) => join(root, part))];
}

/** A tar of parts of a project, as root's. */
export function packArgv(root: string, file: string, parts: readonly string[], aside: readonly string[]): Argv {
  const options = ['--format=pax', '--owner=0', '--group=0', '--numeric-owner', '--anchored'];
  const without = aside.map((path) => `--exclude=./${path}`);
  return ['tar', ...options, ...without, '-C', root, '-cf', file, '--', ...parts.map((part) => `./${part}`)];
}

type Lending = { readonly workshop: Workshop; readonly spec: ImageSpec; readonly folder: string };

/**
 * Put a copy of the project's files into a guest: in memory and read-only. Of a large project only what the image's
 * own steps name. `folder`: for work files.
 */
export async function lendProject(guest: BootedGuest, lending: Lending, ctx: Context): Promise<void> {
  const { host, signal } = ctx;
  const { root } = lending.workshop;
  const { parts, aside } = await choose(lending, ctx);
  const file = join(lending.folder, 'project.tar');
  if (parts.length > 0) await host.run({ argv: packArgv(root, file, parts, aside) }, { signal });
  const stdin = parts.length > 0 ? bytesOf(file, host.files) : '';
  await runInGuest(guest, { name: "copying the project's files", text: unpackText(parts.length > 0) }, { stdin });
}

/** All of the project but its history and the store, where that is in it; less where that is too much. */
async function choose({ workshop, spec }: Lending, ctx: Context) {
  const { root, kinds, paths } = workshop;
  const home = relative(root, paths.home);
  const aside = ['.git', ...(home.startsWith('..') ? [] : [home])];
  const named = spec.steps.flatMap((use) => kinds.steps.get(use.kind)?.files?.(use.options) ?? []);
  const limit = `${mostBytes / 1024 ** 2} MiB`;
  if (await isSmall(root, ['.'], aside, ctx)) return { parts: ['.'], aside };
  const some = (await isSmall(root, named, aside, ctx)) ? named : [];
  const what = some.length > 0 ? `only what the steps of ${spec.name} name` : 'nothing of it';
  ctx.emit({ type: 'warning', message: `the project has more than ${limit}: ${what} is copied into the guest` });
  return { parts: [...new Set(some)], aside };
}

async function isSmall(root: string, parts: readonly string[], aside: readonly string[], ctx: Context) {
  if (parts.length === 0) return true;
  const { stdout } = await ctx.host.run({ argv: sizeArgv(root, parts, aside) }, { signal: ctx.signal });
  return Number.parseInt(stdout.trimEnd().split('\n').at(-1) ?? '', 10) <= mostBytes;
}

function unpackText(some: boolean): string {
  return `set -eu
umask 022
mkdir -p ${projectFolder}
mount -t tmpfs -o mode=0755,size=100% ingot ${projectFolder}
${some ? `tar -x --no-same-owner -C ${projectFolder}` : ':'}
mount -o remount,ro ${projectFolder}
`;
}

const chunkBytes = 1024 * 1024;

async function* bytesOf(path: string, files: Files): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; offset += chunkBytes) {
    const bytes = await files.read(path, { offset, length: chunkBytes });
    if (bytes.length > 0) yield bytes;
    if (bytes.length < chunkBytes) return;
  }
}
