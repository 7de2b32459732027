import * as z from 'zod';
import type { RecordingId } from '../../core/ids.ts';
import { isOfCallHere, pbxGiven, type Here } from '../here.ts';
import type { AuditTrail } from '../retention/auditTrail.ts';
import { recordingId } from '../sqlite/rowForm.ts';
import { change, sql, values, writing, type Step } from '../sql/step.ts';

/** On a recording whose recorder was ended by the dead-man channel: nobody had watched for recording.unwatchedSeconds. */
const unwatchedFlag = 'unwatched_too_long';

/** A time in whole seconds, and how soon recorders have ended then, ms. */
export const slackMs = 3_000;

const found = z.array(recordingId);

/** Why recordings ended early: their recorders were ended while nobody watched. */
export function makeEndedUnwatched(here: Here, trail: Pick<AuditTrail, 'append'>) {
  // Of who had ended before, the end is known; so it is of a talk that has ended since, and is finished.
  const select = sql(`
    SELECT id FROM recordings
    WHERE coalesce(started_at, notice_finished_at) < @at + 1000
      AND (finished_at BETWEEN @at - 1000 AND @at + @slackMs AND status IN ('recording', 'recorded')
        OR finished_at IS NULL AND status = 'recording')
      AND NOT EXISTS (SELECT 1 FROM json_each(flags) WHERE value = @flag) AND ${isOfCallHere('recordings.call_id', here)}
      AND NOT EXISTS (
        SELECT 1 FROM calls JOIN watches ON watches.serve = coalesce(CAST(@pbx AS TEXT), '') || ':' || calls.application
        WHERE calls.id = recordings.call_id AND calls.application <> @application AND watches.until >= @at)
    ORDER BY id`);
  const selectUntold = sql(`
    SELECT id FROM recordings
    WHERE coalesce(started_at, notice_finished_at) < @at + 1000 AND finished_at IS NULL AND status = 'recording'
      AND ${isOfCallHere('recordings.call_id', here)}
    ORDER BY id`);
  const flag = sql(`UPDATE recordings SET flags = json_insert(flags, '$[#]', @flag) WHERE id = @id`);
  const flagEndedUnwatched = writing(function* (
    at: number,
    actor: string,
    others: readonly RecordingId[],
    application: string = here.application,
  ): Step<RecordingId[]> {
    const given = { at, slackMs, flag: unwatchedFlag, application, ...pbxGiven(here) };
    const ended = found.parse(yield* values(select, given));
    const recordings = ended.filter((id) => !others.includes(id));
    for (const recording of recordings) {
      yield* change(flag, { id: recording, flag: unwatchedFlag });
      const detail = { flag: unwatchedFlag, at };
      yield* trail.append(recording, { event: 'ended since nobody watched', actor, detail });
    }

    return recordings;
  });

  return {
    /** Those that were on at this time, and of whose recorder nobody has told the end. */
    *withoutEnd(at: number): Step<RecordingId[]> {
      return found.parse(yield* values(selectUntold, { at, ...pbxGiven(here) }));
    },
    /**
     * Flags those whose recorders were ended at this time of Asterisk's clock, to the second below, ms; once. Gives them. `others` are known to
     * have ended before. `application`: whose calls nobody watched; what another serve of this PBX has and watched is no such.
     */
    flagEndedUnwatched,
  };
}
