import type { Json } from './keys.ts';

const placeholder = /\$\$\{secret\.|\$\{secret\.([A-Za-z0-9_.-]+)\}/g;

/** Whether a secret may stand at this path of a step's options; `*` in a pattern is any key or index. */
export function mayHoldSecret(
  patterns: readonly (readonly string[])[] | undefined,
  path: readonly PropertyKey[],
): boolean {
  return (patterns ?? []).some(
    (pattern) => pattern.length === path.length && pattern.every((part, i) => part === '*' || part === String(path[i])),
  );
}

/**
 * The options with each `${secret.x}` replaced, only where the step may hold secrets, once and never again in what was
 * put in. `$${secret.x}` becomes the text `${secret.x}`: so it was escaped when the spec was read.
 */
export function fillSecrets(
  options: Json,
  secretsIn: readonly (readonly string[])[] | undefined,
  secretOf: (name: string) => string,
): Json {
  return fill(options, []);

  function fill(value: Json, path: readonly PropertyKey[]): Json {
    if (typeof value === 'string') {
      if (!mayHoldSecret(secretsIn, path)) return value;
      return value.replaceAll(placeholder, (all, name: string | undefined) =>
        name === undefined ? all.slice(1) : secretOf(name),
      );
    }
    if (Array.isArray(value)) return value.map((item: Json, i) => fill(item, [...path, i]));
    if (value === null || typeof value !== 'object') return value;
    const members = Object.entries(value as { readonly [key: string]: Json | undefined });
    return Object.fromEntries(
      members.map(([key, member]) => [key, member === undefined ? undefined : fill(member, [...path, key])]),
    );
  }
}

/** Text that `fillSecrets` gives back as it is. */
export function escapeSecrets(text: string): string {
  return text.replaceAll('${secret.', (start) => `$${start}`);
}

/** The names of the secrets that stand in a text. */
export function secretNames(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].flatMap(([, name]) => name ?? []);
}
