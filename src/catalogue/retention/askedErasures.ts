import * as z from 'zod';
import type { RecordingId, RequestId } from '../../core/ids.ts';
import { isHeld, isKept } from '../conditions.ts';
import { recordingRow, type RecordingRow } from '../rows.ts';
import { row } from '../sqlite/rowForm.ts';
import type { AuditNote, AuditTrail } from './auditTrail.ts';
import type { Decisions, SignedDecision } from './decisions.ts';
import { isWithinReach, pbxGiven, type Here } from '../here.ts';
import { all, change, one, sql, value, writing, type Step } from '../sql/step.ts';

const requestRow = row(
  {
    id: z.string().transform((id) => id as RequestId),
    /** As the audit trail names them. */
    askedBy: z.string(),
    /** ms since 1970 UTC. */
    askedAt: z.number(),
    /** Until when it can be read, ms since 1970 UTC. */
    endsAt: z.number(),
    /** The company that was asked, of `controllers`; null: of none. */
    controller: z.string().nullable(),
    /** The number of a ticket or a file. */
    reference: z.string().nullable(),
    /** What there was and what became of it, as dataSubject/personRequest.ts writes it; null for what nobody reads again. */
    found: z.string().nullable(),
    /** What is still to be forgotten, as retention/asked.ts writes it; null: nothing. */
    forget: z.string().nullable(),
  },
  {},
);
export type PersonRequestRow = z.output<typeof requestRow>;

/** `cause` as retention/asked.ts writes it; `ending` ends their purposes. */
export type NewAsked = {
  recordings: readonly RecordingId[];
  cause: string;
  at: number;
  note: AuditNote;
  ending: readonly SignedDecision[];
};
/** A recording that is still to be erased, and why. */
export type AskedErasure = { row: RecordingRow; cause: string };

const unforgottenRow = row({ id: z.string().transform((id) => id as RequestId), forget: z.string() }, {});
/** What of a request is still to be forgotten. */
type Unforgotten = z.output<typeof unforgottenRow>;

const askedRow = z.object({ recording_id: z.string(), cause: z.string() });

