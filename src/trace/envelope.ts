import { isSigned, type PublicKey, type Signer, signBytes } from './keys.ts';

/** What a DSSE envelope holds, and by which trusted key it is signed. */
export type Opened =
  | { readonly fault: string }
  | { readonly payload: string; readonly by: readonly string[]; readonly trusted: PublicKey | undefined };

const payloadType = 'application/vnd.in-toto+json';

/** One line of JSON: the statement in a DSSE envelope (secure-systems-lab/dsse), signed where there is a key. */
export function envelopeText(payload: string, signer: Signer | undefined): string {
  const body = Buffer.from(payload);
  const signatures =
    signer === undefined
      ? []
      : [{ keyid: signer.id, sig: signBytes(signer, preAuthentication(body)).toString('base64') }];
  return `${JSON.stringify({ payloadType, payload: body.toString('base64'), signatures })}\n`;
}

/** Read one envelope; what stands in it is believed only where `trusted` is the key that signed it. */
export function openEnvelope(line: string, trusted: readonly PublicKey[]): Opened {
  const read = parseEnvelope(line);
  if (read === undefined) return { fault: 'the provenance is no DSSE envelope' };
  if (read.payloadType !== payloadType) return { fault: `the provenance holds ${read.payloadType}, no statement` };
  const body = Buffer.from(read.payload, 'base64');
  const by = read.signatures.map(({ keyid }) => keyid);
  const known = read.signatures.flatMap(({ keyid, sig }) =>
    trusted.flatMap((key) => (key.id === keyid ? [{ key, sig }] : [])),
  );
  const good = known.find(({ key, sig }) => isSigned(key, preAuthentication(body), Buffer.from(sig, 'base64')));
  if (good === undefined && known.length > 0) return { fault: 'the signature of the provenance is not of its text' };
  return { payload: body.toString('utf8'), by, trusted: good?.key };
}

type Envelope = {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
};

function parseEnvelope(line: string): Envelope | undefined {
  try {
    const { payloadType: type, payload, signatures } = JSON.parse(line) as Partial<Envelope>;
    if (typeof type !== 'string' || typeof payload !== 'string' || !Array.isArray(signatures)) return undefined;
    const isWhole = signatures.every(({ keyid, sig }) => typeof keyid === 'string' && typeof sig === 'string');
    return isWhole ? { payloadType: type, payload, signatures } : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes that are signed: type and body, each with its length. */
function preAuthentication(body: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `;
  return Buffer.concat([Buffer.from(head), body]);
}
