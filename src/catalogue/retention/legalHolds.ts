import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { HoldId, RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, type AuditTrail } from './auditTrail.ts';
import { isActiveHold } from '../conditions.ts';
import type { DeliveryEvent } from '../jobs/deliveries.ts';
import { holdGrounds } from '../holdGrounds.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { all, change, one, sql, value, values, writing, type Step } from '../sql/step.ts';

/** In the audit trail of its recording, by whoever has set or released it. */
export const holdSet = 'hold set';
export const holdReleased = 'hold released';

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
  trail: AuditTrail,
  deliveries: { append: (event: DeliveryEvent) => Step<void> },
  now: () => number,
) {
  const selectStatus = sql(`SELECT status FROM recordings WHERE id = @recording`);
  const insert = sql(`
    INSERT INTO holds (id, recording_id, ground, reason, author, set_at, review_at, expires_at, call_id)
    SELECT @id, id, @ground, @reason, @author, @at, @reviewAt, @expiresAt, call_id FROM recordings WHERE id = @recording`);
  const markReleased = sql(`
    UPDATE holds SET released_at = @at, released_by = @by WHERE id = @id AND released_at IS NULL RETURNING recording_id`);
  const selectOf = sql(`SELECT * FROM holds WHERE recording_id = @id ORDER BY id`);
  const selectActive = sql(`
    SELECT * FROM holds WHERE ${isActiveHold} AND id > @after ORDER BY id LIMIT @limit`);
  const selectActiveOf = sql(`SELECT id FROM holds WHERE recording_id = @recording AND ${isActiveHold} ORDER BY id`);
  const selectReleased = sql(`SELECT recording_id FROM holds WHERE id = @id`);

  const set = writing(function* (hold: NewLegalHold): Step<void> {
    const status = z
      .string()
      .optional()
      .parse(yield* value(selectStatus, { recording: hold.recording }));
    if (status === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    if (!keepable.has(status)) throw new PreavisError('hold_too_late', `its status is ${status}`);
    if (isErasureUnderWay(yield* trail.of(hold.recording)))
      throw new PreavisError('hold_too_late', 'its erasure has begun');
    yield* change(insert, { ...hold, at: now() });
    const { id, ground, author, reviewAt, expiresAt } = hold;
    const detail = { hold: id, ground, reviewAt, expiresAt };
    yield* trail.append(hold.recording, { event: holdSet, actor: author, detail });
    yield* deliveries.append({ event: 'hold.set', recording: hold.recording, hold: id });
  });

  const release = writing(function* (id: HoldId, by: string): Step<RecordingId> {
    const recording = recordingId.optional().parse(yield* value(markReleased, { id, by, at: now() }));
    if (recording === undefined) {
      const what =
        (yield* one(selectReleased, { id })) === undefined ? 'there is no hold with this id' : 'it was released before';
      throw new PreavisError('hold_unknown', what);
    }
    yield* trail.append(recording, { event: holdReleased, actor: by, detail: { hold: id } });

    return recording;
  });

  function* releaseAllOf(recording: RecordingId, by: string): Step<void> {
    for (const id of z.array(holdId).parse(yield* values(selectActiveOf, { recording, at: now() })))
      yield* release(id, by);
  }

  return {
    /** Throws recording_unknown, and hold_too_late once the erasure has begun: what wins is decided here, in one transaction. */
    set,
    /** Gives the recording that it kept. Throws hold_unknown. */
    release,
    /** Releases all that keep the recording now, within a transaction of the caller. */
    releaseAllOf,
    /** All that were ever set, the oldest first. */
    *of(id: RecordingId): Step<LegalHoldRow[]> {
      return z.array(legalHoldRow).parse(yield* all(selectOf, { id }));
    },
    /** Those that keep a recording at this time, in the order of ids, beyond `after`. */
    *active(at: number, after: string, limit: number): Step<LegalHoldRow[]> {
      return z.array(legalHoldRow).parse(yield* all(selectActive, { at, after, limit }));
    },
  };
}
