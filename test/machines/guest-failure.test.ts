import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { EventBody } from '../../src/core/events.ts';
import type { Firmware } from '../../src/core/spec.ts';
import { createHost } from '../../src/host/host.ts';
import { checks } from '../../src/kinds/checks/index.ts';
import { CheckError, type CheckRequest, checkArtifact } from '../../src/run/check.ts';

let folder = '';
const host = createHost();
const second = 1000;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-machines-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A disk that holds nothing, to be booted under a firmware. */
async function emptyDisk(firmware: Firmware): Promise<CheckRequest> {
  const path = join(folder, 'disk.raw');
  await writeFile(path, '');
  await truncate(path, 64 * 1024 * 1024);
  const use = { options: {}, place: { file: 'x', line: 1, column: 1 }, refs: { site: {}, pins: {}, secrets: [] } };
  return {
    ...{ medium: { path, format: 'raw' }, arch: 'x86_64', firmware: [firmware], kinds: { checks } },
    ...{
      uses: [{ kind: 'ssh', ...use }],
      memory: 512 * 1024 * 1024,
      cpus: 1,
      virtualization: 'auto',
      secureBoot: false,
    },
    ...{ packages: ['cloud-init'], scratch: join(folder, 'scratch'), logs: join(folder, 'logs'), state: folder },
  };
}

function context(onEvent: (event: EventBody) => void = () => undefined): { ctx: Context; stop: AbortController } {
  const stop = new AbortController();
  return { ctx: { host, signal: stop.signal, emit: onEvent, step: 'check' }, stop };
}

/** Processes that have this folder in their argument list. */
async function processesOf(path: string): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(path));
}

async function socketFolders(): Promise<readonly string[]> {
  return (await readdir('/tmp')).filter((name) => name.startsWith(`ingot-guests-${process.pid}-`));
}

test.each(['bios', 'uefi'] as const)(
  'a disk that cannot boot under %s fails by its name, with a picture',
  async (firmware) => {
    const failure = await checkArtifact(await emptyDisk(firmware), context().ctx).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CheckError);
    expect((failure as CheckError).report.results[0]?.error?.message).toContain('the firmware found nothing to boot');
    const picture = await readFile(join(folder, 'logs', `screen-${firmware}.png`));
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    expect((await stat(join(folder, 'logs', `console-${firmware}.log`))).isFile()).toBe(true);
    expect([await processesOf(folder), await socketFolders()]).toEqual([[], []]);
  },
);

test('a QEMU that dies is noticed, with the signal named', async () => {
  const { ctx } = context();
  const running = checkArtifact(await emptyDisk('uefi'), {
    ...ctx,
    host: {
      ...host,
      start: async (command, options) => {
        const child = await host.start(command, options);
        setTimeout(() => process.kill(child.pid, 'SIGKILL'), second);
        return child;
      },
    },
  }).catch((error: unknown) => error);
  const failure = await running;
  expect((failure as CheckError).report.results[0]?.error?.message).toContain('QEMU was ended by SIGKILL');
});

test('a cancelled check leaves no process and no folder behind', async () => {
  const { ctx, stop } = context((event) => {
    if (event.type === 'step.start') setTimeout(() => stop.abort(new Error('stopped by hand')), second);
  });
  const request = await emptyDisk('uefi');
  await expect(checkArtifact(request, ctx)).rejects.toThrow('stopped by hand');
  expect([await processesOf(folder), await socketFolders()]).toEqual([[], []]);
});
