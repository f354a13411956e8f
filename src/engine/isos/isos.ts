import { resolve } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import type {
  IsoDownload,
  IsoDownloadRequest,
  IsoReport,
  IsoRequest,
  IsoVerification,
} from '../../cli/requests/isos.ts';
import { archFromNode } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { digestParts, digestText } from '../../core/digests.ts';
import { IngotError } from '../../core/errors.ts';
import type { IsoEntry } from '../../core/isos.ts';
import type { Published } from '../../core/published.ts';
import { fileDigest } from '../../host/local-file.ts';
import { errorRecord } from '../../run/error-record.ts';
import { type Workshop, withStep } from '../../run/workshop.ts';
import { listOfPublished, nameOfPublished } from '../../upstream/published.ts';
import { buildId, openJournal } from '../journal.ts';
import { bringIsoFile, chooseIsos, type IsoFile, isoFiles, knownDigest, loadIsos, storedPath } from './iso-files.ts';

/** The ISOs of the catalogue and what is here of each; asks nobody. */
export async function listIsos(workshop: Workshop): Promise<readonly IsoReport[]> {
  const entries = chooseIsos(await loadIsos(workshop), { names: [], arch: 'all' }, undefined);
  return Promise.all(entries.map((entry) => reportOf(workshop, entry)));
}

async function reportOf(workshop: Workshop, entry: IsoEntry): Promise<IsoReport> {
  const files = isoFiles(entry);
  const found = await Promise.all(files.map(({ published }) => findHere(workshop, published)));
  const { name, distribution, arch } = entry;
  const isAll = found.every((one) => one !== undefined);
  const bytes = found.reduce((sum, one) => sum + (one?.bytes ?? 0), 0);
  const verified = isAll && found.every((one) => one?.verified === true);
  return {
    ...{ name, distribution, arch },
    from: files.map(({ published }) => published.url ?? published.file ?? ''),
    proof: weakest(files),
    ...(isAll ? { here: { bytes, verified, paths: found.flatMap((one) => one?.path ?? []) } } : {}),
  };
}

type Here = { readonly path: string; readonly bytes: number; readonly verified: boolean };

/** A file that can be used without asking anybody: one that was checked when it came, or the project's own. */
async function findHere(workshop: Workshop, published: Published): Promise<Here | undefined> {
  const { files } = workshop.host;
  const wanted = await knownDigest(workshop, published);
  const stored = wanted === undefined ? undefined : storedPath(workshop, wanted);
  const found = stored === undefined ? undefined : await files.stat(stored);
  if (stored !== undefined && found?.kind === 'file') return { path: stored, bytes: found.size, verified: true };
  if (published.file === undefined) return undefined;
  const path = resolve(workshop.root, published.file);
  const own = await files.stat(path);
  return own?.kind === 'file' ? { path, bytes: own.size, verified: false } : undefined;
}

const proofs = ['none', 'list', 'signed list', 'digest'] as const;

function weakest(files: readonly IsoFile[]): IsoReport['proof'] {
  const ranks = files.map(({ published }) => proofs.indexOf(proofOf(published)));
  return proofs[Math.min(...ranks)] ?? 'none';
}

function proofOf(published: Published): IsoReport['proof'] {
  const list = listOfPublished(published);
  if (list === undefined) return published.checksum === undefined ? 'none' : 'digest';
  return list.keyring === undefined ? 'list' : 'signed list';
}

/** Have the files of these ISOs in the store, checked; each end is told in its result. */
export async function downloadIsos(
  workshop: Workshop,
  request: IsoDownloadRequest,
  io: Io,
): Promise<readonly IsoDownload[]> {
  const entries = choose(workshop, await loadIsos(workshop), request);
  if (request.from !== undefined && (entries.length !== 1 || entries.some((entry) => isoFiles(entry).length > 1))) {
    const hint = 'ingot iso download NAME --arch ARCH --from FILE';
    throw new IngotError({ code: 'USAGE', message: '--from is for one ISO', hint });
  }
  const results: IsoDownload[] = [];
  for (const entry of entries) results.push(await downloadOne(workshop, entry, request, io));
  return results;
}

function choose(workshop: Workshop, isos: Awaited<ReturnType<typeof loadIsos>>, request: IsoRequest) {
  return chooseIsos(isos, request, archFromNode(workshop.host.arch));
}

async function downloadOne(
  workshop: Workshop,
  entry: IsoEntry,
  request: IsoDownloadRequest,
  io: Io,
): Promise<IsoDownload> {
  const { host } = workshop;
  const { name, arch } = entry;
  const journal = openJournal(workshop, buildId(host), io);
  const ctx: Context = { signal: io.signal, emit: journal.emit, host, step: 'fetch' };
  const started = host.monotonic();
  const end = (rest: Pick<IsoDownload, 'outcome' | 'paths' | 'error'>): IsoDownload => {
    const seconds = (host.monotonic() - started) / 1000;
    const error = rest.error === undefined ? {} : { error: rest.error };
    journal.emit({ type: 'build.end', image: name, arch, outcome: rest.outcome, seconds, ...error });
    return { name, arch, ...rest };
  };
  journal.emit({ type: 'build.start', image: name, arch, key: '' });
  try {
    const isHere = (await reportOf(workshop, entry)).here?.verified === true;
    const paths: string[] = [];
    for (const { label, published } of isoFiles(entry)) {
      const step = { id: `fetch-${label}`, title: `fetch ${nameOfPublished(published)}` };
      const bring = (inner: Context) => bringIsoFile(workshop, published, request, inner);
      paths.push((await withStep(step, ctx, bring)).value);
    }
    return end({ outcome: isHere && !request.refresh ? 'cached' : 'done', paths });
  } catch (thrown) {
    if (io.signal.aborted) return end({ outcome: 'cancelled', paths: [] });
    return end({ outcome: 'failed', paths: [], error: errorRecord(thrown) });
  } finally {
    journal.close();
  }
}

/** Read what is here of these ISOs once more, and compare. */
export async function verifyIsos(workshop: Workshop, request: IsoRequest, io: Io): Promise<readonly IsoVerification[]> {
  const results: IsoVerification[] = [];
  for (const entry of choose(workshop, await loadIsos(workshop), request)) {
    for (const file of isoFiles(entry)) results.push(await verifyOne(workshop, entry, file, io));
  }
  return results;
}

async function verifyOne(
  workshop: Workshop,
  { name, arch }: IsoEntry,
  { label, published }: IsoFile,
  { signal }: Io,
): Promise<IsoVerification> {
  const common = { name, arch, ...(label === 'iso' ? {} : { part: label }) };
  const here = await findHere(workshop, published);
  const wanted = await knownDigest(workshop, published);
  if (here === undefined) return { ...common, state: 'absent' };
  if (wanted === undefined) return { ...common, state: 'unproven', path: here.path };
  const { algorithm, hex } = digestParts(wanted);
  const found = await fileDigest(here.path, algorithm, signal);
  const told = { ...common, path: here.path, digest: digestText(wanted) };
  if (found === hex) return { ...told, state: 'good' };
  const error = new IngotError({
    code: 'INPUT_REFUSED',
    message: `${here.path} is not ${nameOfPublished(published)}: its ${algorithm.replace('sha', 'SHA-')} differs`,
    hint: `it is not used; \`ingot iso download ${name}\` sets it aside and fetches it again`,
    detail: [`expected ${hex}`, `found    ${found}`],
  });
  return { ...told, state: 'bad', error: errorRecord(error) };
}
