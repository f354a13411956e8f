import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { TreeSession } from '../core/kinds.ts';
import type { Filesystem } from '../core/spec.ts';
import { biosBoot, type Loader, loaderScript, type Platform, parseLoader, platforms } from './boot.ts';
import { clampTimes, listContents } from './layers.ts';
import { type Layout, type Partition, sectorBytes, sfdiskScript } from './layout.ts';

export type DiskRequest = {
  readonly layout: Layout;
  readonly filesystem: Filesystem;
  /** Seconds since 1970; the time of everything written. */
  readonly epoch: number;
  /** The raw disk to write, sparse, and a folder for work files; both paths of the build machine. */
  readonly disk: string;
  readonly folder: string;
};

/**
 * Make a raw disk that boots under every firmware of the architecture from the sealed tree, without root or loop devices;
 * gives the list of what it holds, see `listContents`.
 */
export async function assembleDisk(tree: TreeSession, request: DiskRequest, ctx: Context): Promise<string> {
  const loader = await makeLoader(tree, request);
  await partition(request, ctx);
  await writeEsp(tree, request, loader, ctx);
  const { bios } = request.layout;
  if (bios !== undefined) await writeBiosBoot(tree, { ...request, bios }, loader, ctx);
  // Running the image's own GRUB touched folders of the tree.
  await clampTimes(tree, request.epoch);
  // No script runs in the tree any more, so nothing comes and goes while it is listed.
  const [contents] = await Promise.all([listContents(tree), fillRoot[request.filesystem](tree, request)]);
  return contents;
}

async function makeLoader(tree: TreeSession, { layout, filesystem }: DiskRequest): Promise<Loader> {
  const loader = parseLoader(await tree.work.read(loaderScript(tree.arch, layout.rootUuid, filesystem)));
  const missing = loader.missing.join(', ');
  if (missing === '') return loader;
  throw new IngotError({
    code: 'STEP_FAILED',
    message: `the image has no boot loader: ${missing} missing`,
    hint: `add \`- packages: [${missing}]\` to its steps, or let the source choose a kernel`,
  });
}

async function partition(request: DiskRequest, ctx: Context): Promise<void> {
  const { signal, host } = ctx;
  await host.run({ argv: ['truncate', '-s', String(request.layout.bytes), request.disk] }, { signal });
  const argv = ['sfdisk', '--quiet', '--no-reread', '--no-tell-kernel', request.disk] as const;
  await host.run({ argv }, { signal, stdin: sfdiskScript(request.layout) });
}

type Fill = (tree: TreeSession, request: DiskRequest) => Promise<void>;

/** How each file system is filled from a folder without being mounted. */
const fillRoot: Readonly<Record<Filesystem, Fill>> = { ext4: fillExt4, btrfs: fillBtrfs, xfs: fillXfs };

/** mke2fs(8) fills it in order of names; the change and access times it copies from the folder are then set by debugfs(8). */
async function fillExt4(tree: TreeSession, { layout, disk, epoch }: DiskRequest): Promise<void> {
  const offset = layout.root.start * sectorBytes;
  const blocks = (layout.root.sectors * sectorBytes) / 4096;
  const env = { SOURCE_DATE_EPOCH: String(epoch), E2FSPROGS_FAKE_TIME: String(epoch) };
  const extended = `hash_seed=${layout.rootUuid},lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0,offset=${offset}`;
  const features = '^orphan_file,^metadata_csum_seed';
  const make = [
    'mke2fs',
    '-q',
    '-F',
    '-t',
    'ext4',
    '-b',
    '4096',
    '-L',
    'root',
    '-U',
    layout.rootUuid,
    '-m',
    '1',
  ] as const;
  await tree.run({ argv: [...make, '-O', features, '-E', extended, '-d', tree.root, disk, String(blocks)], env }, {});
  const count = 'find "$0" -mindepth 1 -printf \'%i\\n\' | sort -u | wc -l';
  const used = Number((await tree.run({ argv: ['sh', '-c', count, tree.root] }, quiet)).stdout);
  // The root is inode 2, lost+found 11 (the first that is not reserved), then the tree's own in the order of filling.
  const inodes = [2, ...Array.from({ length: used + 1 }, (_, index) => index + 11)];
  const commands = inodes.flatMap((inode) =>
    ['atime', 'ctime', 'crtime'].map((field) => `sif <${inode}> ${field} @${epoch}`),
  );
  // Not by /dev/stdin, which cannot be opened when it is a socket.
  const script = 'cat > "$0/times" && debugfs -w -f "$0/times" "$1" && rm "$0/times"';
  const argv = ['sh', '-c', script, tree.scratch, `${disk}?offset=${offset}`] as const;
  await tree.run({ argv, env }, { ...quiet, stdin: `${commands.join('\n')}\n` });
}

