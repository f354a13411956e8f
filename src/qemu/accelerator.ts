import { z } from 'zod';
import { type Arch, archFromNode } from '../core/arch.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { digest } from '../core/keys.ts';
import { within } from '../core/within.ts';
import { type Accelerator, qemuProgram } from './argv.ts';
import { explainDead, findObstacle } from './hardware.ts';
import { startMachine } from './machine.ts';
import type { Obstacle } from './obstacle.ts';
import { translator } from './translator.ts';

const probeMs = 10_000;
const probeMemory = 512 * 1024 * 1024;

/** How much longer waits may take under translation. */
export const translationFactor = 6;

/** How much longer waits may take than with hardware virtualization. */
export function stretchOf({ name }: Accelerator): number {
  return name === 'tcg' ? translationFactor : 1;
}

export type AcceleratorRequest = {
  readonly arch: Arch;
  readonly virtualization: 'auto' | 'required';
  /** A folder of ours where verdicts are remembered. */
  readonly state: string;
  /** A short folder for sockets, and for the kernel's console. */
  readonly sockets: string;
  /** A Linux kernel of that architecture, from the image at hand; undefined when there is none to be had. */
  readonly kernel: () => Promise<string | undefined>;
  /** The version of the guest's kernel (`6.1.0-31-amd64`), where it is known without looking into the disk. */
  readonly kernelVersion?: string | undefined;
};

/**
 * Hardware virtualization where a Linux kernel was seen to boot under it, else translation with a warning that names
 * its price. A device file proves nothing: there are machines where it opens and kernels hang.
 */
export async function findAccelerator(request: AcceleratorRequest, ctx: Context): Promise<Accelerator> {
  const { host } = ctx;
  const obstacle = await findObstacle(request.arch, host);
  if (obstacle !== undefined) return translation(request, obstacle, ctx);
  const candidates = hardware(request.arch, host);
  const file = verdictFile(request.state);
  const key = await verdictKey(request.arch, host);
  const known = parseVerdicts(await host.files.readText(file));
  const verdict = known[key] ?? (await prove(candidates, request, ctx));
  if (known[key] === undefined && verdict.remember) await remember(file, { ...known, [key]: verdict }, host);
  if (verdict.accelerator !== undefined) return verdict.accelerator;
  const dead = verdict.remember
    ? await explainDead(request.arch, verdict.reason, file, host)
    : { found: verdict.reason };
  return translation(request, dead, ctx);
}

/**
 * What an earlier proof on this very machine found; undefined where there was none. `state` is the folder where
 * verdicts are remembered.
 */
export async function knownVerdict(
  arch: Arch,
  state: string,
  host: Host,
): Promise<{ readonly works: boolean; readonly reason: string } | undefined> {
  if ((await host.which(qemuProgram(arch))) === undefined) return undefined;
  const verdicts = parseVerdicts(await host.files.readText(verdictFile(state)));
  const verdict = verdicts[await verdictKey(arch, host)];
  return verdict === undefined ? undefined : { works: verdict.accelerator !== undefined, reason: verdict.reason };
}

/** Where verdicts are remembered. */
export function verdictFile(state: string): string {
  return `${state}/accelerator.json`;
}

/** What could carry this architecture here, the best first. */
export function hardware(arch: Arch, host: Pick<Host, 'platform' | 'arch'>): readonly Accelerator[] {
  if (archFromNode(host.arch) !== arch) return [];
  if (host.platform === 'darwin') return [{ name: 'hvf', cpu: 'host' }];
  if (host.platform !== 'linux') return [];
  const plain: Accelerator = { name: 'kvm', cpu: 'host' };
  // QEMU 7.2 aborts on hosts that do not let it set MSR 0x10a, unless this feature is taken away.
  return arch === 'x86_64' ? [plain, { name: 'kvm', cpu: 'host,-arch-capabilities' }] : [plain];
}

function translation(request: AcceleratorRequest, { found, fix }: Obstacle, ctx: Context): Accelerator {
  if (request.virtualization === 'required') {
    throw new IngotError({
      code: 'HOST_UNFIT',
      message: `this image wants hardware virtualization, and it does not work here: ${found}`,
      hint: fix ?? 'build on another machine, or set `virtualization: auto` to accept slow guests',
    });
  }
  ctx.emit({
    type: 'warning',
    message: `guests run without hardware virtualization (${found}): each boot takes about ${translationFactor} times as long`,
    hint: `results are the same; to mend it: ${fix ?? 'build on a machine with a working /dev/kvm'}`,
  });
  return translator(request.arch, request.kernelVersion);
}

