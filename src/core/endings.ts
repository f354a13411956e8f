import type { Format } from './kinds.ts';

/** A format with the options by which its files end in something. */
export type Ending = { readonly format: Format; readonly options: Readonly<Record<string, string>> };

const packings = ['none', 'zstd', 'gzip', 'xz'];

/**
 * What files end in, for people who name a format by that: `img.xz`, `raw.zst`. Names of formats are not among them; of
 * two formats with one ending the first counts.
 */
export function formatEndings(formats: ReadonlyMap<string, Format>): ReadonlyMap<string, Ending> {
  const known = new Map<string, Ending>();
  for (const format of formats.values()) {
    for (const options of [{}, ...packings.map((compression) => ({ compression }))]) {
      const parsed = format.options.safeParse(options);
      if (!parsed.success) continue;
      const ending = format.extension(parsed.data);
      if (!formats.has(ending) && !known.has(ending)) known.set(ending, { format, options });
    }
  }
  return known;
}
