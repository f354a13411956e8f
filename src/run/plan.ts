import type { Lock, Plan, Stage } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import { planImage } from '../plan/plan.ts';
import { hasLayer } from '../store/layers.ts';
import { readHistory } from '../store/records.ts';
import { layoutVersion } from '../tree/layout.ts';
import { sealVersion } from '../tree/seal.ts';
import type { Workshop } from './workshop.ts';

const layout = { seal: sealVersion, disk: layoutVersion };

/** Plan an image against what this machine's store has; `force`: as if it had no layers. */
export function planWithStore(
  workshop: Workshop,
  spec: ImageSpec,
  lock: Lock,
  { force }: { readonly force: boolean },
): Plan {
  const stored = {
    hasLayer: (key: string) => !force && hasLayer(workshop.paths, key),
    history: (image: string, arch: ImageSpec['arch']) => readHistory(workshop.paths, image, arch),
  };
  const plan = planImage(spec, lock, stored, workshop.kinds, layout);
  return force ? { ...plan, stages: plan.stages.map(forced) } : plan;
}

/** The key of an image, which is the same whatever is stored; undefined while one of its inputs is not known. */
export function keyOf(workshop: Workshop, spec: ImageSpec, lock: Lock): string | undefined {
  const nothing = { hasLayer: () => false, history: () => undefined };
  return planImage(spec, lock, nothing, workshop.kinds, layout).key;
}

function forced(stage: Stage): Stage {
  return { ...stage, steps: stage.steps.map((step) => ({ ...step, why: 'every step was asked for' })) };
}
