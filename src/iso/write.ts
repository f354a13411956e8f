import type { IsoFacts } from './facts.ts';

type Argv = readonly [string, ...string[]];

export type WriteIso = {
  readonly iso: string;
  readonly output: string;
  readonly facts: IsoFacts;
  readonly joliet: boolean;
  /** Files to put in: their paths in the ISO, without a slash at their start, and where they are here. */
  readonly files: readonly (readonly [path: string, from: string])[];
  /** Another file system for UEFI, in the place of a partition behind the files. */
  readonly efi?: { readonly partition: number; readonly type: string; readonly from: string };
};

/**
 * Writes an ISO with other files, that boots in all the ways that the first one does. It keeps its volume id, its
 * UUID and its GUIDs, which boot loaders look for; nothing of the moment and the machine gets into it. It is written from
 * its beginning to its end, and whoever reads it meanwhile looks after its bytes being on the disk.
 */
export function writeIsoArgv({ iso, output, facts, joliet, files, efi }: WriteIso): Argv {
  const paths = files.map(([path]) => `/${path}`);
  const folders = [...new Set(files.flatMap(([path]) => foldersAbove(path)))].filter((one) => isNew(one, facts));
  return [
    ...['xorriso', '-no_rc', '-abort_on', 'FAILURE', '-return_with', 'SORRY', '32'],
    // Names are names, whatever letters they have.
    ...['-iso_rr_pattern', 'off', '-disk_pattern', 'off'],
    ...['-stdio_sync', 'off', '-compliance', 'no_emul_toc', '-indev', iso, '-outdev', `stdio:${output}`],
    ...(joliet ? ['-joliet', 'on'] : []),
    ...['-boot_image', 'any', 'replay', '-volid', facts.volumeId, '-volume_date', 'uuid', facts.modified],
    ...(facts.gptGuid === undefined ? [] : ['-boot_image', 'any', `gpt_disk_guid=${facts.gptGuid}`]),
    // As a part of the image: the second table of partitions has to be the last that is in the file (UEFI 5.3.2).
    ...['-padding', 'included'],
    ...(efi === undefined ? [] : ['-append_partition', String(efi.partition), efi.type, efi.from]),
    ...files.flatMap(([path, from]) => ['-map', from, `/${path}`]),
    ...owned([...paths, ...folders.map((path) => `/${path}`)], facts),
    ...(paths.length === 0 ? [] : ['-chmod', '0444', ...paths, '--']),
    ...(folders.length === 0 ? [] : ['-chmod', '0555', ...folders.map((path) => `/${path}`), '--']),
    ...['-commit', '-end'],
  ] as unknown as Argv;
}

/** What of the environment decides bytes. */
export function writeIsoEnv({ epoch }: IsoFacts): Readonly<Record<string, string>> {
  return { SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC' };
}

function owned(paths: readonly string[], { epoch }: IsoFacts): readonly string[] {
  if (paths.length === 0) return [];
  return [
    ...['-chown', '0', ...paths, '--', '-chgrp', '0', ...paths, '--'],
    ...['-alter_date', 'b', `=${epoch}`, ...paths, '--'],
  ];
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function isNew(folder: string, { files }: IsoFacts): boolean {
  for (const path of files) if (path.startsWith(`${folder}/`)) return false;
  return true;
}
