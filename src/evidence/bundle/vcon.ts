/**
 * The call as a vCon, the container of the IETF for conversations (draft-ietf-vcon-vcon-core, syntax 0.4.0): for programs
 * that know that format. It has no numbers and no names of people.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import { verifySigned, type Signed, type Signer } from '../../core/crypto/signing.ts';
import { bundleFile, vconType, type ReceiptFacts } from './format.ts';

export type VconSources = {
  receipt: ReceiptFacts;
  /** receipt.json as it lies in the bundle. */
  receiptText: string;
  /** The name in the bundle and the SHA-512, in base64url, of the recording and of each sound of the notice. */
  recordingSha512: string;
  sounds: readonly { name: string; sha512: string; startedAt: string | null }[];
  madeAt: number;
  kid: string;
  /** The company, as the configuration has it. */
  organisation: string | undefined;
  /** 12 bits. */
  random: number;
};

export const sha512Of = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('base64url');

/** Both digests of what may be large, and its size; of a part of it once the signal has come. */
export async function digestsOf(
  stream: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<{ size: number; sha256: string; sha512: string }> {
  const [sha256, sha512] = [createHash('sha256'), createHash('sha512')];
  let size = 0;
  for await (const chunk of stream) {
    if (signal.aborted) break;
    sha256.update(chunk);
    sha512.update(chunk);
    size += chunk.length;
  }

  return { size, sha256: sha256.digest('hex'), sha512: sha512.digest('base64url') };
}

/**
 * A UUID of version 8 as the draft wants it: made as one of version 7, with 62 bits of a SHA-1 of who makes it. The draft
 * takes a domain name there; we have none and take the kid.
 */
export function vconUuid(madeAt: number, kid: string, random: number): string {
  const maker = createHash('sha1').update(kid).digest().readBigUInt64BE() >> 2n;
  const high = (BigInt(madeAt) << 16n) | 0x8000n | BigInt(random & 0xfff);
  const low = (0b10n << 62n) | maker;
  const hex = high.toString(16).padStart(16, '0') + low.toString(16).padStart(16, '0');

  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The parties by their places: the caller, who was called, and who keeps this record. */
const [caller, destination, keeper] = [0, 1, 2];

export function makeVcon(sources: VconSources) {
  const { receipt, organisation } = sources;
  const { recording } = receipt;
  const outside = (name: string, sha512: string) => ({ url: name, content_hash: `sha512-${sha512}` });

  return {
    vcon: '0.4.0',
    uuid: vconUuid(sources.madeAt, sources.kid, sources.random),
    created_at: new Date(sources.madeAt).toISOString(),
    parties: [
      { name: 'anonymous' },
      { name: 'anonymous' },
      { type: 'organization', ...(organisation === undefined ? {} : { org: organisation }) },
    ],
    dialog: [
      {
        type: 'recording',
        start: recording.startedAt ?? receipt.call.startedAt,
        ...(recording.durationMs === null ? {} : { duration: recording.durationMs / 1_000 }),
        parties: [caller, destination],
        mediatype: 'audio/x-wav',
        filename: bundleFile.recording,
        ...outside(bundleFile.recording, sources.recordingSha512),
      },
    ],
    attachments: [
      {
        purpose: 'receipt of the notice',
        start: recording.finishedAt ?? receipt.call.startedAt,
        party: keeper,
        dialog: 0,
        mediatype: 'application/json',
        filename: bundleFile.receipt,
        encoding: 'none',
        body: sources.receiptText,
      },
      ...sources.sounds.map(({ name, sha512, startedAt }) => ({
        purpose: `notice that was played to the ${receipt.call.direction === 'outgoing' ? 'called party' : 'caller'}`,
        start: startedAt ?? receipt.call.startedAt,
        party: keeper,
        dialog: 0,
        mediatype: 'audio/x-wav',
        filename: name,
        ...outside(name, sha512),
      })),
    ],
  };
}
export type Vcon = ReturnType<typeof makeVcon>;

const general = z.strictObject({
  payload: z.string(),
  signatures: z.tuple([
    z.strictObject({ header: z.strictObject({ uuid: z.string() }), protected: z.string(), signature: z.string() }),
  ]),
});

/** The signed form: JWS in the general JSON form (RFC 7515, 7.2.1), which is the compact one with its parts named. */
export async function signVcon(vcon: Vcon, signer: Signer): Promise<z.infer<typeof general>> {
  const [head = '', payload = '', signature = ''] = (await signer.sign(vcon, vconType)).split('.');

  return { payload, signatures: [{ header: { uuid: vcon.uuid }, protected: head, signature }] };
}

/** The parts of a signed vCon that are base64url of JSON; none of what does not have its form. */
export function partsOfVcon(signed: unknown): string[] {
  const { payload, signatures } = general.safeParse(signed).data ?? { payload: '', signatures: [] };

  return [payload, ...signatures.map((each) => each.protected)];
}

/** Throws signature_invalid. */
export async function verifyVcon(signed: unknown): Promise<Signed> {
  const parsed = general.safeParse(signed);
  if (!parsed.success) throw new PreavisError('signature_invalid', 'the signed vCon is malformed');
  const { payload, signatures } = parsed.data;

  return verifySigned(`${signatures[0].protected}.${payload}.${signatures[0].signature}`, vconType);
}

const outsideFile = z.object({ url: z.string(), content_hash: z.string() });

/** The files that a vCon refers to, with the hash that it has of each. Throws an Error where it does not have our form. */
export function filesOfVcon(vcon: unknown): { name: string; contentHash: string }[] {
  const { dialog, attachments } = z
    .object({
      dialog: z.tuple([outsideFile]),
      attachments: z.array(z.union([outsideFile, z.object({ body: z.string() })])),
    })
    .parse(vcon);

  return [...dialog, ...attachments].flatMap((each) =>
    'url' in each ? [{ name: each.url, contentHash: each.content_hash }] : [],
  );
}

/** The receipt in a vCon. */
export function receiptOfVcon(vcon: unknown): string | undefined {
  const parsed = z.object({ attachments: z.array(z.object({ body: z.string().optional() })) }).safeParse(vcon);

  return parsed.success ? parsed.data.attachments[0]?.body : undefined;
}
