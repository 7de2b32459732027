import type Database from 'better-sqlite3';
import { z } from 'zod';
import { PreavisError } from '../core/errors.ts';
import type { RecordingId } from '../core/ids.ts';
import { auditRow, forward, recordingRow, type AuditRow, type RecordingRow, type RecordingStatus } from './rows.ts';

/** What a step may write beside the status. */
export type RecordingChanges = Partial<
  Pick<
    RecordingRow,
    | 'finishedAt'
    | 'keepUntil'
    | 'bytes'
    | 'durationMs'
    | 'sha256'
    | 'flags'
    | 'failure'
    | 'archive'
    | 'objectKey'
    | 'objectVersion'
    | 'receiptKey'
    | 'receipt'
  >
>;

/** Who did a step, and what else the audit trail should keep; no personal data. */
export type AuditNote = { event: string; actor: string; detail?: Record<string, unknown> };

export type RecordingFilter = { status?: RecordingStatus | undefined; limit: number };

const columns: Readonly<Record<keyof RecordingChanges, string>> = {
  finishedAt: 'finished_at',
  keepUntil: 'keep_until',
  bytes: 'bytes',
  durationMs: 'duration_ms',
  sha256: 'sha256',
  flags: 'flags',
  failure: 'failure',
  archive: 'archive',
  objectKey: 'object_key',
  objectVersion: 'object_version',
  receiptKey: 'receipt_key',
  receipt: 'receipt',
};

const knownRow = z.object({ status: z.string(), key: z.string() }).optional();

const isColumn = (key: string): key is keyof RecordingChanges => key in columns;

