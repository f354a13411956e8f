import type { Manifest } from '../../src/core/manifest.ts';

/** A manifest of a build of `web`; what a test does not say is plain. */
export function manifestOf(build: string, fields: Partial<Manifest> = {}): Manifest {
  const image = fields.image ?? 'web';
  return {
    ...{ schemaVersion: 1, image, arch: 'x86_64', description: '', build, key: `key of ${build}` },
    ...{ builtAt: '2026-11-21T12:00:00.000Z', seconds: 0, source: { kind: 'packages', options: {}, pin: null } },
    ...{ pins: {}, system: {}, packages: [], tools: {}, steps: [], checks: [] },
    artifacts: [{ file: `${image}.qcow2`, format: 'qcow2', bytes: 4, sha256: build.padEnd(64, '0') }],
    ...fields,
  };
}
