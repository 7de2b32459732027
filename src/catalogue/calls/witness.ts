import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import type { AuditTrail } from '../retention/auditTrail.ts';
import { unwitnessedCall, type CallWitness, type NoticeRow, type UnwitnessedCall } from '../rows.ts';
import { recordingId } from '../sqlite/rowForm.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { writing } from '../sqlite/writing.ts';

/** What the second witness says of a call, and of each of its sentences in their order; none where it is unavailable. */
export type WitnessStatement = { status: CallWitness; sentences: readonly NonNullable<NoticeRow['witness']>[] };

/** The columns of the second witness in `calls`, `notices` and `recordings`. */
export function makeWitness(database: Database.Database, trail: Pick<AuditTrail, 'append'>) {
  // A recording has its flags when it is finished; the witness adds to them.
  const select = database.prepare(`
    SELECT * FROM calls WHERE state IS NULL AND witness IS NULL
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE call_id = calls.id AND status = 'recording')
    ORDER BY id`);
  const updateCall = database.prepare(
    `UPDATE calls SET witness = ?, caller_channel = NULL WHERE id = ? AND state IS NULL AND witness IS NULL`,
  );
  // Ids of channels too, which go with that of the caller. Not before: what was recorded unwatched may be judged by them again after a crash.
  const forgetParties = database.prepare(`
    UPDATE unwatched SET parties = '[]' WHERE call_id = @id AND NOT EXISTS (
      SELECT 1 FROM recordings WHERE recordings.call_id = @id AND status IN ('recording', 'lost'))`);
  const updateNotice = database.prepare(`
    UPDATE notices SET witness = @status, witness_began_at = @beganAt, witness_ended_at = @endedAt
    WHERE call_id = @id AND position = @position`);
  const flagRecording = database
    .prepare(`UPDATE recordings SET flags = json_insert(flags, '$[#]', ?) WHERE call_id = ? RETURNING id`)
    .pluck();

  const save = writing(database, (id: CallId, { status, sentences }: WitnessStatement, actor: string): boolean => {
    if (updateCall.run(status, id).changes === 0) return false;
    forgetParties.run({ id });
    for (const [position, sentence] of sentences.entries()) updateNotice.run({ id, position, ...sentence });
    if (status !== 'disagrees' && status !== 'missing') return true;
    const flag = `witness_${status}`;
    for (const recording of z.array(recordingId).parse(flagRecording.all(flag, id))) {
      trail.append(recording, { event: 'flagged by the second witness', actor, detail: { flag } });
    }

    return true;
  });

  return {
    /** Calls that have ended, and whose recording, if any, is finished; oldest first. */
    unwitnessed: (): UnwitnessedCall[] => z.array(unwitnessedCall).parse(select.all()),
    /** Written once: false when the call was compared before. Flags the recording where the witness does not agree. */
    saveWitness: (id: CallId, statement: WitnessStatement, actor: string): boolean =>
      // Lost, it is compared again, before the recording can be sent.
      relaxedSync(database, () => save(id, statement, actor)),
  };
}
