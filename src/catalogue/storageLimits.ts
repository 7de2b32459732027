import type Database from 'better-sqlite3';
import * as z from 'zod';
import { columnsOf } from './sqlite/sqlite.ts';

/** How long what is kept is kept at most: a rule of the archive that removes by itself must come later. */
export function makeStorageLimits(database: Database.Database) {
  const prepareColumn = columnsOf(database);
  // The archive counts from when a recording was stored, which is after its end.
  const longest = prepareColumn(`
    SELECT max(max(keep_days,
      coalesce((keep_until - coalesce(kept_from, finished_at, started_at, notice_finished_at) + 86399999) / 86400000, 0)))
    FROM recordings WHERE status IN ('recording', 'recorded', 'archived')`);
  const beyond = prepareColumn(`
    SELECT count(DISTINCT recordings.id) FROM holds JOIN recordings ON recordings.id = holds.recording_id
    WHERE released_at IS NULL AND status IN ('recording', 'recorded', 'archived')
      AND expires_at > coalesce(kept_from, finished_at, started_at, notice_finished_at) + @days * 86400000`);

  return {
    /** The longest that any recording is kept after its end, days; 0 when there is none. */
    longestKeptDays: (): number => z.number().nullable().parse(longest.get()) ?? 0,
    /** How many recordings have a hold that may last longer than so many days after their end. */
    heldBeyond: (days: number): number => z.number().parse(beyond.get({ days })),
  };
}
