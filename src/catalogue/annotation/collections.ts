import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import { callId, row } from '../sqlite/rowForm.ts';
import { behindUnknown, type RequireAnnotatable } from './changing.ts';
import { all, change, sql, value, values, writing, type Step } from '../sql/step.ts';

const collectedRow = row({ call: callId, position: z.number() }, { call: 'call_id' });
/** The call of a recording of a collection, and where in its order: smaller is earlier. */
export type Collected = z.output<typeof collectedRow>;

/** Between two neighbours, so that another fits in without a change to the others. */
const gap = 1_024;
/** Of one company in one collection. */
const mostCollected = 5_000;

export type Placing = {
  recording: RecordingId;
  collection: string;
  /** The one that it comes behind; null: it is the first; undefined: it stays where it is, or comes behind the last. */
  after: string | null | undefined;
  by: string;
  at: number;
};

/**
 * The table `collected`: which recordings are in a collection, and their order. Each company fills and reads a collection for itself: what others
 * have put there takes nothing of its limit. A trigger removes one that is gone.
 */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeCollections(trail: Pick<AuditTrail, 'append'>, requireAnnotatable: RequireAnnotatable) {
  const selectOf = sql(`SELECT collection FROM collected WHERE recording_id = @recording ORDER BY collection`);
  const selectBeyond = sql(`
    SELECT call_id, position FROM collected
    WHERE collection = @collection AND position > @position
      AND (@companies IS NULL OR controller IN (SELECT value FROM json_each(@companies)))
    ORDER BY position LIMIT @limit`);
  const selectPosition = sql(
    `SELECT position FROM collected WHERE collection = @collection AND recording_id = @recording`,
  );
  const selectNext = sql(`SELECT min(position) FROM collected WHERE collection = @collection AND position > @position`);
  const selectLast = sql(`SELECT max(position) FROM collected WHERE collection = @collection`);
  const count = sql(`SELECT count(*) FROM collected WHERE collection = @collection AND controller = @controller`);
  const spread = sql(`
    UPDATE collected SET position = ${gap} * places.place
    FROM (SELECT recording_id, row_number() OVER (ORDER BY position) AS place FROM collected WHERE collection = @collection) AS places
    WHERE collected.collection = @collection AND collected.recording_id = places.recording_id`);
  const upsert = sql(`
    INSERT INTO collected (recording_id, collection, call_id, controller, position, added_by, added_at)
    VALUES (@recording, @collection, @call, @controller, @position, @by, @at)
    ON CONFLICT (recording_id, collection) DO UPDATE SET position = excluded.position`);
  const remove = sql(`DELETE FROM collected WHERE recording_id = @recording AND collection = @collection`);
  function* position(collection: string, recording: string): Step<number | undefined> {
    return z
      .number()
      .optional()
      .parse(yield* value(selectPosition, { collection, recording }));
  }
  function* lastOf(collection: string): Step<number> {
    return (
      z
        .number()
        .nullable()
        .parse(yield* value(selectLast, { collection })) ?? 0
    );
  }

  /** Throws request_invalid where the other one is not in it. */
  function* placeBehind(collection: string, other: string | null): Step<number> {
    const before = other === null ? 0 : yield* position(collection, other);
    if (before === undefined) throw behindUnknown();
    const next = z
      .number()
      .nullable()
      .parse(yield* value(selectNext, { collection, position: before }));
    if (next === null) return before + gap;
    if (next - before > 1) return Math.floor((before + next) / 2);
    yield* change(spread, { collection });

    return yield* placeBehind(collection, other);
  }
  const place = writing(function* ({ recording, collection, after, by, at }: Placing, note: AuditNote): Step<void> {
    const { call, controller: company } = yield* requireAnnotatable(recording);
    const controller = company ?? '';
    const now = yield* position(collection, recording);
    if (now !== undefined && (after === undefined || after === recording)) return;
    if (now === undefined && z.number().parse(yield* value(count, { collection, controller })) >= mostCollected) {
      throw new PreavisError('request_too_large', `a collection has at most ${mostCollected} recordings of a company`);
    }
    const to = after === undefined ? (yield* lastOf(collection)) + gap : yield* placeBehind(collection, after);
    yield* change(upsert, { recording, collection, call, controller, position: to, by, at });
    yield* trail.append(recording, note);
  });

  return {
    /** The names of those that it is in. */
    *of(recording: RecordingId): Step<string[]> {
      return z.array(z.string()).parse(yield* values(selectOf, { recording }));
    },
    /**
     * In their order, beyond this position.
     *
     * @param companies of `controllers`, '' for none of them; undefined: all
     */
    *list(
      collection: string,
      companies: readonly string[] | undefined,
      beyond: number,
      limit: number,
    ): Step<Collected[]> {
      const among = companies === undefined ? null : JSON.stringify(companies);

      return z
        .array(collectedRow)
        .parse(yield* all(selectBeyond, { collection, companies: among, position: beyond, limit }));
    },
    /** Puts it in, or moves it. Throws recording_gone, recording_unknown, request_invalid and request_too_large. */
    place,
    /** Says whether it was in it. */
    take: writing(function* (recording: RecordingId, collection: string, note: AuditNote): Step<boolean> {
      if ((yield* change(remove, { recording, collection })) === 0) return false;
      yield* trail.append(recording, note);

      return true;
    }),
  };
}
