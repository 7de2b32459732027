import * as z from 'zod';
import type { NewHead } from '../../catalogue/retention/chainHeads.ts';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { sha256Form, sha256Of } from '../../core/crypto/sha256.ts';
import { verifySigned, type Signer } from '../../core/crypto/signing.ts';

/**
 * What the newest line of the audit trail was, signed: it vouches for every line up to there, since each link follows from the
 * one before it. Once it lies in the ledger and in the archive, lines cannot be cut off the end in silence, nor can an older
 * catalogue be put in the place of this one. It holds a number and hashes, nothing of a call (P7).
 */

export const headType = 'preavis-chain-head+jws';

const headSchema = z.strictObject({
  head: z.literal(1),
  number: z.int().min(1),
  /** Of which catalogue; a copy of it has the same. */
  catalogue: z.string().regex(/^[0-9a-f]{16}$/),
  signedAt: z.iso.datetime(),
  /** The newest line; 0 where the trail has none, with the link that stands before the first one. */
  line: z.int().min(0),
  chain: sha256Form,
  /** The hash of the head before it. */
  previous: sha256Form.nullable(),
  /** Who said that an older catalogue was put back on purpose: what was signed before may then be of lines that are gone. */
  restored: z.strictObject({ by: z.string() }).nullable(),
});
export type Head = z.output<typeof headSchema>;

const rowOf = ({ number, signedAt }: Head, jws: string): NewHead => ({
  number,
  sha256: sha256Of(jws),
  signedAt: Date.parse(signedAt),
  jws,
});

export async function issueHead(content: Head, signer: Signer): Promise<NewHead> {
  return rowOf(content, await signer.sign(content, headType));
}

/** Throws certificate_invalid. */
export async function readHead(jws: string): Promise<{ content: Head; kid: string; row: NewHead }> {
  try {
    const { payload, kid } = await verifySigned(jws, headType);
    const content = headSchema.parse(payload);

    return { content, kid, row: rowOf(content, jws) };
  } catch (cause) {
    throw new PreavisError('certificate_invalid', 'a head of the audit trail is not what was signed', { cause });
  }
}

/** Where heads lie in the archive. Their hash is in the key, so that none is ever written over another. */
export const headPrefix = 'certificates/heads/';

export function headKey({ number, sha256 }: Pick<NewHead, 'number' | 'sha256'>): string {
  return `${headPrefix}${String(number).padStart(10, '0')}-${sha256}.jws`;
}

const keyPattern = /^certificates\/heads\/(?<number>\d{10})-(?<sha256>[0-9a-f]{64})\.jws$/;

/** What the key of a head says; undefined for one that is not of our making. */
export function headOfKey(key: string): { number: number; sha256: string } | undefined {
  const { number, sha256 } = keyPattern.exec(key)?.groups ?? {};

  return number === undefined || sha256 === undefined ? undefined : { number: Number(number), sha256 };
}

/** For people: which one, of when, up to which line. */
export function headInWords({ number, signedAt, line }: Pick<Head, 'number' | 'line' | 'signedAt'>): string {
  return `head ${number}, signed ${isoTime(Date.parse(signedAt))} up to line ${line}`;
}
