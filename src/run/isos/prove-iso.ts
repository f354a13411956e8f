import { join } from 'node:path';
import { type Context, log } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { InstallRequest } from '../../core/install.ts';
import { digest } from '../../core/keys.ts';
import type { DiskFile } from '../../core/kinds.ts';
import type { CheckRecord } from '../../core/manifest.ts';
import type { Firmware, ImageSpec, KindUse } from '../../core/spec.ts';
import { extractArgv, type IsoFacts } from '../../iso/facts.ts';
import { readChecks, writeChecks } from '../../store/records.ts';
import { asStep, CheckError, type CheckResult, checkArtifact } from '../check.ts';
import { accessOf } from '../guest/guest-starts.ts';
import { firmwareNames } from '../guest/guest-watch.ts';
import type { Workshop } from '../workshop.ts';
import { runInstaller } from './install.ts';

/** An ISO that installs by itself, written but not yet shown to anybody. */
export type IsoProof = {
  readonly spec: ImageSpec;
  readonly iso: { readonly path: string; readonly sha256: string };
  readonly facts: Pick<IsoFacts, 'bios' | 'efi'>;
  /** Where in it the installer's kernel is. */
  readonly kernel: string;
  /** The disk with its answers, where they are on one. */
  readonly answers?: { readonly path: string; readonly sha256: string };
  /** It installs without a network, and is proven without one. */
  readonly offline: boolean;
  /** Until it starts by itself. */
  readonly timeoutSeconds: number;
  readonly scratch: string;
  readonly build: string;
};

/** Raised when an ISO that passed before may fail now. */
const version = 1;

/** A menu that waits longer than this is waited for. */
const longMenuSeconds = 60;
const afterMenuMs = 600_000;

/** What is done under one firmware: the image is for it, or only the ISO is. */
type Run = { readonly firmware: Firmware; readonly whole: boolean };

/**
 * Boot an ISO by its own loader on an empty disk: under each firmware that the image is for until the installation is over,
 * and then the installed disk; under others that it knows until it begins to write. Fails with all that failed; what passed is
 * remembered for the same bytes.
 */
export async function proveIso(workshop: Workshop, proof: IsoProof, ctx: Context): Promise<readonly CheckRecord[]> {
  const runs = runsOf(proof);
  const asked = askedOf(workshop, proof, runs);
  const remembered = await readChecks(workshop.paths, proof.iso.sha256, asked);
  if (remembered !== undefined) {
    for (const [index, { check, title }] of remembered.entries())
      ctx.emit({ type: 'step.end', id: `check-${index}-${check}`, title, outcome: 'cached', seconds: 0 });
    return remembered;
  }
  log(ctx, 'proving it takes an installation, without hardware virtualization many minutes; --no-check does without');
  const results = await runAll(workshop, proof, runs, ctx);
  const checks = results.map(recordOf);
  if (results.some(({ outcome }) => outcome === 'failed')) {
    throw new CheckError({ results, seconds: 0 });
  }
  await writeChecks(workshop.paths, proof.iso.sha256, asked, checks);
  return checks;
}

function recordOf({ check, title, outcome, seconds, evidence }: CheckResult): CheckRecord {
  return { check, title, outcome, seconds, ...(evidence === undefined ? {} : { evidence }) };
}

/** On aarch64 there is UEFI alone. */
export function runsOf({ spec, facts }: Pick<IsoProof, 'spec' | 'facts'>): readonly Run[] {
  const known: readonly Firmware[] = [
    ...(facts.bios && spec.arch === 'x86_64' ? ['bios' as const] : []),
    ...(facts.efi === undefined ? [] : ['uefi' as const]),
  ];
  const runs = known.map((firmware) => ({ firmware, whole: spec.firmware.includes(firmware) }));
  if (runs.some(({ whole }) => whole)) return runs;
  const names = (list: readonly Firmware[]) => list.map((one) => firmwareNames[one]).join(' and ');
  throw new IngotError({
    code: 'CHECK_FAILED',
    message: `the ISO does not boot under ${names(spec.firmware)}, which the image is for`,
    hint:
      known.length === 0
        ? 'try another ISO of the vendor'
        : `it boots under ${names(known)}: see \`firmware\` of the image`,
  });
}

function askedOf({ kinds }: Workshop, { spec, answers, offline }: IsoProof, runs: readonly Run[]): string {
  const checks = usesFor(spec, kinds).map(({ kind, options }) => [kind, kinds.checks.get(kind)?.version ?? 0, options]);
  const { disk, secureBoot } = spec;
  return digest({ version, runs, disk, secureBoot, offline, answers: answers?.sha256 ?? '', checks });
}

