import type { Arch } from '../core/arch.ts';
import { uuidFrom } from '../core/keys.ts';

/** Raised when the same sealed tree would be laid out to other bytes. */
export const layoutVersion = 1;

export const sectorBytes = 512;
const align = 2048;

export type Partition = {
  readonly number: number;
  readonly name: string;
  /** GPT type GUID. */
  readonly type: string;
  readonly uuid: string;
  /** In sectors of 512 bytes. */
  readonly start: number;
  readonly sectors: number;
};

export type Layout = {
  readonly diskUuid: string;
  readonly bytes: number;
  readonly bios: Partition | undefined;
  readonly esp: Partition;
  readonly root: Partition;
  /** Of the root file system. */
  readonly rootUuid: string;
  /** FAT volume id of the ESP, 8 hex digits. */
  readonly espSerial: string;
};

// GPT partition types (UEFI specification; Discoverable Partitions Specification).
const types = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  root: { x86_64: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', aarch64: 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE' },
} as const;

/**
 * Boot partitions first, the root last so that it can grow; numbered as cloud images are (root 1, BIOS boot 14, ESP 15).
 * Every id comes from the key, so one plan always gives one disk.
 */
export function diskLayout(arch: Arch, bytes: number, key: string): Layout {
  const id = (what: string) => uuidFrom(key, what).toUpperCase();
  const biosSectors = arch === 'x86_64' ? 2048 : 0;
  const espStart = align + biosSectors;
  const espSectors = 64 * 2048;
  const rootStart = espStart + espSectors;
  const rootSectors = Math.floor((bytes / sectorBytes - 34 - rootStart) / align) * align;
  const part = (number: number, name: string, type: string, start: number, sectors: number): Partition => ({
    number,
    name,
    type,
    uuid: id(name),
    start,
    sectors,
  });
  return {
    diskUuid: id('disk'),
    bytes,
    bios: biosSectors === 0 ? undefined : part(14, 'bios', types.bios, align, biosSectors),
    esp: part(15, 'esp', types.esp, espStart, espSectors),
    root: part(1, 'root', types.root[arch], rootStart, rootSectors),
    rootUuid: uuidFrom(key, 'root file system'),
    espSerial: uuidFrom(key, 'esp file system').slice(0, 8),
  };
}

/** The input of sfdisk(8) for a layout. */
export function sfdiskScript(layout: Layout): string {
  const line = (part: Partition) =>
    `disk${part.number} : start=${part.start}, size=${part.sectors}, type=${part.type}, uuid=${part.uuid}, name=${part.name}`;
  const parts = [layout.bios, layout.esp, layout.root].filter((part) => part !== undefined);
  return `label: gpt\nlabel-id: ${layout.diskUuid}\nfirst-lba: 34\n${parts.map(line).join('\n')}\n`;
}
