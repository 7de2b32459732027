import { encodeTime } from 'ulid';
import * as z from 'zod';
import { dayMs } from '../core/clock.ts';
import { erasureBegun, requestFailed, requestRefused } from './retention/auditTrail.ts';
import { isActiveHold, isAsked, isFree, isHeld, isKept, isOver, recordingsByEnd } from './conditions.ts';
import { lastFailure } from './retention/promises.ts';
import { recordingStatuses } from './statuses.ts';
import { wording } from './rows.ts';
import { all, one, reading, sql, value, values, type ResultOf, type Step } from './sql/step.ts';

/** Flags of what was silenced, cut off or removed since nobody watched it. */
const unwatchedFindings = ['unwatched_blanked', 'unwatched_too_long', 'keys_unheard'];

const count = z.number();
const time = z.number().nullable();

const purposeRow = z.object({
  recordings: count,
  bytes: count,
  /** Of them, those whose time for this purpose is over: another one keeps them, or they are due. */
  over: count,
  oldestAt: time,
  nextEndAt: time,
  lastEndAt: time,
});
const dueRow = z.object({
  held: count,
  awaiting: count,
  overdue: count,
  overdueSince: time,
  untried: count,
  /** Of all of these, those that somebody has decided to erase. */
  decided: count,
});
const codeRow = z.object({ code: z.string(), recordings: count });
const requestsRow = z.object({ erased: count, kept: count, failed: count });
const groundRow = z.object({ ground: z.string(), recordings: count });
const doubtsRow = z.object({ open: count, oldestAt: time });
const holdRow = z.object({ active: count, reviewsOverdue: count, nextReviewAt: time });
const statusRow = z.object({ status: z.enum(recordingStatuses), recordings: count });
const callsRow = z.object({
  result: z.string().nullable(),
  reason: z.string().nullable(),
  calls: count,
  refused: count,
});
const unrecordedRow = z.object({
  /** Of UTC, as in ISO 8601. */
  day: count.transform((days) => new Date(days * dayMs).toISOString().slice(0, 10)),
  line: z.string().nullable(),
  reason: z.string().nullable(),
  calls: count,
});
const noticeRow = z.object({ verdict: z.string(), sentences: count, calls: count });
const witnessRow = z.object({ witness: z.string().nullable(), calls: count });
const unwatchedRow = z.object({ flag: z.string(), recordings: count });
const endedRow = z.object({
  status: z.enum(['erased', 'failed', 'lost']),
  failure: z.string().nullable(),
  recordings: count,
});

/** Times are ms since 1970 UTC. */
export type FigureTimes = {
  /** Of the period: from the first on, before the second. */
  from: number;
  to: number;
  at: number;
  /** What was due before then and is still there is overdue. */
  overdueBefore: number;
};

/** What is kept, why, until when, and what became of the calls and recordings of a period; no ids, no personal data. */
export type Figures = ResultOf<ReturnType<ReturnType<typeof makeFigures>['read']>>;

/** A further condition on the company that a row belongs to: none, or that it is @controller. */
type OfCompany = (column: string) => string;
const ofAll: OfCompany = () => '';
const ofOne: OfCompany = (column) => ` AND ${column} IS NOT DISTINCT FROM @controller`;
/** Of the recording that a row is about. */
const itsController = (recording: string): string =>
  `(SELECT controller FROM recordings WHERE recordings.id = ${recording})`;
/** `@controllers` is null for all. */
export const ofCompanies = `(@controllers IS NULL OR coalesce(controller, '') IN (SELECT value FROM json_each(@controllers)))`;

const inPeriod = (column: string): string => `${column} >= @from AND ${column} < @to`;

/** Of UTC, since 1970. A parameter is no whole number to SQLite unless it is told. */
const dayOf = (time: string): string => `CAST(${time} AS BIGINT) / ${dayMs}`;
/** As its index has it. */
const day = `started_at / ${dayMs}`;

/** Of one PBX, and of the companies that are asked for, as its indexes have them. */
const ofPbx = `pbx = @pbx AND ${ofCompanies}`;
const isUnrecorded = `result = 'unrecorded' AND ${day} BETWEEN ${dayOf('@from')} AND ${dayOf('@to')} AND ${inPeriod('started_at')}`;
/** In the order of its index, which has all that is asked for: nothing is sorted, and no call is read. */
const unrecorded = (index: string, condition: string): string => `
  SELECT ${day} AS day, line, reason, count(*) AS calls
  FROM calls INDEXED BY ${index}
  WHERE ${isUnrecorded} ${condition}
  GROUP BY ${day}, line, reason ORDER BY ${day}, line NULLS FIRST, reason NULLS FIRST`;
