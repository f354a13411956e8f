import type { Json } from '../core/keys.ts';
import { uuidFrom } from '../core/keys.ts';
import type { InstalledPackage, Manifest, Material } from '../core/manifest.ts';
import { purlOf } from './purl.ts';

export type Bom = Pick<Manifest, 'image' | 'arch' | 'key' | 'system' | 'packages' | 'materials' | 'builder'> & {
  /** The finished disk's first file. */
  readonly sha256: string;
  /** Seconds since 1970, where the person said what time it is. */
  readonly epoch?: number;
};

export const bomFile = 'sbom.cdx.json';

/** A bill of materials (CycloneDX 1.6, JSON): the same disk, the same text. */
export function cycloneDx(bom: Bom): string {
  const root = `image:${bom.image}:${bom.arch}`;
  const components = unique([
    ...bom.packages.map((one) => packageComponent(one, bom.system)),
    ...(bom.materials ?? []).map(materialComponent),
  ]);
  const document: Json = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidFrom('sbom', bom.image, bom.arch, bom.sha256)}`,
    version: 1,
    metadata: {
      ...(bom.epoch === undefined ? {} : { timestamp: new Date(bom.epoch * 1000).toISOString() }),
      ...(bom.builder === undefined
        ? {}
        : { tools: { components: [{ type: 'application', name: 'ingot', version: bom.builder.ingot }] } }),
      component: rootComponent(bom, root),
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((one) => one['bom-ref']) }],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

type Component = { readonly 'bom-ref': string; readonly [member: string]: Json };

function rootComponent({ image, arch, key, system, sha256 }: Bom, ref: string): Component {
  const version = system['DEBIAN_VERSION'] ?? system['VERSION_ID'];
  return {
    type: 'operating-system',
    'bom-ref': ref,
    name: image,
    ...(version === undefined ? {} : { version }),
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    properties: [
      { name: 'ingot:arch', value: arch },
      { name: 'ingot:key', value: key },
      ...(system['ID'] === undefined ? [] : [{ name: 'ingot:system', value: system['ID'] }]),
    ],
  };
}

function packageComponent(one: InstalledPackage, system: Manifest['system']): Component {
  const purl = purlOf(one, system);
  return {
    type: 'library',
    'bom-ref': purl ?? `package:${one.name}:${one.version}:${one.arch}`,
    name: one.name,
    version: one.version,
    ...(purl === undefined ? {} : { purl }),
  };
}

const algorithms: Readonly<Record<string, string>> = { sha256: 'SHA-256', sha512: 'SHA-512' };

function materialComponent({ name, uri, digest }: Material): Component {
  const hashes = Object.entries(digest).flatMap(([algorithm, content]) =>
    algorithms[algorithm] === undefined ? [] : [{ alg: algorithms[algorithm], content }],
  );
  return {
    type: 'file',
    'bom-ref': `file:${Object.values(digest)[0] ?? ''}:${uri ?? name}`,
    name,
    hashes,
    ...(uri === undefined ? {} : { externalReferences: [{ type: 'distribution', url: uri }] }),
  };
}

function unique(components: readonly Component[]): readonly Component[] {
  return [...new Map(components.map((one) => [one['bom-ref'], one])).values()];
}
