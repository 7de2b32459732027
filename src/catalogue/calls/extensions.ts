import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { callId } from '../sqlite/rowForm.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import { makeSweepPersons } from './sweepPersons.ts';

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
  const selectCalls = prepareColumn(
    `SELECT call_id FROM extensions WHERE extension = @extension AND call_id > @after ORDER BY call_id LIMIT @limit`,
  );

  return {
    /** The first that is told counts: whoever comes later has the call from them. Nobody waits for it. */
    keep: (call: CallId, extension: string): void => {
      relaxedSync(database, () => insert.run({ call, extension }));
    },
    of: (call: CallId): string | undefined => z.string().optional().parse(selectOf.get(call)),
    /** Of one telephone, in the order of calls, beyond `after`. */
    callsOf: (extension: string, after: string, limit: number): CallId[] =>
      z.array(callId).parse(selectCalls.all({ extension, after, limit })),
    /** As long as who called: with the recording, and without one for as long as privacy.callerDays says. */
    sweep: makeSweepPersons(database, 'extensions'),
  };
}
