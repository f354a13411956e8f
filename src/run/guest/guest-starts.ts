import { join } from 'node:path';
import { type Context, log } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Script } from '../../core/script.ts';
import { fillSecrets } from '../../core/secrets.ts';
import { buildFirmware, type ImageSpec } from '../../core/spec.ts';
import { bootFilesText, newestKernel, parseBootFiles } from '../../guest/boot-files.ts';
import type { Channel } from '../../guest/channel.ts';
import { grownScript, settledScript } from '../../guest/first-boot.ts';
import type { Machine } from '../../qemu/machine.ts';
import { translator } from '../../qemu/translator.ts';
import { serialConsole } from '../../tree/seal.ts';
import type { Workshop } from '../workshop.ts';
import { type BootedGuest, bootGuest, StaleStateError } from './boot-guest.ts';
import { type GuestAccess, type OpenBench, openBench } from './guest-bench.ts';
import type { DirectKernel, GuestDisk } from './guest-disk.ts';
import { wake } from './guest-rest.ts';
import type { GuestStates, Running } from './guest-states.ts';

export type StartsRequest = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  /** A work folder that is gone after the build. */
  readonly folder: string;
  /** A folder that stays, for logs. */
  readonly logs: string;
  readonly disk: GuestDisk;
  readonly states: GuestStates;
  readonly channel: Channel;
};

/** A direct boot has no boot loader and no cloud-init to wait for. */
const directMs = 40_000;

/** How the guest of a build comes up: from a saved state, by its kernel directly, or from its disk as any machine. */
export class GuestStarts {
  readonly #request: StartsRequest;
  #bench: OpenBench | undefined;
  #guest: BootedGuest | undefined;
  #running: Running = {};
  #first = true;

  constructor(request: StartsRequest) {
    this.#request = request;
  }

