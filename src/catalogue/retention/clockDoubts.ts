import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, type AuditTrail } from './auditTrail.ts';
import { isAsked, isKept, keptShorter } from '../conditions.ts';
import { yesNo, json, recordingId, row } from '../sqlite/rowForm.ts';
import { all, change, one, relaxed, sql, value, values, writing, type Given, type Step } from '../sql/step.ts';

/** In the audit trail of a recording whose clocks do not agree, with what each says. */
export const doubtRaised = 'clocks disagree';
/** Somebody has said when it ended; the detail has both ends. */
export const doubtSettled = 'end settled';

/** What each clock says of a recording's end, by the name of the witness; ms since 1970 UTC. */
const witnessTimes = z.record(z.string(), z.number());
export type WitnessTimes = z.output<typeof witnessTimes>;

export type Doubt = { apartMs: number; endedAt: number; witnesses: WitnessTimes; actor: string };

const doubtRow = row(
  {
    recording: recordingId,
    raisedAt: z.number(),
    apartMs: z.number(),
    witnesses: json(witnessTimes),
    settledAt: z.number().nullable(),
    settledBy: z.string().nullable(),
    /** The end that keeping counts from now. */
    keptFrom: z.number().nullable(),
    keepUntil: z.number().nullable(),
    /** Somebody is asked: it is kept, and nobody has settled it. */
    isOpen: yesNo,
  },
  { recording: 'recording_id' },
);
export type DoubtRow = z.output<typeof doubtRow>;

const lineTimes = z.object({
  before: z.number().nullable(),
  first: z.number().nullable(),
  after: z.number().nullable(),
});
/** Of the audit trail, ms: the line before the first of a recording, that first one, and the line after its finishing. */
export type LineTimes = z.output<typeof lineTimes>;

const keptRow = row({ keptFrom: z.number().nullable(), isKept: yesNo }).optional();

