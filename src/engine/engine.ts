import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Engine, GcRequest, GcResult, Io } from '../cli/engine.ts';
import { homeFolder } from '../cli/place.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { contentsFile } from '../run/finish.ts';
import { pinImages } from '../run/pin.ts';
import { planWithStore } from '../run/plan.ts';
import { projectSchema } from '../spec/schema.ts';
import type { FinishedBuild } from '../store/artifacts.ts';
import { chooseOld, collectables, removeCollectable } from '../store/collect.ts';
import { reap } from '../store/ledger.ts';
import { type StorePaths, storePaths } from '../store/paths.ts';
import { buildAll } from './build.ts';
import { createProject } from './create.ts';
import { examine } from './doctor.ts';
import { checkAll, logIn } from './guests.ts';
import { compareBuilds, listImages, tellStory } from './images.ts';
import { type Ground, openWorkshop, selectImages } from './site.ts';

/** All that the command line can ask for, on this machine. */
export function createEngine(ground: Ground): Engine {
  const { host, kinds, place, cwd } = ground;
  const home = () => homeFolder(place, { env: host.env, cwd });
  return {
    async build(request, io) {
      const workshop = await openWorkshop(ground);
      await reap(workshop.paths);
      return buildAll(workshop, await selectImages(workshop, request), request, io);
    },
    async plan(request, io) {
      const workshop = await openWorkshop(ground);
      const specs = await selectImages(workshop, request);
      const ctx = { signal: io.signal, emit: quiet, host, step: 'plan' };
      const lock = await pinImages(workshop, specs, request.refresh ? 'all' : 'none', ctx);
      return specs.map((spec) => planWithStore(workshop, spec, lock, { force: request.force }));
    },
    async check(request, io) {
      const workshop = await openWorkshop(ground);
      return checkAll(workshop, await selectImages(workshop, request), request, io);
    },
    async list(request, io) {
      const workshop = await openWorkshop(ground);
      return listImages(workshop, await selectImages(workshop, { images: [], arch: 'all', ...request }), io);
    },
    show: async (request) => tellStory(await openWorkshop(ground), request),
    diff: async (request) => compareBuilds(await openWorkshop(ground), request, (build) => filesOf(build, host)),
    gc: (request, io) => collect(storePaths(home()), request, host, io),
    async doctor(request, io) {
      const around = { host, kinds, home: home(), signal: io.signal };
      const workshop = await openWorkshop(ground).catch((error) => {
        if (request.images.length > 0) throw error;
        return undefined;
      });
      return examine(workshop === undefined ? [] : await selectImages(workshop, request), around);
    },
    async shell(request, io) {
      const workshop = await openWorkshop(ground);
      const { image, arch, site } = request;
      const [spec] = await selectImages(workshop, { images: [image], arch, ...(site === undefined ? {} : { site }) });
      if (spec === undefined) throw new IngotError({ code: 'NOT_FOUND', message: `there is no image ${image}` });
      await logIn(workshop, spec, request, io);
    },
    create: (request) => createProject(request, cwd, host),
    schema: async () => projectSchema(kinds).image,
  };
}

const quiet = () => {};
const defaultAgeSeconds = 30 * 86_400;

async function collect(paths: StorePaths, request: GcRequest, host: Host, io: Io): Promise<GcResult> {
  if (!request.dryRun) await reap(paths);
  const all = await collectables(paths);
  const isFree = request.olderThanSeconds === undefined && request.keepBytes === undefined;
  const age = isFree ? defaultAgeSeconds : request.olderThanSeconds;
  const usedBeforeMs = age === undefined ? undefined : host.now() - age * 1000;
  const old = chooseOld(all, { usedBeforeMs, keepBytes: request.keepBytes });
  for (const one of request.dryRun ? [] : old) {
    io.signal.throwIfAborted();
    await removeCollectable(one);
  }
  const sum = (list: typeof all) => list.reduce((bytes, one) => bytes + one.bytes, 0);
  return {
    removed: old.map(({ what, name, bytes, usedMs }) => ({
      what,
      name,
      bytes,
      unusedSeconds: (host.now() - usedMs) / 1000,
    })),
    freedBytes: sum(old),
    keptBytes: sum(all) - sum(old),
  };
}

/** The paths in a build's image with what is recorded of each. */
async function filesOf(build: FinishedBuild, { files }: Host): Promise<ReadonlyMap<string, string>> {
  const path = join(build.folder, contentsFile);
  if ((await files.stat(path)) === undefined) return new Map();
  const text = zstdDecompressSync(await files.read(path)).toString('utf8');
  return new Map(
    text.split('\n').flatMap((line) => {
      const at = line.lastIndexOf('\t');
      return at === -1 ? [] : [[line.slice(at + 1), describe(line.slice(0, at))] as const];
    }),
  );
}

// Type, mode, owner, size, then a digest or where a link leads.
function describe(facts: string): string {
  const [type = '', mode = '', owner = '', size = '', content = ''] = facts.split('\t');
  const what = type === 'f' ? `${size} B, sha256 ${content.slice(0, 12)}` : content === '-' ? type : content;
  return `${mode} ${owner}, ${what}`;
}
