import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';

/**
 * Compares PINs, and throttles guessing over all calls together: a caller's number can be forged, so it counts for nothing.
 * While it is locked the right PIN is refused like a wrong one, so that nobody can guess on.
 */
export type PinGuard = { check(typed: string): PinVerdict };
type PinVerdict = 'right' | 'wrong' | 'locked';

/** Wrong PINs within `windowMs` after which all are refused until the oldest of them is as long ago. */
export const wrongPinsAllowed = 10;
export const windowMs = 3_600_000;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export function makePinGuard(pin: string, clock: Clock): PinGuard {
  const wanted = digest(pin);
  let wrongAt: number[] = [];

  return {
    check: (typed) => {
      const now = clock.now();
      // A clock that was set back must not lock for longer.
      wrongAt = wrongAt.filter((at) => at <= now && now - at < windowMs);
      const right = timingSafeEqual(digest(typed), wanted);
      if (wrongAt.length >= wrongPinsAllowed) return 'locked';
      if (right) return 'right';
      wrongAt.push(now);

      return 'wrong';
    },
  };
}
