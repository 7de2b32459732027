import type Database from 'better-sqlite3';
import * as z from 'zod';
import { whyNotRecordable } from '../../call/decide/recordable.ts';
import { PreavisError, type ErrorCode } from '../../core/errors.ts';
import { isUlid, type CallId, type RecordingId } from '../../core/ids.ts';
import type { WebhookEvent } from '../../config/webhookSchema.ts';
import type { DeliveryEvent } from '../jobs/deliveries.ts';
import { columnOf, json, recordingId, row } from '../sqlite/rowForm.ts';
import { callWitnesses, purposeEnd, recordingRow, type PurposeEnd, type RecordingRow } from '../rows.ts';
import { forward, type RecordingStatus } from '../statuses.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import type { Doubt } from '../retention/clockDoubts.ts';
import { isDoubtful, isHeld, isOver, keptShorter, recordingsByEnd } from '../conditions.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { writing } from '../sqlite/writing.ts';

/** Of a recording, what a step may write beside the status. */
const changeable = [
  'finishedAt',
  'keepUntil',
  'keptFrom',
  'bytes',
  'durationMs',
  'sha256',
  'flags',
  'failure',
  'archive',
  'objectKey',
  'objectVersion',
  'receiptKey',
  'receipt',
] as const satisfies readonly (keyof RecordingRow)[];
type Changeable = (typeof changeable)[number];

/** What a step writes beside the status. `flags` are added to those that it has by then. */
export type RecordingChanges = Partial<Pick<RecordingRow, Changeable>> & {
  /** How loud it is, as audio/peaks.ts keeps it. */
  peaks?: string | undefined;
  /** One for each purpose of the recording; an end that is known already stays. */
  purposeEnds?: readonly PurposeEnd[];
  /** Its clocks do not agree: until somebody has settled when it ended it is not erased. */
  doubt?: Doubt | undefined;
};

export type RecordingFilter = {
  status?: RecordingStatus | undefined;
  /** Only recordings that are kept for this purpose at this time, or will be once they are finished. */
  inForce?: { purpose: string; at: number } | undefined;
  /** Begun in this time, ms since 1970 UTC, the second excluded. */
  begun?: { from: number; to: number } | undefined;
  /** Only of calls on this line. */
  line?: string | undefined;
  /** Only those of one of `controllers`; null: those of the company itself. */
  controller?: string | null | undefined;
  /** Only of calls whose caller dialled this number of the company, in the form that it is kept in. */
  dialled?: string | undefined;
  /** Only those that somebody has marked as exemplary. */
  exemplary?: boolean;
  limit: number;
};

/** What others are told of, by the status that a recording comes to. */
const toldOf: Readonly<Partial<Record<RecordingStatus, WebhookEvent>>> = {
  archived: 'recording.archived',
  failed: 'recording.failed',
  lost: 'recording.failed',
  erased: 'recording.erased',
};

const waitingRow = z.object({
  /** An error code, or null: not tried yet, or kept by an archive that does not work at all. */
  failure: z.string().nullable(),
  count: z.number(),
  /** The end of the oldest of them, ms since 1970 UTC. */
  oldestAt: z.number(),
});
export type WaitingRecordings = z.output<typeof waitingRow>;

const dueCursor = row({ keepUntil: z.number(), id: z.string() });
/** Behind this recording, in the order of ends. */
export type DueCursor = z.output<typeof dueCursor>;
export const firstDue: DueCursor = { keepUntil: Number.MIN_SAFE_INTEGER, id: '' };

const shortenedRow = z.object({ id: recordingId, from: z.number(), to: z.number() });
/** The end of a purpose of a recording, as it is and as it would be, ms since 1970 UTC. */
export type ShortenedEnd = z.output<typeof shortenedRow>;

/** storageTime: it counts from the end of the recording, as before. person: it is over, whenever the recording ended. */
export type ShortenBasis = 'storageTime' | 'person';

