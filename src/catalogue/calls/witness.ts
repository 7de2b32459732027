import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import type { AuditTrail } from '../retention/auditTrail.ts';
import { unwitnessedCall, type CallWitness, type NoticeRow, type UnwitnessedCall } from '../rows.ts';
import { recordingId } from '../sqlite/rowForm.ts';
import { isCallHere, pbxGiven, type Here } from '../here.ts';
import { all, change, relaxed, sql, values, type Step } from '../sql/step.ts';

/** In the audit trail of a recording; the detail has the `flag`. */
export const flaggedByWitness = 'flagged by the second witness';

/** What the second witness says of a call, and of each of its sentences in their order; none where it is unavailable. */
export type WitnessStatement = { status: CallWitness; sentences: readonly NonNullable<NoticeRow['witness']>[] };

/** The columns of the second witness in `calls`, `notices` and `recordings`. */
export function makeWitness(here: Here, trail: Pick<AuditTrail, 'append'>) {
  // A recording has its flags when it is finished; the witness adds to them.
  const select = sql(`
    SELECT * FROM calls WHERE state IS NULL AND witness IS NULL AND ${isCallHere(here)}
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE call_id = calls.id AND status = 'recording')
    ORDER BY id`);
  const updateCall = sql(
    `UPDATE calls SET witness = @status, caller_channel = NULL WHERE id = @id AND state IS NULL AND witness IS NULL`,
  );
  // Ids of channels too, which go with that of the caller. Not before: what was recorded unwatched may be judged by them again after a crash.
  const forgetParties = sql(`
    UPDATE unwatched SET parties = '[]' WHERE call_id = @id AND NOT EXISTS (
      SELECT 1 FROM recordings WHERE recordings.call_id = @id AND status IN ('recording', 'lost'))`);
  const updateNotice = sql(`
    UPDATE notices SET witness = @status, witness_began_at = @beganAt, witness_ended_at = @endedAt
    WHERE call_id = @id AND position = @position`);
  const flagRecording = sql(
    `UPDATE recordings SET flags = json_insert(flags, '$[#]', @flag) WHERE call_id = @call RETURNING id`,
  );

  // Lost, it is compared again, before the recording can be sent.
  const save = relaxed(function* (id: CallId, { status, sentences }: WitnessStatement, actor: string): Step<boolean> {
    if ((yield* change(updateCall, { status, id })) === 0) return false;
    yield* change(forgetParties, { id });
    for (const [position, sentence] of sentences.entries()) yield* change(updateNotice, { id, position, ...sentence });
    if (status !== 'disagrees' && status !== 'missing') return true;
    const flag = `witness_${status}`;
    for (const recording of z.array(recordingId).parse(yield* values(flagRecording, { flag, call: id }))) {
      yield* trail.append(recording, { event: flaggedByWitness, actor, detail: { flag } });
    }

    return true;
  });

  return {
    /** Calls that have ended, and whose recording, if any, is finished; oldest first. */
    *unwitnessed(): Step<UnwitnessedCall[]> {
      return z.array(unwitnessedCall).parse(yield* all(select, pbxGiven(here)));
    },
    /** Written once: false when the call was compared before. Flags the recording where the witness does not agree. */
    saveWitness: save,
  };
}