/**
 * The tables `asked_erasures` and `person_requests`: what somebody has decided to erase and is not erased yet. A row is there before the
 * first byte is removed, and a trigger removes it in the step that makes the recording `erased`: so it is what is still to be done, and nothing
 * else says so.
 */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeAskedErasures(
  here: Here,
  trail: Pick<AuditTrail, 'append'>,
  carryOut: Decisions['carryOut'],
  unreadable: (id: string, cause: unknown) => void,
) {
  const selectHeld = sql(`SELECT ${isHeld} FROM recordings WHERE id = @id`);
  const insert = sql(`
    INSERT INTO asked_erasures (recording_id, cause, asked_at) VALUES (@id, @cause, @at) ON CONFLICT DO NOTHING`);
  const selectOpen = sql(`
    SELECT asked_erasures.cause, recordings.* , asked_erasures.recording_id
    FROM asked_erasures CROSS JOIN recordings ON recordings.id = asked_erasures.recording_id
    WHERE asked_erasures.recording_id > @after AND ${isKept} AND NOT ${isHeld}
      AND ${isWithinReach(here)}
    ORDER BY asked_erasures.recording_id LIMIT @limit`);
  const selectAskedAt = sql(`SELECT asked_at FROM asked_erasures WHERE recording_id = @id`);
  // One without purposes has no ends that a decision could put forward, and nobody uses it; but from now on it is due.
  const endWithoutPurposes = sql(`
    UPDATE recordings SET keep_until = @at WHERE id = @id AND ${isKept} AND coalesce(keep_until > @at, TRUE)
      AND NOT EXISTS (SELECT 1 FROM recording_purposes WHERE recording_id = @id)`);
  const insertRequest = sql(`
    INSERT INTO person_requests (id, asked_by, asked_at, ends_at, controller, reference, found, forget)
    VALUES (@id, @askedBy, @askedAt, @endsAt, @controller, @reference, @found, @forget)`);
  const select = sql(`SELECT * FROM person_requests WHERE id = @id AND ends_at > @at`);
  const selectOf = sql(`
    SELECT * FROM person_requests WHERE ends_at > @at AND found IS NOT NULL
      AND (@companies IS NULL OR coalesce(controller, '') IN (SELECT value FROM json_each(@companies)))
    ORDER BY id DESC LIMIT @limit`);
  const selectUnforgotten = sql(`
    SELECT id, forget FROM person_requests WHERE forget IS NOT NULL AND id > @after ORDER BY id LIMIT @limit`);
  const forgotten = sql(`UPDATE person_requests SET forget = NULL WHERE id = @id`);
  const setFound = sql(`UPDATE person_requests SET found = @found WHERE id = @id AND found IS NOT NULL`);
  const removeOver = sql(`DELETE FROM person_requests WHERE ends_at <= @at AND forget IS NULL`);

  const ask = writing(function* (
    { recordings, cause, at, note, ending }: NewAsked,
    request?: PersonRequestRow,
  ): Step<boolean> {
    let isHeldNow = false;
    for (const id of recordings) if ((yield* value(selectHeld, { id, at })) === 1) isHeldNow = true;
    // What a person has asked for is done once a hold ends that was set after it was looked at: nobody would ask again.
    if (request === undefined && isHeldNow) return false;
    for (const id of recordings) {
      if ((yield* change(insert, { id, cause, at })) > 0) yield* trail.append(id, note);
      yield* change(endWithoutPurposes, { id, at });
    }
    for (const { decision, effect } of ending) yield* carryOut(decision, effect, { from: 'decided' }, note.actor);
    if (request !== undefined) yield* change(insertRequest, request);

    return true;
  });

  return {
    /**
     * Writes down that these are to be erased, with the end of their purposes and what a person has asked for, in one step. Where a hold
     * keeps one of them now, that is done for a person alone. What was decided before stays as it is.
     *
     * @returns false where a hold keeps one of them, and nothing was written
     */
    ask,
    /** When somebody decided to erase what is not erased yet, ms since 1970 UTC; undefined: nobody has. */
    *askedAt(id: RecordingId): Step<number | undefined> {
      return z
        .number()
        .optional()
        .parse(yield* value(selectAskedAt, { id }));
    },
    /** Those that are still to be erased and that no hold keeps at this time, in the order of ids, beyond `after`. */
    *open(at: number, after: string, limit: number): Step<{ asked: AskedErasure[]; next: string | undefined }> {
      const found = yield* all(selectOpen, { at, after, limit, ...pbxGiven(here) });
      const asked = found.flatMap((each) => {
        const { cause, recording_id: id } = askedRow.parse(each);
        try {
          return [{ row: recordingRow.parse(each), cause }];
        } catch (damage) {
          // JSON that is none is told by no `safeParse`.
          unreadable(id, damage);
          return [];
        }
      });

      return { asked, next: found.length < limit ? undefined : askedRow.parse(found.at(-1)).recording_id };
    },
    /** undefined for one whose time is over, too. */
    *request(id: string, at: number): Step<PersonRequestRow | undefined> {
      return requestRow.optional().parse(yield* one(select, { id, at }));
    },
    /**
     * The newest first.
     *
     * @param companies of `controllers`, null: of none; undefined: of all
     */
    *requests(companies: readonly (string | null)[] | undefined, at: number, limit: number): Step<PersonRequestRow[]> {
      const named = companies && JSON.stringify(companies.map((each) => each ?? ''));

      return z.array(requestRow).parse(yield* all(selectOf, { at, limit, companies: named ?? null }));
    },
    /** Those of which something is still to be forgotten, in the order of ids, beyond `after`. */
    *unforgotten(after: string, limit: number): Step<Unforgotten[]> {
      return z.array(unforgottenRow).parse(yield* all(selectUnforgotten, { after, limit }));
    },
    *noteForgotten(id: RequestId): Step<void> {
      yield* change(forgotten, { id });
    },
    /** What became of it. */
    *noteFound(id: RequestId, found: string): Step<void> {
      yield* change(setFound, { id, found });
    },
    /** Removes those whose time is over. */
    *sweep(at: number): Step<void> {
      yield* change(removeOver, { at });
    },
  };
}
