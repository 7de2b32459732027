import { encodeTime } from 'ulid';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { erasureBegun, type AuditNote, type AuditTrail } from './auditTrail.ts';
import { isActiveHold, isDoubtful, isFree, isHeld, isOver, recordingsByEnd } from '../conditions.ts';
import { yesNo, recordingId, row } from '../sqlite/rowForm.ts';
import type { Recordings } from '../calls/recordings.ts';
import type { RecordingStatus } from '../statuses.ts';
import { makeSignedTable, type CopyPlace } from './signedTable.ts';
import { all, change, one, sql, value, values, writing, type Step } from '../sql/step.ts';

const certificateRow = row(
  {
    number: z.number(),
    /** Of the JWS as text. */
    sha256: z.string(),
    recording: recordingId,
    issuedAt: z.number(),
    jws: z.string(),
    inLedger: yesNo,
    inArchive: yesNo,
  },
  { recording: 'recording_id' },
);
/** A certificate of erasure, as it was signed, and where else than in the catalogue it is kept. */
export type CertificateRow = z.output<typeof certificateRow>;
export type NewCertificate = Omit<CertificateRow, 'inLedger' | 'inArchive'>;

/**
 * Why it is erased, and so what keeps it. due: a hold, and a doubt about when it ended. asked: a hold; a human has decided. erased
 * before: nothing.
 */
export type ErasureGround = 'due' | 'asked' | 'erased before';

const placeRow = row(
  { start: z.number(), end: z.number(), sha256: z.string() },
  { start: 'last_start', end: 'read_bytes', sha256: 'last_sha256' },
);
/** The last line that was read of a ledger: where it begins and ends, bytes, and its hash, by which it is known again. */
export type LedgerPlace = z.output<typeof placeRow>;

const missingRow = z.object({ recording: z.string(), number: z.number() });

