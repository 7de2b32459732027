import type Database from 'better-sqlite3';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { HoldId, RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, type AuditTrail } from './auditTrail.ts';
import { isActiveHold } from '../conditions.ts';
import type { DeliveryEvent } from '../jobs/deliveries.ts';
import { holdGrounds } from '../holdGrounds.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { writing } from '../sqlite/writing.ts';
import { columnsOf } from '../sqlite/sqlite.ts';

const holdId = z.string().transform((id) => id as HoldId);
export const legalHoldRow = row(
  {
    id: holdId,
    recording: recordingId,
    ground: z.enum(holdGrounds),
    /** In words of whoever set it: it may name people, and goes nowhere else. */
    reason: z.string(),
    author: z.string(),
    setAt: z.number(),
    reviewAt: z.number(),
    expiresAt: z.number(),
    releasedAt: z.number().nullable(),
    releasedBy: z.string().nullable(),
  },
  { recording: 'recording_id' },
);
export type LegalHoldRow = z.output<typeof legalHoldRow>;

export type NewLegalHold = Omit<LegalHoldRow, 'setAt' | 'releasedAt' | 'releasedBy'>;

/** Whether it keeps its recording at this time. */
export function isActive(
  { releasedAt, expiresAt }: Pick<LegalHoldRow, 'releasedAt' | 'expiresAt'>,
  at: number,
): boolean {
  return releasedAt === null && expiresAt > at;
}

const keepable = new Set(['recording', 'recorded', 'archived', 'failed']);

/** The table `holds`. */
export function makeLegalHolds(
  database: Database.Database,
  trail: AuditTrail,
  deliveries: { append: (event: DeliveryEvent) => void },
  now: () => number,
) {
  const prepareColumn = columnsOf(database);
  const selectStatus = prepareColumn(`SELECT status FROM recordings WHERE id = ?`);
  const insert = database.prepare(`
    INSERT INTO holds (id, recording_id, ground, reason, author, set_at, review_at, expires_at, call_id)
    SELECT @id, id, @ground, @reason, @author, @at, @reviewAt, @expiresAt, call_id FROM recordings WHERE id = @recording`);
  const markReleased = prepareColumn(`
    UPDATE holds SET released_at = @at, released_by = @by WHERE id = @id AND released_at IS NULL RETURNING recording_id`);
  const selectOf = database.prepare(`SELECT * FROM holds WHERE recording_id = ? ORDER BY id`);
  const selectActive = database.prepare(`
    SELECT * FROM holds WHERE ${isActiveHold} AND id > @after ORDER BY id LIMIT @limit`);
  const selectActiveOf = prepareColumn(
    `SELECT id FROM holds WHERE recording_id = @recording AND ${isActiveHold} ORDER BY id`,
  );
  const selectReleased = database.prepare(`SELECT recording_id FROM holds WHERE id = ?`);

  const set = writing(database, (hold: NewLegalHold): void => {
    const status = z.string().optional().parse(selectStatus.get(hold.recording));
    if (status === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    if (!keepable.has(status)) throw new PreavisError('hold_too_late', `its status is ${status}`);
    if (isErasureUnderWay(trail.of(hold.recording))) throw new PreavisError('hold_too_late', 'its erasure has begun');
    insert.run({ ...hold, at: now() });
    const { id, ground, author, reviewAt, expiresAt } = hold;
    const detail = { hold: id, ground, reviewAt, expiresAt };
    trail.append(hold.recording, { event: 'hold set', actor: author, detail });
    deliveries.append({ event: 'hold.set', recording: hold.recording, hold: id });
  });

  const release = writing(database, (id: HoldId, by: string): RecordingId => {
    const recording = recordingId.optional().parse(markReleased.get({ id, by, at: now() }));
    if (recording === undefined) {
      const what = selectReleased.get(id) === undefined ? 'there is no hold with this id' : 'it was released before';
      throw new PreavisError('hold_unknown', what);
    }
    trail.append(recording, { event: 'hold released', actor: by, detail: { hold: id } });

    return recording;
  });

  return {
    /** Throws recording_unknown, and hold_too_late once the erasure has begun: what wins is decided here, in one transaction. */
    set,
    /** Gives the recording that it kept. Throws hold_unknown. */
    release,
    /** Releases all that keep the recording now, within a transaction of the caller. */
    releaseAllOf: (recording: RecordingId, by: string): void => {
      for (const id of z.array(holdId).parse(selectActiveOf.all({ recording, at: now() }))) release(id, by);
    },
    /** All that were ever set, the oldest first. */
    of: (id: RecordingId): LegalHoldRow[] => z.array(legalHoldRow).parse(selectOf.all(id)),
    /** Those that keep a recording at this time, in the order of ids, beyond `after`. */
    active: (at: number, after: string, limit: number): LegalHoldRow[] =>
      z.array(legalHoldRow).parse(selectActive.all({ at, after, limit })),
  };
}
