import type Database from 'better-sqlite3';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { HoldId, RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, type AuditTrail } from './auditTrail.ts';
import { isActiveHold } from '../conditions.ts';
import type { DeliveryEvent } from '../jobs/deliveries.ts';
import { holdGrounds } from '../holdGrounds.ts';

const holdRow = z
  .object({
    id: z.string().transform((id) => id as HoldId),
    recording_id: z.string().transform((id) => id as RecordingId),
    ground: z.enum(holdGrounds),
    reason: z.string(),
    author: z.string(),
    set_at: z.number(),
    review_at: z.number(),
    expires_at: z.number(),
    released_at: z.number().nullable(),
    released_by: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    recording: row.recording_id,
    ground: row.ground,
    /** In words of whoever set it: it may name people, and goes nowhere else. */
    reason: row.reason,
    author: row.author,
    setAt: row.set_at,
    reviewAt: row.review_at,
    expiresAt: row.expires_at,
    releasedAt: row.released_at,
    releasedBy: row.released_by,
  }));
export type LegalHoldRow = z.output<typeof holdRow>;

export type NewLegalHold = Pick<
  LegalHoldRow,
  'id' | 'recording' | 'ground' | 'reason' | 'author' | 'reviewAt' | 'expiresAt'
>;

/** Whether it keeps its recording at this time. */
export function isActive(
  { releasedAt, expiresAt }: Pick<LegalHoldRow, 'releasedAt' | 'expiresAt'>,
  at: number,
): boolean {
  return releasedAt === null && expiresAt > at;
}

const statusRow = z.object({ status: z.string() }).optional();
const keepable = new Set(['recording', 'recorded', 'archived', 'failed']);

/** The table `holds`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeLegalHolds(
  database: Database.Database,
  trail: AuditTrail,
  deliveries: { append: (event: DeliveryEvent) => void },
  now: () => number,
) {
  const selectStatus = database.prepare(`SELECT status FROM recordings WHERE id = ?`);
  const insert = database.prepare(`
    INSERT INTO holds (id, recording_id, ground, reason, author, set_at, review_at, expires_at)
    VALUES (@id, @recording, @ground, @reason, @author, @at, @reviewAt, @expiresAt)`);
  const release = database.prepare(`
    UPDATE holds SET released_at = @at, released_by = @by WHERE id = @id AND released_at IS NULL RETURNING recording_id`);
  const selectOf = database.prepare(`SELECT * FROM holds WHERE recording_id = ? ORDER BY id`);
  const selectActive = database.prepare(`
    SELECT * FROM holds WHERE ${isActiveHold} AND id > @after ORDER BY id LIMIT @limit`);
  const selectActiveOf = database
    .prepare(`SELECT id FROM holds WHERE recording_id = @recording AND ${isActiveHold} ORDER BY id`)
    .pluck();
  const selectReleased = database.prepare(`SELECT recording_id FROM holds WHERE id = ?`);

  const set = database.transaction((hold: NewLegalHold): void => {
    const status = statusRow.parse(selectStatus.get(hold.recording))?.status;
    if (status === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    if (!keepable.has(status)) throw new PreavisError('hold_too_late', `its status is ${status}`);
    if (isErasureUnderWay(trail.of(hold.recording))) throw new PreavisError('hold_too_late', 'its erasure has begun');
    insert.run({ ...hold, at: now() });
    const { id, ground, author, reviewAt, expiresAt } = hold;
    const detail = { hold: id, ground, reviewAt, expiresAt };
    trail.append(hold.recording, { event: 'hold set', actor: author, detail });
    deliveries.append({ event: 'hold.set', recording: hold.recording, hold: id });
  });

  const end = database.transaction((id: HoldId, by: string): RecordingId => {
    const row = z
      .object({ recording_id: z.string().transform((text) => text as RecordingId) })
      .optional()
      .parse(release.get({ id, by, at: now() }));
    if (row === undefined) {
      const what = selectReleased.get(id) === undefined ? 'there is no hold with this id' : 'it was released before';
      throw new PreavisError('hold_unknown', what);
    }
    const recording = row.recording_id;
    trail.append(recording, { event: 'hold released', actor: by, detail: { hold: id } });

    return recording;
  });

  return {
    /** Throws recording_unknown, and hold_too_late once the erasure has begun: what wins is decided here, in one transaction. */
    set: (hold: NewLegalHold): void => {
      set.immediate(hold);
    },
    /** Gives the recording that it kept. Throws hold_unknown. */
    release: (id: HoldId, by: string): RecordingId => end.immediate(id, by),
    /** Releases all that keep the recording now, within a transaction of the caller. */
    releaseAllOf: (recording: RecordingId, by: string): void => {
      const ids = z.array(z.string()).parse(selectActiveOf.all({ recording, at: now() }));
      for (const id of ids) end(id as HoldId, by);
    },
    /** All that were ever set, the oldest first. */
    of: (id: RecordingId): LegalHoldRow[] => z.array(holdRow).parse(selectOf.all(id)),
    /** Those that keep a recording at this time, in the order of ids, beyond `after`. */
    active: (at: number, after: string, limit: number): LegalHoldRow[] =>
      z.array(holdRow).parse(selectActive.all({ at, after, limit })),
  };
}
