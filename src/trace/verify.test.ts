import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Manifest } from '../core/manifest.ts';
import { newSigner } from './keys.ts';
import { minisignText } from './minisign.ts';
import { provenanceText } from './provenance.ts';
import { type Evidence, judge, type Terms, type Verdict } from './verify.ts';

const bytes = Buffer.from('a disk');
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const blake2b = (data: string | Buffer) => createHash('blake2b512').update(data).digest();

const manifest: Manifest = {
  ...{ schemaVersion: 1, image: 'x', arch: 'x86_64', description: '', build: 'b1', key: 'abc', seconds: 3 },
  builtAt: '2026-11-21T12:00:00.000Z',
  source: { kind: 'packages', options: {}, pin: { releases: {} } },
  ...{ pins: { tool: '1.2' }, system: {}, packages: [], tools: {}, steps: [], checks: [] },
  artifacts: [
    { file: 'x.qcow2', format: 'qcow2', bytes: 6, sha256: sha256(bytes) },
    { file: 'x.raw', format: 'raw', bytes: 6, sha256: sha256('raw') },
  ],
};
const bom = sha256('bill');
const signer = newSigner();
const stranger = newSigner();
const provenance = provenanceText(manifest, { 'sbom.cdx.json': bom }, signer);
const minisig = minisignText(signer, blake2b(bytes), 'file:x.qcow2');
const good: Evidence = {
  name: 'x.qcow2',
  sha256: sha256(bytes),
  blake2b: blake2b(bytes),
  provenance,
  sums: `${sha256(bytes)}  x.qcow2\n`,
  minisig,
  manifest: JSON.stringify(manifest),
  beside: new Map([['sbom.cdx.json', bom]]),
};
const terms: Terms = { trusted: [signer.publicKey], allowUnsigned: false, image: 'x' };

function fault(verdict: Verdict): string | undefined {
  return 'fault' in verdict ? verdict.fault : undefined;
}

test('a whole file is taken, and who signed it is told', () => {
  expect(judge(good, terms)).toMatchObject({ signedBy: signer.id, statement: { image: 'x', build: 'b1', key: 'abc' } });
});

/** The envelope with something in it changed, its signature as it was. */
function edited(
  change: (envelope: { payloadType: string; payload: string; signatures: { keyid: string; sig: string }[] }) => void,
): string {
  const envelope = JSON.parse(provenance);
  change(envelope);
  return `${JSON.stringify(envelope)}\n`;
}
const restated = (from: string, to: string) =>
  edited((envelope) => {
    const text = Buffer.from(envelope.payload, 'base64').toString();
    expect(text).toContain(from);
    envelope.payload = Buffer.from(text.replace(from, to)).toString('base64');
  });
const flipped = (base64: string) => {
  const data = Buffer.from(base64, 'base64');
  data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
  return data.toString('base64');
};
const changed = Buffer.from('a disc');
const bitFlip = { sha256: sha256(changed), blake2b: blake2b(changed) };
const minisigLine = (index: number, change: (line: string) => string) =>
  minisig
    .split('\n')
    .map((line, at) => (at === index ? change(line) : line))
    .join('\n');

