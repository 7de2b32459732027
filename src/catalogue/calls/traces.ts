import { encodeTime } from 'ulid';
import * as z from 'zod';
import { dayMs } from '../../core/clock.ts';
import { change, relaxed, sql, value, type Given, type Step } from '../sql/step.ts';

/** One part of a sweep; `next` is undefined after the last one. */
export type SweptTraces = { removed: number; next: string | undefined };

/** Every table that has rows of a call beside its recording; those of whose call it was go with them. */
const tables = ['notices', 'said', 'changes', 'unwatched', 'callers', 'extensions', 'dialled'] as const;

/** What is kept of calls that nothing was recorded of: when, which line, what was told and answered. */
export function makeTraces() {
  const selectEnd = sql(`SELECT id FROM calls WHERE id > @after AND id < @below ORDER BY id LIMIT 1 OFFSET @limit - 1`);
  // A recording stays in the catalogue when it is erased, and so does its call: together they show that it was. So does a call whose notice
  // counts for a later one.
  const over = `
    SELECT id FROM calls WHERE id > @after AND id < @below AND (@last IS NULL OR id <= @last)
      AND state IS NULL AND started_at < @since
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id)
      AND NOT EXISTS (SELECT 1 FROM calls AS later WHERE later.earlier_call = calls.id)`;
  const removals = tables.map((table) => sql(`DELETE FROM ${table} WHERE call_id IN (${over})`));
  const removeCalls = sql(`DELETE FROM calls WHERE id IN (${over})`);
  // Done again where it is lost.
  const remove = relaxed(function* (given: Given): Step<number> {
    for (const statement of removals) yield* change(statement, given);

    return yield* change(removeCalls, given);
  });

  return {
    /** Removes, of so many calls beyond `after`, those that have ended, have no recording, do not count for a later call, and began before `since`, ms since 1970 UTC. */
    *sweep(since: number, after: string, limit: number): Step<SweptTraces> {
      // Ids have the time of our clock, which need not be that of Asterisk.
      const below = encodeTime(Math.max(0, since + dayMs), 10);
      const last = z
        .string()
        .optional()
        .parse(yield* value(selectEnd, { after, below, limit }));
      const removed = yield* remove({ after, below, last: last ?? null, since });

      return { removed, next: last };
    },
  };
}
