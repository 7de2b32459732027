import * as z from 'zod';
import { unwatchedReasons } from '../../call/watch/watch.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { requestFailed, requestRefused } from './auditTrail.ts';
import { isActiveHold, isAsked, isFree, isKept, isOver, recordingsByEnd } from '../conditions.ts';
import type { DueCursor } from '../calls/recordings.ts';
import { all, one, reading, sql, value, type Step } from '../sql/step.ts';

const attemptRow = row({
  id: recordingId,
  callId: z.string(),
  keepUntil: z.number(),
  /** Why it is erased: null where its time is over, else the rule of whoever has decided so. */
  rule: z.enum(['subject', 'decided']).nullable(),
  code: z.string().nullable(),
});
/** A recording that is due, and the code with which its last erasure failed; null where none has. */
export type DueAttempt = z.output<typeof attemptRow>;

const count = z.number();
const holdsRow = z.object({ active: count, reviewsOverdue: count });
const unusableRow = z.object({ status: z.enum(['failed', 'lost']), recordings: count });
const unwatchedCount = z.object({ why: z.enum(unwatchedReasons), intervals: count });

/** What stands of what is promised, at one moment; counts only. */
export type Promised = {
  holds: z.output<typeof holdsRow>;
  /** Recordings that a person asked to have erased, and of which that failed before it was decided, but for those that a lock keeps. */
  failedRequests: number;
  /** Intervals in which nobody watched a call, by why, since the catalogue was made. */
  unwatched: z.output<typeof unwatchedCount>[];
  /** Recordings without usable audio, and those whose file has vanished. */
  unusable: { failed: number; lost: number };
};

/** The code of the last erasure of a recording that failed; @event is that of a pass. What a person was told counts once it is decided. */
export const lastFailure = `(SELECT json_extract(detail, '$.code') FROM audit
  WHERE recording_id = recordings.id AND event IN (@event, '${requestFailed}') AND (event = @event OR ${isAsked})
  ORDER BY audit.id DESC LIMIT 1)`;

/** What the metrics of promises ask for at each reading: nothing of it looks at every row. */
export function makePromises() {
  const selectDue = sql(`
    SELECT id, call_id, keep_until,
      (SELECT json_extract(cause, '$.rule') FROM asked_erasures WHERE recording_id = recordings.id) AS rule,
      ${lastFailure} AS code
    FROM ${recordingsByEnd}
    WHERE ${isOver} AND (keep_until, id) > (@keepUntil, @id) AND ${isFree}
    ORDER BY keep_until, id LIMIT @limit`);
  const selectHolds = sql(`
    SELECT count(*) AS active, count(*) FILTER (WHERE review_at <= @at) AS "reviewsOverdue" FROM holds WHERE ${isActiveHold}`);
  const selectRequests = sql(`
       SELECT count(DISTINCT recording_id) FROM audit AS failed INDEXED BY audit_of_requests
       WHERE event IN ('${requestRefused}', '${requestFailed}') AND event = '${requestFailed}'
         AND json_extract(detail, '$.code') <> 'archive_locked'
         AND NOT EXISTS (SELECT 1 FROM audit AS later WHERE later.recording_id = failed.recording_id AND later.id > failed.id
           AND later.event IN ('${requestRefused}', '${requestFailed}') AND (later.event = '${requestRefused}'
             OR json_extract(later.detail, '$.code') = 'archive_locked'))
         AND EXISTS (SELECT 1 FROM recordings WHERE recordings.id = failed.recording_id AND ${isKept} AND NOT ${isAsked})`);
  // By the index of statuses: the others, which are all but a few, are not looked at.
  const selectUnusable = sql(
    `SELECT status, count(*) AS recordings FROM recordings WHERE status IN ('failed', 'lost') GROUP BY status`,
  );
  const selectUnwatched = sql(`SELECT why, count(*) AS intervals FROM unwatched GROUP BY why ORDER BY why`);
  const read = reading(function* (at: number): Step<Promised> {
    const unusable = z.array(unusableRow).parse(yield* all(selectUnusable));
    const of = (status: 'failed' | 'lost'): number => unusable.find((each) => each.status === status)?.recordings ?? 0;

    return {
      holds: holdsRow.parse(yield* one(selectHolds, { at })),
      failedRequests: count.parse(yield* value(selectRequests)),
      unwatched: z.array(unwatchedCount).parse(yield* all(selectUnwatched)),
      unusable: { failed: of('failed'), lost: of('lost') },
    };
  });

  return {
    /**
     * Those that are due at this time, the first to end first, beyond `after`.
     *
     * @param erasureFailed the event of the audit trail that has, with a `code`, why a recording could not be erased
     */
    *dueAttempts(at: number, erasureFailed: string, after: DueCursor, limit: number): Step<DueAttempt[]> {
      return z.array(attemptRow).parse(yield* all(selectDue, { at, event: erasureFailed, ...after, limit }));
    },
    promised: read,
  };
}
