import * as z from 'zod';
import { change, relaxed, sql, value, type Given, type Step } from '../sql/step.ts';

/** From when on it is kept who was in calls without a recording, and until when it is now, ms since 1970 UTC. */
type PersonTimes = { since: number; at: number };

/** One part of a sweep; `next` is undefined after the last one. */
type SweptPersons = { removed: number; next: string | undefined };

export type SweepPersons = (times: PersonTimes, after: string, limit: number) => Step<SweptPersons>;

/**
 * Removes, of so many rows beyond `after` of a table that says who was in a call, those that nothing is kept for any more: no recording is
 * left, or there was none and the call is from before `since`. One that was lost may be found again until its time is over.
 */
export function makeSweepPersons(table: 'callers' | 'extensions'): SweepPersons {
  const selectEnd = sql(
    `SELECT call_id FROM ${table} WHERE call_id > @after ORDER BY call_id LIMIT 1 OFFSET @limit - 1`,
  );
  const sweep = sql(`
    DELETE FROM ${table} WHERE call_id > @after AND (@last IS NULL OR call_id <= @last) AND EXISTS (
      SELECT 1 FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id
      WHERE calls.id = ${table}.call_id AND calls.state IS NULL AND CASE
        WHEN recordings.id IS NULL THEN calls.started_at < @since
        WHEN status = 'lost' THEN calls.started_at < @since AND calls.started_at < @at - 86400000 * recordings.keep_days
        ELSE status IN ('erased', 'discarded')
      END)`);

  const remove = relaxed((given: Given) => change(sweep, given));

  return function* ({ since, at }, after, limit) {
    const last = z
      .string()
      .optional()
      .parse(yield* value(selectEnd, { after, limit }));
    const removed = yield* remove({ since, at, after, last: last ?? null });

    return { removed, next: last };
  };
}
