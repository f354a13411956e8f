import type { Arch } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Json } from '../../core/keys.ts';

export const distros = ['debian', 'ubuntu'] as const;
export type Distro = (typeof distros)[number];

/** Where packages come from and which state of it, as found when the source was pinned. */
export type Archive = {
  /** Empty: mmdebstrap's own default for the distribution. */
  readonly sources: readonly { readonly uri: string; readonly suite: string }[];
  /** SHA-256 of each suite's signed index, by suite. */
  readonly releases: Readonly<Record<string, string>>;
  /** The newest date among the indexes, seconds since 1970. */
  readonly epoch: number;
};

export type ArchiveOptions = {
  readonly distro: Distro;
  readonly suite: string;
  readonly mirror?: string | undefined;
  readonly security?: string | undefined;
  readonly snapshot?: string | undefined;
};

/** The archive a pin speaks of. */
export function archiveOf(pin: Json): Archive {
  return pin as unknown as Archive;
}

/** Find the mirror and the present state of its suites; their signatures are checked when packages are installed. */
export async function pinArchive(options: ArchiveOptions, _arch: Arch, ctx: Context): Promise<Json> {
  const sources =
    options.mirror === undefined ? await configuredSources(options, ctx) : namedSources(options, options.mirror);
  const releases: Record<string, string> = {};
  let epoch = 0;
  for (const source of sources) {
    const index = await fetchIndex(`${source.uri.replace(/\/+$/, '')}/dists/${source.suite}/InRelease`, ctx);
    releases[source.suite] = index.sha256;
    epoch = Math.max(epoch, index.date);
  }
  // Without an index to date it by, the image carries the moment of its snapshot or a fixed one.
  if (epoch === 0) epoch = snapshotSeconds(options.snapshot) ?? Date.UTC(2025, 0, 1) / 1000;
  return { sources, releases, epoch } satisfies Archive;
}

function namedSources(options: ArchiveOptions, mirror: string): Archive['sources'] {
  const at = (text: string) => text.replaceAll('{snapshot}', options.snapshot ?? '');
  const base = [{ uri: at(mirror), suite: options.suite }];
  if (options.security === undefined) return base;
  return [...base, { uri: at(options.security), suite: `${options.suite}-security` }];
}

const pockets: Readonly<Record<Distro, readonly string[]>> = {
  debian: ['-updates', '-security'],
  ubuntu: ['-updates', '-security'],
};
const rolling = new Set(['sid', 'unstable', 'experimental', 'devel']);

/** This machine's own mirrors of the distribution, turned to the suite that is wanted; none: the tool's default. */
async function configuredSources(options: ArchiveOptions, ctx: Context): Promise<Archive['sources']> {
  if ((await ctx.host.which('apt-get')) === undefined) return [];
  const osRelease = (await ctx.host.files.readText('/etc/os-release')) ?? '';
  const found = mirrorsFrom(await indexTargets([], ctx), osRelease, options);
  // A machine whose lists were never fetched, or were removed, has only what its sources say.
  return found.length > 0 ? found : mirrorsFrom(await indexTargets(['--no-release-info'], ctx), osRelease, options);
}

async function indexTargets(more: readonly string[], { host, signal }: Context): Promise<string> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)';
  const argv = ['apt-get', 'indextargets', ...more, '--format', format, 'Created-By: Packages'] as const;
  return (await host.run({ argv }, { signal, onLine: () => undefined })).stdout;
}

/**
 * From lines `URI SUITE COMPONENT ORIGIN` and the machine's os-release: the mirrors to use for another suite of the same
 * distribution. The machine's own suite may be named by an alias such as `stable`, which others use for theirs too, so
 * then the origin decides; it is `$(ORIGIN)` where apt does not know it.
 */
export function mirrorsFrom(targets: string, osRelease: string, options: ArchiveOptions): Archive['sources'] {
  if (/^ID="?([a-z]+)"?$/m.exec(osRelease)?.[1] !== options.distro) return [];
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(osRelease)?.[1];
  const rows = targets.split('\n').flatMap((line) => mainTarget(line) ?? []);
  const own = rows.filter(({ origin }) => origin === options.distro);
  const candidates = own.length > 0 ? own : rows.filter(({ origin }) => origin === undefined);
  const uriOf = (pocket: string) =>
    (
      candidates.find(({ suite }) => suite === `${codename}${pocket}`) ??
      own.find(({ suite }) => suite.replace(/^[a-z]+/, '') === pocket)
    )?.uri;
  const main = uriOf('');
  if (main === undefined) return [];
  const found = [{ uri: main, suite: options.suite }];
  if (rolling.has(options.suite)) return found;
  for (const pocket of pockets[options.distro]) {
    const uri = uriOf(pocket);
    if (uri !== undefined) found.push({ uri, suite: `${options.suite}${pocket}` });
  }
  return found;
}

type Target = { readonly uri: string; readonly suite: string; readonly origin: string | undefined };

/** A line of main packages that come over the network or from a folder, not from the disc this machine was installed from. */
function mainTarget(line: string): Target | undefined {
  const [uri = '', suite = '', component, ...origin] = line.split(' ');
  if (component !== 'main' || !/^(https?|file):/.test(uri)) return undefined;
  const said = origin.join(' ').toLowerCase();
  return { uri, suite, origin: said === '' || said.startsWith('$(') ? undefined : said };
}

async function fetchIndex(uri: string, ctx: Context): Promise<{ readonly sha256: string; readonly date: number }> {
  const { host } = ctx;
  return host.withTemporary(async (folder) => {
    const file = `${folder}/InRelease`;
    const argv = ['/usr/lib/apt/apt-helper', '-o', 'APT::Sandbox::User=root', 'download-file', uri, file] as const;
    await host.run({ argv: argv, name: 'apt-helper' }, { signal: ctx.signal }).catch((error: unknown) => {
      throw noAnswer(uri, error);
    });
    const text = (await host.files.readText(file)) ?? '';
    return { sha256: await host.files.sha256(file), date: indexDate(text) };
  });
}

function noAnswer(uri: string, error: unknown): unknown {
  if (!(error instanceof IngotError) || error.code !== 'TOOL_FAILED') return error;
  return new IngotError({
    code: 'TOOL_FAILED',
    message: `the package archive does not answer: ${uri}`,
    hint: 'check the network and the name of the suite; what is already built needs neither',
    detail: error.detail.filter((line) => /^(Err|E:|W:)/.test(line)).slice(0, 5),
    cause: error,
  });
}

/** The `Date:` of a Release file, seconds since 1970; 0 without one. */
export function indexDate(text: string): number {
  const date = /^Date: (.+)$/m.exec(text)?.[1];
  const seconds = Math.floor(Date.parse(date ?? '') / 1000);
  return Number.isNaN(seconds) ? 0 : seconds;
}

function snapshotSeconds(snapshot: string | undefined): number | undefined {
  if (snapshot === undefined) return undefined;
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(snapshot) ?? [];
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s)) / 1000;
}

/** The image's own package sources, deb822 (sources.list(5)). */
export function sourcesText(archive: Archive, components: readonly string[], keyring: string): string {
  return archive.sources
    .map(
      ({ uri, suite }) =>
        `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: ${components.join(' ')}\nSigned-By: ${keyring}\n`,
    )
    .join('\n');
}
