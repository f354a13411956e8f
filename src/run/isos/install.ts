import { join } from 'node:path';
import { type Context, log } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { InstallRequest, Keystroke } from '../../core/install.ts';
import type { DiskFile } from '../../core/kinds.ts';
import { buildFirmware, type Firmware, type ImageSpec } from '../../core/spec.ts';
import { serveOnce } from '../../host/answer-server.ts';
import { findAccelerator } from '../../qemu/accelerator.ts';
import { type Accelerator, type Drive, hostInGuest, type MachineConfig } from '../../qemu/argv.ts';
import { prepareUefi } from '../../qemu/firmware.ts';
import { createDiskArgv, dataExtents } from '../../qemu/img.ts';
import { kernelVersionOf } from '../../qemu/kernel-version.ts';
import { type Machine, startMachine } from '../../qemu/machine.ts';
import { makeSocketFolder } from '../guest/guest-bench.ts';
import { firmwareNames, Watch } from '../guest/guest-watch.ts';
import type { Workshop } from '../workshop.ts';
import { aborted, limited, silent, usualSilence } from './install-limits.ts';
import { expectInstaller } from './install-words.ts';

export type Installation = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  /** A work folder that is gone after the build. */
  readonly folder: string;
  /** A folder that stays, for logs. */
  readonly logs: string;
};

/** Longer command lines are cut off by the kernel without a word (COMMAND_LINE_SIZE). */
const longestLine = 2047;

/** Run an installer on an empty disk until it turns its machine off. */
export async function runInstaller(place: Installation, request: InstallRequest, ctx: Context): Promise<DiskFile> {
  const disk: DiskFile = { path: join(place.folder, 'installed.qcow2'), format: 'qcow2' };
  await ctx.host.run({ argv: createDiskArgv(disk, place.spec.disk) }, { signal: ctx.signal });
  const sockets = await makeSocketFolder(ctx);
  const onServed = (name: string) => log(ctx, `the installer took ${name}`);
  const server = request.serve === undefined ? undefined : await serveOnce(request.serve, onServed);
  const url = server === undefined ? '' : `http://${hostInGuest}:${server.port}${server.path}`;
  try {
    const config = await configure(place, { request, disk, sockets, url }, ctx);
    await watchToEnd(place, { request, config, url }, ctx);
  } finally {
    await server?.close();
    await ctx.host.files.remove(sockets);
  }
  // What a machine that was stopped in the middle has in its caches is nowhere.
  if (request.end !== 'writes' && (await dataExtents(disk, ctx)).length === 0) throw nothingWritten(request);
  return disk;
}

const diskDrive = 'disk';

type Parts = {
  readonly request: InstallRequest;
  readonly disk: DiskFile;
  readonly sockets: string;
  readonly url: string;
};

async function configure(place: Installation, parts: Parts, ctx: Context): Promise<MachineConfig> {
  const { spec, folder, logs } = place;
  const { request, disk, sockets, url } = parts;
  const firmware = buildFirmware(spec);
  if (spec.firmware.length > 1) warnOfOthers(firmware, ctx);
  const { arch, memory, cpus } = spec;
  // Direct boots do not pass by a loader that a key of Secure Boot's has signed; what is installed may well have one.
  const uefi = () => prepareUefi({ arch, secureBoot: false }, join(folder, 'installer-vars.fd'), ctx);
  const attached = request.attached.map(
    ({ path, as }, i): Drive => ({
      ...{ id: `${as}${i}`, file: { path, format: 'raw' }, readOnly: true },
      ...(as === 'cdrom' ? { cdrom: true, boot: true } : {}),
    }),
  );
  const kernel = request.kernel === undefined ? {} : { kernel: { ...request.kernel, append: lineOf(request, url) } };
  return {
    ...{ arch, memory, cpus, sockets, serialLog: join(logs, 'console-installer.log') },
    accelerator: await proven(place, { sockets, kernel: request.kernel?.file ?? request.probe }, ctx),
    firmware: firmware === 'bios' ? 'bios' : await uefi(),
    drives: [{ id: diskDrive, file: disk }, ...attached],
    ...(request.network === undefined ? {} : { network: request.network }),
    ...kernel,
  };
}

function warnOfOthers(firmware: Firmware, ctx: Context): void {
  const message = `the installer runs under ${firmwareNames[firmware]}: whether its disk boots under another firmware too is up to it`;
  ctx.emit({
    type: 'warning',
    message,
    hint: 'write the one that the image is for: `firmware: uefi` or `firmware: bios`',
  });
}

function lineOf({ words }: InstallRequest, url: string): string {
  const line = words(url).join(' ');
  if (line.length <= longestLine) return line;
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: `the command line of the installer's kernel has ${line.length} characters; ${longestLine} at most`,
    hint: 'shorten `kernel-args`',
  });
}

