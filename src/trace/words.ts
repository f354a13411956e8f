import type { Manifest, Material } from '../core/manifest.ts';

type Told = Pick<Manifest, 'builtAt' | 'steps' | 'base' | 'materials' | 'builder' | 'git' | 'source'>;

/** Where an image came from, in one sentence. `signedBy`: the trusted key that signed its provenance. */
export function originWords(manifest: Told, signedBy: string | undefined): string {
  const { builtAt, builder, base, materials = [], git, steps, source } = manifest;
  const when = `${builtAt.slice(0, 10)} ${builtAt.slice(11, 16)} UTC`;
  const by = builder === undefined ? '' : ` by Ingot ${builder.ingot} on ${builder.platform} ${builder.arch}`;
  const from = base === undefined ? (steps[0]?.title ?? source.kind) : materialWords(base);
  const parts = [
    `made on ${when}${by} from ${from}`,
    ...(materials.length === 0 ? [] : [`with ${materials.map(materialWords).join(', ')}`]),
    ...(git === undefined
      ? []
      : [`at commit ${git.commit.slice(0, 12)}${git.dirty ? ' with uncommitted changes' : ''}`]),
    signedBy === undefined ? 'not signed by a trusted key' : `signed by key ${signedBy}`,
  ];
  return parts.join(', ');
}

function materialWords({ name, digest }: Material): string {
  const [first] = Object.entries(digest);
  return first === undefined ? name : `${name} (${first[0]} ${first[1].slice(0, 12)})`;
}
