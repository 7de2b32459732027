import { holdGrounds, type HoldGround } from '../catalogue/holdGrounds.ts';
import { dayMs } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';

/** When nobody says when a hold is looked at again. */
const reviewAfterMs = 180 * dayMs;
/** Nobody can say what will be in dispute after that. */
const longestMs = 3_653 * dayMs;

/** A day is its last millisecond in UTC: what is kept until a day is there on that day, and the day is told as it was given. */
function endOfDay(text: string, option: string): number {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // 2026-02-30 is taken for the 2nd of March.
  if (Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== text) {
    throw new PreavisError('usage', `${option} is a day such as 2027-12-31`);
  }

  return start + dayMs - 1;
}

/** Until when a hold keeps, and when it is to be looked at again, ms since 1970 UTC. Throws usage. */
export function holdDates(
  { until, review }: { until: string; review: string | undefined },
  at: number,
): { expiresAt: number; reviewAt: number } {
  const expiresAt = endOfDay(until, '--until');
  if (expiresAt <= at) throw new PreavisError('usage', '--until is a day to come');
  if (expiresAt - at > longestMs)
    throw new PreavisError('usage', '--until is at most ten years away; a hold can be set again');
  const reviewAt = review === undefined ? Math.min(expiresAt, at + reviewAfterMs) : endOfDay(review, '--review');
  if (reviewAt <= at || reviewAt > expiresAt) {
    throw new PreavisError('usage', '--review is a day to come, and not after --until');
  }

  return { expiresAt, reviewAt };
}

/**
 * A dispute keeps only what was recorded as evidence for one: recordings of purposes that do not allow holds end when the caller was
 * told. An authority, or the person whose recording it is (GDPR art. 18), may ask for any.
 *
 * @throws PreavisError `hold_refused`
 */
export function mayHold(ground: HoldGround, purposes: readonly string[], allowed: (purpose: string) => boolean): void {
  if (groundsFor(purposes, allowed).includes(ground)) return;
  throw new PreavisError('hold_refused', `none of its purposes (${purposes.join(', ')}) allows holds`);
}

/** Those on which a recording of these purposes may be held. */
export const groundsFor = (purposes: readonly string[], allowed: (purpose: string) => boolean): HoldGround[] =>
  holdGrounds.filter((ground) => ground !== 'dispute' || purposes.some(allowed));
