import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import { isActiveHold } from '../conditions.ts';
import { callId } from '../sqlite/rowForm.ts';
import { change, relaxed, sql, value, values, type Given, type Step } from '../sql/step.ts';

/** From before when nothing is kept any more, and when holds count, ms since 1970 UTC. */
type DialledTimes = { since: number; at: number };

/** One part of a sweep; `next` is undefined after the last one. */
type SweptNumbers = { removed: number; next: string | undefined };

/** A hold keeps a recording of the call, and so the number that was dialled. */
export const isNumberHeld = `EXISTS (SELECT 1 FROM recordings JOIN holds ON holds.recording_id = recordings.id
  WHERE recordings.call_id = dialled.call_id AND ${isActiveHold})`;

/**
 * The table `dialled`: which number of the company the caller of a call dialled. A trigger removes the row of a call whose recording is
 * erased or discarded.
 */
export function makeDialled() {
  const insert = sql(`INSERT INTO dialled (call_id, number) VALUES (@call, @number) ON CONFLICT DO NOTHING`);
  const selectCalls = sql(
    `SELECT call_id FROM dialled WHERE number = @number AND call_id > @after ORDER BY call_id LIMIT @limit`,
  );
  const selectOf = sql(`SELECT number FROM dialled WHERE call_id = @call`);
  const selectEnd = sql(
    `SELECT call_id FROM dialled WHERE call_id > @after ORDER BY call_id LIMIT 1 OFFSET @limit - 1`,
  );
  const sweep = sql(`
    DELETE FROM dialled WHERE call_id > @after AND (@last IS NULL OR call_id <= @last)
      AND (EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = dialled.call_id AND status IN ('erased', 'discarded'))
        OR (EXISTS (SELECT 1 FROM calls WHERE calls.id = dialled.call_id AND state IS NULL AND started_at < @since)
          AND NOT ${isNumberHeld}))`);

  const remove = relaxed((given: Given) => change(sweep, given));

  return {
    /** Nobody waits for it: what a power cut takes of it is not kept. */
    keep: relaxed(function* (call: CallId, number: string): Step<void> {
      yield* change(insert, { call, number });
    }),
    *of(call: CallId): Step<string | undefined> {
      return z
        .string()
        .optional()
        .parse(yield* value(selectOf, { call }));
    },
    /** Of one number, in the order of calls, beyond `after`. */
    *callsOf(number: string, after: string, limit: number): Step<CallId[]> {
      return z.array(callId).parse(yield* values(selectCalls, { number, after, limit }));
    },
    /**
     * Removes, of so many beyond `after`, those of calls that began before `since` and have ended; a hold keeps that of its recording. Those
     * that were kept after their recording was erased or discarded go, too.
     */
    *sweep({ since, at }: DialledTimes, after: string, limit: number): Step<SweptNumbers> {
      const last = z
        .string()
        .optional()
        .parse(yield* value(selectEnd, { after, limit }));
      const removed = yield* remove({ since, at, after, last: last ?? null });

      return { removed, next: last };
    },
  };
}
