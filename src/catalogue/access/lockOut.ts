import { dayMs } from '../../core/clock.ts';

/** How failed sign-ins put off the next one. Each limit is for one way of guessing; somebody who knows a name keeps nobody out but themselves. */

/** A failure under a name counts for so long where it was made, ms; so long is the longest wait, too. */
export const countedMs = dayMs;

export type LockOutLimits = {
  /** Under a name at one place. From so many on the next attempt waits, and twice as long after each further failure. */
  failures: number;
  firstWaitMs: number;
  /** Within `firstWaitMs`, under a name at all places that are not known; Infinity: they are not counted together. */
  nameFailures: number;
  /** Within `firstWaitMs`, at an address, whatever the names; Infinity where the place is none. */
  addressFailures: number;
};

/** What has failed before. */
export type Failures = {
  /** Under this name at this place, within `countedMs`; `lastAt` is 0 for none. */
  here: { count: number; lastAt: number };
  /** Within `firstWaitMs`. */
  ofName: number;
  ofAddress: number;
};

/** How long the next attempt waits after so many failures at a place, ms. */
export function waitAfter(count: number, { failures, firstWaitMs }: LockOutLimits): number {
  return count < failures ? 0 : Math.min(countedMs, firstWaitMs * 2 ** (count - failures));
}

/** @param at ms since 1970 UTC */
export function isLockedOut({ here, ofName, ofAddress }: Failures, limits: LockOutLimits, at: number): boolean {
  return (
    at < here.lastAt + waitAfter(here.count, limits) ||
    ofName >= limits.nameFailures ||
    ofAddress >= limits.addressFailures
  );
}
