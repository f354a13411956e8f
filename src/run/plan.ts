import type { Lock, Plan, Stage } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import { planImage } from '../plan/plan.ts';
import { hasLayer } from '../store/layers.ts';
import { readHistory } from '../store/records.ts';
import { layoutVersion } from '../tree/layout.ts';
import { sealVersion } from '../tree/seal.ts';
import type { Workshop } from './workshop.ts';

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
  const plan = planImage(spec, lock, stored, workshop.kinds, { seal: sealVersion, disk: layoutVersion });
  return force ? { ...plan, stages: plan.stages.map(forced) } : plan;
}

function forced(stage: Stage): Stage {
  return { ...stage, steps: stage.steps.map((step) => ({ ...step, why: 'every step was asked for' })) };
}
