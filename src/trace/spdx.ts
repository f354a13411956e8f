import { type Json, uuidFrom } from '../core/keys.ts';
import type { InstalledPackage, Manifest, Material } from '../core/manifest.ts';
import { purlOf } from './purl.ts';

const root = 'SPDXRef-Image';
const unknown = 'NOASSERTION';

/** The bill of materials of a finished build as SPDX 2.3 JSON; its moment is that of the build. */
export function spdx(manifest: Manifest): string {
  const { image, arch, build, artifacts, system, packages, materials = [] } = manifest;
  const parts = [
    ...packages.map((one, index) => packageOf(one, `SPDXRef-Package-${index + 1}`, system)),
    ...materials.map((one, index) => fileOf(one, `SPDXRef-Download-${index + 1}`)),
  ];
  const document: Json = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${image}-${arch}`,
    documentNamespace: `urn:uuid:${uuidFrom('spdx', image, arch, build, artifacts[0]?.sha256 ?? '')}`,
    creationInfo: {
      created: `${manifest.builtAt.slice(0, 19)}Z`,
      creators: [`Tool: ingot-${manifest.builder?.ingot ?? 'unknown'}`],
    },
    packages: [rootOf(manifest), ...parts],
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', root),
      ...parts.map(({ SPDXID }) => relation(root, 'CONTAINS', SPDXID)),
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function rootOf({ image, system, artifacts }: Manifest): Json {
  const version = system['DEBIAN_VERSION'] ?? system['VERSION_ID'];
  const [first] = artifacts;
  return {
    SPDXID: root,
    name: image,
    downloadLocation: unknown,
    filesAnalyzed: false,
    ...(version === undefined ? {} : { versionInfo: version }),
    ...(first === undefined ? {} : { checksums: [{ algorithm: 'SHA256', checksumValue: first.sha256 }] }),
  };
}

function packageOf(one: InstalledPackage, SPDXID: string, system: Manifest['system']) {
  const locator = purlOf(one, system);
  const reference = { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: locator };
  return {
    SPDXID,
    name: one.name,
    versionInfo: one.version,
    downloadLocation: unknown,
    filesAnalyzed: false,
    ...(locator === undefined ? {} : { externalRefs: [reference] }),
  };
}

const algorithms: Readonly<Record<string, string>> = { sha256: 'SHA256', sha512: 'SHA512' };

function fileOf({ name, uri, digest }: Material, SPDXID: string) {
  const checksums = Object.entries(digest).flatMap(([algorithm, checksumValue]) => {
    const known = algorithms[algorithm];
    return known === undefined ? [] : [{ algorithm: known, checksumValue }];
  });
  return { SPDXID, name, downloadLocation: uri ?? unknown, filesAnalyzed: false, checksums };
}

function relation(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}
