import type Database from 'better-sqlite3';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, type AuditTrail } from './auditTrail.ts';
import { isKept, keptShorter } from '../conditions.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { yesNo, json, recordingId, row } from '../sqlite/rowForm.ts';
import { writing } from '../sqlite/writing.ts';
import { columnsOf } from '../sqlite/sqlite.ts';

/** In the audit trail of a recording whose clocks do not agree, with what each says. */
export const doubtRaised = 'clocks disagree';
/** Somebody has said when it ended; the detail has both ends. */
const doubtSettled = 'end settled';

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
export function makeClockDoubts(database: Database.Database, trail: AuditTrail, now: () => number) {
  const prepareColumn = columnsOf(database);
  const insert = database.prepare(`
    INSERT INTO clock_doubts (recording_id, raised_at, apart_ms, witnesses) VALUES (@id, @at, @apartMs, @witnesses)
    ON CONFLICT DO NOTHING`);
  const settleRow = database.prepare(`
    UPDATE clock_doubts SET settled_at = @at, settled_by = @by WHERE recording_id = @id AND settled_at IS NULL`);
  const isOpen = `settled_at IS NULL AND ${isKept}`;
  // SQLite would begin with the recordings, all of them.
  const joined = 'clock_doubts CROSS JOIN recordings ON recordings.id = clock_doubts.recording_id';
  const doubts = `SELECT clock_doubts.*, kept_from, keep_until, ${isOpen} AS is_open FROM ${joined}`;
  const selectOf = database.prepare(`${doubts} WHERE recording_id = ?`);
  const selectOpen = database.prepare(
    `${doubts} WHERE ${isOpen} AND recording_id > @after ORDER BY recording_id LIMIT @limit`,
  );
  const countOpen = prepareColumn(`SELECT count(*) FROM ${joined} WHERE ${isOpen}`);
  const selectKept = database.prepare(`SELECT kept_from, ${isKept} AS is_kept FROM recordings WHERE id = ?`);
  // All ends count from that of the recording, but for those that a person asked for. Each shift so can be taken back whole.
  const shiftEnds = database.prepare(`
    UPDATE recording_purposes AS ends SET keep_until = keep_until + @shiftMs
    WHERE recording_id = @id AND NOT EXISTS (
      SELECT 1 FROM audit WHERE audit.recording_id = ends.recording_id AND event = '${keptShorter}'
        AND json_extract(detail, '$.purpose') = ends.purpose AND json_extract(detail, '$.basis') = 'person')`);
  const shiftRecording = database.prepare(`
    UPDATE recordings SET kept_from = @endedAt, keep_until = coalesce(
      (SELECT max(keep_until) FROM recording_purposes WHERE recording_id = @id), keep_until + @shiftMs) WHERE id = @id`);
  const selectLines = database.prepare(`
    SELECT
      (SELECT at FROM audit WHERE id < own.first ORDER BY id DESC LIMIT 1) AS before,
      (SELECT at FROM audit WHERE id = own.first) AS first,
      (SELECT at FROM audit WHERE id > own.finished ORDER BY id LIMIT 1) AS after
    FROM (SELECT min(id) AS first, min(id) FILTER (WHERE to_status IN ('recorded', 'failed')) AS finished
      FROM audit WHERE recording_id = ?) AS own`);
  const selectOffset = prepareColumn(`SELECT offset_ms FROM boots WHERE boot = ?`);
  const upsertOffset = database.prepare(`
    INSERT INTO boots (boot, offset_ms) VALUES (@boot, @offsetMs)
    ON CONFLICT (boot) DO UPDATE SET offset_ms = excluded.offset_ms`);
  const stepped = `SELECT recordings.id FROM recordings INDEXED BY recordings_by_boot
    WHERE heard_boot = @boot AND ${isKept}
      AND NOT EXISTS (SELECT 1 FROM clock_doubts WHERE recording_id = recordings.id)`;
  const selectStepped = prepareColumn(`
    ${stepped} AND heard_offset_ms < @offsetMs - @beyondMs UNION ALL
    ${stepped} AND heard_offset_ms > @offsetMs + @beyondMs LIMIT @limit`);
  const selectBoots = database.prepare(`SELECT boot, offset_ms AS offsetMs FROM boots`);

  /** The end that keeping counts from becomes this one, and every end moves as far. */
  const count = (id: RecordingId, endedAt: number): number | null => {
    const from = keptRow.parse(selectKept.get(id))?.keptFrom ?? null;
    if (from === null || from === endedAt) return from;
    const shift = { id, endedAt, shiftMs: endedAt - from };
    shiftEnds.run(shift);
    shiftRecording.run(shift);

    return from;
  };

  const raise = writing(database, (id: RecordingId, { apartMs, endedAt, witnesses, actor }: Doubt): boolean => {
    if (isErasureUnderWay(trail.of(id))) return false;
    const added = insert.run({ id, at: now(), apartMs, witnesses: JSON.stringify(witnesses) }).changes === 1;
    if (!added) return false;
    count(id, endedAt);
    const detail = { apartMs, endedAt, witnesses };
    trail.append(id, { event: doubtRaised, actor, detail });

    return true;
  });

  const settle = writing(database, (id: RecordingId, endedAt: number, by: string): void => {
    const kept = keptRow.parse(selectKept.get(id));
    if (kept === undefined) throw new PreavisError('recording_unknown', 'there is no recording with this id');
    // What is gone has no end to be moved.
    if (!kept.isKept || settleRow.run({ id, at: now(), by }).changes === 0) {
      throw new PreavisError('doubt_unknown', 'its end is not in doubt, or was settled already');
    }
    const from = count(id, endedAt);
    trail.append(id, { event: doubtSettled, actor: by, detail: { from, to: endedAt } });
  });

  return {
    /**
     * False where there is one already, settled or not: a human is asked once. Also where its erasure is under way, which nobody can decide
     * about any more.
     */
    raise,
    /** Keeping counts from this end from now on. Throws recording_unknown, doubt_unknown. */
    settle,
    of: (id: RecordingId): DoubtRow | undefined => doubtRow.optional().parse(selectOf.get(id)),
    /** Those of what is kept that nobody has settled, in the order of ids, beyond `after`. */
    open: (after: string, limit: number): DoubtRow[] => z.array(doubtRow).parse(selectOpen.all({ after, limit })),
    count: (): number => z.number().parse(countOpen.get()),
    lineTimes: (id: RecordingId): LineTimes => lineTimes.parse(selectLines.get(id)),
    /** How far the clock of this boot was from the one that nobody can set, when it was last noted, ms. */
    bootOffset: (boot: string): number | undefined => z.number().optional().parse(selectOffset.get(boot)),
    /** `isFollowed`: a step follows that writes it through as well. */
    noteBootOffset: (boot: string, offsetMs: number, isFollowed = false): void => {
      const step = (): unknown => upsertOffset.run({ boot, offsetMs });
      if (isFollowed) relaxedSync(database, step);
      else step();
    },
    /** Recordings in whose boot the clock was set since by more than so much, and that nobody was asked about. */
    stepped: (beyondMs: number, limit: number): RecordingId[] =>
      z
        .array(z.object({ boot: z.string(), offsetMs: z.number() }))
        .parse(selectBoots.all())
        .flatMap((boot) => z.array(recordingId).parse(selectStepped.all({ ...boot, beyondMs, limit }))),
  };
}
