import type { InstalledPackage } from '../core/manifest.ts';
import { osReleaseScript, parseOsRelease } from '../core/os-release.ts';
import type { Script } from '../core/script.ts';

/** Prints the installed packages: name, version, architecture, tab-separated. */
export const packagesScript: Script = {
  text: `if command -v dpkg-query >/dev/null; then
  dpkg-query -W -f '\${db:Status-Abbrev}\\t\${Package}\\t\${Version}\\t\${Architecture}\\n' | sed -n 's/^.i.\\t//p'
elif command -v rpm >/dev/null; then
  rpm -qa --qf '%{NAME}\\t%{EVR}\\t%{ARCH}\\n'
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
    const [name = '', version = '', arch = ''] = row.split('\t');
    return { name, version, arch };
  });
  return sortPackages(packages);
}

/** By name. */
export function sortPackages(packages: readonly InstalledPackage[]): readonly InstalledPackage[] {
  return [...packages].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** `image-version.txt`: what is inside, as NAME=value lines for scripts. */
export function imageVersionText(system: Readonly<Record<string, string>>): string {
  const names = ['ID', 'VERSION_ID', 'VERSION_CODENAME', 'DEBIAN_VERSION'];
  const lines = names.flatMap((name) => (system[name] === undefined ? [] : [`${name}=${system[name]}`]));
  return `${lines.join('\n')}\n`;
}
