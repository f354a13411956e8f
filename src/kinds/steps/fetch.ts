import { basename } from 'node:path';
import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import { refusedSidecar } from '../../core/sidecars.ts';
import { imagePath } from '../image-files.ts';

const full = z
  .strictObject({
    from: imagePath.describe('A file of the image; a link is followed.'),
    as: z.string().optional().describe('Its name beside the artifacts. Default: its own.'),
  })
  .transform(({ from, as }) => ({ from, as: as ?? basename(from) }))
  .superRefine(({ as }, check) => {
    const refused = refusedSidecar(as);
    if (refused !== undefined) check.addIssue({ code: 'custom', path: ['as'], message: refused });
  });

const options = z.union([
  z
    .string()
    .transform((from) => ({ from }))
    .pipe(full),
  full,
]);

export type FetchOptions = z.infer<typeof full>;

/**
 * Bring a file out of the image, as it is when the step runs: it lies beside the artifacts of every build that has this
 * step, and its digest stands in the manifest. Of two of one name the later counts.
 */
export const fetch = defineStep<FetchOptions>({
  name: 'fetch',
  version: 1,
  summary: 'Bring a file out of the image, to lie beside the artifacts.',
  on: ['tree', 'guest'],
  options,
  example: '/etc/os-release',
  title: (o) => (basename(o.from) === o.as ? `fetch ${o.from}` : `fetch ${o.from} as ${o.as}`),
  run: (o, work, ctx) => work.readTo(fetchScript(o.from), ctx.sidecar(o.as)),
});

export function fetchScript(from: string): Script {
  const text = `set -eu
if [ ! -f "$1" ]; then echo "there is no file $1 in the image" >&2; exit 1; fi
cat -- "$1"
`;
  return { name: `fetch ${from}`, text, args: [from] };
}
