/** The waits between attempts, ms. */
export type BackoffWaits = { firstMs: number; longestMs: number };

/** Wait before the next attempt, ms: doubling from the first to the longest. */
export function doubledMs(attempts: number, { firstMs, longestMs }: BackoffWaits): number {
  return Math.min(firstMs * 2 ** attempts, longestMs);
}

/** The same with a jitter of up to a quarter; `random` is from 0 to 1. */
export function backoffMs(attempts: number, random: number, waits: BackoffWaits): number {
  return doubledMs(attempts, waits) * (1 + random / 4);
}
