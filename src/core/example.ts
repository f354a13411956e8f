import { exampleIso } from './isos.ts';
import type { Json } from './keys.ts';
import type { Source } from './kinds.ts';
import { mayHoldSecret } from './secrets.ts';

type WithExample = Pick<Source, 'options' | 'example' | 'isosIn'>;

/** A kind's example as its functions take it; a name of `isos.yaml` in it stands for an ISO like any. */
export function exampleOptions(kind: WithExample): unknown {
  return kind.options.parse(replace(kind.example, []));

  function replace(value: Json, path: readonly PropertyKey[]): Json {
    if (typeof value === 'string') return mayHoldSecret(kind.isosIn, path) ? { ...exampleIso(value) } : value;
    if (Array.isArray(value)) return value.map((item: Json, i) => replace(item, [...path, i]));
    if (value === null || typeof value !== 'object') return value;
    const members = Object.entries(value as { readonly [key: string]: Json | undefined });
    return Object.fromEntries(
      members.map(([key, member]) => [key, member === undefined ? undefined : replace(member, [...path, key])]),
    );
  }
}
