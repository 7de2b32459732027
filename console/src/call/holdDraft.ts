import type { HoldGround } from '../../../src/catalogue/holdGrounds.ts';

/** What is typed for a hold that is not set yet. */

const dayMs = 86_400_000;
/** The API takes 3,653 days to the end of the day, so that one less is always taken. */
const longestDays = 3_652;

/** As the API has days: of UTC. */
export const dayIn = (days: number, from: number): string => new Date(from + days * dayMs).toISOString().slice(0, 10);

/** The last day that a hold can be set until. `now`: ms since 1970 UTC. */
export const lastDay = (now: number): string => dayIn(longestDays, now);

export type HoldDraft = { ground: HoldGround; reason: string; until: string };

/**
 * @param grounds on which it may be set
 * @param keptUntil when it would be erased without one: a hold that ends before keeps nothing longer
 * @param now ms since 1970 UTC
 */
export function freshHold(grounds: readonly HoldGround[], keptUntil: string | null, now: number): HoldDraft {
  const wanted = dayIn(180, Math.max(now, Date.parse(keptUntil ?? '') || 0));
  const last = lastDay(now);

  return { ground: grounds[0] ?? 'dispute', reason: '', until: wanted < last ? wanted : last };
}
