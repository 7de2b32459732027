import * as z from 'zod';
import { whyNotRecordable } from '../../call/decide/recordable.ts';
import type { ClockReading } from '../../core/clock.ts';
import { PreavisError, type ErrorCode } from '../../core/errors.ts';
import { isUlid, type CallId, type RecordingId } from '../../core/ids.ts';
import type { WebhookEvent } from '../../config/webhookSchema.ts';
import type { DeliveryEvent } from '../jobs/deliveries.ts';
import { columnOf, recordingId, row } from '../sqlite/rowForm.ts';
import { callWitnesses, purposeEnd, recordingRow, type PurposeEnd, type RecordingRow } from '../rows.ts';
import { forward, type RecordingStatus } from '../statuses.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import type { Doubt } from '../retention/clockDoubts.ts';
import { isAsked, isDoubtful, isHeld, isOver, keptShorter, recordingsByEnd } from '../conditions.ts';
import { isCallHere, isOfCallHere, isWithinReach, pbxGiven, type Here } from '../here.ts';
import { saveHeard } from './heardEnd.ts';
import { all, change, one, relaxed, sql, value, values, writing, type Statement, type Step } from '../sql/step.ts';

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
  /** Its end by our clock as that stood when it was finished; kept where nobody heard of the end before. */
  heard?: ClockReading | undefined;
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
  /** Only of calls that came to this Asterisk, as the operator named it. */
  pbx?: string | undefined;
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

/**
 * storageTime: it counts from the end of the recording, as before. person, and decided for one that somebody else has decided to erase: it
 * is over, whenever the recording ended.
 */
export const shortenBases = ['storageTime', 'person', 'decided'] as const;
export type ShortenBasis = (typeof shortenBases)[number];

const shortenedRows = z.array(
  z.object({ purpose: z.string(), from: z.number(), to: z.number(), basis: z.enum(shortenBases) }),
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
});

/** Longer than an upload ever waits for its next attempt, ms. */
const longestPostponedMs = 60 * 60_000;

/** The table `recordings`. */
export type Recordings = ReturnType<typeof makeRecordings>;

// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeRecordings(
  here: Here,
  trail: Pick<AuditTrail, 'append' | 'appendStep'>,
  deliveries: { append: (event: DeliveryEvent) => Step<void> },
  unreadable: (id: string, cause: unknown) => void,
  raiseDoubt: (id: RecordingId, doubt: Doubt) => Step<unknown>,
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
  function* page(
    select: Statement,
    given: { after: string; limit: number; at?: number; archive?: string },
  ): Step<RecordingRow[]> {
    const good: RecordingRow[] = [];
    for (let { after } = given; ;) {
      const wanted = given.limit - good.length;
      const found = yield* all(select, { ...given, after, limit: wanted });
      good.push(...readable(found));
      if (found.length < wanted || good.length === given.limit) return good;
      after = idRow.parse(found.at(-1)).id;
    }
  }
  const selectOfCall = sql(`SELECT * FROM recordings WHERE call_id = @id`);
  const selectOne = sql(`SELECT * FROM recordings WHERE id = @id`);
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
    pbx,
    exemplary,
    limit,
  }: RecordingFilter): Step<readonly unknown[]> => {
    // A day is found by its index; the recordings of a line by that of calls, which has all of a line without reading a row.
    const ofCalls = 'calls INDEXED BY calls_listed CROSS JOIN recordings ON recordings.call_id = calls.id';
    const itself = begun === undefined ? 'recordings' : 'recordings INDEXED BY recordings_by_start';
    const withCall = `${itself} JOIN calls ON calls.id = recordings.call_id`;
    const ofLine = begun === undefined ? ofCalls : withCall;
    const ofNumber = `dialled INDEXED BY dialled_by_number CROSS JOIN recordings ON recordings.call_id = dialled.call_id
      CROSS JOIN calls ON calls.id = dialled.call_id`;
    const ofRest = line !== undefined ? ofLine : inForce !== undefined || pbx !== undefined ? withCall : itself;
    const source = dialled !== undefined ? ofNumber : ofRest;
    const conditions = [
      ...(status === undefined ? [] : ['status = @status']),
      ...(inForce === undefined ? [] : [isInForce]),
      ...(begun === undefined ? [] : ['recordings.started_at >= @from AND recordings.started_at < @to']),
      ...(line === undefined ? [] : ['calls.line = @line']),
      ...(dialled === undefined ? [] : ['dialled.number = @dialled']),
      ...(pbx === undefined ? [] : ['calls.pbx = @pbx']),
      // By its index, which has those of customers alone.
      ...(controller === undefined
        ? []
        : [`recordings.controller ${controller === null ? 'IS NULL' : '= @controller'}`]),
      ...(exemplary === true ? [isExemplary] : []),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const byCall = source === ofNumber ? 'dialled.call_id DESC' : source === ofCalls ? 'calls.id DESC' : undefined;
    const order = [...(byCall === undefined ? [] : [byCall]), 'recordings.id DESC'].join(', ');

    return all(sql(`SELECT recordings.* FROM ${source} ${where} ORDER BY ${order} LIMIT @limit`), {
      limit,
      status,
      line,
      controller,
      dialled,
      pbx,
      ...inForce,
      ...begun,
    });
  };
  // One step in the index for each.
  const selectControllers = sql(`
    WITH RECURSIVE each (name) AS (
      SELECT min(controller) FROM recordings WHERE controller IS NOT NULL UNION ALL
      SELECT (SELECT min(controller) FROM recordings WHERE controller > each.name) FROM each WHERE each.name IS NOT NULL)
    SELECT name FROM each WHERE name IS NOT NULL`);
  const selectEnds = sql(
    `SELECT purpose, keep_until FROM recording_purposes WHERE recording_id = @id ORDER BY keep_until, purpose`,
  );
  const insertEnd = sql(`
    INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES (@id, @purpose, @keepUntil)
    ON CONFLICT DO NOTHING`);
  const insertPeaks = sql(`
    INSERT INTO peaks (recording_id, peaks) VALUES (@id, @peaks)
    ON CONFLICT (recording_id) DO UPDATE SET peaks = excluded.peaks`);
  const selectPeaks = sql(`SELECT peaks FROM peaks WHERE recording_id = @id`);
  const selectFinishable = sql(`
    SELECT recordings.* FROM recordings JOIN calls ON calls.id = recordings.call_id
    WHERE status = 'recording' AND calls.state IS NULL AND ${isCallHere(here)} ORDER BY recordings.id`);
  const selectBeyond = sql(`SELECT * FROM recordings WHERE id > @after ORDER BY id LIMIT @limit`);
  const selectMaker = sql(`
    SELECT state IS NOT NULL AS open,
      EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id) AS recorded
    FROM calls WHERE recording_id = @id`);
  // What the second witness says belongs into the receipt, which is sent with the recording.
  const selectSendable = sql(`
    SELECT * FROM recordings WHERE status = 'recorded' AND id > @after
      AND (next_attempt_at <= @at OR next_attempt_at > @at + ${longestPostponedMs})
      AND EXISTS (SELECT 1 FROM calls WHERE calls.id = recordings.call_id AND witness IS NOT NULL AND ${isCallHere(here)})
    ORDER BY id LIMIT @limit`);
  const countByStatus = sql(`SELECT status, count(*) AS count FROM recordings GROUP BY status`);
  const waitingWhere = (condition: string): Statement =>
    sql(`
    SELECT failure, count(*) AS count, min(coalesce(finished_at, started_at, notice_finished_at)) AS "oldestAt"
    FROM recordings WHERE status = 'recorded' AND ${condition} GROUP BY failure ORDER BY failure IS NOT NULL, failure`);
  const selectWaiting = waitingWhere('(@isAll = 1 OR controller IS NOT DISTINCT FROM @controller)');
  const selectWaitingHere = waitingWhere(isOfCallHere('recordings.call_id', here));
  const selectIsHere = sql(
    `SELECT EXISTS (SELECT 1 FROM recordings WHERE id = @id AND ${isOfCallHere('recordings.call_id', here)})`,
  );
  const selectDue = sql(`
    SELECT * FROM ${recordingsByEnd} WHERE ${isOver} AND (keep_until, id) > (@keepUntil, @id)
      AND NOT ${isHeld} AND NOT ${isDoubtful}
      AND NOT ${isAsked} AND ${isWithinReach(here)}
    ORDER BY keep_until, id LIMIT @limit`);
  const selectLonger = sql(`
    SELECT recordings.id, ends.keep_until AS "from", ${madeAt} + @keepMs AS "to"
    FROM recordings JOIN recording_purposes AS ends ON ends.recording_id = recordings.id AND ends.purpose = @purpose
    WHERE +recordings.status IN ('recorded', 'archived', 'failed') AND ends.keep_until > ${madeAt} + @keepMs
      AND recordings.id > @after
    ORDER BY recordings.id LIMIT @limit`);
  const shortenEnd = sql(`
    UPDATE recording_purposes SET keep_until = @to WHERE recording_id = @id AND purpose = @purpose AND keep_until > @to`);
  const shortenRecording = sql(`
    UPDATE recordings SET keep_until = (SELECT max(keep_until) FROM recording_purposes WHERE recording_id = @id)
    WHERE id = @id AND status IN ('recorded', 'archived', 'failed')`);
  const selectShortened = sql(`
    SELECT shortened_ends.purpose, ends.keep_until AS "from", shortened_ends.keep_until AS "to", shortened_ends.basis
    FROM shortened_ends JOIN recording_purposes AS ends USING (recording_id, purpose)
    WHERE recording_id = @id AND ends.keep_until > shortened_ends.keep_until`);
  const selectStored = sql(`
    SELECT object_key AS key FROM recordings INDEXED BY recordings_by_archive
    WHERE status = 'archived' AND archive = @archive AND object_key IS NOT NULL ORDER BY id LIMIT 1`);
  const selectLeft = sql(`
    SELECT object_key AS key FROM archive_copies CROSS JOIN recordings ON recordings.id = recording_id
    WHERE archive_copies.archive = @archive AND state = 'left' AND status = 'archived' AND object_key IS NOT NULL LIMIT 1`);
  const selectEver = sql(`
    SELECT 1 FROM recordings WHERE status <> 'archived' AND archive = @archive AND object_key IS NOT NULL LIMIT 1`);
  const selectArchivedIn = sql(`
    SELECT * FROM recordings WHERE status = 'archived' AND archive = @archive AND id > @after ORDER BY id LIMIT @limit`);
  const postpone = sql(
    `UPDATE recordings SET attempts = attempts + 1, next_attempt_at = @until, failure = @failure WHERE id = @id AND status = 'recorded'`,
  );
  /** Calls that have ended and were to make this recording, but have none. */
  const selectMakerWithout = sql(`
    SELECT calls.id AS call, calls.controller, calls.keep_days AS "keepDays", calls.witness, calls.consent_mode AS mode, calls.answer, calls.reason,
      coalesce(max(notices.finished_at), calls.started_at) AS "noticeFinishedAt"
    FROM calls LEFT JOIN notices ON notices.call_id = calls.id
    WHERE calls.recording_id = @id AND calls.state IS NULL
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id)
    GROUP BY calls.id`);
  const selectVerdicts = sql(`SELECT verdict FROM notices WHERE call_id = @call ORDER BY position`);
  const insert = sql(`
    INSERT INTO recordings (id, call_id, controller, status, failure, notice_finished_at, keep_days, flags)
    VALUES (@id, @call, @controller, @status, @failure, @noticeFinishedAt, @keepDays, @flags)`);

  function* withFlags(id: RecordingId, added: readonly string[]): Step<string> {
    const has = recordingRow.optional().parse(yield* one(selectOne, { id }))?.flags ?? [];

    return JSON.stringify([...new Set([...has, ...added])]);
  }
  const shorten = writing(function* (
    purpose: string,
    ends: readonly ShortenedEnd[],
    basis: ShortenBasis,
    actor: string,
  ): Step<void> {
    for (const { id, from, to } of ends) {
      if ((yield* change(shortenEnd, { id, purpose, to })) === 0) continue;
      yield* change(shortenRecording, { id });
      yield* trail.append(id, { event: keptShorter, actor, detail: { purpose, from, to, basis } });
    }
  });

  function* moveOne(
    id: RecordingId,
    from: RecordingStatus,
    to: RecordingStatus,
    changes: RecordingChanges,
    note: AuditNote,
  ): Step<void> {
    if (!forward[from].includes(to)) throw new TypeError(`a recording never goes from ${from} to ${to}`);
    const keys = changeable.filter((key) => key in changes);
    const assignments = keys.map((key) => `, ${columnOf(key)} = @${key}`).join('');
    const flags = keys.includes('flags') ? yield* withFlags(id, changes.flags ?? []) : undefined;
    const written = keys.map((key) => [key, key === 'flags' ? flags : (changes[key] ?? null)] as const);
    const update = sql(`
        UPDATE recordings SET status = @to, attempts = 0, next_attempt_at = 0${assignments}
        WHERE id = @id AND status = @from`);
    if ((yield* change(update, { ...Object.fromEntries(written), id, from, to })) === 0) {
      throw new PreavisError('status_conflict', `recording ${id} is no longer ${from}`);
    }
    for (const { purpose, keepUntil } of changes.purposeEnds ?? [])
      yield* change(insertEnd, { id, purpose, keepUntil });
    if (changes.peaks !== undefined) yield* change(insertPeaks, { id, peaks: changes.peaks });
    if (changes.heard !== undefined) yield* saveHeard(id, changes.heard);
    yield* trail.appendStep(id, from, to, note);
    for (const { purpose, from: end, to: shorter, basis } of shortenedRows.parse(yield* all(selectShortened, { id }))) {
      yield* shorten(purpose, [{ id, from: end, to: shorter }], basis, note.actor);
    }
    if (changes.doubt !== undefined) yield* raiseDoubt(id, changes.doubt);
    const event = toldOf[to];
    if (event !== undefined) yield* deliveries.append({ event, recording: id });
  }
  const movedOne = (id: RecordingId): string => id;
  const move = writing(moveOne, movedOne);
  const moveFollowedSoon = relaxed(moveOne, movedOne);

  const adopt = writing(function* (id: RecordingId): Step<RecordingRow | undefined> {
    const maker = makerWithout.optional().parse(yield* one(selectMakerWithout, { id }));
    if (maker !== undefined) {
      const { call, controller, noticeFinishedAt, keepDays, witness } = maker;
      const verdicts = z.array(z.string()).parse(yield* values(selectVerdicts, { call }));
      const failure = whyNotRecordable({ ...maker, verdicts }) ?? null;
      const status: RecordingStatus = failure === null ? 'recording' : 'discarded';
      const flags = JSON.stringify(witness === 'disagrees' || witness === 'missing' ? [`witness_${witness}`] : []);
      yield* change(insert, { id, call, controller, status, failure, noticeFinishedAt, keepDays, flags });
    }
    const row = recordingRow.optional().parse(yield* one(selectOne, { id }));
    if (maker !== undefined && row !== undefined) {
      const detail = row.failure === null ? {} : { failure: row.failure };
      yield* trail.appendStep(id, null, row.status, { event: 'found in the spool', actor: 'serve', detail });
    }

    return row;
  });

  return {
    *ofCall(id: CallId): Step<RecordingRow | undefined> {
      return recordingRow.optional().parse(yield* one(selectOfCall, { id }));
    },
    *find(id: string): Step<RecordingRow | undefined> {
      return recordingRow.optional().parse(yield* one(selectOne, { id }));
    },
    /** How loud it is, as audio/peaks.ts keeps it; undefined where that was not measured, or is erased with the sound. */
    *peaks(id: RecordingId): Step<string | undefined> {
      return z
        .string()
        .optional()
        .parse(yield* value(selectPeaks, { id }));
    },
    *list(filter: RecordingFilter): Step<RecordingRow[]> {
      return rows.parse(yield* selectSome(filter));
    },
    /** All of them in the order of ids, beyond `after`. */
    listBeyond: (after: string, limit: number): Step<RecordingRow[]> => page(selectBeyond, { after, limit }),
    /** Whether a recording that has no row is one that a call makes now (`open`), or that `adopt` would take. */
    *makerOf(id: RecordingId): Step<'open' | 'adoptable' | 'none'> {
      const maker = makerRow.parse(yield* one(selectMaker, { id }));
      if (maker === undefined) return 'none';
      if (maker.open === 1) return 'open';

      return maker.recorded === 1 ? 'none' : 'adoptable';
    },
    /** Until when it is kept for each of its purposes, the first to end first; none before it is finished. */
    *purposeEnds(id: RecordingId): Step<PurposeEnd[]> {
      return z.array(purposeEnd).parse(yield* all(selectEnds, { id }));
    },
    /** Status `recording`, but the call has ended: until then the caller may refuse, whether the recorder runs or not. */
    *finishable(): Step<RecordingRow[]> {
      return readable(yield* all(selectFinishable, pbxGiven(here)));
    },
    /**
     * Status `recorded`, compared with the second witness and not postponed, oldest first, beyond `after`. One that is postponed
     * for longer than anybody postpones was so before the clock was put back.
     */
    sendable: (at: number, after: string, limit: number): Step<RecordingRow[]> =>
      page(selectSendable, { at, after, limit, ...pbxGiven(here) }),
    /**
     * Whose keepUntil, and the last of whose purposes' ends, has come, and which neither a hold nor a doubt about its clocks keeps, nor has
     * anybody decided to erase before;
     * the first to end first, beyond `after`.
     */
    *due(at: number, after: DueCursor, limit: number): Step<{ rows: RecordingRow[]; next: DueCursor | undefined }> {
      const found = yield* all(selectDue, { at, ...after, limit, ...pbxGiven(here) });
      const next = found.length < limit ? undefined : dueCursor.parse(found.at(-1));

      return { rows: readable(found), next };
    },
    /** Recordings whose end for this purpose is later than so many ms after they were made; in the order of ids. */
    *longerKept(purpose: string, keepMs: number, after: string, limit: number): Step<ShortenedEnd[]> {
      return z.array(shortenedRow).parse(yield* all(selectLonger, { purpose, keepMs, after, limit }));
    },
    /** Puts ends forward, never back, all in one transaction. */
    shorten,
    /** Those that are archived there, in the order of ids, beyond `after`. */
    archivedIn: (archive: string, after: string, limit: number): Step<RecordingRow[]> =>
      page(selectArchivedIn, { archive, after, limit }),
    /** What must be in this archive: the first recording that is still there, or whether any ever was. */
    *knownObject(archive: string): Step<{ key: string } | 'gone' | 'never'> {
      // What was moved away from there, and was not yet removed, shows as well that it is that archive.
      const known = keyRow.parse((yield* one(selectStored, { archive })) ?? (yield* one(selectLeft, { archive })));

      return known ?? ((yield* one(selectEver, { archive })) === undefined ? 'never' : 'gone');
    },
    /** The companies, of `controllers` now or once, that recordings belong or belonged to. */
    *controllers(): Step<string[]> {
      return z.array(z.string()).parse(yield* values(selectControllers));
    },
    *counts(): Step<Partial<Record<RecordingStatus, number>>> {
      return Object.fromEntries(
        z
          .array(z.object({ status: z.string(), count: z.number() }))
          .parse(yield* all(countByStatus))
          .map((row) => [row.status, row.count]),
      );
    },
    /** P5: a guarded step forward, with its line in the audit trail. Throws status_conflict. */
    move: (...given: Parameters<typeof moveOne>): Step<void> => {
      const [, from, to] = given;

      // The file is in the spool still, and would be finished again.
      return (from === 'recording' && to === 'recorded' ? moveFollowedSoon : move)(...given);
    },
    /**
     * Makes the row of a WAV whose call was saved, but whose recorder was never reported: the process died in between. It is
     * `discarded` where the caller was not told, refused, or was asked and did not say yes (P1). undefined when no call that
     * has ended was to make it.
     */
    adopt,
    /** What waits for the archive, by what kept it from being archived at its last attempt. */
    /** @param controller only of this one of `controllers`, null: of none; undefined: of all */
    *waiting(controller?: string | null): Step<WaitingRecordings[]> {
      return z
        .array(waitingRow)
        .parse(yield* all(selectWaiting, { isAll: controller === undefined ? 1 : 0, controller: controller ?? null }));
    },
    /** The same of this PBX, whose spool it lies in. */
    *waitingHere(): Step<WaitingRecordings[]> {
      return z.array(waitingRow).parse(yield* all(selectWaitingHere, pbxGiven(here)));
    },
    /** Whether its call came to this PBX, which alone has what is not archived yet. */
    *isHere(id: RecordingId): Step<boolean> {
      return (yield* value(selectIsHere, { id, ...pbxGiven(here) })) === 1;
    },
    /** The next attempt to upload it is not made before then. */
    *postpone(id: RecordingId, until: number, failure: ErrorCode): Step<void> {
      yield* change(postpone, { until, failure, id });
    },
  };
}
