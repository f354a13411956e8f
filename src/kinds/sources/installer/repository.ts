import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Arch, debianArch } from '../../../core/arch.ts';
import type { Context } from '../../../core/context.ts';
import { IngotError } from '../../../core/errors.ts';
import type { Json } from '../../../core/keys.ts';
import type { Tool } from '../../../core/kinds.ts';
import type { InstalledPackage } from '../../../core/manifest.ts';
import type { CarriedRepository, CarryRequest } from '../../../core/media.ts';
import { archiveOf, pinArchive } from '../archive.ts';
import { keyrings, refuseUnsigned } from '../keys.ts';
import type { InstallerOptions } from './options.ts';

export const repositoryTools: readonly Tool[] = [
  { program: 'apt-get', debian: 'apt', why: 'finds and fetches the packages that an ISO carries' },
  { program: 'dpkg-deb', debian: 'dpkg', why: 'tells what is in the packages that an ISO carries' },
  { program: keyrings.debian, debian: 'debian-archive-keyring', why: 'checks the signatures of Debian packages' },
];

type Pinning = Pick<CarryRequest, 'arch' | 'files'>;

/** The present state of the archive that the packages come from; null where none is wanted. */
export async function pinRepository(o: InstallerOptions, { arch, files }: Pinning, ctx: Context): Promise<Json> {
  if (o.medium?.offline !== true) return null;
  return pinArchive({ distro: 'debian', suite: suiteOf(o, files), mirror: o.answers?.mirror }, arch, ctx);
}

/** The release that an ISO installs, as its own archive is called, where the answers name none. */
function suiteOf({ answers, iso }: InstallerOptions, files: ReadonlySet<string>): string {
  if (answers?.suite !== undefined) return answers.suite;
  const suites = [...files].flatMap((path) => /^dists\/([a-z]+)\/Release$/.exec(path)?.[1] ?? []);
  const [only, ...more] = suites;
  if (only !== undefined && more.length === 0) return only;
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: `the ISO ${iso.name} does not say which release of Debian it installs`,
    hint: 'name it: `suite: bookworm` in `answers`',
  });
}

/**
 * A repository with the packages of the answers and all that they need, for `file:` in sources.list(5). It is made for an
 * empty system, so that nothing of it has to be there already.
 */
export async function makeRepository(
  o: InstallerOptions,
  { arch, pin, folder }: CarryRequest,
  ctx: Context,
): Promise<CarriedRepository> {
  const names = [...new Set([...(o.answers?.packages ?? []), ...(o.medium?.packages ?? []), ...sudoOf(o)])];
  if (o.medium?.offline !== true || names.length === 0) return { files: new Map(), packages: [] };
  const debs = await fetchPackages({ names, arch, sources: archiveOf(pin).sources, folder }, ctx);
  const files = new Map<string, string>();
  const paragraphs: string[] = [];
  for (const deb of debs) {
    // apt writes the colon of an epoch as %3a, and would read that as a colon.
    const path = `pool/${deb.name.replaceAll('%3a', '-')}`;
    files.set(`${root}/${path}`, deb.path);
    paragraphs.push(await paragraphOf(deb.path, path, ctx));
  }
  for (const [path, text] of indexesOf(paragraphs, arch)) {
    const from = join(folder, path.replaceAll('/', '-'));
    await ctx.host.files.write(from, text);
    files.set(`${root}/${path}`, from);
  }
  return { files, packages: paragraphs.map(packageOf) };
}

const root = 'ingot/repository';

function sudoOf({ answers }: InstallerOptions): readonly string[] {
  return answers?.user?.sudo === true ? ['sudo'] : [];
}

type Wanted = {
  readonly names: readonly string[];
  readonly arch: Arch;
  readonly sources: readonly { readonly uri: string; readonly suite: string }[];
  readonly folder: string;
};

type Deb = { readonly name: string; readonly path: string };