async function fillBtrfs(tree: TreeSession, request: DiskRequest): Promise<void> {
  const file = `${request.folder}/root.btrfs`;
  const bytes = String(request.layout.root.sectors * sectorBytes);
  await tree.run({ argv: ['truncate', '-s', bytes, file] }, {});
  const make = ['mkfs.btrfs', '-q', '-L', 'root', '-U', request.layout.rootUuid, '--rootdir', tree.root, file] as const;
  await tree.run({ argv: make, env: { SOURCE_DATE_EPOCH: String(request.epoch) } }, {});
  await place(tree, file, request.layout.root, request.disk);
}

/** mkfs.xfs(8) reads a prototype: a listing of the tree with modes, owners and the files' places. */
async function fillXfs(tree: TreeSession, request: DiskRequest): Promise<void> {
  const file = `${request.folder}/root.xfs`;
  const bytes = request.layout.root.sectors * sectorBytes;
  const prototype = `${tree.scratch}/prototype`;
  await tree.run({ argv: ['sh', '-c', 'cd "$0" && xfs_protofile . > "$1"', tree.root, prototype] }, {});
  await tree.run(
    {
      argv: [
        'mkfs.xfs',
        '-q',
        '-L',
        'root',
        '-m',
        `uuid=${request.layout.rootUuid}`,
        '-p',
        prototype,
        '-d',
        `file,name=${file},size=${bytes}`,
      ],
    },
    {},
  );
  await place(tree, file, request.layout.root, request.disk);
}

async function writeEsp(tree: TreeSession, request: DiskRequest, loader: Loader, ctx: Context): Promise<void> {
  const { layout, folder, epoch } = request;
  const esp = `${folder}/esp.img`;
  const file = `${folder}/${platforms[tree.arch].loader}`;
  await ctx.host.files.write(file, coreOf(loader, tree.arch));
  const env = { SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1' };
  const run = (...argv: [string, ...string[]]) => ctx.host.run({ argv, env }, { signal: ctx.signal });
  await run('truncate', '-s', String(layout.esp.sectors * sectorBytes), esp);
  await run('touch', '-d', `@${epoch}`, file);
  await run(
    'mformat',
    '-i',
    esp,
    '-T',
    String(layout.esp.sectors),
    '-h',
    '64',
    '-s',
    '32',
    '-v',
    'ESP',
    '-N',
    layout.espSerial,
    '::',
  );
  await run('mmd', '-i', esp, '::/EFI', '::/EFI/BOOT');
  await run('mcopy', '-m', '-i', esp, file, '::/EFI/BOOT/');
  await place(tree, esp, layout.esp, request.disk);
}

async function writeBiosBoot(
  tree: TreeSession,
  request: DiskRequest & { readonly bios: Partition },
  loader: Loader,
  ctx: Context,
): Promise<void> {
  const { folder, disk, bios } = request;
  const boot = biosBoot(loader.bootSector, coreOf(loader, 'bios'), bios.start);
  await ctx.host.files.write(`${folder}/boot.img`, boot.code);
  await ctx.host.files.write(`${folder}/core.img`, boot.core);
  const write = ['conv=notrunc', 'status=none'] as const;
  await ctx.host.run(
    { argv: ['dd', `if=${folder}/boot.img`, `of=${disk}`, 'bs=440', 'count=1', ...write] },
    { signal: ctx.signal },
  );
  await place(tree, `${folder}/core.img`, bios, disk);
}

function coreOf({ cores }: Loader, platform: Platform): Buffer {
  const core = cores[platform];
  if (core === undefined) throw new Error(`the image's GRUB made nothing for ${platform}`);
  return core;
}

/** Copy a file into its partition, holes kept. */
async function place(tree: TreeSession, file: string, partition: Partition, disk: string): Promise<void> {
  const seek = partition.start / 2048;
  await tree.run(
    { argv: ['dd', `if=${file}`, `of=${disk}`, 'bs=1M', `seek=${seek}`, 'conv=notrunc,sparse', 'status=none'] },
    {},
  );
}

const quiet = { onLine: () => undefined };
