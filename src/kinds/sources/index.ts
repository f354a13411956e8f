import { byName } from '../../core/kinds.ts';
import { image } from './image.ts';
import { packages } from './packages.ts';

export const sources = byName([image, packages]);
