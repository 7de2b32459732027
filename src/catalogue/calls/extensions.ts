import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import type { CallerTimes } from './callers.ts';

/**
 * The table `extensions`: which telephone of the house answered a call, or dialled it. A trigger removes the row of a call whose recording
 * is erased or discarded.
 */
export function makeExtensions(database: Database.Database) {
  const prepareColumn = columnsOf(database);
  const insert = database.prepare(
    `INSERT INTO extensions (call_id, extension) VALUES (@call, @extension) ON CONFLICT DO NOTHING`,
  );
  const selectOf = prepareColumn(`SELECT extension FROM extensions WHERE call_id = ?`);
  const selectEnd = prepareColumn(
    `SELECT call_id FROM extensions WHERE call_id > @after ORDER BY call_id LIMIT 1 OFFSET @limit - 1`,
  );
  // As callers: for as long as the recording, and without one for as long as privacy.callerDays says.
  const sweep = database.prepare(`
    DELETE FROM extensions WHERE call_id > @after AND (@last IS NULL OR call_id <= @last) AND EXISTS (
      SELECT 1 FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id
      WHERE calls.id = extensions.call_id AND calls.state IS NULL AND CASE
        WHEN recordings.id IS NULL THEN calls.started_at < @since
        WHEN status = 'lost' THEN calls.started_at < min(@since, @at - 86400000 * recordings.keep_days)
        ELSE status IN ('erased', 'discarded')
      END)`);

  return {
    /** The first that is told counts: whoever comes later has the call from them. Nobody waits for it. */
    keep: (call: CallId, extension: string): void => {
      relaxedSync(database, () => insert.run({ call, extension }));
    },
    of: (call: CallId): string | undefined => z.string().optional().parse(selectOf.get(call)),
    /** As `sweep` of callers: so many rows beyond `after`; gives where to go on, undefined after the last. */
    sweep: ({ since, at }: CallerTimes, after: string, limit: number): string | undefined => {
      const last = z.string().optional().parse(selectEnd.get({ after, limit }));
      relaxedSync(database, () => sweep.run({ since, at, after, last: last ?? null }));

      return last;
    },
  };
}
