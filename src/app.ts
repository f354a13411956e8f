import type { Engine, EnginePlace } from './cli/engine.ts';
import type { Kinds } from './core/kinds.ts';
import { createEngine } from './engine/engine.ts';
import { createHost } from './host/host.ts';
import { checks } from './kinds/checks/index.ts';
import { formats } from './kinds/formats/index.ts';
import { sources } from './kinds/sources/index.ts';
import { steps } from './kinds/steps/index.ts';

/** Put the parts together: the real machine, all kinds, the store and the project of this run. */
export function openEngine(place: EnginePlace): Engine {
  const kinds: Kinds = { sources, steps, checks, formats };
  return createEngine({ host: createHost(), kinds, place, cwd: process.cwd() });
}