export const unrecordedByDay = unrecorded('calls_unrecorded_by_day', '');
/** The same of one PBX, and how many calls it had. */
export const countsOfPbx = {
  unrecordedByDay: unrecorded('calls_unrecorded_of_pbx', `AND ${ofPbx}`),
  unrecorded: `SELECT count(*) FROM calls INDEXED BY calls_unrecorded_of_pbx WHERE ${isUnrecorded} AND ${ofPbx}`,
  begun: `SELECT count(*) FROM calls INDEXED BY calls_of_pbx_by_start WHERE ${ofPbx} AND ${inPeriod('started_at')}`,
} as const;

// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
function makeReading(of: OfCompany) {
  // One step in the index for each purpose.
  const selectPurposes = sql(`
    WITH RECURSIVE each (purpose) AS (
      SELECT min(purpose) FROM recording_purposes UNION ALL
      SELECT (SELECT min(purpose) FROM recording_purposes WHERE purpose > each.purpose) FROM each WHERE each.purpose IS NOT NULL)
    SELECT purpose FROM each WHERE purpose IS NOT NULL`);
  // Over what is kept, in the order of ids: the purposes' ends lie in the same order.
  const selectPurpose = sql(`
    SELECT count(*) AS recordings, coalesce(sum(bytes), 0) AS bytes, count(*) FILTER (WHERE ends.keep_until <= @at) AS over,
      min(coalesce(started_at, notice_finished_at)) AS "oldestAt",
      min(ends.keep_until) FILTER (WHERE ends.keep_until > @at) AS "nextEndAt", max(ends.keep_until) AS "lastEndAt"
    FROM recordings INDEXED BY recordings_kept CROSS JOIN recording_purposes AS ends
      ON ends.recording_id = recordings.id AND ends.purpose = @purpose
    WHERE ${isKept}${of('recordings.controller')}`);
  const inPolicy = `json_extract(content, '$.purposes."' || @purpose || '"')`;
  const newestOf = (order: string): string =>
    `SELECT ${inPolicy} FROM policies WHERE ${inPolicy} IS NOT NULL ORDER BY ${order} DESC LIMIT 1`;
  const selectStated = sql({ sqlite: newestOf('rowid'), postgres: newestOf('number') });
  const selectStatuses = sql(
    `SELECT status, count(*) AS recordings FROM recordings WHERE TRUE${of('controller')} GROUP BY status ORDER BY status`,
  );
  const selectDue = sql(`
    SELECT count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE decided) AS decided,
      count(*) FILTER (WHERE free AND keep_until > @overdueBefore) AS awaiting,
      count(*) FILTER (WHERE free AND keep_until <= @overdueBefore) AS overdue,
      min(keep_until) FILTER (WHERE free AND keep_until <= @overdueBefore) AS "overdueSince",
      count(*) FILTER (WHERE free AND keep_until <= @overdueBefore
        AND NOT EXISTS (
          SELECT 1 FROM audit WHERE recording_id = due.id AND event IN (@event, '${requestFailed}'))) AS untried
    FROM (SELECT id, keep_until, ${isHeld} AS held, ${isAsked} AS decided, ${isFree} AS free
      FROM ${recordingsByEnd} WHERE ${isOver}${of('recordings.controller')}) AS due`);
  const selectDoubts = sql(`
    SELECT count(*) AS open, min(raised_at) AS "oldestAt" FROM clock_doubts
    CROSS JOIN recordings ON recordings.id = clock_doubts.recording_id WHERE settled_at IS NULL AND ${isKept} AND NOT ${isAsked}${of('recordings.controller')}`);
  const selectDueCodes = sql(`
    SELECT code, count(*) AS recordings FROM (
      SELECT ${lastFailure} AS code
      FROM ${recordingsByEnd} WHERE ${isOver} AND ${isFree}${of('recordings.controller')}) AS due
    WHERE code IS NOT NULL GROUP BY code ORDER BY recordings DESC, code`);
  // What became last of each recording that its person asked to have erased in the period.
  const requests = `
    WITH answers AS (
      SELECT id, recording_id, event, detail FROM audit
      WHERE event IN ('${requestRefused}', '${requestFailed}') AND ${inPeriod('at')}${of(itsController('audit.recording_id'))}
      UNION ALL
      SELECT id, recording_id, 'erased', '{}' FROM audit AS ends
      -- The first of the two is what the index of ends is for.
      WHERE to_status IN ('erased', 'failed', 'lost') AND to_status = 'erased' AND ${inPeriod('at')}${of(itsController('ends.recording_id'))} AND EXISTS (
        SELECT 1 FROM audit WHERE recording_id = ends.recording_id AND id < ends.id AND (
          event IN ('${requestRefused}', '${requestFailed}')
          OR event = '${erasureBegun}' AND json_extract(detail, '$.rule') = 'subject'))),
    numbered AS (
      SELECT recording_id, event, detail, row_number() OVER (PARTITION BY recording_id ORDER BY id DESC) AS place FROM answers),
    last AS (SELECT recording_id, event, detail FROM numbered WHERE place = 1)`;
  const selectRequests = sql(`${requests}
    SELECT count(*) FILTER (WHERE event = 'erased') AS erased, count(*) FILTER (WHERE event = '${requestRefused}') AS kept,
      count(*) FILTER (WHERE event = '${requestFailed}') AS failed FROM last`);
  const selectGrounds = sql(`${requests}
    SELECT json_extract(each.value, '$.ground') AS ground, count(DISTINCT recording_id) AS recordings
    FROM last, json_each(detail, '$.exceptions') AS each WHERE event = '${requestRefused}'
    GROUP BY ground ORDER BY recordings DESC, ground NULLS FIRST`);
  const selectRequestCodes = sql(`${requests}
    SELECT json_extract(detail, '$.code') AS code, count(*) AS recordings FROM last WHERE event = '${requestFailed}'
    GROUP BY code ORDER BY recordings DESC, code NULLS FIRST`);
  const selectHolds = sql(`
    SELECT count(*) AS active, count(*) FILTER (WHERE review_at <= @at) AS "reviewsOverdue",
      min(review_at) FILTER (WHERE review_at > @at) AS "nextReviewAt"
    FROM holds WHERE ${isActiveHold}${of(itsController('holds.recording_id'))}`);
  const selectCalls = sql(`
    SELECT result, reason, count(*) AS calls, count(*) FILTER (WHERE answer = 'refused') AS refused
    FROM calls WHERE ${inPeriod('started_at')}${of('controller')} GROUP BY result, reason
    ORDER BY calls DESC, result NULLS FIRST, reason NULLS FIRST`);
  const selectNotices = sql(`
    SELECT verdict, count(*) AS sentences, count(DISTINCT call_id) AS calls
    FROM calls CROSS JOIN notices ON notices.call_id = calls.id
    WHERE ${inPeriod('calls.started_at')}${of('calls.controller')} AND verdict NOT IN ('verified', 'answered')
    GROUP BY verdict ORDER BY sentences DESC, verdict`);
  const selectWitness = sql(
    `SELECT witness, count(*) AS calls FROM calls WHERE ${inPeriod('started_at')}${of('controller')} GROUP BY witness
     ORDER BY witness NULLS FIRST`,
  );
  const selectEnded = sql(`
    SELECT to_status AS status, CASE WHEN to_status = 'erased' THEN NULL ELSE failure END AS failure, count(*) AS recordings
    FROM audit CROSS JOIN recordings ON recordings.id = audit.recording_id
    WHERE to_status IN ('erased', 'failed', 'lost') AND ${inPeriod('at')}${of('recordings.controller')}
    GROUP BY 1, 2 ORDER BY recordings DESC, 1, 2 NULLS FIRST`);
  // By their ids, which begin with their time.
  const selectUnwatched = sql(`
    SELECT value AS flag, count(*) AS recordings FROM recordings, json_each(flags)
    WHERE recordings.id >= @first AND recordings.id < @behind AND value IN (${unwatchedFindings.map((flag) => `'${flag}'`).join()})${of('recordings.controller')}
    GROUP BY value ORDER BY value`);
  const selectCertificates = sql(
    `SELECT count(*) FROM certificates WHERE ${inPeriod('issued_at')}${of(itsController('certificates.recording_id'))}`,
  );

  /** Of the newest policy that has it. */
  function* stated(purpose: string): Step<z.output<typeof wording> | undefined> {
    const text = z
      .string()
      .optional()
      .parse(yield* value(selectStated, { purpose }));

    return text === undefined ? undefined : wording.parse(JSON.parse(text));
  }

  function* readPurposes(at: { at: number; controller?: string | null }) {
    const purposes = [];
    for (const purpose of z.array(z.string()).parse(yield* values(selectPurposes))) {
      const figures = purposeRow.parse(yield* one(selectPurpose, { ...at, purpose }));
      purposes.push({ purpose, stated: yield* stated(purpose), ...figures });
    }

    return purposes;
  }

  return reading(function* (times: FigureTimes, erasureFailed: string, company: { controller?: string | null }) {
    const at = { at: times.at, ...company };
    const period = { from: times.from, to: times.to, ...company };
    const due = { ...at, event: erasureFailed };

    return {
      purposes: yield* readPurposes(at),
      statuses: z.array(statusRow).parse(yield* all(selectStatuses, company)),
      due: {
        ...dueRow.parse(yield* one(selectDue, { ...due, overdueBefore: times.overdueBefore })),
        failures: z.array(codeRow).parse(yield* all(selectDueCodes, due)),
      },
      doubts: doubtsRow.parse(yield* one(selectDoubts, at)),
      holds: holdRow.parse(yield* one(selectHolds, at)),
      calls: z.array(callsRow).parse(yield* all(selectCalls, period)),
      notices: z.array(noticeRow).parse(yield* all(selectNotices, period)),
      witness: z.array(witnessRow).parse(yield* all(selectWitness, period)),
      ended: z.array(endedRow).parse(yield* all(selectEnded, period)),
      unwatched: z.array(unwatchedRow).parse(
        yield* all(selectUnwatched, {
          first: encodeTime(times.from, 10),
          behind: encodeTime(times.to, 10),
          ...company,
        }),
      ),
      certificates: count.parse(yield* value(selectCertificates, period)),
      requests: {
        ...requestsRow.parse(yield* one(selectRequests, period)),
        grounds: z.array(groundRow).parse(yield* all(selectGrounds, period)),
        failures: z.array(codeRow).parse(yield* all(selectRequestCodes, period)),
      },
    };
  });
}