  /** What the guest runs on. */
  get bench(): OpenBench {
    if (this.#bench === undefined) throw new Error('no bench is open');
    return this.#bench;
  }

  /** How it was booted. */
  get running(): Running {
    return this.#running;
  }

  /** The running guest; where there is none it goes on from a saved state, or boots. */
  async enter(ctx: Context): Promise<BootedGuest> {
    if (this.#guest !== undefined) return this.#guest;
    const { top } = this.#request.disk;
    const warm = this.#first && top !== undefined ? await this.#resume(top, ctx) : undefined;
    this.#first = false;
    this.#guest = warm ?? (await this.#bootDirectly(ctx)) ?? (await this.#boot(ctx));
    return this.#guest;
  }

  /** Have the guest restart by itself: it may have another kernel from then on. */
  async restart(guest: BootedGuest): Promise<void> {
    const { accelerator, arch } = this.bench;
    const { stdout } = await guest.run({ text: bootFilesText([]) }, {});
    const kernel = newestKernel(parseBootFiles(stdout));
    await guest.reboot(accelerator.name === 'tcg' ? translator(arch, kernel) : undefined);
    this.#running = { direct: false, ...(kernel === undefined ? {} : { kernel }) };
    await runToEnd(guest, settledScript);
  }

  /** The guest has turned itself off. */
  left(): void {
    this.#guest = undefined;
  }

  async close(): Promise<void> {
    await this.#guest?.stop();
    await this.#bench?.close();
  }

  async #resume(layer: { readonly key: string; readonly id: string }, ctx: Context): Promise<BootedGuest | undefined> {
    const { states, disk, channel } = this.#request;
    const state = await states.find(layer, ctx);
    if (state === undefined) return undefined;
    try {
      const { running, keys: folder } = state;
      const bench = await this.#open(running, { earlier: { folder } }, ctx);
      disk.use(await disk.newOverlay(ctx));
      log(ctx, 'going on with a guest whose state was saved');
      const onStart = (machine: Machine) => wake(machine, channel, ctx, 1);
      const guest = await bootGuest(bench, { ...this.#begin(running), state, onStart }, ctx);
      this.#running = running;
      return guest;
    } catch (error) {
      ctx.signal.throwIfAborted();
      await this.#drop();
      await states.drop(layer.key);
      const why = error instanceof StaleStateError ? 'QEMU or the machine changed' : String(error);
      log(ctx, `a saved state could not be used (${why}): booting instead`);
      return undefined;
    }
  }

  /** Without boot loader and cloud-init a guest is up in half the time. One that does not come up so is booted as any. */
  async #bootDirectly(ctx: Context): Promise<BootedGuest | undefined> {
    const { disk, spec } = this.#request;
    const isOpenOtherwise = this.#bench !== undefined && this.#bench.credentials === undefined;
    if (!disk.startsAlike || isOpenOtherwise || spec.ssh !== undefined || spec.secureBoot) return undefined;
    const running = { direct: true, ...this.#version() };
    try {
      const bench = this.#bench ?? (await this.#open(running, { direct: true }, ctx));
      disk.use(await disk.newOverlay(ctx));
      log(ctx, 'booting the guest by its kernel');
      const guest = await bootGuest(bench, { ...this.#begin(running), patienceMs: directMs }, ctx);
      this.#running = running;
      return await settled(guest, grownScript, ctx);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!(error instanceof IngotError) || (error.code !== 'TIMEOUT' && error.code !== 'STEP_FAILED')) throw error;
      await this.#drop();
      await disk.giveUpDirectBoot();
      log(ctx, `the guest did not come up by its kernel (${error.message}): booting its disk instead`);
      return undefined;
    }
  }

  async #boot(ctx: Context): Promise<BootedGuest> {
    const { disk } = this.#request;
    const running = { direct: false, ...this.#version() };
    const bench = this.#bench ?? (await this.#open(running, {}, ctx));
    disk.use(await disk.newOverlay(ctx));
    log(ctx, 'booting the guest');
    const guest = await bootGuest(bench, this.#begin(running), ctx);
    this.#running = running;
    return settled(guest, settledScript, ctx);
  }

  #version(): Pick<Running, 'kernel'> {
    const { kernelVersion } = this.#request.disk;
    return kernelVersion === undefined ? {} : { kernel: kernelVersion };
  }

  #begin({ direct }: Running) {
    const { spec, disk, channel } = this.#request;
    return {
      firmware: buildFirmware(spec),
      ...(direct === true && disk.directKernel !== undefined ? { kernel: kernelConfig(disk.directKernel, spec) } : {}),
      root: () => disk.drive,
      onChannel: (bytes: Uint8Array) => channel.add(bytes),
    };
  }

  async #open(
    running: Running,
    how: { readonly direct?: boolean; readonly earlier?: { readonly folder: string } },
    ctx: Context,
  ): Promise<OpenBench> {
    const { workshop, spec, folder, logs, disk } = this.#request;
    const { arch, memory, cpus, virtualization, secureBoot } = spec;
    const access = accessOf(spec, workshop);
    const scratch = join(folder, 'guest');
    const request = {
      ...({ purpose: 'build', arch, memory, cpus, virtualization, secureBoot } as const),
      cloudInit: disk.base?.cloudInit === true,
      ...(access === undefined ? {} : { access }),
      ...{ scratch, logs, state: join(workshop.paths.home, 'state') },
      kernel: () => disk.kernel(scratch, ctx),
      kernelVersion: running.kernel,
    };
    this.#bench = await openBench({ ...request, ...how }, ctx);
    return this.#bench;
  }

  async #drop(): Promise<void> {
    await this.#bench?.close();
    this.#bench = undefined;
  }
}

async function settled(guest: BootedGuest, script: Script, ctx: Context): Promise<BootedGuest> {
  try {
    await runToEnd(guest, script);
    log(ctx, 'the guest is up');
    return guest;
  } catch (error) {
    await guest.stop();
    throw error;
  }
}

async function runToEnd(guest: BootedGuest, script: Script): Promise<void> {
  const { exitCode, stderr } = await guest.run(script, {});
  if (exitCode === 0) return;
  const detail = stderr.trim().split('\n').slice(-20);
  throw await guest.explain(
    new IngotError({ code: 'STEP_FAILED', message: 'the first boot of the guest did not end well', detail }),
  );
}

/** The image's own command line, the network by DHCP (systemd-network-generator(8)) and no cloud-init. */
function kernelConfig({ file, initrd, cmdline }: DirectKernel, { arch }: ImageSpec) {
  const serial = `console=${serialConsole[arch]}`;
  const hears = cmdline.includes(serial.replace(/,.*/, '')) ? [] : [serial];
  return { file, initrd, append: [cmdline, ...hears, 'ip=dhcp', 'cloud-init=disabled'].join(' ') };
}

/** The access that an image brings along, where it has one. */
export function accessOf(spec: ImageSpec, workshop: Workshop): GuestAccess | undefined {
  if (spec.ssh === undefined) return undefined;
  const { user } = spec.ssh;
  if ('key' in spec.ssh) return { user, keyFile: join(workshop.root, spec.ssh.key) };
  const { password } = fillSecrets({ password: spec.ssh.password }, [['password']], workshop.secret) as {
    readonly password: string;
  };
  return { user, password };
}
