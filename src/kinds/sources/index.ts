import { byName } from '../../core/kinds.ts';
import { packages } from './packages.ts';

export const sources = byName([packages]);
