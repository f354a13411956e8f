import { join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { BuildRequest, BuildResult, PlanRequest } from '../cli/requests/images.ts';
import type { EventBody, Outcome } from '../core/events.ts';
import type { Host } from '../core/host.ts';
import type { ImageSpec } from '../core/spec.ts';
import { imageId, parentsOf, passesOf } from '../plan/family.ts';
import { type Built, buildImage } from '../run/build.ts';
import { errorRecord } from '../run/error-record.ts';
import { inGraph } from '../run/in-graph.ts';
import { redactor, secretsOf, type Workshop } from '../run/workshop.ts';
import { imageFolder } from '../store/paths.ts';
import { failureActions } from './failure.ts';
import { buildId, openJournal } from './journal.ts';

/**
 * Build images, several at once, each after those it is made from and never two passes together; each end is told in
 * its result. `specs` hold all that one of them is made from, before it.
 */
export async function buildAll(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  request: BuildRequest,
  io: Io,
): Promise<readonly BuildResult[]> {
  const { kinds, host } = workshop;
  const passes = passesOf(specs, kinds);
  const passOf = (spec: ImageSpec) => passes.get(spec) ?? spec.pass;
  const family = new Map(specs.map((spec) => [spec, parentsOf(spec, specs, kinds)]));
  const needs = new Map(
    specs.map((spec) => {
      const before = specs.filter((other) => passOf(other) < passOf(spec));
      return [spec, [...(family.get(spec) ?? []), ...before]];
    }),
  );
  return inGraph(specs, {
    jobs: request.jobs ?? Math.max(1, Math.floor(host.cpus / 4)),
    needs: (spec) => needs.get(spec) ?? [],
    run: (spec, done: ReadonlyMap<ImageSpec, BuildResult>) => {
      const parents = (family.get(spec) ?? []).flatMap((parent) => done.get(parent) ?? []);
      const lost = parents.find(({ outcome }) => outcome === 'failed' || outcome === 'skipped');
      if (lost !== undefined && !io.signal.aborted) return skip(workshop, spec, lost, io);
      return buildOne({ workshop, spec, parents, request, io });
    },
  });
}

/** Say that an image cannot be built for want of one that it is made from. */
async function skip(workshop: Workshop, spec: ImageSpec, lost: BuildResult, io: Io): Promise<BuildResult> {
  const build = buildId(workshop.host);
  const journal = openJournal(workshop, build, io);
  const common = { image: spec.name, arch: spec.arch, outcome: 'skipped', seconds: 0 } as const;
  const message = `not built: it starts from ${lost.image}, which ${lost.outcome === 'failed' ? 'failed' : 'was skipped'}`;
  const error = { code: lost.error?.code ?? 'STEP_FAILED', message };
  journal.emit({ type: 'build.start', image: spec.name, arch: spec.arch, key: '' });
  journal.emit({ type: 'build.end', ...common, error });
  journal.close();
  return { ...common, build, paths: [], checks: [], error };
}

/** What was not asked for is only needed, and used as it is. */
export function isForced(spec: ImageSpec, request: PlanRequest): boolean {
  return request.force && isAskedFor(spec, request);
}

function isAskedFor({ name, pass }: ImageSpec, { images, ...request }: PlanRequest): boolean {
  const isOfPass = request.pass === undefined || request.pass === pass;
  return isOfPass && (images.length === 0 || images.includes(name));
}

type Job = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  /** How those ended that it is made from. */
  readonly parents: readonly BuildResult[];
  readonly request: BuildRequest;
  readonly io: Io;
};

async function buildOne({ workshop, spec, parents, request, io }: Job): Promise<BuildResult> {
  const { host } = workshop;
  const build = buildId(host);
  const journal = openJournal(workshop, build, io);
  const started = host.monotonic();
  const { name: image, arch } = spec;
  const common = () => ({ image, arch, build, seconds: (host.monotonic() - started) / 1000 });
  const keys = new Map(parents.map((parent) => [imageId(parent.image, parent.arch), parent.key]));
  const options = {
    build,
    force: isForced(spec, request),
    refresh: request.refresh,
    checks: request.checks,
    warm: request.warm,
    parents: keys,
  };
  let redact = <T>(data: T): T => data;
  journal.emit({ type: 'build.start', image, arch, key: '' });
  try {
    io.signal.throwIfAborted();
    redact = redactor(secretsOf(workshop, spec));
    const emit = (event: EventBody) => journal.emit(redact(event));
    const ctx = { signal: io.signal, emit, host, step: 'prepare' };
    const onFailure = failureActions({ workshop, build, onError: request.onError, io });
    const built = await buildImage(workshop, spec, { ...options, onFailure }, ctx);
    const result = {
      ...common(),
      ...(await deliver(workshop, built, isAskedFor(spec, request) ? request.output : undefined)),
    };
    const [path] = result.paths;
    const end = { type: 'build.end', image, arch, outcome: result.outcome, seconds: result.seconds } as const;
    journal.emit({ ...end, ...(path === undefined ? {} : { path }) });
    return result;
  } catch (thrown) {
    const outcome: Outcome = io.signal.aborted ? 'cancelled' : 'failed';
    const found = redact(errorRecord(io.signal.aborted ? io.signal.reason : thrown));
    const log = journal.logFile();
    const error = log === undefined ? found : { ...found, detail: [...(found.detail ?? []), `log: ${log}`] };
    journal.emit({ type: 'build.end', image, arch, outcome, seconds: common().seconds, error });
    return { ...common(), outcome, paths: [], checks: [], ...(io.signal.aborted ? {} : { error }) };
  } finally {
    journal.close();
  }
}

async function deliver(workshop: Workshop, { finished, cached }: Built, output: string | undefined) {
  const { manifest } = finished;
  const folder = imageFolder(workshop.paths, manifest.image, manifest.arch);
  const paths = manifest.artifacts.map(({ file }) => join(folder, file));
  if (output !== undefined) await copyOut(workshop.host, paths, output);
  const outcome: Outcome = cached ? 'cached' : 'done';
  const checks = manifest.checks.map(({ title, outcome: ended, seconds, evidence }) => {
    return { title, outcome: ended, seconds, ...(evidence === undefined ? {} : { evidence }) };
  });
  return { outcome, key: manifest.key, paths, checks };
}

async function copyOut(host: Host, paths: readonly string[], folder: string): Promise<void> {
  await host.files.makeDirectory(folder);
  const sidecars = paths.map((path) => `${path}.sha256`);
  await host.run({ argv: ['cp', '--sparse=always', '--reflink=auto', '--', ...paths, ...sidecars, folder] });
}
