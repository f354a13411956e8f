import type { Json } from '../../src/core/keys.ts';
import type { Kinds } from '../../src/core/kinds.ts';
import type { History, Lock, Plan, PlannedStep, Stored } from '../../src/core/plan.ts';
import type { ImageSpec } from '../../src/core/spec.ts';
import { filesToDigest, sourceId } from '../../src/plan/inputs.ts';
import { planImage } from '../../src/plan/plan.ts';
import { fakeKinds } from './fake-kinds.ts';
import { imageOf } from './spec-project.ts';

/** Some versions of seal and disk layout. */
export const layout = { seal: 1, disk: 1 };
/** A store that has nothing. */
export const nothing: Stored = { hasLayer: () => false, history: () => undefined };
/** An image with one step of each sort. */
export const planText = `source: { packages: { suite: trixie, include: [less] } }
disk: 8G
steps:
  - packages: [vim, htop]
  - shell: scripts/base.sh
  - shell: { run: "echo \${pins.k3s}", env: { T: "\${secret.token}" } }
  - copy: { from: file, path: motd, to: /etc/motd }
`;
/** The pins it needs. */
export const planVersions = { 'versions.yaml': 'pins: { k3s: { version: v1 } }\n' };

/** A lock that knows every file and the source of an image. */
export function lockOf(
  spec: ImageSpec,
  files: Readonly<Record<string, string>> = {},
  pin: Json = { release: 'r1' },
): Lock {
  const digests = Object.fromEntries(filesToDigest(spec, fakeKinds).map((path) => [path, `${path}-1`]));
  return { files: { ...digests, ...files }, sources: { [sourceId(spec.source, spec.arch)]: pin } };
}

/** The steps of all stages. */
export function stepsOf(plan: Plan): readonly PlannedStep[] {
  return plan.stages.flatMap((stage) => stage.steps);
}

/** The keys of the source, of each step, and of the image. */
export function keysOf(
  spec: ImageSpec,
  lock = lockOf(spec),
  kinds: Kinds = fakeKinds,
): readonly (string | undefined)[] {
  const plan = planImage(spec, lock, nothing, kinds, layout);
  return [...stepsOf(plan).map(({ key }) => key), plan.key];
}

/** How many of the keys, from the first on, two plans have in common. */
export function common(a: readonly unknown[], b: readonly unknown[]): number {
  const differs = a.findIndex((key, i) => key !== b[i]);
  return differs === -1 ? a.length : differs;
}

/** The store after this image was built once. */
export function storeOf(plan: Plan, seconds = 10): { readonly stored: Stored; readonly keys: Set<string> } {
  const steps = stepsOf(plan);
  const keys = new Set(steps.map(({ key }) => key ?? ''));
  const history: History = { steps: steps.map(({ id, key, inputs }) => ({ id, key: key ?? '', inputs, seconds })) };
  return { keys, stored: { hasLayer: (key) => keys.has(key), history: () => history } };
}

/** `2-shell: hit` or the reason of each step, where `before` was built and `now` is planned. */
export function reasons(
  before: ImageSpec,
  now: ImageSpec,
  given: { lock?: Lock; was?: Lock; kinds?: Kinds } = {},
): readonly string[] {
  const built = planImage(before, given.was ?? lockOf(before), nothing, fakeKinds, layout);
  const plan = planImage(now, given.lock ?? lockOf(now), storeOf(built).stored, given.kinds ?? fakeKinds, layout);
  return stepsOf(plan).map(({ id, state, why }) => `${id}: ${why ?? state}`);
}

/** The same, read. */
export const planned = imageOf(planText, planVersions);
