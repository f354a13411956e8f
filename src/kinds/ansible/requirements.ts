import { parse } from 'yaml';
import { z } from 'zod';

const text = z.coerce.string();
const entry = z.union([
  z.string(),
  z.looseObject({
    name: text.optional(),
    src: text.optional(),
    source: text.optional(),
    type: text.optional(),
    version: text.optional(),
  }),
]);
const file = z.union([
  z.array(entry).transform((roles) => ({ roles, collections: [] as Entry[] })),
  z.looseObject({
    roles: z
      .array(entry)
      .nullish()
      .transform((list) => list ?? []),
    collections: z
      .array(entry)
      .nullish()
      .transform((list) => list ?? []),
  }),
]);

type Entry = z.infer<typeof entry>;

export type Requirements = {
  readonly roles: boolean;
  readonly collections: boolean;
  /** Files and folders that are named, as they are written: relative to the folder of the file. */
  readonly local: readonly string[];
  /** Names of what comes from elsewhere and may be another version on another day. */
  readonly loose: readonly string[];
};

/** What a requirements file of ansible-galaxy asks for; undefined where it is none. */
export function readRequirements(yaml: string): Requirements | undefined {
  const { data } = file.safeParse(parseYaml(yaml));
  if (data === undefined) return undefined;
  const all = [...data.roles.map(roleOf), ...data.collections.map(collectionOf)];
  return {
    roles: data.roles.length > 0,
    collections: data.collections.length > 0,
    local: all.flatMap(({ path }) => (path === undefined ? [] : [path])),
    loose: all.filter(({ path, version }) => path === undefined && !isExact(version)).map(({ name }) => name),
  };
}

function parseYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch {
    return undefined;
  }
}

type Required = { readonly name: string; readonly path: string | undefined; readonly version: string | undefined };

/** `src` or `src,version,name`, or a map; a role of this machine is a tar. */
function roleOf(role: Entry): Required {
  const [spelt = '', version] = typeof role === 'string' ? role.split(',') : [role.src ?? role.name, role.version];
  return { name: spelt, path: localPath(spelt), version };
}

/** `name:version`, or a map that may say with `type` what its `source` or `name` is. */
function collectionOf(collection: Entry): Required {
  if (typeof collection === 'string') {
    const path = localPath(collection);
    const [name = '', version] = path === undefined ? collection.split(':') : [collection];
    return { name, path, version };
  }
  const { name, source, type, version } = collection;
  const isLocal = type === 'dir' || type === 'subdirs' || type === 'file';
  const where = isLocal ? (source ?? name ?? '') : (name ?? source ?? '');
  return { name: where, path: isLocal ? where.replace(/^file:\/\//, '') : localPath(where), version };
}

function localPath(written: string): string | undefined {
  if (written.startsWith('file://')) return written.slice('file://'.length);
  if (/^[a-z+]+:\/\/|^git@/.test(written)) return undefined;
  return /^\.{0,2}\/|\.tar\.(?:gz|xz|bz2)$|\.tgz$/.test(written) ? written : undefined;
}

/** One version and no other: `1.2.3`, a tag, a commit; no range, no branch that goes on. */
function isExact(version: string | undefined): boolean {
  if (version === undefined || /[*<>!,\s]/.test(version)) return false;
  return !['main', 'master', 'devel', 'HEAD'].includes(version);
}
