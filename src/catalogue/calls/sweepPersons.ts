import type Database from 'better-sqlite3';
import * as z from 'zod';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { columnsOf } from '../sqlite/sqlite.ts';

/** From when on it is kept who was in calls without a recording, and until when it is now, ms since 1970 UTC. */
type PersonTimes = { since: number; at: number };

/** One part of a sweep; `next` is undefined after the last one. */
type SweptPersons = { removed: number; next: string | undefined };

export type SweepPersons = (times: PersonTimes, after: string, limit: number) => SweptPersons;

/**
 * Removes, of so many rows beyond `after` of a table that says who was in a call, those that nothing is kept for any more: no recording is
 * left, or there was none and the call is from before `since`. One that was lost may be found again until its time is over.
 */
export function makeSweepPersons(database: Database.Database, table: 'callers' | 'extensions'): SweepPersons {
  const selectEnd = columnsOf(database)(
    `SELECT call_id FROM ${table} WHERE call_id > @after ORDER BY call_id LIMIT 1 OFFSET @limit - 1`,
  );
  const sweep = database.prepare(`
    DELETE FROM ${table} WHERE call_id > @after AND (@last IS NULL OR call_id <= @last) AND EXISTS (
      SELECT 1 FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id
      WHERE calls.id = ${table}.call_id AND calls.state IS NULL AND CASE
        WHEN recordings.id IS NULL THEN calls.started_at < @since
        WHEN status = 'lost' THEN calls.started_at < min(@since, @at - 86400000 * recordings.keep_days)
        ELSE status IN ('erased', 'discarded')
      END)`);

  return ({ since, at }, after, limit) => {
    const last = z.string().optional().parse(selectEnd.get({ after, limit }));
    const removed = relaxedSync(database, () => sweep.run({ since, at, after, last: last ?? null })).changes;

    return { removed, next: last };
  };
}
