import type { NewLegalHold } from '../../../src/catalogue/retention/legalHolds.ts';
import { makeIds, type RecordingId } from '../../../src/core/ids.ts';
import { dayMs } from './catalogues.ts';

/** A hold of this recording that is to be reviewed 50 days after `from`, ms since 1970 UTC, and expires after 100. */
export const aLegalHold = (recording: RecordingId, from: number, more: Partial<NewLegalHold> = {}): NewLegalHold => ({
  id: makeIds().hold(),
  recording,
  ground: 'dispute',
  reason: 'the case of Mrs Example',
  author: 'user lawyer',
  reviewAt: from + 50 * dayMs,
  expiresAt: from + 100 * dayMs,
  ...more,
});
