import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import { callId } from '../sqlite/rowForm.ts';
import { makeSweepPersons } from './sweepPersons.ts';
import { change, relaxed, sql, value, values, type Step } from '../sql/step.ts';

/**
 * The table `extensions`: which telephone of the house answered a call, or dialled it. A trigger removes the row of a call whose recording
 * is erased or discarded.
 */
export function makeExtensions() {
  const insert = sql(`INSERT INTO extensions (call_id, extension) VALUES (@call, @extension) ON CONFLICT DO NOTHING`);
  const selectOf = sql(`SELECT extension FROM extensions WHERE call_id = @call`);
  const selectCalls = sql(
    `SELECT call_id FROM extensions WHERE extension = @extension AND call_id > @after ORDER BY call_id LIMIT @limit`,
  );

  return {
    /** The first that is told counts: whoever comes later has the call from them. Nobody waits for it. */
    keep: relaxed(function* (call: CallId, extension: string): Step<void> {
      yield* change(insert, { call, extension });
    }),
    *of(call: CallId): Step<string | undefined> {
      return z
        .string()
        .optional()
        .parse(yield* value(selectOf, { call }));
    },
    /** Of one telephone, in the order of calls, beyond `after`. */
    *callsOf(extension: string, after: string, limit: number): Step<CallId[]> {
      return z.array(callId).parse(yield* values(selectCalls, { extension, after, limit }));
    },
    /** As long as who called: with the recording, and without one for as long as privacy.callerDays says. */
    sweep: makeSweepPersons('extensions'),
  };
}