test.each<readonly [string, Partial<Evidence>, string]>([
  ['one bit of the image', bitFlip, 'the bytes of x.qcow2 are not those that x.qcow2.sha256 tells'],
  [
    'one bit, and the digest beside it',
    { ...bitFlip, sums: `${bitFlip.sha256}  x.qcow2\n` },
    'the bytes of x.qcow2 are not those that the provenance tells',
  ],
  [
    'the digest beside it',
    { sums: `${sha256('no')}  x.qcow2\n` },
    'the bytes of x.qcow2 are not those that x.qcow2.sha256 tells',
  ],
  [
    'the digest in the provenance',
    { ...bitFlip, sums: undefined, provenance: restated(sha256(bytes), bitFlip.sha256) },
    'the signature of the provenance is not of its text',
  ],
  [
    'the signature of the provenance',
    {
      provenance: edited((envelope) => {
        for (const one of envelope.signatures) one.sig = flipped(one.sig);
      }),
    },
    'the signature of the provenance is not of its text',
  ],
  [
    'no signature left',
    {
      provenance: edited((envelope) => {
        envelope.signatures = [];
      }),
    },
    'the provenance is not signed, and there are keys to trust',
  ],
  [
    'the signature of a stranger',
    { provenance: provenanceText(manifest, {}, stranger) },
    `the provenance is signed by key ${stranger.id}, which is not trusted`,
  ],
  [
    "a stranger's, under our name",
    { provenance: provenanceText(manifest, {}, stranger).replace(stranger.id, signer.id) },
    'the signature of the provenance is not of its text',
  ],
  [
    'another type of payload',
    {
      provenance: edited((envelope) => {
        envelope.payloadType = 'text/plain';
      }),
    },
    'the provenance holds text/plain, no statement',
  ],
  ['no provenance', { provenance: undefined }, 'there is no provenance beside x.qcow2'],
  ['half a provenance', { provenance: provenance.slice(0, 90) }, 'the provenance is no DSSE envelope'],
  [
    'the provenance of another image',
    { provenance: provenanceText({ ...manifest, image: 'y' }, {}, signer) },
    'the provenance is of the image y',
  ],
  [
    'the provenance of another build',
    { provenance: provenanceText({ ...manifest, build: 'b2' }, {}, signer) },
    'manifest.json tells other things than the provenance',
  ],
  ['another name, its digest beside it', { name: 'y.qcow2' }, 'y.qcow2.sha256 speaks of x.qcow2'],
  ['a digest that is none', { sums: 'no' }, 'x.qcow2.sha256 speaks of nothing'],
  ['another name', { name: 'y.qcow2', sums: undefined }, 'the provenance calls these bytes x.qcow2, not y.qcow2'],
  [
    'the name of another format',
    { name: 'x.raw', sums: undefined },
    'the bytes of x.raw are not those that the provenance tells',
  ],
  [
    'a file that it does not speak of',
    { name: 'z.iso', ...bitFlip, sums: undefined },
    'the provenance does not speak of z.iso',
  ],
  [
    'the bill of materials',
    { beside: new Map([['sbom.cdx.json', sha256('other')]]) },
    'sbom.cdx.json is not the one that the provenance tells',
  ],
  [
    'the manifest',
    { manifest: JSON.stringify({ ...manifest, key: 'abd' }) },
    'manifest.json tells other things than the provenance',
  ],
  [
    'the detached signature',
    { minisig: minisignText(signer, blake2b(changed), '') },
    'the detached signature is not of these bytes',
  ],
  [
    'whose detached signature it is',
    { minisig: minisignText(stranger, blake2b(bytes), '') },
    `the detached signature is by key ${stranger.id}, which is not trusted`,
  ],
  [
    'the trusted comment',
    { minisig: minisigLine(2, (line) => `${line}!`) },
    'the trusted comment of the detached signature was changed',
  ],
  ['no detached signature at all', { minisig: 'none' }, 'the detached signature is not one that minisign writes'],
])('refused with its reason: %s', (_, tampered, reason) => {
  expect(fault(judge({ ...good, ...tampered }, terms))).toBe(reason);
});

test.each([
  ['in-toto.io/Statement/v1', 'in-toto.io/Statement/v0', 'the provenance is no in-toto statement v1'],
  ['slsa.dev/provenance/v1', 'slsa.dev/provenance/v9', 'the provenance is no SLSA provenance v1'],
  ['urn:ingot:build:v1', 'urn:other', 'the provenance is of a build that Ingot did not make'],
])('a statement of another kind is refused: %s', (from, to, reason) => {
  const unsigned = { ...good, minisig: undefined, provenance: restated(from, to) };
  expect(fault(judge(unsigned, { trusted: [], allowUnsigned: true }))).toBe(reason);
});

test('what nobody signed is taken where there is no key to trust, or where a person says so', () => {
  const unsigned = { ...good, provenance: provenanceText(manifest, {}, undefined), minisig: undefined };
  expect(judge(unsigned, { trusted: [], allowUnsigned: false })).toMatchObject({ signedBy: undefined });
  expect(judge(unsigned, { ...terms, allowUnsigned: true })).toMatchObject({ signedBy: undefined });
  expect(fault(judge(good, { trusted: [], allowUnsigned: false }))).toContain('which is not trusted');
});
