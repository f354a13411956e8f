import { z } from 'zod';
import { arches } from '../core/arch.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.int().min(0);
/** A plain name: what is downloaded is written under it. */
const plainName = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._+-]{1,200}$/);

const entrySchema = z.object({
  schemaVersion: z.literal(1),
  image: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/),
  arch: z.enum(arches),
  description: z.string(),
  build: plainName,
  key: z.string(),
  /** ISO 8601 UTC. */
  builtAt: z.string(),
  /** Of the distribution inside: `Debian GNU/Linux 13.3`. */
  system: z.string().optional(),
  /** Files of the build, the images first. */
  files: z
    .array(
      z.object({
        file: plainName,
        bytes,
        sha256,
        /** Absent: it lies beside the images. */
        format: z.string().optional(),
        /** In order; their bytes one after another are the file. */
        assets: z.array(z.object({ name: plainName, bytes, sha256 })).min(1),
      }),
    )
    .min(1),
});

/** What a release holds of one image and architecture: the asset `<image>-<arch>.release.json`. Additive changes only. */
export type Entry = Readonly<z.infer<typeof entrySchema>>;
export type EntryFile = Entry['files'][number];

export function entryText(entry: Entry): string {
  return `${JSON.stringify(entry, undefined, 2)}\n`;
}

/** Undefined when a text is no such list, or one that contradicts itself. */
export function parseEntry(text: string): Entry | undefined {
  try {
    const entry = entrySchema.parse(JSON.parse(text));
    const fits = entry.files.every((file) => file.assets.reduce((sum, one) => sum + one.bytes, 0) === file.bytes);
    const names = entry.files.map(({ file }) => file);
    return fits && new Set(names).size === names.length ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** What `sha256sum -c` takes, for the assets of an image. */
export function sumsText({ files }: Entry): string {
  const lines = files.flatMap(({ assets }) => assets.map((asset) => `${asset.sha256}  ${asset.name}`));
  return `${lines.join('\n')}\n`;
}