/** The checks of an image that may be asked of it before steps and seal. */
export function usesFor({ checks, steps }: ImageSpec, kinds: Pick<Workshop['kinds'], 'checks'>): readonly KindUse[] {
  return checks.filter(({ kind }) => {
    const fits = kinds.checks.get(kind)?.installed;
    return fits === 'always' || (fits === 'without steps' && steps.length === 0);
  });
}

async function runAll(
  workshop: Workshop,
  proof: IsoProof,
  runs: readonly Run[],
  ctx: Context,
): Promise<readonly CheckResult[]> {
  const disks = new Map<Firmware, DiskFile>();
  const probe = join(proof.scratch, 'kernel');
  await ctx.host.files.makeDirectory(proof.scratch);
  await ctx.host.run({ argv: extractArgv(proof.iso.path, [[proof.kernel, probe]]) }, { signal: ctx.signal });
  const booted = runs.map((run) => bootIso(workshop, proof, run, { ctx, disks, probe }));
  // Each of them ends before anything is cleaned up, even when one is cancelled.
  const settled = await Promise.allSettled(booted);
  const results = settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  for (const [firmware, disk] of disks) {
    const mark = disks.size === 1 ? undefined : firmwareNames[firmware];
    results.push(...(await enter(workshop, proof, { firmware, disk, mark }, ctx)));
  }
  return results;
}

type Found = { readonly ctx: Context; readonly disks: Map<Firmware, DiskFile>; readonly probe: string };

function bootIso(
  workshop: Workshop,
  proof: IsoProof,
  { firmware, whole }: Run,
  { ctx, disks, probe }: Found,
): Promise<CheckResult> {
  const check = whole ? 'installs' : 'starts';
  const title = whole
    ? `install from it under ${firmwareNames[firmware]}`
    : `start to install from it under ${firmwareNames[firmware]}`;
  const inner = { ...ctx, step: `iso-${firmware}` };
  return asStep({ check, title }, inner, async () => {
    const { scratch, build } = proof;
    const place = { folder: join(scratch, firmware), logs: join(workshop.paths.builds, build, firmware) };
    for (const path of Object.values(place)) await ctx.host.files.makeDirectory(path);
    const spec = { ...proof.spec, firmware: [firmware] };
    const disk = await runInstaller({ workshop, spec, ...place }, { ...requestOf(proof, whole), probe }, inner);
    if (whole) disks.set(firmware, disk);
    return whole ? 'it ended, and had written to the disk' : 'it began to write to the disk';
  });
}

function requestOf({ iso, answers, offline, timeoutSeconds }: IsoProof, whole: boolean): InstallRequest {
  const second = answers === undefined ? [] : [{ path: answers.path, as: 'disk' as const }];
  return {
    words: () => [],
    attached: [{ path: iso.path, as: 'cdrom' }, ...second],
    end: whole ? 'off-or-restart' : 'writes',
    ...(offline ? { network: 'none' as const } : {}),
    ...(timeoutSeconds > longMenuSeconds ? { silenceMs: timeoutSeconds * 1000 + afterMenuMs } : {}),
  };
}

type Installed = { readonly firmware: Firmware; readonly disk: DiskFile; readonly mark: string | undefined };

/** Boot what was installed, and ask of it what can be asked of it. */
async function enter(
  workshop: Workshop,
  { spec, scratch, build }: IsoProof,
  { firmware, disk, mark }: Installed,
  ctx: Context,
): Promise<readonly CheckResult[]> {
  const { arch, memory, cpus, virtualization, secureBoot } = spec;
  const access = accessOf(spec, workshop);
  const request = {
    ...{ medium: disk, arch, memory, cpus, virtualization, secureBoot, packages: [], boots: true },
    ...(access === undefined ? {} : { access }),
    ...(mark === undefined ? {} : { mark }),
    firmware: [firmware],
    uses: usesFor(spec, workshop.kinds),
    kinds: workshop.kinds,
    scratch: join(scratch, `${firmware}-checks`),
    logs: join(workshop.paths.builds, build),
    state: join(workshop.paths.home, 'state'),
  };
  try {
    return (await checkArtifact(request, ctx)).results;
  } catch (error) {
    if (error instanceof CheckError) return error.report.results;
    throw error;
  }
}