/** The tables `clock_doubts` and `boots`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeClockDoubts(trail: AuditTrail, now: () => number) {
  const insert = sql(`
    INSERT INTO clock_doubts (recording_id, raised_at, apart_ms, witnesses) VALUES (@id, @at, @apartMs, @witnesses)
    ON CONFLICT DO NOTHING`);
  const settleRow = sql(`
    UPDATE clock_doubts SET settled_at = @at, settled_by = @by WHERE recording_id = @id AND settled_at IS NULL`);
  const isOpen = `settled_at IS NULL AND ${isKept}`;
  // SQLite would begin with the recordings, all of them.
  const joined = 'clock_doubts CROSS JOIN recordings ON recordings.id = clock_doubts.recording_id';
  const doubts = `SELECT clock_doubts.*, kept_from, keep_until, ${isOpen} AS is_open FROM ${joined}`;
  const selectOf = sql(`${doubts} WHERE recording_id = @id`);
  // Who has decided to erase it needs no clock.
  const isWaiting = `${isOpen} AND NOT ${isAsked}`;
  const selectOpen = sql(`${doubts} WHERE ${isWaiting} AND recording_id > @after ORDER BY recording_id LIMIT @limit`);
  const countOpen = sql(`SELECT count(*) FROM ${joined} WHERE ${isWaiting}`);
  const selectKept = sql(`SELECT kept_from, ${isKept} AS is_kept FROM recordings WHERE id = @id`);
  // All ends count from that of the recording, but for those that a person asked for, or that a decision to erase it has brought. Each shift so can be taken back whole.
  const shiftEnds = sql(`
    UPDATE recording_purposes AS ends SET keep_until = keep_until + @shiftMs
    WHERE recording_id = @id AND NOT EXISTS (
      SELECT 1 FROM audit WHERE audit.recording_id = ends.recording_id AND event = '${keptShorter}'
        AND json_extract(detail, '$.purpose') = ends.purpose AND json_extract(detail, '$.basis') <> 'storageTime')
      AND NOT EXISTS (SELECT 1 FROM asked_erasures WHERE asked_erasures.recording_id = ends.recording_id)`);
  const shiftRecording = sql(`
    UPDATE recordings SET kept_from = @endedAt, keep_until = coalesce(
      (SELECT max(keep_until) FROM recording_purposes WHERE recording_id = @id),
      keep_until + CASE WHEN ${isAsked} THEN 0 ELSE @shiftMs END) WHERE id = @id`);
  const selectLines = sql(`
    SELECT
      (SELECT at FROM audit WHERE id < own.first ORDER BY id DESC LIMIT 1) AS before,
      (SELECT at FROM audit WHERE id = own.first) AS first,
      (SELECT at FROM audit WHERE id > own.finished ORDER BY id LIMIT 1) AS after
    FROM (SELECT min(id) AS first, min(id) FILTER (WHERE to_status IN ('recorded', 'failed')) AS finished
      FROM audit WHERE recording_id = @id) AS own`);
  const selectOffset = sql(`SELECT offset_ms FROM boots WHERE boot = @boot`);
  const upsertOffset = sql(`
    INSERT INTO boots (boot, offset_ms) VALUES (@boot, @offsetMs)
    ON CONFLICT (boot) DO UPDATE SET offset_ms = excluded.offset_ms`);
  const stepped = `SELECT recordings.id FROM recordings INDEXED BY recordings_by_boot
    WHERE heard_boot = @boot AND ${isKept}
      AND NOT EXISTS (SELECT 1 FROM clock_doubts WHERE recording_id = recordings.id)`;
  const selectStepped = sql(`
    ${stepped} AND heard_offset_ms < @offsetMs - @beyondMs UNION ALL
    ${stepped} AND heard_offset_ms > @offsetMs + @beyondMs LIMIT @limit`);
  const selectBoots = sql(`SELECT boot, offset_ms AS "offsetMs" FROM boots`);

  const note = (offset: Given): Step<number> => change(upsertOffset, offset);
  const noteFollowed = relaxed(note);

  /** The end that keeping counts from becomes this one, and every end moves as far. */
  function* count(id: RecordingId, endedAt: number): Step<number | null> {
    const from = keptRow.parse(yield* one(selectKept, { id }))?.keptFrom ?? null;
    if (from === null || from === endedAt) return from;
    const shift = { id, endedAt, shiftMs: endedAt - from };
    yield* change(shiftEnds, shift);
    yield* change(shiftRecording, shift);

    return from;
  }

  const raise = writing(function* (id: RecordingId, { apartMs, endedAt, witnesses, actor }: Doubt): Step<boolean> {
    if (isErasureUnderWay(yield* trail.of(id))) return false;
    const added = (yield* change(insert, { id, at: now(), apartMs, witnesses: JSON.stringify(witnesses) })) === 1;
    if (!added) return false;
    yield* count(id, endedAt);
    const detail = { apartMs, endedAt, witnesses };
    yield* trail.append(id, { event: doubtRaised, actor, detail });

    return true;
  });

  const settle = writing(function* (id: RecordingId, endedAt: number, by: string): Step<void> {
    const kept = keptRow.parse(yield* one(selectKept, { id }));
    if (kept === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    // What is gone has no end to be moved.
    if (!kept.isKept || (yield* change(settleRow, { id, at: now(), by })) === 0) {
      throw new PreavisError('doubt_unknown', 'its end is not in doubt, or was settled already');
    }
    const from = yield* count(id, endedAt);
    yield* trail.append(id, { event: doubtSettled, actor: by, detail: { from, to: endedAt } });
  });

  return {
    /**
     * False where there is one already, settled or not: a human is asked once. Also where its erasure is under way, which nobody can decide
     * about any more.
     */
    raise,
    /** Keeping counts from this end from now on. Throws recording_unknown, doubt_unknown. */
    settle,
    *of(id: RecordingId): Step<DoubtRow | undefined> {
      return doubtRow.optional().parse(yield* one(selectOf, { id }));
    },
    /** Those of what is kept that nobody has settled, nor decided to erase, in the order of ids, beyond `after`. */
    *open(after: string, limit: number): Step<DoubtRow[]> {
      return z.array(doubtRow).parse(yield* all(selectOpen, { after, limit }));
    },
    *count(): Step<number> {
      return z.number().parse(yield* value(countOpen));
    },
    *lineTimes(id: RecordingId): Step<LineTimes> {
      return lineTimes.parse(yield* one(selectLines, { id }));
    },
    /** How far the clock of this boot was from the one that nobody can set, when it was last noted, ms. */
    *bootOffset(boot: string): Step<number | undefined> {
      return z
        .number()
        .optional()
        .parse(yield* value(selectOffset, { boot }));
    },
    /** `isFollowed`: a step follows that writes it through as well. */
    *noteBootOffset(boot: string, offsetMs: number, isFollowed = false): Step<void> {
      yield* (isFollowed ? noteFollowed : note)({ boot, offsetMs });
    },
    /** Recordings in whose boot the clock was set since by more than so much, and that nobody was asked about. */
    *stepped(beyondMs: number, limit: number): Step<RecordingId[]> {
      const boots = z.array(z.object({ boot: z.string(), offsetMs: z.number() })).parse(yield* all(selectBoots));
      const found: RecordingId[] = [];
      for (const boot of boots) {
        found.push(...z.array(recordingId).parse(yield* values(selectStepped, { ...boot, beyondMs, limit })));
      }

      return found;
    },
  };
}
