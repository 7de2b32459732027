import * as z from 'zod';
import { entryDigest } from '../../core/crypto/hashChain.ts';
import type { RecordingId } from '../../core/ids.ts';
import { row } from '../sqlite/rowForm.ts';
import { auditRow, type AuditRow } from '../rows.ts';
import type { RecordingStatus } from '../statuses.ts';
import { all, change, one, sql, value, values, writing, type Step } from '../sql/step.ts';

/** In the trail of a recording from before the first byte of it is removed. */
export const erasureBegun = 'erasure begun';
/** When that came to an end without being complete: a hold set then still counts. */
export const erasureInterrupted = 'erasure interrupted';

/** What a person asked to have erased is kept; the detail has the `exceptions`, each with its `ground`. */
export const requestRefused = 'erasure asked by the person, refused';
/** It could not be erased; the detail has the `code`. */
export const requestFailed = 'erasure asked by the person, failed';

/** A certificate was found that this catalogue did not know: it had been restored to an older state. */
export const erasedAgain = 'erased again by the ledger';

/** In the audit trail of a recording whose keys were wrapped anew; the detail has the id of the key. */
export const keyRewrapped = 'key rewrapped';

/** In the audit trail of a recording that lies in another archive from then on, as the detail says. */
export const moved = 'moved to another archive';
/** With the archive and how many versions were removed there. */
export const copyRemoved = 'copy in an earlier archive removed';
/** An operator has said that the archive is gone. */
export const copyGivenUp = 'copy in an earlier archive given up';

/**
 * Whether an erasure of it was begun and has not come to an end, by its lines: some of it may be gone already, and the next pass goes on.
 * What was tried in vain is tried again, unless it is kept now.
 */
export function isErasureUnderWay(lines: readonly Pick<AuditRow, 'event'>[]): boolean {
  return lines.findLast(({ event }) => event === erasureBegun || event === erasureInterrupted)?.event === erasureBegun;
}

/** Who did a step, and what else the audit trail should keep; no personal data. */
export type AuditNote = { event: string; actor: string; detail?: Record<string, unknown> };

const headRow = z.object({ id: z.number(), chain: z.string() }).optional();
/** What every reading of a line has. */
export const lineColumns = {
  /** ms since 1970 UTC. */
  at: z.number(),
  /** null: it tells of no recording. */
  recording: z.string().nullable(),
  event: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  actor: z.string(),
};
export const lineNames = { recording: 'recording_id', from: 'from_status', to: 'to_status' } as const;
/** A line as its digest sees it, and its link; null in lines from before the trail was chained. */
const auditLine = row(
  { id: z.number(), ...lineColumns, detail: z.string(), chain: z.string().nullable() },
  lineNames,
).transform(({ id, at, recording, event, from, to, actor, detail, chain }) => ({
  id,
  recording,
  digest: entryDigest([at, recording, event, from, to, actor, detail]),
  chain,
}));
export type AuditLine = z.output<typeof auditLine>;

const otherStatus = z.object({ id: z.string(), status: z.string(), said: z.string().nullable() });
/** A recording whose status the trail does not know. */
export type OtherStatus = z.output<typeof otherStatus>;

/**
 * The table `audit`: what happened to each recording, and who came to look, in one chain over all of them (core/crypto/hashChain.ts), so that no line can be
 * changed or taken out without every later link failing.
 */
export type AuditTrail = Pick<ReturnType<typeof makeAuditTrail>, 'append' | 'appendStep' | 'of'>;

// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeAuditTrail(now: () => number) {
  const line = '@at, @recording, @event, @from, @to, @actor, @detail';
  const insert = sql({
    sqlite: `
      INSERT INTO audit (at, recording_id, event, from_status, to_status, actor, detail, chain)
      VALUES (${line}, preavis_link((SELECT chain FROM audit WHERE chain IS NOT NULL ORDER BY id DESC LIMIT 1), ${line}))`,
    // Whose schema makes the link.
    postgres: `INSERT INTO audit (at, recording_id, event, from_status, to_status, actor, detail) VALUES (${line})`,
  });
  const selectOf = sql(`SELECT * FROM audit WHERE recording_id = @id ORDER BY id`);
  const selectBetween = sql(`SELECT * FROM audit WHERE id BETWEEN @from AND @to ORDER BY id LIMIT @limit`);
  const selectTimeAfter = sql(`SELECT at FROM audit WHERE id > @line ORDER BY id LIMIT 1`);
  const selectDiscard = sql(`
    SELECT EXISTS (SELECT 1 FROM audit WHERE recording_id = @id AND to_status = 'discarded' AND (chain IS NOT NULL
      OR id < (SELECT id FROM audit WHERE chain IS NOT NULL ORDER BY id LIMIT 1)))`);
  const selectOtherwise = sql(`
    SELECT id, status, said FROM (
      SELECT id, status, (SELECT to_status FROM audit
        WHERE recording_id = recordings.id AND to_status IS NOT NULL ORDER BY audit.id DESC LIMIT 1) AS said
      FROM recordings) AS found
    WHERE said IS DISTINCT FROM status ORDER BY id LIMIT @limit`);
  const selectWithoutRow = sql(`
    SELECT DISTINCT recording_id FROM audit
    WHERE recording_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM recordings WHERE id = recording_id) ORDER BY recording_id LIMIT @limit`);
  const selectHead = sql(`SELECT id, chain FROM audit WHERE chain IS NOT NULL ORDER BY id DESC LIMIT 1`);

  function* appendStep(
    recording: RecordingId | null,
    from: RecordingStatus | null,
    to: RecordingStatus | null,
    { event, actor, detail = {} }: AuditNote,
  ): Step<void> {
    yield* change(insert, { recording, from, to, event, actor, at: now(), detail: JSON.stringify(detail) });
  }

  return {
    /** A step of the status; to be called in its transaction. */
    appendStep,
    /** A line that tells of no step of the status, or of no recording (null); in the transaction of what it tells of, if that is one. */
    *append(recording: RecordingId | null, note: AuditNote): Step<void> {
      yield* appendStep(recording, null, null, note);
    },
    /** Such lines in one step: either all of them are written, in their order, or none. */
    appendAll: writing(function* (lines: readonly { recording: RecordingId | null; note: AuditNote }[]): Step<void> {
      for (const { recording, note } of lines) yield* appendStep(recording, null, null, note);
    }),
    *of(id: RecordingId): Step<AuditRow[]> {
      return z.array(auditRow).parse(yield* all(selectOf, { id }));
    },
    /** Whether a line says that it was discarded. The status alone is one field of a file. */
    *saysDiscarded(id: RecordingId): Step<boolean> {
      return (yield* value(selectDiscard, { id })) === 1;
    },
    /** Recordings whose status is another one than their newest line says (`said`; null: none says any). Reads all of them. */
    *statusesOtherwise(limit: number): Step<OtherStatus[]> {
      return z.array(otherStatus).parse(yield* all(selectOtherwise, { limit }));
    },
    /** What the trail names and no row is there of. Reads all of it. */
    *withoutRow(limit: number): Step<string[]> {
      return z.array(z.string()).parse(yield* values(selectWithoutRow, { limit }));
    },
    /** The newest line that is in the chain. */
    *head(): Step<{ id: number; chain: string } | undefined> {
      return headRow.parse(yield* one(selectHead));
    },
    /** When the line after this one was written, ms since 1970 UTC; undefined when it is the newest. */
    *timeAfter(line: number): Step<number | undefined> {
      return z
        .number()
        .optional()
        .parse(yield* value(selectTimeAfter, { line }));
    },
    /** In the order of the chain, at most `limit`. */
    *lines(from: number, to: number, limit: number): Step<AuditLine[]> {
      return z.array(auditLine).parse(yield* all(selectBetween, { from, to, limit }));
    },
  };
}
