import type { Manifest } from '../core/manifest.ts';
import { openEnvelope } from './envelope.ts';
import type { PublicKey } from './keys.ts';
import { minisignFault } from './minisign.ts';
import { readStatement, type Statement } from './provenance.ts';

/** One file of an image, and what lies beside it as far as it is there. */
export type Evidence = {
  /** The name under which the file lies. */
  readonly name: string;
  readonly sha256: string;
  /** Needed where there is a detached signature. */
  readonly blake2b: Uint8Array;
  readonly provenance: string | undefined;
  readonly sums: string | undefined;
  readonly minisig: string | undefined;
  readonly manifest: string | undefined;
  /** SHA-256 of files that the provenance may speak of, by name. */
  readonly beside: ReadonlyMap<string, string>;
};

export type Terms = {
  readonly trusted: readonly PublicKey[];
  /** Take a file that nobody signed, though there are keys to trust. */
  readonly allowUnsigned: boolean;
  /** The image that it must be. */
  readonly image?: string;
};

export type Verdict =
  | { readonly fault: string }
  | { readonly statement: Statement; readonly signedBy: string | undefined };

/** Whether a file is what its provenance says, and that is what a trusted key signed; the first fault found is told. */
export function judge(evidence: Evidence, terms: Terms): Verdict {
  const { name, sha256, sums, minisig, blake2b } = evidence;
  if (sums !== undefined) {
    const [, digest, file = 'nothing'] = /^([0-9a-f]{64}) [ *](.+)$/m.exec(sums) ?? [];
    if (file !== name) return { fault: `${name}.sha256 speaks of ${file}` };
    if (digest !== sha256) return { fault: `the bytes of ${name} are not those that ${name}.sha256 tells` };
  }
  if (evidence.provenance === undefined) return { fault: `there is no provenance beside ${name}` };
  const opened = openEnvelope(evidence.provenance.split('\n')[0] ?? '', terms.trusted);
  if ('fault' in opened) return opened;
  const unsigned = unsignedFault(opened, terms);
  if (unsigned !== undefined) return { fault: unsigned };
  const statement = readStatement(opened.payload);
  if (typeof statement === 'string') return { fault: statement };
  const fault =
    subjectFault(evidence, statement, terms) ??
    besideFault(evidence, statement) ??
    manifestFault(evidence, statement) ??
    (minisig === undefined || terms.trusted.length === 0 ? undefined : minisignFault(minisig, blake2b, terms.trusted));
  return fault === undefined ? { statement, signedBy: opened.trusted?.id } : { fault };
}

type Signed = { readonly by: readonly string[]; readonly trusted: PublicKey | undefined };

function unsignedFault({ by, trusted }: Signed, terms: Terms): string | undefined {
  if (trusted !== undefined || terms.allowUnsigned) return undefined;
  if (by.length > 0) return `the provenance is signed by key ${by.join(', ')}, which is not trusted`;
  return terms.trusted.length === 0 ? undefined : 'the provenance is not signed, and there are keys to trust';
}

function subjectFault({ name, sha256 }: Evidence, { subject, image }: Statement, terms: Terms): string | undefined {
  if (terms.image !== undefined && terms.image !== image) return `the provenance is of the image ${image}`;
  const own = subject.find((one) => one.name === name);
  if (own?.sha256 === sha256) return undefined;
  if (own !== undefined) return `the bytes of ${name} are not those that the provenance tells`;
  const other = subject.find((one) => one.sha256 === sha256);
  if (other !== undefined) return `the provenance calls these bytes ${other.name}, not ${name}`;
  return `the provenance does not speak of ${name}`;
}

function besideFault({ beside }: Evidence, statement: Statement): string | undefined {
  const changed = [...beside].find(([name, sha256]) => (statement.beside.get(name) ?? sha256) !== sha256);
  return changed === undefined ? undefined : `${changed[0]} is not the one that the provenance tells`;
}

function manifestFault({ manifest }: Evidence, statement: Statement): string | undefined {
  if (manifest === undefined) return undefined;
  const fault = 'manifest.json tells other things than the provenance';
  try {
    const { image, arch, key, build, artifacts } = JSON.parse(manifest) as Partial<Manifest>;
    const isSame = image === statement.image && arch === statement.arch && key === statement.key;
    const digests = new Map((artifacts ?? []).map(({ file, sha256 }) => [file, sha256]));
    const sameFiles = statement.subject.every((one) => digests.get(one.name) === one.sha256);
    return isSame && build === statement.build && sameFiles ? undefined : fault;
  } catch {
    return fault;
  }
}
