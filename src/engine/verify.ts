import { basename, dirname, join, resolve } from 'node:path';
import type { Verification, VerifiedFile, VerifyRequest } from '../cli/requests/trace.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { fetchFile } from '../host/fetch.ts';
import { trustedKeys } from '../run/signing.ts';
import { blake2bOf } from '../run/trace.ts';
import type { Workshop } from '../run/workshop.ts';
import { manifestFile } from '../store/artifacts.ts';
import type { StorePaths } from '../store/paths.ts';
import { bomFile } from '../trace/cyclonedx.ts';
import { type PublicKey, parsePublic } from '../trace/keys.ts';
import { provenanceFile } from '../trace/provenance.ts';
import { type Evidence, judge, type Terms } from '../trace/verify.ts';
import { findBuild } from './find-build.ts';
import { proveFormats } from './prove-formats.ts';

export type VerifyPlace = {
  readonly host: Host;
  readonly paths: StorePaths;
  readonly cwd: string;
  /** Opened only for the name of an image. */
  readonly workshop: () => Promise<Workshop>;
};

/** Whether files are what their provenance says. Fails with INPUT_REFUSED and the reason for the first that is not. */
export async function verify(place: VerifyPlace, request: VerifyRequest, signal: AbortSignal): Promise<Verification> {
  const { host, cwd, paths } = place;
  const { target, allowUnsigned } = request;
  const trusted =
    request.key === undefined ? await trustedKeys(paths, host.files) : [await readKey(place, request.key)];
  const terms = { trusted, allowUnsigned };
  if (/^https?:\/\//.test(target)) return verifyUrl(host, target, terms, signal);
  const path = resolve(cwd, target);
  if ((await host.files.stat(path))?.kind === 'file') {
    return { files: [await verifyFile(host, path, terms, signal)] };
  }
  if (target.includes('/')) throw new IngotError({ code: 'NOT_FOUND', message: `there is no file ${target}` });
  return verifyImage(place, request, terms, signal);
}

/** The public key that a person names: a file or its line. */
export async function readKey({ host, cwd }: Pick<VerifyPlace, 'host' | 'cwd'>, given: string): Promise<PublicKey> {
  const key = parsePublic(given) ?? parsePublic((await host.files.readText(resolve(cwd, given))) ?? '');
  if (key !== undefined) return key;
  const hint = 'give the line or the file that `ingot keys new` or minisign wrote';
  throw new IngotError({ code: 'USAGE', message: `${given} is no public key`, hint });
}

async function verifyImage(
  place: VerifyPlace,
  { target, arch }: VerifyRequest,
  terms: Terms,
  signal: AbortSignal,
): Promise<Verification> {
  const [image = '', build] = target.split('@');
  const request = { image, arch, ...(build === undefined ? {} : { build }) };
  const workshop = await place.workshop();
  const found = await findBuild(workshop, request);
  const { folder, manifest } = found;
  const files: VerifiedFile[] = [];
  for (const { file } of manifest.artifacts) {
    files.push(await verifyFile(place.host, join(folder, file), { ...terms, image }, signal));
  }
  await proveFormats(workshop, found, signal);
  return { files };
}

/** Whether one file is what the provenance beside it says. */
export async function verifyFile(host: Host, path: string, terms: Terms, signal: AbortSignal): Promise<VerifiedFile> {
  const verdict = judge(await gather(host, path, signal), terms);
  if ('fault' in verdict) throw refused(path, verdict.fault);
  const { image, arch, build, key } = verdict.statement;
  const { signedBy } = verdict;
  return { path, image, arch, build, key, ...(signedBy === undefined ? {} : { signedBy }) };
}

function refused(path: string, fault: string): IngotError {
  const hint = /not trusted/.test(fault)
    ? 'name the public key of those who made it: --key FILE'
    : 'do not use it; fetch or build it again';
  return new IngotError({ code: 'INPUT_REFUSED', message: `${basename(path)}: ${fault}`, hint, detail: [path] });
}

async function gather(host: Host, path: string, signal: AbortSignal): Promise<Evidence> {
  const { files } = host;
  const [folder, name] = [dirname(path), basename(path)];
  const beside = new Map<string, string>();
  const bom = join(folder, bomFile);
  if ((await files.stat(bom)) !== undefined) beside.set(bomFile, await files.sha256(bom, signal));
  const minisig = await files.readText(`${path}.minisig`);
  return {
    name,
    beside,
    minisig,
    sha256: await files.sha256(path, signal),
    blake2b: minisig === undefined ? new Uint8Array() : await blake2bOf(host, path, signal),
    provenance: await files.readText(join(folder, provenanceFile)),
    sums: await files.readText(`${path}.sha256`),
    manifest: await files.readText(join(folder, manifestFile)),
  };
}

const mostBeside = 64 * 1024 * 1024;

/** Bring the file and what lies beside it at the same address, and look at them here. */
async function verifyUrl(host: Host, url: string, terms: Terms, signal: AbortSignal): Promise<Verification> {
  const name = URL.canParse(url) ? basename(new URL(url).pathname) : '';
  if (!/^[A-Za-z0-9][\w.+~-]*$/.test(name)) {
    throw new IngotError({ code: 'USAGE', message: `${url} is not the address of a file` });
  }
  return host.withTemporary(async (folder) => {
    const beside = [`${name}.sha256`, `${name}.minisig`, provenanceFile, manifestFile, bomFile];
    for (const file of beside) await fetchBeside(new URL(file, url).href, join(folder, file), signal);
    await fetchFile({ url, to: join(folder, name), signal });
    const { path: _, ...found } = await verifyFile(host, join(folder, name), terms, signal);
    return { files: [{ path: url, ...found }] };
  });
}

async function fetchBeside(url: string, to: string, signal: AbortSignal): Promise<void> {
  try {
    await fetchFile({ url, to, maxBytes: mostBeside, signal });
  } catch (error) {
    if (!(error instanceof IngotError && error.code === 'NOT_FOUND')) throw error;
  }
}
