import type Database from 'better-sqlite3';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { ApprovalId, RecordingId } from '../../core/ids.ts';
import type { AuditTrail } from '../retention/auditTrail.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { writing } from '../sqlite/writing.ts';

export const approvalRow = row(
  {
    id: z.string().transform((id) => id as ApprovalId),
    recording: recordingId,
    purpose: z.string(),
    /** As the audit trail names them, like `decidedBy`. */
    asker: z.string(),
    /** In words of whoever asked: it may name people, and goes nowhere else. Empty once the recording is erased. */
    reason: z.string(),
    /** ms since 1970 UTC. */
    askedAt: z.number(),
    /** Until when it can be answered. */
    openUntil: z.number(),
    /** null: nobody has answered. */
    verdict: z.enum(['approved', 'refused', 'expired']).nullable(),
    decidedAt: z.number().nullable(),
    decidedBy: z.string().nullable(),
    /** Until when the recording may be heard; null unless it was approved. */
    endsAt: z.number().nullable(),
  },
  { recording: 'recording_id' },
);
export type ApprovalRow = z.output<typeof approvalRow>;
export type NewApproval = Pick<
  ApprovalRow,
  'id' | 'recording' | 'purpose' | 'asker' | 'reason' | 'askedAt' | 'openUntil'
>;
export type Verdict = { by: string; at: number } & ({ verdict: 'approved'; endsAt: number } | { verdict: 'refused' });

/** The table `approvals`. Who asked, who answered and what is in the audit trail for good; the reason is not. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeApprovals(
  database: Database.Database,
  trail: Pick<AuditTrail, 'append'>,
  requireThere: (recording: RecordingId) => unknown,
) {
  const selectOpenOf = database.prepare(`
    SELECT * FROM approvals WHERE recording_id = @recording AND asker = @asker AND purpose = @purpose
      AND verdict IS NULL AND open_until > @askedAt LIMIT 1`);
  const insert = database.prepare(`
    INSERT INTO approvals (id, recording_id, purpose, asker, reason, asked_at, open_until)
    VALUES (@id, @recording, @purpose, @asker, @reason, @askedAt, @openUntil)`);
  const select = database.prepare(`SELECT * FROM approvals WHERE id = ?`);
  const update = database.prepare(`
    UPDATE approvals SET verdict = @verdict, decided_at = @at, decided_by = @by, ends_at = @endsAt
    WHERE id = @id AND verdict IS NULL AND open_until > @at`);
  const selectOf = database.prepare(`SELECT * FROM approvals WHERE recording_id = ? AND asker = ? ORDER BY id`);
  const selectOpen = database.prepare(`
    SELECT * FROM approvals WHERE verdict IS NULL AND open_until > @at AND id > @after ORDER BY id LIMIT @limit`);
  const selectAsked = database.prepare(`
    SELECT * FROM approvals WHERE asker = @asker AND id < @before ORDER BY id DESC LIMIT @limit`);
  const selectExpired = database.prepare(
    `SELECT * FROM approvals WHERE verdict IS NULL AND open_until <= ? ORDER BY id`,
  );
  const expire = database.prepare(`UPDATE approvals SET verdict = 'expired', decided_at = open_until WHERE id = ?`);
  const removeOld = database.prepare(
    `DELETE FROM approvals WHERE verdict IS NOT NULL AND coalesce(ends_at, decided_at) <= ?`,
  );
  const find = (id: string): ApprovalRow | undefined => approvalRow.optional().parse(select.get(id));

  const ask = writing(database, (approval: NewApproval): ApprovalRow => {
    const open = approvalRow.optional().parse(selectOpenOf.get(approval));
    if (open !== undefined) return open;
    // Another process may have erased it since it was decided: nothing would remove the reason any more.
    requireThere(approval.recording);
    insert.run(approval);
    const { id, recording, purpose, asker, openUntil } = approval;
    trail.append(recording, { event: 'approval asked', actor: asker, detail: { approval: id, purpose, openUntil } });

    return approvalRow.parse(select.get(id));
  });

  const decide = writing(database, (id: ApprovalId, answer: Verdict): ApprovalRow => {
    const approval = find(id);
    if (approval === undefined) throw new PreavisError('approval_unknown', 'there is no question with this id');
    const { asker, recording, purpose } = approval;
    if (asker === answer.by) throw new PreavisError('approval_own', 'whoever asked cannot answer');
    const endsAt = answer.verdict === 'approved' ? answer.endsAt : null;
    const { by, at, verdict } = answer;
    if (update.run({ id, by, at, verdict, endsAt }).changes === 0) {
      throw new PreavisError(
        'approval_closed',
        approval.verdict === null ? 'its time is over' : 'it was answered before',
      );
    }
    const detail = { approval: id, purpose, asker, ...(endsAt === null ? {} : { until: endsAt }) };
    const event = verdict === 'approved' ? 'approval given' : 'approval refused';
    trail.append(recording, { event, actor: by, detail });

    return approvalRow.parse(select.get(id));
  });

  const sweep = writing(database, (at: number, before: number, actor: string): void => {
    for (const { id, recording, purpose, asker } of z.array(approvalRow).parse(selectExpired.all(at))) {
      expire.run(id);
      trail.append(recording, { event: 'approval expired', actor, detail: { approval: id, purpose, asker } });
    }
    removeOld.run(before);
  });

  return {
    /** The same question, still open, is asked once: the earlier one is given back. Throws recording_gone and recording_unknown. */
    ask,
    /** Throws approval_unknown, approval_own, and approval_closed for one that was answered or whose time is over. */
    decide,
    find: (id: string): ApprovalRow | undefined => find(id),
    /** All that somebody asked of a recording, the oldest first. */
    of: (recording: RecordingId, asker: string): ApprovalRow[] =>
      z.array(approvalRow).parse(selectOf.all(recording, asker)),
    /** Those that wait for an answer, in the order of ids, beyond `after`. */
    open: (at: number, after: string, limit: number): ApprovalRow[] =>
      z.array(approvalRow).parse(selectOpen.all({ at, after, limit })),
    /** All that somebody asked, the newest first, before `before`. */
    askedBy: (asker: string, before: string, limit: number): ApprovalRow[] =>
      z.array(approvalRow).parse(selectAsked.all({ asker, before, limit })),
    /** Ends what nobody has answered, and removes what has been over since `before`. */
    sweep,
  };
}
