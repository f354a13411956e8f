// A broken engine: a full disk is an error like any other.

import type { withRoom as Real } from '../../../src/core/space.ts';
import { replaceModule } from './twin.ts';

replaceModule('core/space.ts', import.meta.url);

export * from '../../../src/core/space.ts';

export const withRoom: typeof Real = (_path, _needed, action) => action();