/** From the first on, before the second, ms since 1970 UTC. */
type Period = { from: number; to: number };

/** For `ofCompanies`. */
export const companiesGiven = (controllers: readonly string[] | undefined): { controllers: string | null } => ({
  controllers: controllers === undefined ? null : JSON.stringify(controllers),
});

/** Counts over several tables. SQLite adds up: no row comes into memory, however many there are. */
export function makeFigures() {
  const selectBegun = sql(`SELECT count(*) FROM calls INDEXED BY calls_by_start WHERE ${inPeriod('started_at')}`);
  const selectBegunOf = sql(
    `SELECT count(*) FROM calls INDEXED BY calls_by_start WHERE ${inPeriod('started_at')} AND ${ofCompanies}`,
  );
  const selectUnrecorded = sql(unrecordedByDay);
  const selectUnrecordedOf = sql(unrecorded('calls_unrecorded_by_day', `AND ${ofCompanies}`));
  const selectBegunOfPbx = sql(countsOfPbx.begun);
  const selectUnrecordedOfPbx = sql(countsOfPbx.unrecordedByDay);
  const countUnrecordedOfPbx = sql(countsOfPbx.unrecorded);
  const readAll = makeReading(ofAll);
  const readOne = makeReading(ofOne);

  return {
    /**
     * Calls of a period, and those of them that were not recorded, by day of UTC, line and reason.
     *
     * @param controllers of these companies, '' the own; undefined: of all
     * @param pbx that came to this one; undefined: to any
     */
    unrecorded: reading(function* (period: Period, controllers?: readonly string[], pbx?: string) {
      const of = { ...period, ...companiesGiven(controllers), pbx };
      const [begun, rows] =
        pbx !== undefined
          ? [yield* value(selectBegunOfPbx, of), yield* all(selectUnrecordedOfPbx, of)]
          : controllers === undefined
            ? [yield* value(selectBegun, period), yield* all(selectUnrecorded, period)]
            : [yield* value(selectBegunOf, of), yield* all(selectUnrecordedOf, of)];

      return { calls: count.parse(begun), unrecorded: z.array(unrecordedRow).parse(rows) };
    }),
    /** How many calls of a period that came to each of these PBXs were not recorded; those without any are left out. */
    unrecordedByPbx: reading(function* (period: Period, pbxs: readonly string[], controllers?: readonly string[]) {
      const found = [];
      for (const pbx of pbxs) {
        const calls = count.parse(
          yield* value(countUnrecordedOfPbx, { ...period, ...companiesGiven(controllers), pbx }),
        );
        if (calls > 0) found.push({ pbx, calls });
      }

      return found;
    }),
    /**
     * All of one moment.
     *
     * @param erasureFailed the event of the audit trail that says, with a `code`, why a recording could not be erased
     * @param controller only of this one of `controllers`, null: of the company itself; undefined: of all
     */
    read: (times: FigureTimes, erasureFailed: string, controller?: string | null) =>
      controller === undefined ? readAll(times, erasureFailed, {}) : readOne(times, erasureFailed, { controller }),
  };
}
