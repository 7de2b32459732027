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

/** What to do, where a program has no shell: the list of errors tells of commands. */
const webHints: Readonly<Partial<Record<ErrorCode, string>>> = {
  purpose_over:
    'Only a hold for a dispute gives access again, if the purpose allows holds. GET /recordings/{id} has the end of each purpose.',
  purpose_foreign: 'GET /recordings/{id} names its purposes.',
  call_unknown: 'See GET /calls.',
  recording_unknown: 'See GET /recordings.',
  hold_unknown: 'GET /recordings/{id} has its holds.',
  recording_unfinished: 'Ask again some seconds after the end of the call.',
  recording_unusable: 'There is nothing to be heard. Its proof is there: GET /recordings/{id}/receipt.',
  hold_refused: 'None of its purposes has holdsAllowed. The ground authority or restriction can keep it.',
  hold_too_late: 'GET /recordings/{id} says what became of it.',
  recording_held: 'GET /recordings/{id} has its holds. Who may release them can end them.',
  recording_gone: 'GET /recordings/{id} says what became of it, and has the certificate where it was erased.',
  pause_not_done: 'GET /calls/{id} says what became of the call. Say nothing that must not be recorded.',
  code_not_done: 'GET /calls/{id} says what became of the call.',
  approval_closed: 'GET /approvals has what waits. Who wants to hear it asks again.',
};

/** A request that has faults. Throws nothing: it is thrown. */
export class RequestInvalid extends PreavisError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super('request_invalid', 'the request does not have the form that the description of the API says');
    this.faults = faults;
  }
}

/** Some of what a request names is refused: which, and why of each. The code is that of the first. Throws nothing: it is thrown. */
export class PartsRefused extends PreavisError {
  readonly faults: readonly Fault[];

  constructor({ code, message, hint }: PreavisError, faults: readonly Fault[]) {
    super(code, message, { hint });
    this.faults = faults;
  }
}

/** What a program is told that was refused because of whom it asks for, or what. Not of what is a fault of ours. */
export const isRefusal = (error: PreavisError): boolean => (statuses[error.code] ?? 500) < 500;

/** notAuthor: somebody else has written it. company: they see some companies, and name none of them. program: a person must. */
type OtherRefusal = 'notAuthor' | 'company' | 'program';

const accessRefused = ({ message, ...more }: { message: string; hint?: string }): PreavisError =>
  new PreavisError('access_refused', message, more);

/** The same word for all that somebody may not do. */
export function refusal(reason: Refusal | OtherRefusal): PreavisError {
  switch (reason) {
    case 'outOfScope':
      return new PreavisError('address_unknown', 'there is nothing at this address');
    case 'role':
    case 'wholeScope':
    case 'notNamed':
    case 'approvalNeeded':
    case 'approvalNotNeeded':
    case 'notAuthor':
    case 'company':
    case 'program':
      return accessRefused(refusalWords[reason]);
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

/** What is wrong, and what to do where that is another thing than to ask who grants access. */
const refusalWords: Readonly<
  Record<
    'role' | 'wholeScope' | 'notNamed' | 'approvalNeeded' | 'approvalNotNeeded' | OtherRefusal,
    { message: string; hint?: string }
  >
> = {
  role: { message: 'nobody with your role may do this' },
  wholeScope: { message: 'it tells of all calls, and you see some of them' },
  company: {
    message: 'it tells of all companies, and you see some of them',
    hint: 'Name a company that you see as `controller`.',
  },
  notNamed: {
    message: 'no purpose of this recording names your role (mayListen)',
    hint: 'Ask who runs Préavis: mayListen of a purpose names the roles that hear its recordings (docs/access.md).',
  },
  approvalNeeded: {
    message: 'somebody else must approve it first',
    hint: 'Ask for it by POST /recordings/{id}/approvals (docs/access.md).',
  },
  approvalNotNeeded: { message: 'you may hear it without approval', hint: 'Play it.' },
  notAuthor: { message: 'somebody else has written it', hint: 'Who may erase the recording may remove it.' },
  program: { message: 'no program may do this', hint: 'A person answers, who has signed in.' },
};

/** What a thrown error is to whoever asked. Of a fault that is not theirs nothing is told but its code: words about it may name hosts and files. */
export function problemOf(thrown: unknown): Problem {
  const error = asPreavisError(thrown);
  const { code } = error;
  const status = statuses[code] ?? 500;
  const isOurs = status >= 500 && code !== 'too_busy';
  const { meaning } = errorCodes[code];
  const hint = webHints[code] ?? error.hint;

  return {
    type: `urn:preavis:error:${code}`,
    title: meaning,
    status,
    code,
    ...(isOurs ? {} : { detail: error.message }),
    ...(isOurs || hint === '' ? {} : { hint }),
    ...(error instanceof RequestInvalid || error instanceof PartsRefused ? { faults: [...error.faults] } : {}),
  };
}