async function fetchPackages(wanted: Wanted, ctx: Context): Promise<readonly Deb[]> {
  const { folder, sources, names } = wanted;
  const { files } = ctx.host;
  const lines = sources.map(({ uri, suite }) => `deb [signed-by=${keyrings.debian}] ${uri} ${suite} main\n`);
  if (lines.length === 0) throw noArchive();
  const archives = join(folder, 'cache/archives');
  for (const path of [join(folder, 'state/lists/partial'), join(archives, 'partial')]) await files.makeDirectory(path);
  await files.write(join(folder, 'sources.list'), lines.join(''));
  await files.write(join(folder, 'status'), '');
  const apt = (...words: readonly string[]) =>
    ctx.host.run({ argv: aptArgv(wanted, words), env: { DEBIAN_FRONTEND: 'noninteractive' } }, { signal: ctx.signal });
  await apt('update').catch(refuseUnsigned);
  await apt('-y', '--download-only', 'install', ...names).catch((error: unknown) => {
    throw unknownPackage(error);
  });
  const found = (await files.list(archives)).filter((name) => name.endsWith('.deb')).toSorted();
  return found.map((name) => ({ name, path: join(archives, name) }));
}

/** apt with a state of its own: nothing is installed, and what this machine has counts for nothing. */
export function aptArgv({ folder, arch }: Pick<Wanted, 'folder' | 'arch'>, words: readonly string[]) {
  const options = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'APT::Architecture': debianArch(arch),
    'APT::Architectures': debianArch(arch),
    'APT::Install-Recommends': 'true',
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    // Of a dpkg that has nothing to do with this.
    'Debug::NoLocking': 'true',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
  };
  const given = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return ['apt-get', '-q', ...given, ...words] as const;
}

function noArchive(): IngotError {
  return new IngotError({
    code: 'SPEC_INVALID',
    message: 'no archive is known that the packages of the ISO could come from',
    hint: 'name one: `mirror` in `answers`',
  });
}

function unknownPackage(error: unknown): unknown {
  const lines = error instanceof IngotError && error.code === 'TOOL_FAILED' ? error.detail : [];
  const said = lines.flatMap(
    (line) => /^E: (Unable to locate package .*|Package '.*' has no .*)$/.exec(line)?.[1] ?? [],
  );
  const [message, ...detail] = said;
  if (message === undefined) return error;
  return new IngotError({ code: 'SPEC_INVALID', message, detail, hint: 'see `packages` of the source', cause: error });
}

/** What an index says of a package: its own control file, and where it lies. */
async function paragraphOf(deb: string, path: string, { host, signal }: Context): Promise<string> {
  const { stdout } = await host.run({ argv: ['dpkg-deb', '--field', deb] }, { signal });
  const size = (await host.files.stat(deb))?.size ?? 0;
  return `${stdout.trimEnd()}\nFilename: ${path}\nSize: ${size}\nSHA256: ${await host.files.sha256(deb, signal)}\n`;
}

/** The package that a paragraph of an index is about. */
export function packageOf(paragraph: string): InstalledPackage {
  const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(paragraph)?.[1] ?? '';
  const [name, version] = [field('Package'), field('Version')];
  // deb-src's `Source: NAME (VERSION)`; either stands there where it is another.
  const [, source = name, sourceVersion = version] = /^(\S+)(?: \((.*)\))?$/.exec(field('Source')) ?? [];
  const isSame = source === name && sourceVersion === version;
  return {
    ...{ name, version, arch: field('Architecture'), type: 'deb' },
    ...(isSame ? {} : { source: `${source}@${sourceVersion}` }),
  };
}

/** The indexes of an archive with these packages, by their paths in it. */
export function indexesOf(paragraphs: readonly string[], arch: Arch): ReadonlyMap<string, string> {
  const text = paragraphs.join('\n');
  const index = `main/binary-${debianArch(arch)}/Packages`;
  const release = [
    'Origin: Ingot',
    'Suite: ingot',
    'Codename: ingot',
    `Architectures: ${debianArch(arch)}`,
    'Components: main',
    'SHA256:',
    ` ${createHash('sha256').update(text).digest('hex')} ${Buffer.byteLength(text)} ${index}`,
    '',
  ];
  return new Map([
    [`dists/ingot/${index}`, text],
    ['dists/ingot/Release', release.join('\n')],
  ]);
}
