import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AddedIso, AddIsoRequest } from '../../cli/requests/isos.ts';
import { type Arch, arches } from '../../core/arch.ts';
import { parseDigest } from '../../core/digests.ts';
import { IngotError } from '../../core/errors.ts';
import { type IsoDistribution, isoEntry, writtenIso } from '../../core/isos.ts';
import { isAddress } from '../../core/published.ts';
import { fileDigest } from '../../host/local-file.ts';
import type { Workshop } from '../../run/workshop.ts';
import { check } from '../../spec/explain.ts';
import { insertIso } from '../../spec/insert-iso.ts';
import { namePattern, nameRule } from '../../spec/settings.ts';
import { writeDurable } from '../../store/durable.ts';
import { fileNameOf } from '../../upstream/look-up.ts';
import { catalogueOf, loadIsos } from './iso-files.ts';

/** Put an entry into `isos.yaml`; nothing else of the file changes. `cwd`: what a file is relative to. */
export async function addIso(
  workshop: Workshop,
  request: AddIsoRequest,
  cwd: string,
  signal: AbortSignal,
): Promise<AddedIso> {
  const { host } = workshop;
  const { name } = request;
  const isos = await loadIsos(workshop);
  if (!namePattern.test(name)) throw usage(`${JSON.stringify(name)} cannot be the name of an ISO`, nameRule);
  if (isos.has(name)) throw usage(`isos.yaml has an ISO ${name} already`, 'take another name, or change it there');
  const entry = await entryOf(workshop, request, cwd, signal);
  const path = catalogueOf(workshop);
  const file = await host.files.realPath(path).catch(() => path);
  const text = (await host.files.readText(file)) ?? '';
  const inserted = insertIso(text, name, entry);
  if (inserted === undefined) {
    const hint = 'write its entries below one another, without { and }';
    throw new IngotError({
      code: 'SPEC_INVALID',
      message: 'isos.yaml is not written in a way that takes an entry more',
      hint,
    });
  }
  const { mode } = (await host.files.stat(file)) ?? { mode: 0o644 };
  await writeDurable({ path: file, staging: dirname(file) }, inserted.text, mode);
  return { name, file: path, line: inserted.line, entry };
}

type Entry = AddedIso['entry'];

async function entryOf(workshop: Workshop, request: AddIsoRequest, cwd: string, signal: AbortSignal): Promise<Entry> {
  const where = await whereIs(workshop, request, cwd, signal);
  const words = `${request.name} ${fileNameOf(where.url ?? pathToFileURL(`/${where.file}`).href)}`.toLowerCase();
  const { kernel, initrd } = request;
  const entry: Entry = {
    distribution: request.distribution ?? guessed(distributionWords, words, '--distribution', 'debian, ubuntu, ...'),
    arch: request.arch ?? guessed(archWords, words, '--arch', arches.join(' or ')),
    ...where,
    ...(kernel === undefined ? {} : { kernel }),
    ...(initrd === undefined ? {} : { initrd }),
  };
  for (const [schema, data] of [
    [writtenIso, entry],
    [isoEntry, { name: request.name, ...entry }],
  ] as const) {
    const checked = check<unknown>(schema, data);
    if (!('findings' in checked)) continue;
    const [first] = checked.findings;
    throw usage([first?.path.join('.'), first?.message].filter((part) => part !== '').join(': '), first?.hint);
  }
  return entry;
}

/** Its address or path, and its checksum: of a file that is here the one it has. */
async function whereIs(
  { root, host }: Workshop,
  request: AddIsoRequest,
  cwd: string,
  signal: AbortSignal,
): Promise<Pick<Entry, 'url' | 'file' | 'checksum'>> {
  const { from } = request;
  const said = checksumOf(request);
  if (isAddress(from)) {
    if (said === undefined)
      throw usage(`${from} needs a checksum`, '--checksum sha256:HEX, or the address of SHA256SUMS');
    return { url: from, checksum: said };
  }
  const path = resolve(cwd, from);
  if ((await host.files.stat(path))?.kind !== 'file') {
    throw usage(`${from} is neither an address nor a file here`, 'addresses start with https://');
  }
  const inside = relative(root, path);
  const isInside = inside !== '' && !inside.startsWith('..') && !inside.startsWith('/');
  const checksum = said ?? `sha256:${await fileDigest(path, 'sha256', signal)}`;
  return { ...(isInside ? { file: inside } : { url: pathToFileURL(path).href }), checksum };
}

function checksumOf({ checksum, signature, keyring }: AddIsoRequest): Entry['checksum'] | undefined {
  if (checksum === undefined) return undefined;
  const isHex = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/i.test(checksum);
  const written = isHex ? `sha${checksum.length * 4}:${checksum.toLowerCase()}` : checksum;
  if (!isAddress(written)) {
    if (signature !== undefined || keyring !== undefined) {
      throw usage('--signature and --keyring are for a list of checksums', '--checksum takes the address of the list');
    }
    if (written !== 'sidecar' && parseDigest(written) === undefined) {
      throw usage(`${checksum} is not a checksum`, 'sha256:HEX, sha512:HEX, sidecar, or the address of SHA256SUMS');
    }
    return written;
  }
  return {
    file: written,
    ...(signature === undefined ? {} : { signature }),
    ...(keyring === undefined ? {} : { keyring }),
  };
}

const distributionWords: readonly (readonly [RegExp, IsoDistribution])[] = [
  [/ubuntu/, 'ubuntu'],
  [/debian/, 'debian'],
  [/fedora|rocky|alma|centos|rhel/, 'fedora'],
  [/proxmox|\bpve/, 'proxmox'],
  [/alpine/, 'alpine'],
];
const archWords: readonly (readonly [RegExp, Arch])[] = [
  [/x86[_-]64|amd64/, 'x86_64'],
  [/aarch64|arm64/, 'aarch64'],
  // Made for nothing else.
  [/proxmox/, 'x86_64'],
];

function guessed<T>(known: readonly (readonly [RegExp, T])[], words: string, option: string, hint: string): T {
  const found = known.find(([pattern]) => pattern.test(words))?.[1];
  if (found === undefined) throw usage(`its name does not tell its ${option.slice(2)}`, `say it: ${option} ${hint}`);
  return found;
}

function usage(message: string, hint?: string): IngotError {
  return new IngotError({ code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) });
}
