import { join } from 'node:path';
import type { BuildRequest, BuildResult, Io } from '../cli/engine.ts';
import type { Context } from '../core/context.ts';
import type { EventBody, Outcome } from '../core/events.ts';
import type { Host } from '../core/host.ts';
import type { ImageSpec } from '../core/spec.ts';
import { type Built, buildImage } from '../run/build.ts';
import { errorRecord } from '../run/error-record.ts';
import { redactor, secretsOf, type Workshop } from '../run/workshop.ts';
import { imageFolder } from '../store/paths.ts';
import { packLayer, takeSnapshot } from '../tree/layers.ts';
import type { OpenTree } from '../tree/session.ts';
import { buildId, openJournal } from './journal.ts';

/** Build images, several at once but never two passes together; each end is told in its result. */
export async function buildAll(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  request: BuildRequest,
  io: Io,
): Promise<readonly BuildResult[]> {
  const results = new Map<ImageSpec, BuildResult>();
  const jobs = request.jobs ?? Math.max(1, Math.floor(workshop.host.cpus / 4));
  for (const pass of [...new Set(specs.map((spec) => spec.pass))].sort((a, b) => a - b)) {
    const waiting = specs.filter((spec) => spec.pass === pass);
    const worker = async () => {
      for (let spec = waiting.shift(); spec !== undefined; spec = waiting.shift()) {
        results.set(spec, await buildOne(workshop, spec, request, io));
      }
    };
    await Promise.all(Array.from({ length: Math.min(jobs, waiting.length) }, worker));
  }
  return specs.flatMap((spec) => results.get(spec) ?? []);
}

async function buildOne(workshop: Workshop, spec: ImageSpec, request: BuildRequest, io: Io): Promise<BuildResult> {
  const { host } = workshop;
  const build = buildId(host);
  const journal = openJournal(workshop, build, io);
  const started = host.monotonic();
  const { name: image, arch } = spec;
  const common = () => ({ image, arch, build, seconds: (host.monotonic() - started) / 1000 });
  const options = { build, force: request.force, refresh: request.refresh, checks: request.checks };
  let redact = <T>(data: T): T => data;
  journal.emit({ type: 'build.start', image, arch, key: '' });
  try {
    io.signal.throwIfAborted();
    redact = redactor(secretsOf(workshop, spec));
    const emit = (event: EventBody) => journal.emit(redact(event));
    const ctx = { signal: io.signal, emit, host, step: 'prepare' };
    const onFailure = failureAction({ workshop, build, request, io });
    const built = await buildImage(workshop, spec, { ...options, onFailure }, ctx);
    const result = { ...common(), ...(await deliver(workshop, built, request)) };
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

async function deliver(workshop: Workshop, { finished, cached }: Built, request: BuildRequest) {
  const { manifest } = finished;
  const folder = imageFolder(workshop.paths, manifest.image, manifest.arch);
  const paths = manifest.artifacts.map(({ file }) => join(folder, file));
  if (request.output !== undefined) await copyOut(workshop.host, paths, request.output);
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

/** What `--on-error` does with a failed tree before it is dropped. */
function failureAction(place: {
  readonly workshop: Workshop;
  readonly build: string;
  readonly request: BuildRequest;
  readonly io: Io;
}): ((tree: OpenTree, ctx: Context) => Promise<void>) | undefined {
  const { workshop, build, request, io } = place;
  if (request.onError === 'shell') {
    return async (tree, ctx) => {
      ctx.emit({
        type: 'warning',
        message: 'a step failed: this shell is in its tree',
        hint: 'exit the shell to go on; the tree is then dropped',
      });
      await io.withTerminal(() => tree.shell(ctx));
    };
  }
  if (request.onError !== 'keep') return undefined;
  return async (tree, ctx) => {
    const folder = join(workshop.paths.builds, build);
    const file = join(folder, 'failed-tree.tar.zst');
    const session = tree.as(ctx);
    const { packed } = await packLayer(session, [...(await takeSnapshot(session)).keys()].sort(), file);
    await packed;
    ctx.emit({
      type: 'warning',
      message: `the failed tree is kept in ${file}`,
      hint: 'look at it with tar --zstd -tvf',
    });
  };
}
