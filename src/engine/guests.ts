import { join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { CheckRequest, CheckResult, ImageRequest } from '../cli/requests/images.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { CheckRecord } from '../core/manifest.ts';
import type { ImageSpec } from '../core/spec.ts';
import { CheckError } from '../run/check.ts';
import { errorRecord } from '../run/error-record.ts';
import { type BootArtifact, bootMedia } from '../run/finish.ts';
import { bootShell } from '../run/guest/boot-shell.ts';
import { proveMedia } from '../run/prove.ts';
import { openSigner } from '../run/signing.ts';
import { recordChecks } from '../run/trace.ts';
import type { Workshop } from '../run/workshop.ts';
import type { FinishedBuild } from '../store/artifacts.ts';
import { withLedger } from '../store/ledger.ts';
import { findBuild } from './find-build.ts';
import { buildId, openJournal } from './journal.ts';

/** Run the checks of finished images, one after another; each end is told in its result. */
export async function checkAll(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  request: CheckRequest,
  io: Io,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const spec of specs) results.push(await checkOne(workshop, spec, request.force, io));
  return results;
}

async function checkOne(workshop: Workshop, spec: ImageSpec, force: boolean, io: Io): Promise<CheckResult> {
  const { host } = workshop;
  const { name: image, arch } = spec;
  const found = await findBuild(workshop, { image, arch });
  const media = mediaOf(workshop, spec, found);
  const id = buildId(host);
  const journal = openJournal(workshop, id, io);
  const started = host.monotonic();
  const ctx: Context = { signal: io.signal, emit: journal.emit, host, step: 'check' };
  const common = { image, arch, path: media[0].path, sha256: media[0].sha256 };
  journal.emit({ type: 'build.start', image, arch, key: found.manifest.key });
  const end = (rest: Pick<CheckResult, 'outcome' | 'checks' | 'error'>): CheckResult => {
    const seconds = (host.monotonic() - started) / 1000;
    const error = rest.error === undefined ? {} : { error: rest.error };
    journal.emit({ type: 'build.end', image, arch, outcome: rest.outcome, seconds, ...error });
    return { ...common, ...rest, seconds };
  };
  try {
    const { packages, artifacts } = found.manifest;
    const { folder } = found;
    const signer = await openSigner(workshop);
    const checks = await inScratch(workshop, id, io.signal, (scratch) =>
      proveMedia(workshop, { spec, media, artifacts, folder, packages, scratch, build: id, force }, ctx),
    );
    await recordChecks(workshop, found, checks, signer);
    return end({ outcome: checks.every(isRemembered) ? 'cached' : 'done', checks });
  } catch (thrown) {
    if (io.signal.aborted) return end({ outcome: 'cancelled', checks: [] });
    const checks = thrown instanceof CheckError ? thrown.report.results : [];
    return end({ outcome: 'failed', checks, error: errorRecord(thrown) });
  } finally {
    journal.close();
  }
}

function isRemembered(check: CheckRecord): boolean {
  return check.outcome === 'cached';
}

/** Boot a throw-away copy of a finished image and give the terminal to a login in it. */
export async function logIn(workshop: Workshop, spec: ImageSpec, request: ImageRequest, io: Io): Promise<void> {
  const { host, paths } = workshop;
  const found = await findBuild(workshop, { ...request, arch: spec.arch });
  const [{ path, format }] = mediaOf(workshop, spec, found);
  const id = buildId(host);
  const journal = openJournal(workshop, id, io);
  const ctx: Context = { signal: io.signal, emit: journal.emit, host, step: 'boot' };
  const { arch, memory, cpus, virtualization, secureBoot } = spec;
  const [firmware = 'uefi'] = spec.firmware;
  const started = host.monotonic();
  const left = Promise.withResolvers<void>();
  let handed: Promise<void> | undefined;
  const boot = { id: 'boot', title: 'boot a throw-away copy' };
  const onReady = () => {
    const seconds = (host.monotonic() - started) / 1000;
    journal.emit({ type: 'step.end', ...boot, outcome: 'done', seconds });
    journal.emit({ type: 'build.end', image: spec.name, arch, outcome: 'done', seconds });
    handed = io.withTerminal(() => left.promise);
  };
  journal.emit({ type: 'build.start', image: spec.name, arch, key: found.manifest.key });
  journal.emit({ type: 'step.start', ...boot });
  try {
    await inScratch(workshop, id, io.signal, (scratch) => {
      const packages = found.manifest.packages.map(({ name }) => name);
      const folders = {
        scratch: join(scratch, 'guest'),
        logs: join(paths.builds, id),
        state: join(paths.home, 'state'),
      };
      const medium = { path, format };
      const request = {
        medium,
        arch,
        memory,
        cpus,
        virtualization,
        secureBoot,
        firmware,
        packages,
        onReady,
        ...folders,
      };
      return bootShell(request, ctx);
    });
  } finally {
    left.resolve();
    await handed;
    journal.close();
  }
}

function mediaOf(
  workshop: Workshop,
  spec: ImageSpec,
  { folder, manifest }: FinishedBuild,
): readonly [BootArtifact, ...BootArtifact[]] {
  const [first, ...rest] = bootMedia(workshop, folder, manifest.artifacts);
  if (first !== undefined) return [first, ...rest];
  const message = `no format of ${spec.name} can be booted as it is`;
  throw new IngotError({ code: 'USAGE', message, hint: 'add qcow2 to its formats' });
}

/** Do something with a work folder that is gone afterwards. */
export async function inScratch<T>(
  workshop: Workshop,
  id: string,
  signal: AbortSignal,
  act: (scratch: string) => Promise<T>,
): Promise<T> {
  return withLedger(workshop.paths, id, signal, async (ledger) => {
    const scratch = join(workshop.paths.work, id);
    await ledger.record({ folder: scratch });
    await workshop.host.files.makeDirectory(scratch, 0o755);
    return act(scratch);
  });
}
