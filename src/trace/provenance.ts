import type { Json } from '../core/keys.ts';
import type { Manifest, Material } from '../core/manifest.ts';
import { envelopeText } from './envelope.ts';
import type { Signer } from './keys.ts';

export const provenanceFile = 'provenance.intoto.jsonl';

/** What a statement says, as far as `ingot verify` needs it. */
export type Statement = {
  readonly subject: readonly { readonly name: string; readonly sha256: string }[];
  readonly image: string;
  readonly arch: string;
  readonly build: string;
  readonly key: string;
  /** Of files beside the image, by name. */
  readonly beside: ReadonlyMap<string, string>;
};

const types = {
  statement: 'https://in-toto.io/Statement/v1',
  predicate: 'https://slsa.dev/provenance/v1',
  build: 'urn:ingot:build:v1',
} as const;

/** One line: where all files of a build came from (in-toto Statement v1, SLSA provenance v1), signed where there is a key. */
export function provenanceText(
  manifest: Manifest,
  beside: Readonly<Record<string, string>>,
  signer: Signer | undefined,
): string {
  return envelopeText(JSON.stringify(statementOf(manifest, beside, signer?.id)), signer);
}

function statementOf(manifest: Manifest, beside: Readonly<Record<string, string>>, signedBy: string | undefined): Json {
  return {
    _type: types.statement,
    subject: manifest.artifacts.map(({ file, sha256 }) => ({ name: file, digest: { sha256 } })),
    predicateType: types.predicate,
    predicate: {
      buildDefinition: {
        buildType: types.build,
        externalParameters: externalParameters(manifest),
        internalParameters: { tools: manifest.tools },
        resolvedDependencies: dependencies(manifest),
      },
      runDetails: {
        builder: builderOf(manifest, signedBy),
        metadata: times(manifest),
        byproducts: [
          ...Object.entries(beside).map(([name, sha256]) => ({ name, digest: { sha256 } })),
          ...(manifest.sidecars ?? []).map(({ file, sha256 }) => ({ name: file, digest: { sha256 } })),
          { name: 'checks', annotations: { results: manifest.checks.map((check) => ({ ...check })) } },
        ],
      },
    },
  };
}

function externalParameters({ image, arch, site, key, spec, pins, source }: Manifest): Json {
  return {
    ...{ image, arch, key, pins, source: source.kind },
    ...(site === undefined ? {} : { site }),
    ...(spec === undefined ? {} : { spec: { sha256: spec } }),
  };
}

/** What was built from: the project, the base, files from elsewhere, and what the source was pinned to. */
function dependencies({ git, base, materials = [], source }: Manifest): Json {
  return [
    ...(git === undefined
      ? []
      : [{ name: 'project', digest: { gitCommit: git.commit }, annotations: { dirty: git.dirty } }]),
    ...(base === undefined ? [] : [{ ...describe(base), annotations: { role: 'base' } }]),
    ...materials.map(describe),
    ...(source.pin === null ? [] : [{ name: `source ${source.kind}`, annotations: { pin: source.pin } }]),
  ];
}

function describe({ name, uri, digest }: Material) {
  return { name, ...(uri === undefined ? {} : { uri }), digest: { ...digest } };
}

function builderOf({ builder }: Manifest, signedBy: string | undefined): Json {
  const version = builder === undefined ? {} : { version: { ...builder } };
  return { id: signedBy === undefined ? 'urn:ingot:builder' : `urn:ingot:builder:${signedBy}`, ...version };
}

function times({ build, builtAt, seconds }: Manifest): Json {
  const startedOn = new Date(Date.parse(builtAt) - seconds * 1000).toISOString();
  return { invocationId: build, startedOn, finishedOn: builtAt };
}

/** Read a statement that `provenanceText` wrote; or what is wrong with it, in plain words. */
export function readStatement(text: string): Statement | string {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return 'the provenance holds no JSON';
  }
  if (at(data, '_type') !== types.statement) return 'the provenance is no in-toto statement v1';
  if (at(data, 'predicateType') !== types.predicate) return 'the provenance is no SLSA provenance v1';
  if (at(data, 'predicate', 'buildDefinition', 'buildType') !== types.build) {
    return 'the provenance is of a build that Ingot did not make';
  }
  const said = (...path: readonly string[]) => {
    const value = at(data, 'predicate', ...path);
    return typeof value === 'string' ? value : '';
  };
  const given = (name: string) => said('buildDefinition', 'externalParameters', name);
  return {
    subject: named(at(data, 'subject')),
    image: given('image'),
    arch: given('arch'),
    key: given('key'),
    build: said('runDetails', 'metadata', 'invocationId'),
    beside: new Map(named(at(data, 'predicate', 'runDetails', 'byproducts')).map((one) => [one.name, one.sha256])),
  };
}

function named(list: unknown): readonly { readonly name: string; readonly sha256: string }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: unknown) => {
    const [name, sha256] = [at(one, 'name'), at(one, 'digest', 'sha256')];
    return typeof name === 'string' && typeof sha256 === 'string' ? [{ name, sha256 }] : [];
  });
}

function at(data: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => {
    const isMap = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    return isMap ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }, data);
}
