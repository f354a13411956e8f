type Argv = readonly [string, ...string[]];

/** What an ISO says of itself. Paths have no slash at their start. */
export type IsoFacts = {
  readonly volumeId: string;
  /** As its descriptor has it, `YYYYMMDDhhmmsscc`: the UUID by which boot loaders find it. */
  readonly modified: string;
  /** The same in seconds since 1970. */
  readonly epoch: number;
  readonly files: ReadonlySet<string>;
  /** Files that firmware starts; xorriso writes addresses into some of them. */
  readonly bootImages: readonly string[];
  /** Whether BIOS starts it from a CD. */
  readonly bios: boolean;
  readonly efi: EfiImage | undefined;
  /** The GUID of its table of partitions, in hexadecimal digits; those of the partitions come from it. */
  readonly gptGuid?: string;
};

/** The file system that UEFI starts from: a file of the ISO, or a partition behind its files. */
export type EfiImage = {
  /** Where it begins in the ISO, in bytes, and how many it has. */
  readonly offset: number;
  readonly bytes: number;
} & ({ readonly path: string } | { readonly partition: number; readonly type: string });

// xorriso reads a file of its user first, unless told not to as the first word.
const xorriso = ['xorriso', '-no_rc'] as const;

/** Asks for all that `readFacts` reads. */
export function factsArgv(iso: string): Argv {
  const reports = ['-report_el_torito', 'plain', '-report_system_area', 'plain', '-pvd_info'] as const;
  return [...xorriso, '-indev', iso, ...reports, '-find', '/', '-type', 'f', '--', '-end'];
}

/** Takes files out of an ISO; paths have no slash at their start. */
export function extractArgv(iso: string, files: readonly (readonly [path: string, to: string])[]): Argv {
  const words = files.flatMap(([path, to]) => ['-extract_single', `/${path}`, to]);
  return [...xorriso, '-osirrox', 'on', '-indev', iso, ...words, '-end'];
}

const blockBytes = 2048;
const sectorBytes = 512;

/** The facts from xorriso's answer; undefined where it is none about an ISO that boots. */
export function readFacts(stdout: string): IsoFacts | undefined {
  const lines = stdout.split('\n');
  const one = (name: RegExp) => lines.flatMap((line) => name.exec(line)?.slice(1) ?? [])[0];
  const volumeId = one(/^Volume Id {4}: (.*)$/);
  const modified = one(/^Modif\. Time {2}: (\d{16})$/);
  if (volumeId === undefined || modified === undefined) return undefined;
  const files = lines.flatMap((line) => /^'\/(.*)'$/.exec(line)?.[1]?.replaceAll(`'"'"'`, "'") ?? []);
  const images = lines.flatMap((line) => /^El Torito img path : +\d+ {2}\/(.*)$/.exec(line)?.[1] ?? []);
  const guid = one(/^GPT disk GUID +: +([0-9a-f]{32})$/);
  return {
    volumeId,
    modified,
    epoch: secondsOf(modified),
    files: new Set(files),
    bootImages: images,
    bios: lines.some((line) => /^El Torito boot img : +\d+ {2}BIOS +y /.test(line)),
    efi: efiOf(lines),
    ...(guid === undefined ? {} : { gptGuid: guid }),
  };
}

function secondsOf(time: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d\d$/.exec(time)?.map(Number) ?? [];
  if (year === undefined || month === undefined) return 0;
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
  return Math.max(0, Math.floor(milliseconds / 1000));
}

function efiOf(lines: readonly string[]): EfiImage | undefined {
  const found = lines.flatMap((line) => {
    const [, number, sectors, block] =
      /^El Torito boot img : +(\d+) {2}UEFI +y +none +\S+ +\S+ +(\d+) +(\d+)$/.exec(line) ?? [];
    return number === undefined ? [] : [{ number, sectors: Number(sectors), block: Number(block) }];
  })[0];
  if (found === undefined) return undefined;
  const offset = found.block * blockBytes;
  const start = offset / sectorBytes;
  const partition = partitionsOf(lines).find((one) => one.start === start);
  // The catalogue has room for 65535 sectors; the table of partitions has more.
  const bytes = Math.max(found.sectors, partition?.sectors ?? 0) * sectorBytes;
  const named = new RegExp(`^El Torito img path : +${found.number} {2}/(.*)$`);
  const path = lines.flatMap((line) => named.exec(line)?.[1] ?? [])[0];
  if (path !== undefined) return { offset, bytes, path };
  return partition === undefined ? undefined : { offset, bytes, partition: partition.number, type: partition.type };
}

type Partition = { readonly number: number; readonly type: string; readonly start: number; readonly sectors: number };

function partitionsOf(lines: readonly string[]): readonly Partition[] {
  const types = new Map(lines.flatMap((line) => pair(/^GPT type GUID +: +(\d+) {2}([0-9a-f]{32})$/, line)));
  return lines.flatMap((line) => {
    const [, number, start, sectors] = /^GPT start and size : +(\d+) {2}(\d+) {2}(\d+)$/.exec(line) ?? [];
    if (number !== undefined) {
      const type = types.get(number) ?? '0xef';
      return [{ number: Number(number), type, start: Number(start), sectors: Number(sectors) }];
    }
    const [, slot, type = '', first, count] =
      /^MBR partition {6}: +(\d+) +0x\w\w +(0x\w\w) +(\d+) +(\d+)$/.exec(line) ?? [];
    return slot === undefined ? [] : [{ number: Number(slot), type, start: Number(first), sectors: Number(count) }];
  });
}

function pair(pattern: RegExp, line: string): readonly (readonly [string, string])[] {
  const [, first, second] = pattern.exec(line) ?? [];
  return first === undefined || second === undefined ? [] : [[first, second]];
}
