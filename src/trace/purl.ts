import type { InstalledPackage } from '../core/manifest.ts';

/** The package URL (purl-spec) of an installed package; undefined where nothing says whose it is. */
export function purlOf(one: InstalledPackage, system: Readonly<Record<string, string>>): string | undefined {
  const { name, arch, type } = one;
  if (type === undefined) return undefined;
  const { ID = type === 'deb' ? 'debian' : 'linux', VERSION_ID } = system;
  const [epoch, version] = type === 'rpm' ? splitEpoch(one.version) : [undefined, one.version];
  const qualifiers = {
    ...(arch === '' || arch === '(none)' ? {} : { arch }),
    ...(VERSION_ID === undefined ? {} : { distro: `${ID}-${VERSION_ID}` }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(one.source === undefined ? {} : { upstream: one.source }),
  };
  const query = Object.entries(qualifiers).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  const end = query.length === 0 ? '' : `?${query.join('&')}`;
  return `pkg:${type}/${encodeURIComponent(ID)}/${encodeURIComponent(name)}@${encodeURIComponent(version)}${end}`;
}

/** Of rpm's EPOCH:VERSION-RELEASE; a package URL keeps them apart. */
function splitEpoch(version: string): readonly [string | undefined, string] {
  const [, epoch, rest] = /^(\d+):(.*)$/.exec(version) ?? [];
  return rest === undefined ? [undefined, version] : [epoch, rest];
}