async function proven(
  { workshop, spec }: Installation,
  { sockets, kernel }: { readonly sockets: string; readonly kernel: string | undefined },
  ctx: Context,
): Promise<Accelerator> {
  const { arch, virtualization } = spec;
  const probe = join(sockets, 'probe');
  await ctx.host.files.makeDirectory(probe, 0o700);
  const kernelVersion = kernel === undefined ? undefined : await kernelVersionOf(kernel, ctx.host.files);
  const state = join(workshop.paths.home, 'state');
  const request = { arch, virtualization, state, sockets: probe, kernel: async () => kernel, kernelVersion };
  return findAccelerator(request, ctx);
}

type Run = { readonly request: InstallRequest; readonly config: MachineConfig; readonly url: string };

async function watchToEnd({ logs }: Installation, { request, config, url }: Run, ctx: Context): Promise<void> {
  const watch = new Watch(
    { logs, purpose: 'build' },
    'installer',
    ctx,
    expectInstaller({ typed: request.typing !== undefined }, ctx),
  );
  let heard = 0;
  const listeners = {
    onSerial: (bytes: Uint8Array) => {
      heard += bytes.length;
      watch.console.add(bytes);
    },
    onFirmware: (bytes: Uint8Array) => watch.firmware.add(bytes),
  };
  log(ctx, 'starting the installer');
  const machine = await startMachine(config, listeners, ctx);
  const isOver = () => goodEnds[request.end ?? 'off'].includes(machine.endedBy() ?? '');
  watch.observe(machine, isOver);
  const done = new AbortController();
  const signal = AbortSignal.any([ctx.signal, watch.lost.signal, done.signal]);
  const inner = { ...ctx, signal };
  const moved = async () => heard + (await machine.bytesMoved());
  try {
    const ends: Promise<unknown>[] = [
      machine.ended,
      aborted(watch.lost.signal),
      silent({ milliseconds: request.silenceMs ?? usualSilence(config.accelerator), moved }, inner),
      type(machine, request.typing?.(url) ?? [], inner).then(() => aborted(signal)),
      ...(request.end === 'writes' ? [writes(machine, inner)] : []),
    ];
    const { limitMs } = request;
    const end = limitMs === undefined ? await Promise.race(ends) : await limited(limitMs, ends, ctx);
    if (end !== begun && !isOver()) throw await reasonOf(end, { machine, watch });
  } finally {
    done.abort();
    await machine.stop();
  }
}

/** QEMU's words for what a guest did when all was done. */
const goodEnds: Readonly<Record<NonNullable<InstallRequest['end']>, readonly string[]>> = {
  off: ['guest-shutdown'],
  'off-or-restart': ['guest-shutdown', 'guest-reset'],
  writes: [],
};

const begun = Symbol('the installer writes to the disk');
const writesPollMs = 1_000;

async function writes(machine: Machine, ctx: Context): Promise<unknown> {
  try {
    while ((await machine.bytesWritten(diskDrive)) === 0) await ctx.host.sleep(writesPollMs, ctx.signal);
    return begun;
  } catch {
    // The machine is gone, or nobody wants to know any more.
    return aborted(ctx.signal);
  }
}

async function type(machine: Machine, strokes: readonly Keystroke[], ctx: Context): Promise<void> {
  try {
    for (const stroke of strokes) {
      if ('keys' in stroke) await machine.press(stroke.keys);
      // A key that follows too soon is lost.
      await ctx.host.sleep('keys' in stroke ? betweenKeysMs : stroke.waitMs, ctx.signal);
    }
  } catch {
    // Why the machine is gone is told by those who watch it.
  }
}

const betweenKeysMs = 150;

type Watched = { readonly machine: Machine; readonly watch: Watch };

async function reasonOf(end: unknown, { machine, watch }: Watched): Promise<unknown> {
  const { signal } = watch.lost;
  const error = await watch.explain(signal.aborted ? signal.reason : end);
  if (machine.endedBy() !== 'guest-reset' || !(error instanceof IngotError)) return error;
  return new IngotError({
    code: 'STEP_FAILED',
    message: 'the installer restarted the machine in place of turning it off',
    hint: 'have your own answer file turn it off at its end: see docs/installer.md',
    detail: error.detail,
    cause: error,
  });
}

function nothingWritten({ end }: InstallRequest): IngotError {
  const how = end === 'off-or-restart' ? 'ended' : 'turned the machine off';
  return new IngotError({
    code: 'STEP_FAILED',
    message: `the installer ${how} and wrote nothing to the disk`,
    hint: 'see its console in the log of the build',
  });
}
