import { z } from 'zod';
import { show } from './words.ts';

export const mebibyte = 1024 ** 2;

const units: Readonly<Record<string, number>> = { M: 2, G: 3, T: 4 };

/** Bytes of a size as people write it: `8G`, `512M`, `8GiB`, `1.5T`, always binary units; undefined for other text. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?) ?([MGT])(?:i?B)?$/.exec(text);
  const power = units[match?.[2] ?? ''];
  return power === undefined ? undefined : Number(match?.[1]) * 1024 ** power;
}

/** A size as short as it can be said exactly: `8 GiB`. */
export function showSize(bytes: number): string {
  for (const [unit, power] of Object.entries(units).reverse()) {
    if (bytes >= 1024 ** power && Number.isInteger((bytes / 1024 ** power) * 4))
      return `${bytes / 1024 ** power} ${unit}iB`;
  }
  return `${bytes} bytes`;
}

const wrongType = {
  error: (issue: { readonly input?: unknown }) => `expected a size like 8G or 512M, not ${show(issue.input)}`,
};

/** A schema for sizes in bytes within bounds, whole MiB only. */
export function sizeSchema(least: number, most: number): z.ZodType<number, string | number> {
  return z.union([z.string(), z.number()], wrongType).transform((written, context) => {
    const bytes = typeof written === 'number' ? written : parseSize(written);
    const refuse = (message: string) => {
      context.issues.push({ code: 'custom', message, input: written });
      return z.NEVER;
    };
    if (bytes === undefined) return refuse(`expected a size like 8G or 512M, not ${show(written)}`);
    if (bytes < least || bytes > most) return refuse(`expected a size from ${showSize(least)} to ${showSize(most)}`);
    if (bytes % mebibyte !== 0) return refuse('expected a whole number of MiB');
    return bytes;
  });
}
