import { kept } from '../ui/kept.ts';

/**
 * When the API last answered this browser. A session ends on the server when nothing is asked for a while, and the page is to be hidden then; what
 * another window asks lets the session go on.
 */

/** ms since 1970 UTC, of this window. */
let answered = 0;

export function noteAnswer(now: number): void {
  answered = now;
  kept.set('asked', String(now));
}

/** How long a session has left of which nothing more is asked, ms; 0: it has ended. */
export function idleLeft(idleMinutes: number, now: number): number {
  const elsewhere = Number(kept.get('asked') ?? 0);
  // What a clock that was set back wrote is no time that lies behind.
  const last = Math.max(answered, Number.isFinite(elsewhere) && elsewhere <= now ? elsewhere : 0);

  return Math.max(0, last + idleMinutes * 60_000 - now);
}
