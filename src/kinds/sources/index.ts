import { byName } from '../../core/kinds.ts';
import { diskImage } from './disk-image.ts';
import { image } from './image.ts';
import { installer } from './installer.ts';
import { packages } from './packages.ts';

export const sources = byName([diskImage, image, installer, packages]);
