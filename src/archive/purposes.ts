import { isActive, type LegalHoldRow } from '../catalogue/retention/legalHolds.ts';
import type { PurposeEnd } from '../catalogue/rows.ts';
import type { RecordingStatus } from '../catalogue/statuses.ts';

/**
 * The ends of purposes as they are while holds keep the recording: what is kept as evidence for a dispute may be used for it. Other
 * purposes end as callers were told.
 *
 * @param holdsAllowed whether a purpose is of that kind
 */
export function endsWhileHeld(
  ends: readonly PurposeEnd[],
  holds: readonly Pick<LegalHoldRow, 'releasedAt' | 'expiresAt'>[],
  holdsAllowed: (purpose: string) => boolean,
  at: number,
): PurposeEnd[] {
  const active = holds.filter((hold) => isActive(hold, at));
  const heldUntil = Math.max(...active.map(({ expiresAt }) => expiresAt));

  return ends.map((end) =>
    holdsAllowed(end.purpose) ? { ...end, keepUntil: Math.max(end.keepUntil, heldUntil) } : end,
  );
}

/** The statuses in which there is audio, or will be. */
const withAudio: ReadonlySet<RecordingStatus> = new Set(['recording', 'recorded', 'archived', 'failed']);

/**
 * The purposes that a recording may be used for at this time. A purpose's own end ends its use, though another purpose
 * keeps the recording; one that is not yet finished has no ends, and all of its purposes are in force.
 *
 * @param purposes those of its call
 */
export function purposesInForce(
  status: RecordingStatus,
  purposes: readonly string[],
  ends: readonly PurposeEnd[],
  at: number,
): string[] {
  if (!withAudio.has(status)) return [];
  if (status === 'recording') return [...purposes];

  return purposes.filter((purpose) => ends.some((end) => end.purpose === purpose && end.keepUntil > at));
}
