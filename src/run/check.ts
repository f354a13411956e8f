import type { Context } from '../core/context.ts';
import { type ErrorFields, IngotError } from '../core/errors.ts';
import type { ErrorRecord, Outcome } from '../core/events.ts';
import type { Check, CheckSubject, Kinds } from '../core/kinds.ts';
import { isNoSpace } from '../core/space.ts';
import type { Firmware, KindUse } from '../core/spec.ts';
import { errorRecord } from './error-record.ts';
import { bootCopy, type CopiedGuest } from './guest/boot-guest.ts';
import { type CopyRequest, type OpenBench, openCopyBench } from './guest/guest-bench.ts';
import { firmwareNames } from './guest/guest-watch.ts';

export type CheckRequest = CopyRequest & {
  /** Which firmwares to boot under, when a check needs guests. */
  readonly firmware: readonly Firmware[];
  readonly uses: readonly KindUse[];
  readonly kinds: Pick<Kinds, 'checks'>;
  /** Tells these checks from those of another file of the same image: `ISO`. */
  readonly mark?: string;
  /** Boot guests though no check needs one. */
  readonly boots?: boolean;
};

export type CheckResult = {
  /** The kind: `ssh`. Booting as such is `boot`. */
  readonly check: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** What was seen. */
  readonly evidence?: string;
  readonly error?: ErrorRecord;
};

export type CheckReport = {
  readonly results: readonly CheckResult[];
  /** What carried the guests; absent when no check needed one. */
  readonly accelerator?: 'kvm' | 'hvf' | 'tcg';
  readonly seconds: number;
};

/** Some checks failed; the report holds everything that was found out. */
export class CheckError extends IngotError {
  readonly report: CheckReport;

  constructor(report: CheckReport) {
    super(failureOf(report.results));
    this.report = report;
  }
}

/**
 * Prove what the checks say about a finished disk, on throw-away overlays; the disk itself is only read. All checks
 * run, then CheckError names those that failed. At the end, however it comes, no guest and no file of theirs is left
 * but the logs.
 */
export async function checkArtifact(request: CheckRequest, ctx: Context): Promise<CheckReport> {
  const started = ctx.host.monotonic();
  const checks = request.uses.map((use) => ({ use, check: checkOf(use, request.kinds) }));
  const guests: CopiedGuest[] = [];
  const results: CheckResult[] = [];
  let bench: OpenBench | undefined;
  try {
    await ctx.host.files.makeDirectory(request.scratch);
    if (request.boots === true || checks.some(({ check }) => check.needs === 'guest')) {
      bench = await openCopyBench(request, ctx);
      results.push(...(await bootAll(bench, request, guests, ctx)));
    }
    for (const [index, { use, check }] of checks.entries()) {
      const id = idOf(`check-${index + 1}-${check.name}`, request.mark);
      const alive = guests.filter(({ lost }) => !lost.aborted);
      results.push(
        await runCheck(
          { id, check, title: titleOf(check.title(use.options), request.mark), options: use.options },
          subjectOf(request, alive),
          ctx,
        ),
      );
    }
  } finally {
    await Promise.all(guests.map((guest) => guest.stop()));
    await bench?.close();
  }
  const accelerator = bench === undefined ? {} : { accelerator: bench.accelerator.name };
  const report = { results, ...accelerator, seconds: (ctx.host.monotonic() - started) / 1000 };
  if (results.some(({ outcome }) => outcome === 'failed')) throw new CheckError(report);
  return report;
}

function checkOf(use: KindUse, kinds: CheckRequest['kinds']): Check {
  const check = kinds.checks.get(use.kind);
  if (check === undefined) throw new Error(`no check is called ${use.kind}`);
  return check;
}

function subjectOf({ arch, medium, scratch }: CheckRequest, guests: readonly CopiedGuest[]): CheckSubject {
  return { arch, medium, guests, scratch };
}

function idOf(id: string, mark: string | undefined): string {
  return mark === undefined ? id : `${mark.toLowerCase()}-${id}`;
}

function titleOf(title: string, mark: string | undefined): string {
  return mark === undefined ? title : `${title} (${mark})`;
}

/** Boot under each firmware at once; guests that came up are added in the order of the spec. */
async function bootAll(
  bench: OpenBench,
  { medium, firmware, mark }: CheckRequest,
  guests: CopiedGuest[],
  ctx: Context,
): Promise<readonly CheckResult[]> {
  const up = new Map<Firmware, CopiedGuest>();
  const boots = firmware.map((name) => {
    const inside = { ...ctx, step: idOf(`boot-${name}`, mark) };
    const title = titleOf(`boot under ${firmwareNames[name]}`, mark);
    return asStep({ check: 'boot', title }, inside, async () => {
      const guest = await bootCopy(bench, medium, name, inside);
      up.set(name, guest);
      return `login after ${Math.round(guest.seconds)} s`;
    });
  });
  // Each of them ends before anything is cleaned up, even when one is cancelled.
  const settled = await Promise.allSettled(boots);
  guests.push(...firmware.flatMap((name) => up.get(name) ?? []));
  return settled.map((boot) => {
    if (boot.status === 'rejected') throw boot.reason;
    return boot.value;
  });
}

type CheckUse = {
  readonly id: string;
  readonly check: Check;
  readonly title: string;
  readonly options: unknown;
};

async function runCheck(
  { id, check, title, options }: CheckUse,
  subject: CheckSubject,
  ctx: Context,
): Promise<CheckResult> {
  const inside = { ...ctx, step: id };
  const named = { check: check.name, title };
  if (check.needs === 'guest' && subject.guests.length === 0) {
    const end = { id, title, outcome: 'skipped', seconds: 0 } as const;
    ctx.emit({ type: 'step.end', ...end });
    return { ...named, outcome: 'skipped', seconds: 0, evidence: 'no guest is up' };
  }
  return asStep(named, inside, () => check.run(options, subject, inside));
}

/** Run one check as a step with its own events. A failure is a result; only a cancelled run and our bugs are thrown. */
export async function asStep(
  named: { readonly check: string; readonly title: string },
  ctx: Context,
  run: () => Promise<string>,
): Promise<CheckResult> {
  const started = ctx.host.monotonic();
  const { title } = named;
  const end = (outcome: Outcome, error?: ErrorRecord) => {
    const seconds = (ctx.host.monotonic() - started) / 1000;
    const shown = { outcome, seconds, ...(error === undefined ? {} : { error }) };
    ctx.emit({ type: 'step.end', id: ctx.step, title, ...shown });
    return { ...named, ...shown };
  };
  ctx.emit({ type: 'step.start', id: ctx.step, title });
  try {
    ctx.signal.throwIfAborted();
    const evidence = await run();
    return { ...end('done'), evidence };
  } catch (error) {
    if (ctx.signal.aborted) {
      end('cancelled');
      throw ctx.signal.reason;
    }
    if (!(error instanceof IngotError)) throw error;
    const failed = end('failed', errorRecord(error));
    // Says nothing of the image.
    if (isNoSpace(error)) throw error;
    return failed;
  }
}

function failureOf(results: readonly CheckResult[]): ErrorFields {
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const names = failed.map(({ title }) => title).join(', ');
  const count = failed.length === 1 ? 'a check failed' : `${failed.length} checks failed`;
  const detail = failed.flatMap(({ title, error }) => [
    `${title}: ${error?.message ?? ''}`,
    ...(error?.detail ?? []).map((line) => `  ${line}`),
    ...(error?.hint === undefined ? [] : [`  ${error.hint}`]),
  ]);
  return { code: 'CHECK_FAILED', message: `${count}: ${names}`, detail };
}
