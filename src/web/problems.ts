import * as z from 'zod';
import type { Refusal } from '../access/decide.ts';
import { asPreavisError, errorCodes, PreavisError, type ErrorCode } from '../core/errors.ts';

/** What went wrong, as RFC 9457 has it. `code` is one of docs/errors.md, and `type` is made of it. */
export const problem = z
  .object({
    type: z.string().describe('urn:preavis:error: and the code.'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('One of docs/errors.md.'),
    detail: z.string().optional(),
    hint: z.string().optional(),
    faults: z
      .array(z.object({ where: z.string(), message: z.string() }))
      .optional()
      .describe('What is wrong with the request, and where. What was sent is not told back.'),
  })
  .meta({ description: 'A problem (RFC 9457).' });
export type Problem = z.output<typeof problem>;
export type Fault = NonNullable<Problem['faults']>[number];

export const problemType = 'application/problem+json';

/** Everything else is a fault of ours, or of what Préavis depends on. */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  request_invalid: 400,
  usage: 400,
  sign_in_needed: 401,
  sign_in_refused: 401,
  sign_in_code_needed: 401,
  sign_in_expired: 400,
  sign_in_not_granted: 403,
  sign_in_factor_needed: 403,
  open_id_refused: 403,
  open_id_untrusted: 502,
  open_id_client_refused: 502,
  open_id_unreachable: 503,
  access_refused: 403,
  request_forged: 403,
  approval_own: 403,
  purpose_over: 403,
  purpose_foreign: 403,
  address_unknown: 404,
  call_unknown: 404,
  recording_unknown: 404,
  hold_unknown: 404,
  comment_unknown: 404,
  approval_unknown: 404,
  recording_unfinished: 409,
  recording_unusable: 409,
  hold_refused: 409,
  hold_too_late: 409,
  pause_not_done: 409,
  code_not_done: 409,
  approval_closed: 409,
  erasure_refused: 409,
  recording_held: 409,
  archive_locked: 409,
  recording_gone: 410,
  version_conflict: 412,
  request_too_large: 413,
  range_unsatisfiable: 416,
  version_missing: 428,
  too_many_requests: 429,
  archive_unreachable: 503,
  archive_denied: 503,
  archive_failed: 503,
  archive_bucket_missing: 503,
  catalogue_unusable: 503,
  ari_unreachable: 503,
  too_busy: 503,
  job_busy: 503,
};

/** A request that has faults. Throws nothing: it is thrown. */
export class RequestInvalid extends PreavisError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super('request_invalid', 'the request does not have the form that the description of the API says');
    this.faults = faults;
  }
}

/** The same word for all that somebody may not do. */
export function refusal(reason: Refusal | 'notAuthor'): PreavisError {
  switch (reason) {
    case 'outOfScope':
      return new PreavisError('address_unknown', 'there is nothing at this address');
    case 'role':
    case 'wholeScope':
    case 'notNamed':
    case 'approvalNeeded':
    case 'approvalNotNeeded':
    case 'notAuthor':
      return new PreavisError('access_refused', refusalWords[reason]);
    case 'purposeOver':
      return new PreavisError('purpose_over', 'every purpose for which you might hear it has ended');
    case 'unfinished':
      return new PreavisError('recording_unfinished', 'its call is not over, or its file was not measured yet');
    case 'unusable':
      return new PreavisError('recording_unusable', 'there is no audio whose length and SHA-256 are known');
    case 'gone':
      return new PreavisError('recording_gone', 'there is no sound any more');
  }
}

const refusalWords = {
  role: 'nobody with your role may do this',
  wholeScope: 'it tells of all calls, and you see some of them',
  notNamed: 'no purpose of this recording names your role (mayListen)',
  approvalNeeded: 'somebody else must approve it first',
  notAuthor: 'somebody else has written it',
  approvalNotNeeded: 'you may hear it without approval',
} as const;

/** What a thrown error is to whoever asked. Of a fault that is not theirs nothing is told but its code: words about it may name hosts and files. */
export function problemOf(thrown: unknown): Problem {
  const error = asPreavisError(thrown);
  const { code } = error;
  const status = statuses[code] ?? 500;
  const isOurs = status >= 500 && code !== 'too_busy';
  const { meaning } = errorCodes[code];

  return {
    type: `urn:preavis:error:${code}`,
    title: meaning,
    status,
    code,
    ...(isOurs ? {} : { detail: error.message }),
    ...(isOurs || error.hint === '' ? {} : { hint: error.hint }),
    ...(error instanceof RequestInvalid ? { faults: [...error.faults] } : {}),
  };
}
