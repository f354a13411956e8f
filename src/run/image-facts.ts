import type { InstalledPackage } from '../core/manifest.ts';
import { osReleaseScript, parseOsRelease } from '../core/os-release.ts';
import type { Script } from '../core/script.ts';

/** Prints the installed packages: name, version, architecture, type, name and version of the source, tab-separated. */
export const packagesScript: Script = {
  text: `if command -v dpkg-query >/dev/null; then
  dpkg-query -W -f '\${db:Status-Abbrev}\\t\${Package}\\t\${Version}\\t\${Architecture}\\tdeb\\t\${source:Package}\\t\${source:Version}\\n' | sed -n 's/^.i.\\t//p'
elif command -v rpm >/dev/null; then
  rpm -qa --qf '%{NAME}\\t%{EVR}\\t%{ARCH}\\trpm\\n'
elif [ -r /lib/apk/db/installed ]; then
  awk '/^P:/ { name = substr($0, 3) } /^V:/ { version = substr($0, 3) } /^A:/ { arch = substr($0, 3) }
    /^o:/ { origin = substr($0, 3) }
    /^$/ { if (name != "") printf "%s\\t%s\\t%s\\tapk\\t%s\\t%s\\n", name, version, arch, origin, version; name = origin = "" }
    END { if (name != "") printf "%s\\t%s\\t%s\\tapk\\t%s\\t%s\\n", name, version, arch, origin, version }' /lib/apk/db/installed
fi
`,
};

const division = '--- packages';

/** Prints both, since each run takes longer to start than to do. */
export const imageFactsScript: Script = {
  text: `(\n${osReleaseScript.text})\necho '${division}'\n${packagesScript.text}`,
};

export type ImageFacts = {
  readonly system: Readonly<Record<string, string>>;
  readonly packages: readonly InstalledPackage[];
};

/** What `imageFactsScript` printed. */
export function parseImageFacts(text: string): ImageFacts {
  const at = text.indexOf(`${division}\n`);
  return { system: parseOsRelease(text.slice(0, at)), packages: parsePackages(text.slice(at + division.length + 1)) };
}

/** The installed packages, sorted by name. */
export function parsePackages(text: string): readonly InstalledPackage[] {
  const rows = text.split('\n').filter((line) => line !== '');
  const packages = rows.map((row) => {
    const [name = '', version = '', arch = '', type = '', source = '', sourceVersion = ''] = row.split('\t');
    return installed({ name, version, arch }, type, { name: source, version: sourceVersion });
  });
  return sortPackages(packages);
}

const packageTypes = ['deb', 'rpm', 'apk'] as const;

/** A package with its source, where that is not called the same. */
export function installed(
  one: Pick<InstalledPackage, 'name' | 'version' | 'arch'>,
  type: string,
  source: { readonly name: string; readonly version: string },
): InstalledPackage {
  const known = packageTypes.find((word) => word === type);
  const isOther = source.name !== '' && (source.name !== one.name || source.version !== one.version);
  return {
    ...one,
    ...(known === undefined ? {} : { type: known }),
    ...(isOther ? { source: `${source.name}@${source.version}` } : {}),
  };
}

/** By name. */
export function sortPackages(packages: readonly InstalledPackage[]): readonly InstalledPackage[] {
  return [...packages].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** `image-version.txt`: what is inside, as NAME=value lines for scripts. */
export function imageVersionText({ system, packages }: ImageFacts): string {
  const names = ['ID', 'VERSION_ID', 'VERSION_CODENAME', 'DEBIAN_VERSION'];
  const told = names.flatMap((name) => (system[name] === undefined ? [] : [[name, system[name]] as const]));
  const lines = [...told, ...pointRelease(system), ...products(packages)].map(([name, value]) => `${name}=${value}`);
  return `${lines.join('\n')}\n`;
}

/** Ubuntu tells its point release only in VERSION: `24.04.3 LTS (Noble Numbat)`. */
function pointRelease({ ID, VERSION = '' }: ImageFacts['system']): readonly (readonly [string, string])[] {
  const [version] = /^\d+\.\d+(?:\.\d+)?/.exec(VERSION) ?? [];
  return ID === 'ubuntu' && version !== undefined ? [['UBUNTU_VERSION', version]] : [];
}

/** Packages whose version is that of the product they are the heart of. */
const productPackages: Readonly<Record<string, string>> = {
  'pve-manager': 'PVE_VERSION',
  'proxmox-backup-server': 'PBS_VERSION',
  'pmg-api': 'PMG_VERSION',
};

function products(packages: ImageFacts['packages']): readonly (readonly [string, string])[] {
  return packages.flatMap(({ name, version }) => {
    const variable = productPackages[name];
    return variable === undefined ? [] : [[variable, version] as const];
  });
}