/** The tables `recordings` and `audit`. */
export function makeRecordings(database: Database.Database, now: () => number) {
  const rows = z.array(recordingRow);
  const selectOne = database.prepare(`SELECT * FROM recordings WHERE id = ?`);
  const selectAll = database.prepare(
    `SELECT * FROM recordings WHERE (@status IS NULL OR status = @status) ORDER BY id DESC LIMIT @limit`,
  );
  const selectFinishable = database.prepare(`
    SELECT recordings.* FROM recordings JOIN calls ON calls.id = recordings.call_id
    WHERE status = 'recording' AND (recordings.finished_at IS NOT NULL OR calls.state IS NULL) ORDER BY recordings.id`);
  const selectSendable = database.prepare(
    `SELECT * FROM recordings WHERE status = 'recorded' AND next_attempt_at <= ? AND id > ? ORDER BY id LIMIT ?`,
  );
  const countByStatus = database.prepare(`SELECT status, count(*) AS count FROM recordings GROUP BY status`);
  const selectDue = database.prepare(`
    SELECT * FROM recordings WHERE status IN ('recorded', 'archived', 'failed') AND keep_until <= @at AND id > @after
    ORDER BY id LIMIT @limit`);
  const selectKnown = database.prepare(`
    SELECT status, object_key AS key FROM recordings WHERE archive = ? AND object_key IS NOT NULL
    ORDER BY status = 'archived' DESC, id LIMIT 1`);
  const postpone = database.prepare(
    `UPDATE recordings SET attempts = attempts + 1, next_attempt_at = ? WHERE id = ? AND status = 'recorded'`,
  );
  const adopt = database.prepare(`
    INSERT INTO recordings (id, call_id, status, notice_finished_at, keep_days)
    SELECT calls.recording_id, calls.id, 'recording', max(notices.finished_at), calls.keep_days
    FROM calls JOIN notices ON notices.call_id = calls.id
    WHERE calls.recording_id = @id AND calls.state IS NULL
      AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id)
    GROUP BY calls.id HAVING sum(notices.verdict <> 'verified') = 0`);
  const insertAudit = database.prepare(`
    INSERT INTO audit (at, recording_id, event, from_status, to_status, actor, detail)
    VALUES (@at, @id, @event, @from, @to, @actor, @detail)`);
  const selectAudit = database.prepare(`SELECT * FROM audit WHERE recording_id = ? ORDER BY id`);

  const updates = new Map<string, Database.Statement>();
  /** There are as many of these as there are kinds of step, a handful. */
  const updateStatus = (assignments: string): Database.Statement => {
    const known = updates.get(assignments);
    if (known !== undefined) return known;
    const statement = database.prepare(`
      UPDATE recordings SET status = @to, attempts = 0, next_attempt_at = 0${assignments}
      WHERE id = @id AND status = @from`);
    updates.set(assignments, statement);

    return statement;
  };

  const move = database.transaction(
    (id: RecordingId, from: RecordingStatus, to: RecordingStatus, changes: RecordingChanges, note: AuditNote): void => {
      if (!forward[from].includes(to)) throw new TypeError(`a recording never goes from ${from} to ${to}`);
      const keys = Object.keys(changes).filter(isColumn);
      const assignments = keys.map((key) => `, ${columns[key]} = @${key}`).join('');
      const values = Object.fromEntries(
        keys.map((key) => [key, key === 'flags' ? JSON.stringify(changes.flags) : (changes[key] ?? null)]),
      );
      const moved = updateStatus(assignments).run({ ...values, id, from, to });
      if (moved.changes === 0) {
        throw new PreavisError('status_conflict', `recording ${id} is no longer ${from}`);
      }
      audit(id, note, from, to);
    },
  );

  function audit(id: RecordingId, note: AuditNote, from: string | null, to: string | null): void {
    insertAudit.run({
      at: now(),
      id,
      event: note.event,
      from,
      to,
      actor: note.actor,
      detail: JSON.stringify(note.detail ?? {}),
    });
  }

  return {
    recording: (id: string): RecordingRow | undefined => recordingRow.optional().parse(selectOne.get(id)),
    recordings: ({ status, limit }: RecordingFilter): RecordingRow[] =>
      rows.parse(selectAll.all({ status: status ?? null, limit })),
    /** Status `recording`, but the recorder or the whole call has ended. */
    finishable: (): RecordingRow[] => rows.parse(selectFinishable.all()),
    /** Status `recorded` and not postponed, oldest first, beyond `after`. */
    sendable: (at: number, after: string, limit: number): RecordingRow[] =>
      rows.parse(selectSendable.all(at, after, limit)),
    /** Whose keepUntil has come, in the order of ids, beyond `after`. */
    due: (at: number, after: string, limit: number): RecordingRow[] => rows.parse(selectDue.all({ at, after, limit })),
    knownObject: (archive: string): { key: string } | 'gone' | 'never' => {
      const known = knownRow.parse(selectKnown.get(archive));
      if (known === undefined) return 'never';

      return known.status === 'archived' ? { key: known.key } : 'gone';
    },
    counts: (): Partial<Record<RecordingStatus, number>> =>
      Object.fromEntries(
        z
          .array(z.object({ status: z.string(), count: z.number() }))
          .parse(countByStatus.all())
          .map((row) => [row.status, row.count]),
      ),
    /** P5: a guarded step forward, with its line in the audit trail. Throws status_conflict. */
    move: (
      id: RecordingId,
      from: RecordingStatus,
      to: RecordingStatus,
      changes: RecordingChanges,
      note: AuditNote,
    ): void => {
      move.immediate(id, from, to, changes, note);
    },
    /**
     * Makes the row of a WAV whose call was announced and saved, but whose recorder was never reported: the process died in
     * between. Null when no call with a verified notice was to make it (P1).
     */
    adopt: (id: RecordingId): RecordingRow | undefined => {
      const adopted = adopt.run({ id }).changes === 1;
      if (adopted) audit(id, { event: 'found in the spool', actor: 'serve' }, null, 'recording');
      return recordingRow.optional().parse(selectOne.get(id));
    },
    postpone: (id: RecordingId, until: number): void => {
      postpone.run(until, id);
    },
    note: (id: RecordingId, note: AuditNote): void => {
      audit(id, note, null, null);
    },
    audit: (id: RecordingId): AuditRow[] => z.array(auditRow).parse(selectAudit.all(id)),
  };
}