const shortenedRows = z.array(
  z.object({ purpose: z.string(), from: z.number(), to: z.number(), basis: z.enum(['storageTime', 'person']) }),
);

/** Asterisk may not have told the end of a recorder: then its end follows from that of the recording. */
const madeAt =
  'coalesce(recordings.kept_from, recordings.finished_at, recordings.keep_until - recordings.keep_days * 86400000)';

const idRow = z.object({ id: z.string() });

const keyRow = z.object({ key: z.string() }).optional();

const makerRow = z.object({ open: z.number(), recorded: z.number() }).optional();

const makerWithout = z.object({
  call: z.string(),
  controller: z.string().nullable(),
  keepDays: z.number().nullable(),
  witness: z.enum(callWitnesses).nullable(),
  noticeFinishedAt: z.number(),
  mode: z.enum(['announce', 'optOut', 'optIn']),
  answer: z.enum(['none', 'accepted', 'refused']),
  reason: z.string().nullable(),
  verdicts: json(z.array(z.string())),
});

/** Longer than an upload ever waits for its next attempt, ms. */
const longestPostponedMs = 60 * 60_000;

/** The table `recordings`. */
export type Recordings = ReturnType<typeof makeRecordings>;

// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeRecordings(
  database: Database.Database,
  trail: Pick<AuditTrail, 'append' | 'appendStep'>,
  deliveries: { append: (event: DeliveryEvent) => void },
  unreadable: (id: string, cause: unknown) => void,
  raiseDoubt: (id: RecordingId, doubt: Doubt) => void,
) {
  const rows = z.array(recordingRow);
  /** For passes, which must go on: a row that cannot be read holds up no other. */
  const readable = (found: readonly unknown[]): RecordingRow[] =>
    found.flatMap((row) => {
      try {
        return [recordingRow.parse(row)];
      } catch (cause) {
        const id = idRow.safeParse(row).data?.id ?? '';
        unreadable(isUlid(id) ? id : 'unknown', cause);
        return [];
      }
    });
  /** As many as asked for, or all that there are. */
  const page = (
    select: Database.Statement,
    given: { after: string; limit: number; at?: number; archive?: string },
  ): RecordingRow[] => {
    const good: RecordingRow[] = [];
    for (let { after } = given; ;) {
      const wanted = given.limit - good.length;
      const found = select.all({ ...given, after, limit: wanted });
      good.push(...readable(found));
      if (found.length < wanted || good.length === given.limit) return good;
      after = idRow.parse(found.at(-1)).id;
    }
  };
  const selectOfCall = database.prepare(`SELECT * FROM recordings WHERE call_id = ?`);
  const selectOne = database.prepare(`SELECT * FROM recordings WHERE id = ?`);
  // What purposesInForce (archive/purposes.ts) says of one recording, for all.
  const isInForce = `status IN ('recording', 'recorded', 'archived', 'failed')
    AND CASE WHEN status = 'recording'
      THEN EXISTS (SELECT 1 FROM json_each(calls.purposes) WHERE value = @purpose)
      ELSE EXISTS (SELECT 1 FROM recording_purposes
        WHERE recording_id = recordings.id AND purpose = @purpose AND keep_until > @at)
    END`;
  const isExemplary = `recordings.call_id IN (
    SELECT call_id FROM changes INDEXED BY changes_exemplary WHERE change = 'exemplaryMarked')`;
  const selectSome = ({
    status,
    inForce,
    begun,
    line,
    controller,
    dialled,
    exemplary,
    limit,
  }: RecordingFilter): unknown[] => {
    // A day is found by its index; the recordings of a line by that of calls, which has all of a line without reading a row.
    const ofCalls = 'calls INDEXED BY calls_listed CROSS JOIN recordings ON recordings.call_id = calls.id';
    const itself = begun === undefined ? 'recordings' : 'recordings INDEXED BY recordings_by_start';
    const withCall = `${itself} JOIN calls ON calls.id = recordings.call_id`;
    const ofLine = begun === undefined ? ofCalls : withCall;
    const ofNumber = `dialled INDEXED BY dialled_by_number CROSS JOIN recordings ON recordings.call_id = dialled.call_id
      CROSS JOIN calls ON calls.id = dialled.call_id`;
    const ofRest = line !== undefined ? ofLine : inForce !== undefined ? withCall : itself;
    const source = dialled !== undefined ? ofNumber : ofRest;
    const conditions = [
      ...(status === undefined ? [] : ['status = @status']),
      ...(inForce === undefined ? [] : [isInForce]),
      ...(begun === undefined ? [] : ['recordings.started_at >= @from AND recordings.started_at < @to']),
      ...(line === undefined ? [] : ['calls.line = @line']),
      ...(dialled === undefined ? [] : ['dialled.number = @dialled']),
      // By its index, which has those of customers alone.
      ...(controller === undefined
        ? []
        : [`recordings.controller ${controller === null ? 'IS NULL' : '= @controller'}`]),
      ...(exemplary === true ? [isExemplary] : []),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const byCall = source === ofNumber ? 'dialled.call_id DESC' : source === ofCalls ? 'calls.id DESC' : undefined;
    const order = [...(byCall === undefined ? [] : [byCall]), 'recordings.id DESC'].join(', ');

    return database
      .prepare(`SELECT recordings.* FROM ${source} ${where} ORDER BY ${order} LIMIT @limit`)
      .all({ limit, status, line, controller, dialled, ...inForce, ...begun });
  };
  // One step in the index for each.
  const selectControllers = columnsOf(database)(`
    WITH RECURSIVE each (name) AS (
      SELECT min(controller) FROM recordings WHERE controller IS NOT NULL UNION ALL
      SELECT (SELECT min(controller) FROM recordings WHERE controller > each.name) FROM each WHERE each.name IS NOT NULL)
    SELECT name FROM each WHERE name IS NOT NULL`);
  const selectEnds = database.prepare(
    `SELECT purpose, keep_until FROM recording_purposes WHERE recording_id = ? ORDER BY keep_until, purpose`,
  );
  const insertEnd = database.prepare(`
    INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES (@id, @purpose, @keepUntil)
    ON CONFLICT DO NOTHING`);
  const insertPeaks = database.prepare(`INSERT OR REPLACE INTO peaks (recording_id, peaks) VALUES (?, ?)`);
  const selectPeaks = database.prepare(`SELECT peaks FROM peaks WHERE recording_id = ?`).pluck();
  const selectFinishable = database.prepare(`
    SELECT recordings.* FROM recordings JOIN calls ON calls.id = recordings.call_id
    WHERE status = 'recording' AND calls.state IS NULL ORDER BY recordings.id`);
  const selectBeyond = database.prepare(`SELECT * FROM recordings WHERE id > @after ORDER BY id LIMIT @limit`);
  const selectMaker = database.prepare(`
    SELECT state IS NOT NULL AS open,
      EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id) AS recorded
    FROM calls WHERE recording_id = ?`);
  // What the second witness says belongs into the receipt, which is sent with the recording.
  const selectSendable = database.prepare(`
    SELECT * FROM recordings WHERE status = 'recorded' AND id > @after
      AND (next_attempt_at <= @at OR next_attempt_at > @at + ${longestPostponedMs})
      AND (SELECT witness FROM calls WHERE calls.id = recordings.call_id) IS NOT NULL
    ORDER BY id LIMIT @limit`);
  const countByStatus = database.prepare(`SELECT status, count(*) AS count FROM recordings GROUP BY status`);
  const selectWaiting = database.prepare(`
    SELECT failure, count(*) AS count, min(coalesce(finished_at, started_at, notice_finished_at)) AS oldestAt
    FROM recordings WHERE status = 'recorded' AND (@isAll OR controller IS @controller) GROUP BY failure`);
  const selectDue = database.prepare(`
    SELECT * FROM ${recordingsByEnd} WHERE ${isOver} AND (keep_until, id) > (@keepUntil, @id)
      AND NOT ${isHeld} AND NOT ${isDoubtful}
      AND NOT EXISTS (SELECT 1 FROM asked_erasures WHERE asked_erasures.recording_id = recordings.id)
    ORDER BY keep_until, id LIMIT @limit`);
  const selectLonger = database.prepare(`
    SELECT recordings.id, ends.keep_until AS "from", ${madeAt} + @keepMs AS "to"
    FROM recordings JOIN recording_purposes AS ends ON ends.recording_id = recordings.id AND ends.purpose = @purpose
    WHERE +recordings.status IN ('recorded', 'archived', 'failed') AND ends.keep_until > ${madeAt} + @keepMs
      AND recordings.id > @after
    ORDER BY recordings.id LIMIT @limit`);
  const shortenEnd = database.prepare(`
    UPDATE recording_purposes SET keep_until = @to WHERE recording_id = @id AND purpose = @purpose AND keep_until > @to`);
  const shortenRecording = database.prepare(`
    UPDATE recordings SET keep_until = (SELECT max(keep_until) FROM recording_purposes WHERE recording_id = @id)
    WHERE id = @id AND status IN ('recorded', 'archived', 'failed')`);
  const selectShortened = database.prepare(`
    SELECT shortened_ends.purpose, ends.keep_until AS "from", shortened_ends.keep_until AS "to", shortened_ends.basis
    FROM shortened_ends JOIN recording_purposes AS ends USING (recording_id, purpose)
    WHERE recording_id = ? AND ends.keep_until > shortened_ends.keep_until`);
  const selectStored = database.prepare(`
    SELECT object_key AS key FROM recordings INDEXED BY recordings_by_archive
    WHERE status = 'archived' AND archive = ? AND object_key IS NOT NULL ORDER BY id LIMIT 1`);
  const selectLeft = database.prepare(`
    SELECT object_key AS key FROM archive_copies CROSS JOIN recordings ON recordings.id = recording_id
    WHERE archive_copies.archive = ? AND state = 'left' AND status = 'archived' AND object_key IS NOT NULL LIMIT 1`);
  const selectEver = database.prepare(`
    SELECT 1 FROM recordings WHERE status <> 'archived' AND archive = ? AND object_key IS NOT NULL LIMIT 1`);
  const selectArchivedIn = database.prepare(`
    SELECT * FROM recordings WHERE status = 'archived' AND archive = @archive AND id > @after ORDER BY id LIMIT @limit`);
  const postpone = database.prepare(
    `UPDATE recordings SET attempts = attempts + 1, next_attempt_at = ?, failure = ? WHERE id = ? AND status = 'recorded'`,
  );
  /** Calls that have ended and were to make this recording, but have none. */
  const selectMakerWithout = database.prepare(`
    SELECT calls.id AS call, calls.controller, calls.keep_days AS keepDays, calls.witness, calls.consent_mode AS mode, calls.answer, calls.reason,
      coalesce(max(notices.finished_at), calls.started_at) AS noticeFinishedAt,
      json_group_array(notices.verdict ORDER BY notices.position) FILTER (WHERE notices.verdict IS NOT NULL) AS verdicts
    FROM calls LEFT JOIN notices ON notices.call_id = calls.id
    WHERE calls.recording_id = ? AND calls.state IS NULL
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id)
    GROUP BY calls.id`);
  const insert = database.prepare(`
    INSERT INTO recordings (id, call_id, controller, status, failure, notice_finished_at, keep_days, flags)
    VALUES (@id, @call, @controller, @status, @failure, @noticeFinishedAt, @keepDays, @flags)`);

  const withFlags = (id: RecordingId, added: readonly string[]): string => {
    const has = recordingRow.optional().parse(selectOne.get(id))?.flags ?? [];

    return JSON.stringify([...new Set([...has, ...added])]);
  };
  const shorten = writing(
    database,
    (purpose: string, ends: readonly ShortenedEnd[], basis: ShortenBasis, actor: string): void => {
      for (const { id, from, to } of ends) {
        if (shortenEnd.run({ id, purpose, to }).changes === 0) continue;
        shortenRecording.run({ id });
        trail.append(id, { event: keptShorter, actor, detail: { purpose, from, to, basis } });
      }
    },
  );

  const move = writing(
    database,
    (id: RecordingId, from: RecordingStatus, to: RecordingStatus, changes: RecordingChanges, note: AuditNote): void => {
      if (!forward[from].includes(to)) throw new TypeError(`a recording never goes from ${from} to ${to}`);
      const keys = changeable.filter((key) => key in changes);
      const assignments = keys.map((key) => `, ${columnOf(key)} = @${key}`).join('');
      const values = Object.fromEntries(
        keys.map((key) => [key, key === 'flags' ? withFlags(id, changes.flags ?? []) : (changes[key] ?? null)]),
      );
      const update = database.prepare(`
        UPDATE recordings SET status = @to, attempts = 0, next_attempt_at = 0${assignments}
        WHERE id = @id AND status = @from`);
      if (update.run({ ...values, id, from, to }).changes === 0) {
        throw new PreavisError('status_conflict', `recording ${id} is no longer ${from}`);
      }
      for (const { purpose, keepUntil } of changes.purposeEnds ?? []) insertEnd.run({ id, purpose, keepUntil });
      if (changes.peaks !== undefined) insertPeaks.run(id, changes.peaks);
      trail.appendStep(id, from, to, note);
      for (const { purpose, from: end, to: shorter, basis } of shortenedRows.parse(selectShortened.all(id))) {
        shorten(purpose, [{ id, from: end, to: shorter }], basis, note.actor);
      }
      if (changes.doubt !== undefined) raiseDoubt(id, changes.doubt);
      const event = toldOf[to];
      if (event !== undefined) deliveries.append({ event, recording: id });
    },
  );

  const adopt = writing(database, (id: RecordingId): RecordingRow | undefined => {
    const maker = makerWithout.optional().parse(selectMakerWithout.get(id));
    if (maker !== undefined) {
      const { call, controller, noticeFinishedAt, keepDays, witness } = maker;
      const failure = whyNotRecordable(maker) ?? null;
      const status: RecordingStatus = failure === null ? 'recording' : 'discarded';
      const flags = JSON.stringify(witness === 'disagrees' || witness === 'missing' ? [`witness_${witness}`] : []);
      insert.run({ id, call, controller, status, failure, noticeFinishedAt, keepDays, flags });
    }
    const row = recordingRow.optional().parse(selectOne.get(id));
    if (maker !== undefined && row !== undefined) {
      const detail = row.failure === null ? {} : { failure: row.failure };
      trail.appendStep(id, null, row.status, { event: 'found in the spool', actor: 'serve', detail });
    }

    return row;
  });

  return {
    ofCall: (id: CallId): RecordingRow | undefined => recordingRow.optional().parse(selectOfCall.get(id)),
    find: (id: string): RecordingRow | undefined => recordingRow.optional().parse(selectOne.get(id)),
    /** How loud it is, as audio/peaks.ts keeps it; undefined where that was not measured, or is erased with the sound. */
    peaks: (id: RecordingId): string | undefined => z.string().optional().parse(selectPeaks.get(id)),
    list: (filter: RecordingFilter): RecordingRow[] => rows.parse(selectSome(filter)),
    /** All of them in the order of ids, beyond `after`. */
    listBeyond: (after: string, limit: number): RecordingRow[] => page(selectBeyond, { after, limit }),
    /** Whether a recording that has no row is one that a call makes now (`open`), or that `adopt` would take. */
    makerOf: (id: RecordingId): 'open' | 'adoptable' | 'none' => {
      const maker = makerRow.parse(selectMaker.get(id));
      if (maker === undefined) return 'none';
      if (maker.open === 1) return 'open';

      return maker.recorded === 1 ? 'none' : 'adoptable';
    },
    /** Until when it is kept for each of its purposes, the first to end first; none before it is finished. */
    purposeEnds: (id: RecordingId): PurposeEnd[] => z.array(purposeEnd).parse(selectEnds.all(id)),
    /** Status `recording`, but the call has ended: until then the caller may refuse, whether the recorder runs or not. */
    finishable: (): RecordingRow[] => readable(selectFinishable.all()),
    /**
     * Status `recorded`, compared with the second witness and not postponed, oldest first, beyond `after`. One that is postponed
     * for longer than anybody postpones was so before the clock was put back.
     */
    sendable: (at: number, after: string, limit: number): RecordingRow[] => page(selectSendable, { at, after, limit }),
    /**
     * Whose keepUntil, and the last of whose purposes' ends, has come, and which neither a hold nor a doubt about its clocks keeps, nor has
     * anybody decided to erase before;
     * the first to end first, beyond `after`.
     */
    due: (at: number, after: DueCursor, limit: number): { rows: RecordingRow[]; next: DueCursor | undefined } => {
      const found = selectDue.all({ at, ...after, limit });
      const next = found.length < limit ? undefined : dueCursor.parse(found.at(-1));

      return { rows: readable(found), next };
    },
    /** Recordings whose end for this purpose is later than so many ms after they were made; in the order of ids. */
    longerKept: (purpose: string, keepMs: number, after: string, limit: number): ShortenedEnd[] =>
      z.array(shortenedRow).parse(selectLonger.all({ purpose, keepMs, after, limit })),
    /** Puts ends forward, never back, all in one transaction. */
    shorten,
    /** Those that are archived there, in the order of ids, beyond `after`. */
    archivedIn: (archive: string, after: string, limit: number): RecordingRow[] =>
      page(selectArchivedIn, { archive, after, limit }),
    /** What must be in this archive: the first recording that is still there, or whether any ever was. */
    knownObject: (archive: string): { key: string } | 'gone' | 'never' => {
      // What was moved away from there, and was not yet removed, shows as well that it is that archive.
      const known = keyRow.parse(selectStored.get(archive) ?? selectLeft.get(archive));

      return known ?? (selectEver.get(archive) === undefined ? 'never' : 'gone');
    },
    /** The companies, of `controllers` now or once, that recordings belong or belonged to. */
    controllers: (): string[] => z.array(z.string()).parse(selectControllers.all()),
    counts: (): Partial<Record<RecordingStatus, number>> =>
      Object.fromEntries(
        z
          .array(z.object({ status: z.string(), count: z.number() }))
          .parse(countByStatus.all())
          .map((row) => [row.status, row.count]),
      ),
    /** P5: a guarded step forward, with its line in the audit trail. Throws status_conflict. */
    move: (...given: Parameters<typeof move>): void => {
      const [, from, to] = given;
      const step = (): void => {
        move(...given);
      };
      // The file is in the spool still, and would be finished again.
      if (from === 'recording' && to === 'recorded') relaxedSync(database, step);
      else step();
    },
    /**
     * Makes the row of a WAV whose call was saved, but whose recorder was never reported: the process died in between. It is
     * `discarded` where the caller was not told, refused, or was asked and did not say yes (P1). undefined when no call that
     * has ended was to make it.
     */
    adopt,
    /** What waits for the archive, by what kept it from being archived at its last attempt. */
    /** @param controller only of this one of `controllers`, null: of none; undefined: of all */
    waiting: (controller?: string | null): WaitingRecordings[] =>
      z
        .array(waitingRow)
        .parse(selectWaiting.all({ isAll: controller === undefined ? 1 : 0, controller: controller ?? null })),
    /** The next attempt to upload it is not made before then. */
    postpone: (id: RecordingId, until: number, failure: ErrorCode): void => {
      postpone.run(until, failure, id);
    },
  };
}
