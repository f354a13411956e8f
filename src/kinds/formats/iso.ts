import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { canonical, uuidFrom } from '../../core/keys.ts';
import { defineFormat, type Tool, type WriteRequest } from '../../core/kinds.ts';
import type { Ext4 } from '../../qemu/ext4.ts';
import { ext4Tree } from '../../qemu/ext4-tree.ts';
import { whileIdentified } from '../disk-files/convert.ts';
import { rootOf } from '../disk-files/root-tar.ts';
import { hasFittingLevel, levelProblem, squashFields, tar2sqfs, writeSquash } from '../disk-files/squash.ts';
import { copyOut, liveTree, makeLoaders } from '../live/files.ts';
import { markFile, writeLiveArgv, writeLiveEnv } from '../live/loaders.ts';
import { type LiveMenu, liveEntries, liveMenu, loopbackMenu, squashFile } from '../live/menu.ts';
import { type LiveSystem, liveSystemOf } from '../live/system.ts';

const options = z.strictObject({
  label: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,32}$/, 'expected at most 32 letters, digits, dots, dashes or underscores')
    .optional()
    .describe("The ISO's volume id. Default: the image's name in capitals."),
  default: z
    .enum(liveEntries)
    .default('live')
    .describe('What the menu starts by itself: `toram` copies all to memory first, `persistence` keeps changes.'),
  persistence: z
    .union([z.literal(false), z.string().regex(/^[A-Za-z0-9_.-]{1,16}$/, 'expected a label of at most 16 letters')])
    .default('persistence')
    .describe('Label of the file system on which the entry `persistence` keeps changes; false: no such entry.'),
  timeout: z.int().min(0).max(3600).default(5).describe('Seconds until the menu starts its default by itself.'),
  'kernel-args': z
    .array(z.string().regex(/^[^\s"'\\\x00-\x1f\x7f]+$/, 'expected one word without quotes'))
    .default([])
    .describe('More words for the kernel, for live-boot (live-boot(7)) and live-config.'),
  ...squashFields,
});
type Options = z.infer<typeof options>;

const tools: readonly Tool[] = [
  tar2sqfs,
  { program: 'xorriso', debian: 'xorriso', why: 'writes ISOs' },
  { program: 'grub-mkimage', debian: 'grub-common', why: 'makes the boot loaders of ISOs' },
  { program: 'mcopy', debian: 'mtools', why: 'fills the file system that UEFI starts from' },
];

/** The image as a live system, which runs from a CD or a stick and leaves no trace on the machine. */
export const iso = defineFormat<Options>({
  name: 'iso',
  version: 2,
  summary:
    'A live ISO for CDs and sticks, BIOS and UEFI: runs from the medium or from memory, keeps changes where asked.',
  options: options
    .refine(hasFittingLevel, levelProblem)
    .refine((o) => o.default !== 'persistence' || o.persistence !== false, {
      message: 'there is no entry `persistence`, since `persistence` is false',
      path: ['default'],
    }),
  example: { label: 'RESCUE', default: 'toram' },
  title: (o) => `live ISO (${o.compression})`,
  tools: () => tools,
  extension: () => 'iso',
  boots: () => 'iso',
  write: async (o, request, ctx) => {
    const root = await rootOf(request.disk, ctx);
    const folder = `${request.output}.work`;
    try {
      const system = await liveSystemOf(root, request.image, ctx);
      await ctx.host.files.makeDirectory(folder);
      await writeIso(o, { ...request, root, system, folder }, ctx);
    } finally {
      await ctx.host.files.remove(folder);
      await root.close();
    }
  },
});

type Writing = WriteRequest & { readonly root: Ext4; readonly system: LiveSystem; readonly folder: string };

async function writeIso(o: Options, writing: Writing, ctx: Context): Promise<void> {
  const { disk, output, image, root, system, folder } = writing;
  const { signal, host } = ctx;
  const epoch = root.volume.madeAt;
  const squash = `${folder}/filesystem.squashfs`;
  const without = new Set([system.kernel.path, system.initrd.path]);
  const identity = await whileIdentified(
    disk,
    (one) =>
      writeSquash(
        o,
        { tree: liveTree(ext4Tree(root.volume), without, system.fstab), output: squash, time: epoch },
        one,
      ),
    ctx,
  );
  const id = uuidFrom(identity, canonical(o));
  const loaders = await makeLoaders({ root, system, id, epoch, folder }, ctx);
  await copyOut(system.kernel, `${folder}/vmlinuz`, ctx);
  await copyOut(system.initrd, `${folder}/initrd.img`, ctx);
  const texts = { 'boot/grub/grub.cfg': liveMenu(menuOf(o, writing)), 'boot/grub/loopback.cfg': loopbackMenu };
  const files = new Map([
    ['live/vmlinuz', `${folder}/vmlinuz`],
    ['live/initrd.img', `${folder}/initrd.img`],
    [squashFile, squash],
    ...(await writeTexts({ ...texts, '.disk/info': `${system.name}, live\n`, [markFile(id)]: '' }, folder, ctx)),
    ...(loaders.efi?.files ?? []),
  ]);
  files.set('sha256sum.txt', await writeSums(files, folder, ctx));
  const core = 'boot/grub/eltorito.img';
  if (loaders.bios !== undefined) files.set(core, loaders.bios.core);
  const argv = writeLiveArgv({
    ...{ output, epoch, guid: id, files, volumeId: o.label ?? volumeIdOf(image.name) },
    ...(loaders.bios === undefined ? {} : { bios: { path: core, firstSector: loaders.bios.firstSector } }),
    ...(loaders.efi === undefined ? {} : { efi: loaders.efi.image }),
  });
  await host.run({ argv, env: writeLiveEnv(epoch) }, { signal });
}

function menuOf(o: Options, { image, system }: Writing): LiveMenu {
  return {
    name: `${image.name} (${system.name})`,
    words: [...system.words, ...o['kernel-args']],
    persistence: o.persistence === false ? undefined : o.persistence,
    first: o.default,
    timeoutSeconds: o.timeout,
    serial: image.arch === 'x86_64',
  };
}

/** Volume ids have at most 32 letters (ECMA-119 8.4.7). */
function volumeIdOf(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_.-]/g, '_')
    .slice(0, 32);
}

async function writeTexts(texts: Readonly<Record<string, string>>, folder: string, { host }: Context) {
  const written: (readonly [string, string])[] = [];
  for (const [path, text] of Object.entries(texts)) {
    const file = `${folder}/${path.replaceAll('/', '-')}`;
    await host.files.write(file, text);
    written.push([path, file]);
  }
  return written;
}

/** The list that `verify-checksums` of live-boot reads. The loader of BIOS is not in it: addresses are written into it. */
async function writeSums(
  files: ReadonlyMap<string, string>,
  folder: string,
  { host, signal }: Context,
): Promise<string> {
  const lines: string[] = [];
  for (const [path, from] of files) lines.push(`${await host.files.sha256(from, signal)}  ${path}\n`);
  const list = `${folder}/sha256sum.txt`;
  await host.files.write(list, lines.join(''));
  return list;
}
