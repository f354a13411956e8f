import { resolve } from 'node:path';
import type { Engine } from '../cli/engine.ts';
import { homeFolder } from '../cli/place.ts';
import type { IsoDownloadRequest } from '../cli/requests/isos.ts';
import { IngotError } from '../core/errors.ts';
import { pinImages } from '../run/pin.ts';
import { planWithStore } from '../run/plan.ts';
import { projectSchema } from '../spec/schema.ts';
import { reap } from '../store/ledger.ts';
import { storePaths } from '../store/paths.ts';
import { settleTree } from '../store/retire.ts';
import { spdx } from '../trace/spdx.ts';
import { buildAll, isForced } from './build.ts';
import { convertFile } from './convert.ts';
import { createProject } from './create.ts';
import { deliverImage } from './deliver.ts';
import { compareBuilds } from './diff/diff.ts';
import { examine } from './doctor.ts';
import { fetchDelivered } from './fetch.ts';
import { findBuild } from './find-build.ts';
import { collectGarbage, keepRules } from './gc.ts';
import { checkAll, logIn } from './guests.ts';
import { addIso } from './isos/add-iso.ts';
import { buildIsos } from './isos/iso-build.ts';
import { downloadIsos, listIsos, verifyIsos } from './isos/isos.ts';
import { buildNetboots } from './isos/netboot.ts';
import { makeKey } from './keys.ts';
import { listImages } from './list.ts';
import { followPins } from './pins.ts';
import { publishHere } from './publish.ts';
import { forgetDeployment, rebuildRegistry, recordDeployment, showRegistry } from './registry.ts';
import { downloadImages, listReleased } from './releases/images.ts';
import { release } from './releases/release.ts';
import { serveArtifacts } from './serve.ts';
import { tellStory } from './show.ts';
import { type Ground, openWorkshop, selectImages } from './site.ts';
import { logInBefore } from './step-shell.ts';
import { verify } from './verify.ts';

/** All that the command line can ask for, on this machine. */
export function createEngine(ground: Ground): Engine {
  const { host, kinds, place, cwd } = ground;
  const home = () => homeFolder(place, { env: host.env, cwd });
  return {
    async build(request, io) {
      const workshop = await openWorkshop(ground);
      const specs = await selectImages(workshop, request);
      await reap(workshop.paths);
      await settleTree(workshop.paths, io.signal, true);
      return buildAll(workshop, specs, request, io);
    },
    async plan(request, io) {
      const workshop = await openWorkshop(ground);
      const specs = await selectImages(workshop, request);
      const ctx = { signal: io.signal, emit: quiet, host, step: 'plan' };
      const lock = await pinImages(workshop, specs, { ask: request.refresh ? 'all' : 'none' }, ctx);
      return specs.map((spec) => planWithStore(workshop, spec, lock, { force: isForced(spec, request) }));
    },
    async check(request, io) {
      const workshop = await openWorkshop(ground);
      const { images } = request;
      const specs = await selectImages(workshop, request);
      // Those that a named image is made from were checked when they were built.
      const named = specs.filter(({ name }) => images.length === 0 || images.includes(name));
      return checkAll(workshop, named, request, io);
    },
    async list(request, io) {
      const workshop = await openWorkshop(ground);
      const specs = await selectImages(workshop, { images: [], arch: 'all', ...request });
      return listImages(workshop, specs, { signal: io.signal, emit: quiet, host, step: 'list' });
    },
    show: async (request) => tellStory(await openWorkshop(ground), request),
    diff: (request, io) => compareBuilds(ground, request, io),
    convert: (request, io) => convertFile(ground, request, io),
    spdx: async (request) => spdx((await findBuild(await openWorkshop(ground), request)).manifest),
    newKey: (io) => makeKey(storePaths(home()), host, io.signal),
    verify: (request, io) =>
      verify({ host, cwd, paths: storePaths(home()), workshop: () => openWorkshop(ground) }, request, io.signal),
    gc: async (request, io) => {
      const keepOf = await keepRules(ground);
      return collectGarbage(storePaths(home()), request, { now: () => host.now(), keepOf }, io.signal);
    },
    registry: (io) => showRegistry(storePaths(home()), io.signal),
    rebuildRegistry: (io) => rebuildRegistry(storePaths(home()), io.signal),
    recordDeployment: (request, io) => recordDeployment({ paths: storePaths(home()), host }, request, io.signal),
    forgetDeployment: (request, io) => forgetDeployment(storePaths(home()), request, io.signal),
    serve: (request, io) => serveArtifacts({ paths: storePaths(home()), host, cwd }, request, io),
    publish: (request, io) => publishHere({ paths: storePaths(home()), host, cwd }, request, io.signal),
    deliver: async (request, io) => deliverImage(await openWorkshop(ground), cwd, request, io),
    fetch: (request, io) => fetchDelivered({ paths: storePaths(home()), host, cwd }, request, io),
    release: (request, io) => release(ground, request, io),
    releasedImages: (request, io) => listReleased(ground, request, io),
    downloadImages: (request, io) => downloadImages(ground, request, io),
    pins: async (request, io) => followPins(await openWorkshop(ground), request, io.signal),
    isos: async () => listIsos(await openWorkshop(ground)),
    addIso: async (request, io) => addIso(await openWorkshop(ground), request, cwd, io.signal),
    downloadIsos: async (request, io) => downloadIsos(await openWorkshop(ground), fromHere(request, cwd), io),
    buildIsos: async (request, io) => buildIsos(await openWorkshop(ground), request, io),
    buildNetboots: async (request, io) => buildNetboots(await openWorkshop(ground), request, io),
    verifyIsos: async (request, io) => verifyIsos(await openWorkshop(ground), request, io),
    async doctor(request, io) {
      const around = { host, kinds, home: home(), signal: io.signal };
      const workshop = await openWorkshop(ground).catch((error) => {
        if (request.images.length > 0) throw error;
        return undefined;
      });
      const specs = workshop === undefined ? [] : await selectImages(workshop, request);
      return examine(specs, request.images.length === 0, around);
    },
    async shell(request, io) {
      const workshop = await openWorkshop(ground);
      const { image, arch, site } = request;
      const selection = { images: [image], arch, ...(site === undefined ? {} : { site }) };
      const specs = await selectImages(workshop, selection);
      const spec = specs.find(({ name }) => name === image);
      if (spec === undefined) throw new IngotError({ code: 'NOT_FOUND', message: `there is no image ${image}` });
      const { step } = request;
      if (step !== undefined) return logInBefore({ workshop, specs, spec, io }, { ...request, step });
      await logIn(workshop, spec, request, io);
      return undefined;
    },
    create: (request) => createProject(request, cwd, host),
    schema: async (file = 'image') => projectSchema(kinds)[file],
  };
}

function fromHere(request: IsoDownloadRequest, cwd: string): IsoDownloadRequest {
  return request.from === undefined ? request : { ...request, from: resolve(cwd, request.from) };
}

const quiet = () => {};