const verdictSchema = z.object({
  accelerator: z.object({ name: z.enum(['kvm', 'hvf']), cpu: z.string() }).optional(),
  reason: z.string(),
  remember: z.boolean().default(true),
});
type Verdict = { readonly accelerator?: Accelerator | undefined; readonly reason: string; readonly remember: boolean };

/** Remembered verdicts by machine; nothing where the file is missing or damaged, so the proof is made again. */
export function parseVerdicts(text: string | undefined): Readonly<Record<string, Verdict>> {
  try {
    return z.record(z.string(), verdictSchema).parse(JSON.parse(text ?? '{}'));
  } catch {
    return {};
  }
}

async function remember(file: string, verdicts: Readonly<Record<string, Verdict>>, host: Host): Promise<void> {
  await host.files.makeDirectory(file.replace(/\/[^/]*$/, ''));
  const fresh = `${file}.${host.randomBytes(4).toString('hex')}`;
  await host.files.write(fresh, `${JSON.stringify(verdicts, null, 2)}\n`);
  await host.files.rename(fresh, file);
}

/** QEMU, kernel and processor of this machine: when one of them changes, the proof is made again. */
async function verdictKey(arch: Arch, host: Host): Promise<string> {
  const version = await host.run({ argv: [qemuProgram(arch), '--version'] });
  const [kernel, processor] = await Promise.all([
    host.files.readText('/proc/sys/kernel/osrelease'),
    host.files.readText('/proc/cpuinfo'),
  ]);
  const model = /^(?:model name|CPU part)\s*:\s*(.*)$/m.exec(processor ?? '')?.[1];
  const release = kernel ?? (await host.run({ argv: ['uname', '-rv'] })).stdout;
  const user = host.user.uid;
  return digest({ arch, version: version.stdout, release, model, user }).slice(0, 16);
}

async function prove(candidates: readonly Accelerator[], request: AcceleratorRequest, ctx: Context): Promise<Verdict> {
  const kernel = await request.kernel();
  if (kernel === undefined) return { reason: 'no kernel at hand to prove it with', remember: false };
  let verdict: Verdict = { reason: '', remember: true };
  for (const accelerator of candidates) {
    verdict = await boots(accelerator, kernel, request, ctx);
    if (verdict.accelerator !== undefined) return verdict;
  }
  return verdict;
}

/** Boot the kernel with nothing else: it works when the kernel got so far as to miss its root file system. */
async function boots(
  accelerator: Accelerator,
  kernel: string,
  request: AcceleratorRequest,
  ctx: Context,
): Promise<Verdict> {
  const { arch, sockets } = request;
  const name = accelerator.name;
  let said = '';
  let seen: () => void = () => undefined;
  const worked = new Promise<'works'>((resolve) => {
    seen = () => resolve('works');
  });
  const onSerial = (bytes: Uint8Array): void => {
    said = (said + Buffer.from(bytes).toString('latin1')).slice(-4096);
    if (/not syncing: (VFS|No working init)/.test(said)) seen();
  };
  const append = 'console=ttyS0 console=ttyAMA0 panic=-1';
  const config = {
    ...({ arch, accelerator, memory: probeMemory, cpus: 1, firmware: 'bios', drives: [], sockets } as const),
    serialLog: `${sockets}/probe.log`,
    kernel: { file: kernel, append },
  };
  try {
    const machine = await startMachine(config, { onSerial }, ctx);
    try {
      const outcome = await within(probeMs, ctx, () => Promise.race([worked, machine.ended]));
      if (outcome === 'works') return { accelerator, reason: '', remember: true };
      const how = outcome?.message ?? `a kernel did not boot within ${probeMs / 1000} s`;
      return { reason: `${name}: ${how}`, remember: true };
    } finally {
      await machine.stop();
    }
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!(error instanceof IngotError) || error.code === 'TOOL_MISSING') throw error;
    const denied = error.detail.find((line) => /permission denied/i.test(line));
    return { reason: `${name}: ${denied ?? error.message}`, remember: denied === undefined };
  }
}
