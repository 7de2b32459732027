import type { PurposeEnd, RecordingStatus } from '../catalogue/rows.ts';

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
