import { type Ending, formatEndings } from '../core/endings.ts';
import { IngotError } from '../core/errors.ts';
import type { Format } from '../core/kinds.ts';
import { nearest } from '../spec/nearest.ts';

export type Wanted = { readonly to: string; readonly options: Readonly<Record<string, string>> };
export type Chosen = { readonly format: Format; readonly options: unknown };

/** The format a person means, by its name or by what its files end in (`raw.zst`), with its options. */
export function chooseFormat(formats: ReadonlyMap<string, Format>, { to, options }: Wanted): Chosen {
  const written = Object.fromEntries(Object.entries(options).map(([key, text]) => [key, optionValue(text)]));
  const named = formats.get(to);
  const { format, options: own } = named === undefined ? byEnding(formats, to) : { format: named, options: {} };
  const parsed = format.options.safeParse({ ...own, ...written });
  if (parsed.success) return { format, options: parsed.data };
  const detail = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`);
  const hint = `the options of ${format.name} are in docs/reference/formats/${format.name}.md`;
  throw new IngotError({ code: 'USAGE', message: `these are no options of ${format.name}`, detail, hint });
}

/** `true`, `2` and `2G` as a YAML file would have them. */
function optionValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function byEnding(formats: ReadonlyMap<string, Format>, to: string): Ending {
  const endings = formatEndings(formats);
  const found = endings.get(to);
  if (found !== undefined) return found;
  const near = nearest(to, [...formats.keys(), ...endings.keys()]);
  const hint = near === undefined ? `known: ${[...formats.keys()].sort().join(', ')}` : `did you mean ${near}?`;
  throw new IngotError({ code: 'USAGE', message: `unknown format ${JSON.stringify(to)}`, hint });
}
