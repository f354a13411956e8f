import { z } from 'zod';
import { defineSource } from '../../core/kinds.ts';

/** The finished disk of another image of the project; whatever changes that image changes this one. */
export const image = defineSource<string>({
  name: 'image',
  version: 1,
  bench: 'guest',
  summary: 'The finished disk of another image of the project, for the same architecture. It is built first.',
  options: z.string().min(1).describe('Name of the image.'),
  example: 'debian-13',
  title: (name) => `start from ${name}`,
  parents: (name) => [name],
  disk: (name, _, ctx) => ctx.image(name),
});
