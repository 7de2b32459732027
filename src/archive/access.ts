import type { PurposeEnd } from '../catalogue/rows.ts';
import type { RecordingStatus } from '../catalogue/statuses.ts';
import { isoTime } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import { purposesInForce } from './purposes.ts';

export type Subject = {
  status: RecordingStatus;
  /** Those of its call. */
  purposes: readonly string[];
  ends: readonly PurposeEnd[];
};

/**
 * Until when a recording may be fetched for a purpose, ms since 1970 UTC: the end of that purpose, whatever other purposes
 * keep it longer. Throws purpose_foreign, purpose_over, or why nothing is there to be fetched: recording_unfinished,
 * recording_unusable, recording_gone.
 */
export function accessUntil({ status, purposes, ends }: Subject, purpose: string, at: number): number {
  if (!purposes.includes(purpose)) {
    throw new PreavisError('purpose_foreign', `it was not made for this purpose, but for ${purposes.join(', ')}`);
  }
  switch (status) {
    case 'recording':
      throw new PreavisError('recording_unfinished', 'its call is not over, or its file was not measured yet');
    case 'failed':
      throw new PreavisError('recording_unusable', 'there is no audio whose length and SHA-256 are known');
    case 'erased':
    case 'discarded':
    case 'lost':
      throw new PreavisError('recording_gone', `its status is ${status}`);
    case 'recorded':
    case 'archived':
      break;
  }
  const end = ends.find((each) => each.purpose === purpose)?.keepUntil;
  if (end === undefined || !purposesInForce(status, purposes, ends, at).includes(purpose)) {
    const when = end === undefined ? 'has no end in the catalogue' : `ended at ${isoTime(end)}`;
    throw new PreavisError('purpose_over', `the purpose ${purpose} ${when}`);
  }

  return end;
}
