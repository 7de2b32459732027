import * as z from 'zod';
import { sha256Form, sha256Of } from '../../core/crypto/sha256.ts';
import { verifySigned, type Signer } from '../../core/crypto/signing.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { CertificateRow, NewCertificate } from '../../catalogue/retention/certificates.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { isUlid, type RecordingId } from '../../core/ids.ts';
import { pagesOf } from '../../core/pages.ts';

/**
 * The proof of an erasure: what was removed, by which rule, when, and that nothing was left. It is a JWS, and each names the
 * hash of the one before it and the newest link of the audit trail. No personal data (P7).
 */

const type = 'preavis-erasure+jws';

/** Why somebody who is responsible has a recording erased before its end, and where the law obliges to it. */
export const articleOfGround = {
  notNeeded: 'GDPR art. 17(1)(a)',
  withdrawn: 'GDPR art. 17(1)(b)',
  objection: 'GDPR art. 17(1)(c)',
  unlawful: 'GDPR art. 17(1)(d)',
  obligation: 'GDPR art. 17(1)(e)',
} as const;
export type DecidedGround = keyof typeof articleOfGround;
export const decidedGrounds = Object.keys(articleOfGround) as [DecidedGround, ...DecidedGround[]];

const objects = z.array(z.strictObject({ key: z.string(), versions: z.array(z.string()) }));
const archive = z.enum(['directory', 'minio']);

export const certificateSchema = z.strictObject({
  certificate: z.literal(1),
  number: z.int().min(1),
  recording: z.string().refine(isUlid),
  /** Which one the call came to, where it had a name. */
  pbx: z.string().optional(),
  objects,
  /** Of the WAV; null for a recording that was never measured. */
  bytes: z.int().nullable(),
  sha256: sha256Form.nullable(),
  archive,
  /** What was removed from other archives, which it was being moved from or to. */
  copies: z.array(z.strictObject({ archive, objects })).optional(),
  rule: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('due'),
      policyVersion: z.string(),
      keepUntil: z.iso.datetime(),
      purposes: z.array(z.strictObject({ id: z.string(), keepUntil: z.iso.datetime() })),
    }),
    z.strictObject({ kind: z.literal('subject'), article: z.literal('GDPR art. 17') }),
    z.strictObject({
      kind: z.literal('decided'),
      article: z.enum(Object.values(articleOfGround)),
      /** The number of a ticket or a file: no text, which might name somebody. */
      reference: z.string().nullable(),
    }),
  ]),
  actor: z.string(),
  begunAt: z.iso.datetime(),
  verifiedAt: z.iso.datetime(),
  /** `not looked at`: it was archived by another PBX, which removes its own file once the archive has it. */
  verification: z.strictObject({
    versionsLeft: z.literal(0),
    localFile: z.enum(['removed', 'not there', 'not looked at']),
  }),
  previous: sha256Form.nullable(),
  audit: z.strictObject({ line: z.int(), chain: sha256Form }).nullable(),
});
export type Certificate = z.output<typeof certificateSchema>;

const rowOf = ({ number, recording, verifiedAt }: Certificate, jws: string): NewCertificate => ({
  number,
  sha256: sha256Of(jws),
  recording: recording as RecordingId,
  issuedAt: Date.parse(verifiedAt),
  jws,
});

export async function issueCertificate(content: Certificate, signer: Signer): Promise<NewCertificate> {
  return rowOf(content, await signer.sign(content, type));
}

/** Throws certificate_invalid. */
export async function readCertificate(
  jws: string,
): Promise<{ content: Certificate; kid: string; row: NewCertificate }> {
  try {
    const { payload, kid } = await verifySigned(jws, type);
    const content = certificateSchema.parse(payload);

    return { content, kid, row: rowOf(content, jws) };
  } catch (cause) {
    throw new PreavisError('certificate_invalid', 'a certificate is not what was signed', { cause });
  }
}

/** Those of the catalogue, in their order. */
export async function* everyCertificate({
  certificates,
}: CataloguePart<{ certificates: 'listBeyond' }>): AsyncGenerator<CertificateRow> {
  const first = { number: 0, sha256: '' };
  const pages = pagesOf(200, first, certificates.listBeyond, ({ number, sha256 }) => ({ number, sha256 }));
  for await (const rows of pages) yield* rows;
}

/** Where a certificate lies in the archive, beside the recordings and apart from them. */
export function certificateKey({ number, recording, issuedAt }: NewCertificate): string {
  return `${certificatePrefix}${isoTime(issuedAt).slice(0, 4)}/${String(number).padStart(10, '0')}-${recording}.jws`;
}
export const certificatePrefix = 'certificates/';

const keyPattern = /^certificates\/\d{4}\/(?<number>\d{10})-(?<recording>[^/]+)\.jws$/;

/** What the key of a certificate says; undefined for one that is not of our making. */
export function certificateOfKey(key: string): { number: number; recording: RecordingId } | undefined {
  const { number, recording } = keyPattern.exec(key)?.groups ?? {};
  if (number === undefined || recording === undefined || !isUlid(recording)) return undefined;

  return { number: Number(number), recording: recording as RecordingId };
}
