import { expect, test } from 'vitest';
import type { Arch } from '../core/arch.ts';
import { diskLayout, type Partition, sectorBytes, sfdiskScript } from './layout.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

function partitions(arch: Arch, bytes: number): readonly Partition[] {
  const { bios, esp, root } = diskLayout(arch, bytes, 'key');
  return [bios, esp, root].filter((part) => part !== undefined);
}

test.each<[Arch, number]>([
  ['x86_64', 2 * gibibyte],
  ['x86_64', 8 * gibibyte + 3 * mebibyte],
  ['aarch64', 200 * mebibyte],
  ['aarch64', 3 * 1024 * gibibyte],
])('on %s, a disk of %d bytes has aligned partitions in order, none over another or over the tables', (arch, bytes) => {
  const parts = partitions(arch, bytes);
  let free = 34;
  for (const part of parts) {
    expect(part.start % 2048).toBe(0);
    expect(part.start).toBeGreaterThanOrEqual(free);
    expect(part.sectors).toBeGreaterThan(0);
    free = part.start + part.sectors;
  }
  const [root] = parts.slice(-1);
  expect((root?.sectors ?? 0) % 2048).toBe(0);
  // The second table takes the last 33 sectors (UEFI specification).
  expect(free).toBeLessThanOrEqual(bytes / sectorBytes - 33);
  expect(bytes / sectorBytes - free).toBeLessThan(2 * 2048 + 34);
});

test('cloud images number their partitions root 1, BIOS boot 14, ESP 15; aarch64 has no BIOS', () => {
  expect(partitions('x86_64', gibibyte).map(({ number, name }) => `${number} ${name}`)).toEqual([
    '14 bios',
    '15 esp',
    '1 root',
  ]);
  expect(partitions('aarch64', gibibyte).map(({ name }) => name)).toEqual(['esp', 'root']);
});

test('one key gives one set of ids, all different; another key gives others', () => {
  const ids = (key: string) => {
    const { diskUuid, rootUuid, espSerial, bios, esp, root } = diskLayout('x86_64', gibibyte, key);
    return [diskUuid, rootUuid, espSerial, bios?.uuid, esp.uuid, root.uuid];
  };
  expect(ids('a')).toEqual(ids('a'));
  expect(new Set([...ids('a'), ...ids('b')]).size).toBe(12);
  expect(diskLayout('x86_64', gibibyte, 'a').espSerial).toMatch(/^[0-9a-f]{8}$/);
});

test('the input of sfdisk', () => {
  expect(sfdiskScript(diskLayout('x86_64', 2 * gibibyte, 'key'))).toMatchInlineSnapshot(`
    "label: gpt
    label-id: E6ABD55A-B19F-884D-903F-75AAA2881CBA
    first-lba: 34
    disk14 : start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=3693E61E-96DB-81E4-B292-4591F5036CBC, name=bios
    disk15 : start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=6F8721E5-5716-8E62-A944-AC031A73FF55, name=esp
    disk1 : start=135168, size=4057088, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=F607751E-F061-8F53-AC98-560FE9BC7B48, name=root
    "
  `);
});
