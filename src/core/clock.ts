/** Milliseconds since 1970 UTC. Proof uses the times of Asterisk's events (P8); this is for schedules and limits. */
export type Clock = { now(): number };

export const systemClock: Clock = { now: () => Date.now() };

/** A day without a change of the clock, ms. */
export const dayMs = 86_400_000;

/** ISO 8601 in UTC with milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
