import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import { createHost } from '../host/host.ts';
import { diskFirmware } from './disk-firmware.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-firmware-'));
});
afterEach(() => rm(folder, { recursive: true }));

const host = createHost();
const ctx = { host, signal: new AbortController().signal } as unknown as Context;

/** A GPT by sfdisk, with or without boot code. */
async function disk(types: readonly string[], code: boolean): Promise<string> {
  const path = join(folder, 'disk.raw');
  await host.files.write(path, '');
  await host.run({ argv: ['truncate', '-s', '16M', path] });
  const stdin = `label: gpt\n${types.map((type) => `size=2M, type=${type}\n`).join('')}`;
  await host.run({ argv: ['sfdisk', '-q', path] }, { stdin });
  const file = await host.files.open(path, 'change');
  if (code) await file.write(0, Buffer.from([0xeb, 0x63, 0x90]));
  await file.close();
  return path;
}

const esp = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
const linux = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';

test.each([
  ['an ESP and boot code', [linux, esp], true, ['bios', 'uefi']],
  ['an ESP alone', [esp, linux], false, ['uefi']],
  ['boot code alone', [linux], true, ['bios']],
  ['neither', [linux], false, ['bios']],
] as const)('a disk with %s', async (_, types, code, firmware) => {
  expect(await diskFirmware(await disk(types, code), 'x86_64', ctx)).toEqual(firmware);
});

test('other machines have UEFI whatever the disk says, and a disk may be small', async () => {
  await writeFile(join(folder, 'small'), Buffer.alloc(512));
  expect(await diskFirmware(join(folder, 'small'), 'aarch64', ctx)).toEqual(['uefi']);
  expect(await diskFirmware(join(folder, 'small'), 'x86_64', ctx)).toEqual(['bios']);
});