/** The table `certificates`, and the two ends of an erasure. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeCertificates(
  trail: Pick<AuditTrail, 'append'>,
  move: Recordings['move'],
  releaseHoldsOf: (recording: RecordingId, by: string) => Step<unknown>,
) {
  const { mark, ...table } = makeSignedTable('certificates');
  const selectHeld = sql(`SELECT ${isHeld} FROM recordings WHERE id = @id`);
  const selectDoubtful = sql(`SELECT ${isDoubtful} FROM recordings WHERE id = @id`);
  const selectLast = sql(`SELECT * FROM certificates ORDER BY number DESC, issued_at DESC LIMIT 1`);
  const insert = sql(`
    INSERT INTO certificates (sha256, number, recording_id, issued_at, jws)
    VALUES (@sha256, @number, @recording, @issuedAt, @jws) ON CONFLICT DO NOTHING`);
  const selectOf = sql(`SELECT * FROM certificates WHERE recording_id = @id ORDER BY number`);
  const selectBeyond = sql(`
    SELECT * FROM certificates WHERE (number, sha256) > (@number, @sha256) ORDER BY number, sha256 LIMIT @limit`);
  const selectMissing = sql(`
    SELECT recording_id AS recording, CAST(json_extract(detail, '$.certificate.number') AS BIGINT) AS number FROM audit
    WHERE event = 'erased and checked' AND at >= @since AND json_extract(detail, '$.certificate.sha256') IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM certificates WHERE sha256 = json_extract(detail, '$.certificate.sha256'))
    ORDER BY id LIMIT @limit`);
  // Before the trail was chained there were no certificates; and they have a time of their own, like the lines that name them.
  const selectUncertified = sql(`
    SELECT id FROM recordings WHERE status = 'erased'
      AND NOT EXISTS (SELECT 1 FROM certificates WHERE recording_id = recordings.id)
      AND NOT EXISTS (SELECT 1 FROM audit WHERE recording_id = recordings.id AND to_status = 'erased' AND chain IS NULL
        AND audit.id < (SELECT id FROM audit WHERE chain IS NOT NULL ORDER BY id LIMIT 1))
      AND NOT (id < @oldest AND EXISTS (SELECT 1 FROM audit
        WHERE recording_id = recordings.id AND to_status = 'erased' AND chain IS NOT NULL AND at < @since))
    ORDER BY id LIMIT @limit`);
  const selectNewest = sql(`SELECT * FROM certificates ORDER BY number DESC, sha256 LIMIT @limit`);
  const selectBefore = sql(`
    SELECT * FROM certificates WHERE number < @before ORDER BY number DESC, sha256 LIMIT @limit`);
  const selectAlone = {
    ledger: sql(`SELECT * FROM certificates WHERE in_ledger = 0 ORDER BY number LIMIT @limit`),
    archive: sql(`SELECT * FROM certificates WHERE in_archive = 0 ORDER BY number LIMIT @limit`),
  };
  const selectLedger = sql(
    `SELECT read_bytes, last_start, last_sha256 FROM ledgers WHERE file = @file AND last_sha256 IS NOT NULL`,
  );
  const upsertLedger = sql(`
    INSERT INTO ledgers (file, read_bytes, last_start, last_sha256) VALUES (@file, @end, @start, @sha256)
    ON CONFLICT (file) DO UPDATE SET read_bytes = excluded.read_bytes, last_start = excluded.last_start,
      last_sha256 = excluded.last_sha256`);
  const selectOld = sql(`
    SELECT * FROM certificates WHERE issued_at < @before AND number < @newest AND NOT EXISTS (
      SELECT 1 FROM audit WHERE recording_id = certificates.recording_id AND to_status = 'erased' AND at >= @before)
    ORDER BY number LIMIT @limit`);
  const removeCopy = sql(`DELETE FROM archive_copies WHERE recording_id = @recording AND archive = @archive`);
  const selectCopy = sql(`SELECT 1 FROM archive_copies WHERE recording_id = @recording LIMIT 1`);
  const countDue = sql(`SELECT count(*) FROM ${recordingsByEnd} WHERE ${isOver} AND ${isFree}`);
  const countHeld = sql(`
    SELECT count(DISTINCT recordings.id) FROM holds CROSS JOIN recordings ON recordings.id = holds.recording_id
    WHERE ${isActiveHold} AND ${isOver}`);

  const beginErasure = writing(function* (
    id: RecordingId,
    at: number,
    why: ErasureGround,
    note: AuditNote,
  ): Step<void> {
    if (why !== 'erased before' && (yield* value(selectHeld, { id, at })) === 1) {
      throw new PreavisError('recording_held', 'a hold keeps it');
    }
    if (why === 'due' && (yield* value(selectDoubtful, { id })) === 1) {
      throw new PreavisError('clock_doubtful', 'the clocks do not agree on when it ended');
    }
    yield* trail.append(id, { ...note, event: erasureBegun });
  });

  function* last(): Step<CertificateRow | undefined> {
    return certificateRow.optional().parse(yield* one(selectLast));
  }

  const finishErasure = writing(function* (
    from: RecordingStatus,
    certificate: NewCertificate,
    previous: string | null,
    note: AuditNote,
    places: readonly string[] = [],
  ): Step<boolean> {
    if (((yield* last())?.sha256 ?? null) !== previous) return false;
    for (const archive of places) yield* change(removeCopy, { recording: certificate.recording, archive });
    if ((yield* value(selectCopy, { recording: certificate.recording })) !== undefined) {
      throw new PreavisError('status_conflict', 'something of it was put into another archive meanwhile');
    }
    yield* change(insert, certificate);
    yield* move(certificate.recording, from, 'erased', { receipt: null }, note);

    return true;
  });

  const restore = writing(function* (
    certificate: NewCertificate,
    from: RecordingStatus | undefined,
    place: CopyPlace,
    note: AuditNote,
  ): Step<void> {
    yield* change(insert, certificate);
    yield* mark(certificate.sha256, place, true);
    // There is nothing left that they could keep.
    yield* releaseHoldsOf(certificate.recording, note.actor);
    if (from !== undefined && from !== 'erased' && from !== 'discarded')
      yield* move(certificate.recording, from, 'erased', { receipt: null }, note);
  });

  return {
    ...table,
    /**
     * Notes that a recording is being erased, unless something keeps it: what wins is decided here, in one transaction. Throws
     * recording_held and clock_doubtful.
     */
    beginErasure,
    /**
     * Keeps the certificate and moves the recording to `erased`; false when another certificate came before it. `places`: the archives
     * beside its own that were seen to have nothing of it. Throws status_conflict where there is another one.
     */
    finishErasure,
    /** Takes up a certificate that an older state of the catalogue does not know; holds of the recording end. */
    restore,
    /** Up to where what is in a ledger is in this catalogue. */
    *ledgerRead(file: string): Step<LedgerPlace | undefined> {
      return placeRow.optional().parse(yield* one(selectLedger, { file }));
    },
    *noteLedgerRead(file: string, place: LedgerPlace): Step<void> {
      yield* change(upsertLedger, { file, ...place });
    },
    last,
    *of(id: RecordingId): Step<CertificateRow[]> {
      return z.array(certificateRow).parse(yield* all(selectOf, { id }));
    },
    /** In their order, beyond the one with this number and hash. */
    *listBeyond(after: { number: number; sha256: string }, limit: number): Step<CertificateRow[]> {
      return z.array(certificateRow).parse(yield* all(selectBeyond, { ...after, limit }));
    },
    /** What the audit trail says since a time that there is a certificate of, and there is none. */
    *missing(since: number, limit: number): Step<{ recording: string; number: number }[]> {
      return z.array(missingRow).parse(yield* all(selectMissing, { since, limit }));
    },
    /** The newest first, with smaller numbers than `before`. */
    *before(before: number, limit: number): Step<CertificateRow[]> {
      return z.array(certificateRow).parse(yield* all(selectBefore, { before, limit }));
    },
    *newest(limit: number): Step<CertificateRow[]> {
      return z.array(certificateRow).parse(yield* all(selectNewest, { limit }));
    },
    /** Those that are not yet in the ledger, or in the archive. */
    *withoutCopy(place: CopyPlace, limit: number): Step<CertificateRow[]> {
      return z.array(certificateRow).parse(yield* all(selectAlone[place], { limit }));
    },
    /**
     * Those from before a time, but never the last one, which the next is chained to, nor one whose recording was erased again since
     * then in a catalogue that was put back.
     */
    *old(before: number, limit: number): Step<CertificateRow[]> {
      return z
        .array(certificateRow)
        .parse(yield* all(selectOld, { before, newest: (yield* last())?.number ?? 0, limit }));
    },
    /** Recordings that count as erased, and of which no certificate says so; `since`: older certificates are not kept, ms. */
    *erasedWithoutCertificate(since: number, limit: number): Step<RecordingId[]> {
      return z
        .array(recordingId)
        .parse(yield* values(selectUncertified, { since, oldest: encodeTime(Math.max(since, 0)), limit }));
    },
    /** How many recordings are to be erased at this time; it takes long where there are very many. */
    *countDue(at: number): Step<number> {
      return z.number().parse(yield* value(countDue, { at }));
    },
    /** How many would be but for a hold. */
    *countHeld(at: number): Step<number> {
      return z.number().parse(yield* value(countHeld, { at }));
    },
  };
}
