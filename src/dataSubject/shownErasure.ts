import { isoTime } from '../core/clock.ts';
import { articleOf, type Exception } from './decideErasure.ts';
import type { SubjectErasure } from './personRequest.ts';

/** What became of a request for erasure, as one object for programs. */

export function shownException(exception: Exception) {
  const article = articleOf(exception);

  return 'until' in exception ? { ...exception, until: isoTime(exception.until), article } : { ...exception, article };
}

export function shownErasure(result: SubjectErasure, applied: boolean) {
  const { calls, recordings, unrecorded, direct, open, unreadable, language, copyFailure } = result;

  return {
    applied,
    calls,
    recordings: recordings.map(({ id, startedAt, status, purposes, outcome }) => ({
      id,
      startedAt: isoTime(startedAt),
      status,
      purposes,
      outcome: outcome.kind === 'kept' ? { ...outcome, exceptions: outcome.exceptions.map(shownException) } : outcome,
    })),
    unrecordedCalls: unrecorded,
    directCalls: direct,
    openCalls: open,
    unreadableCalls: unreadable,
    languageRemembered: language,
    copyFailure: copyFailure ?? null,
  };
}
