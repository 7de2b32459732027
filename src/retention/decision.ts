import * as z from 'zod';
import { bareHash } from '../call/plan/preferences.ts';
import { shortenBases } from '../catalogue/calls/recordings.ts';
import type { NewDecision } from '../catalogue/retention/decisions.ts';
import { PreavisError } from '../core/errors.ts';
import { sha256Form, sha256Of } from '../core/crypto/sha256.ts';
import { isUlid } from '../core/ids.ts';
import { typeOfSigned, verifySigned, type Signer } from '../core/crypto/signing.ts';

/**
 * A decision that erases something which has no certificate: a line of the ledger beside those, so that a restored backup of the
 * catalogue does not undo it. It is a JWS. Calls and recordings stand in it by their ids; a person whose language was forgotten by a
 * hash of their keyed hash, and only until what was forgotten would have ended by itself (P7).
 */

export const decisionType = 'preavis-decision+jws';
const ulid = z.string().refine(isUlid);

/** So much stands in one line at most: a ledger is read line by line. */
export const mostInDecision = 500;

const forms = {
  /** Whose these calls were. */
  callersForgotten: z.strictObject({
    kind: z.literal('callersForgotten'),
    calls: z.array(ulid).min(1).max(mostInDecision),
  }),
  /** Which telephone of the house was in these calls. */
  extensionsForgotten: z.strictObject({
    kind: z.literal('extensionsForgotten'),
    calls: z.array(ulid).min(1).max(mostInDecision),
  }),
  /** Which number of the company was dialled in these calls. */
  numbersForgotten: z.strictObject({
    kind: z.literal('numbersForgotten'),
    calls: z.array(ulid).min(1).max(mostInDecision),
  }),
  /** Which language a caller chose; null: all callers. */
  languagesForgotten: z.strictObject({
    kind: z.literal('languagesForgotten'),
    caller: sha256Form.nullable(),
  }),
  /** Ends of purposes that were put forward: a shorter storage time, a request of the person, or a decision to erase. */
  purposesShortened: z.strictObject({
    kind: z.literal('purposesShortened'),
    basis: z.enum(shortenBases),
    ends: z
      .array(z.strictObject({ recording: ulid, purpose: z.string().max(200), to: z.iso.datetime() }))
      .min(1)
      .max(mostInDecision),
  }),
};
const whatSchema = z.discriminatedUnion('kind', [
  forms.callersForgotten,
  forms.extensionsForgotten,
  forms.numbersForgotten,
  forms.languagesForgotten,
  forms.purposesShortened,
]);

const decisionSchema = z.strictObject({
  decision: z.literal(1),
  /** What is decided twice are two decisions. */
  id: ulid,
  decidedAt: z.iso.datetime(),
  /** From then on there is nothing that it could be needed for. */
  neededUntil: z.iso.datetime(),
  what: whatSchema,
});
export type Decision = z.output<typeof decisionSchema>;

/** What a person whose language was forgotten is found by again; the keyed hash itself is erased. */
export function blindedCaller(hash: string): string {
  const bare = hash.includes('.') ? bareHash(hash) : hash;

  return sha256Of(`preavis forgotten language ${bare}`);
}

export const isDecision = (line: string): boolean => typeOfSigned(line) === decisionType;

const rowOf = ({ decidedAt, neededUntil, what }: Decision, jws: string): NewDecision => ({
  sha256: sha256Of(jws),
  kind: what.kind,
  decidedAt: Date.parse(decidedAt),
  neededUntil: Date.parse(neededUntil),
  jws,
});

export async function issueDecision(content: Decision, signer: Signer): Promise<NewDecision> {
  return rowOf(content, await signer.sign(content, decisionType));
}

/** undefined for what is none, or not what was signed. Whether its key is to be trusted is the caller's to say, by `kid`. */
export async function readDecision(
  line: string,
): Promise<{ content: Decision; kid: string; row: NewDecision } | undefined> {
  try {
    const { payload, kid } = await verifySigned(line, decisionType);
    const content = decisionSchema.parse(payload);

    return { content, kid, row: rowOf(content, line) };
  } catch (thrown) {
    if (thrown instanceof PreavisError || thrown instanceof z.ZodError) return undefined;
    throw thrown;
  }
}
