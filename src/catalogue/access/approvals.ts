import * as z from 'zod';
import { dayMs } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import type { ApprovalId, RecordingId } from '../../core/ids.ts';
import type { AuditTrail } from '../retention/auditTrail.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { all, change, one, sql, writing, type Step } from '../sql/step.ts';

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
  trail: Pick<AuditTrail, 'append'>,
  requireThere: (recording: RecordingId) => Step<unknown>,
) {
  const selectOpenOf = sql(`
    SELECT * FROM approvals WHERE recording_id = @recording AND asker = @asker AND purpose = @purpose
      AND verdict IS NULL AND open_until > @askedAt LIMIT 1`);
  const insert = sql(`
    INSERT INTO approvals (id, recording_id, purpose, asker, reason, asked_at, open_until)
    VALUES (@id, @recording, @purpose, @asker, @reason, @askedAt, @openUntil)`);
  const select = sql(`SELECT * FROM approvals WHERE id = @id`);
  const update = sql(`
    UPDATE approvals SET verdict = @verdict, decided_at = @at, decided_by = @by, ends_at = @endsAt
    WHERE id = @id AND verdict IS NULL AND open_until > @at`);
  const selectOf = sql(`SELECT * FROM approvals WHERE recording_id = @recording AND asker = @asker ORDER BY id`);
  const selectOpen = sql(`
    SELECT * FROM approvals WHERE verdict IS NULL AND open_until > @at AND id > @after ORDER BY id LIMIT @limit`);
  const selectAsked = sql(`
    SELECT * FROM approvals WHERE asker = @asker AND id < @before ORDER BY id DESC LIMIT @limit`);
  const selectExpired = sql(
    `SELECT * FROM approvals WHERE verdict IS NULL AND (open_until <= @at OR asked_at > @aheadSince) ORDER BY id`,
  );
  const expire = sql(`
    UPDATE approvals SET verdict = 'expired', decided_at = CASE WHEN open_until < @at THEN open_until ELSE @at END WHERE id = @id`);
  const removeOld = sql(
    `DELETE FROM approvals WHERE verdict IS NOT NULL AND (coalesce(ends_at, decided_at) <= @before OR decided_at > @aheadSince)`,
  );
  function* find(id: string): Step<ApprovalRow | undefined> {
    return approvalRow.optional().parse(yield* one(select, { id }));
  }

  const ask = writing(function* (approval: NewApproval): Step<ApprovalRow> {
    const open = approvalRow.optional().parse(yield* one(selectOpenOf, approval));
    if (open !== undefined) return open;
    // Another process may have erased it since it was decided: nothing would remove the reason any more.
    yield* requireThere(approval.recording);
    yield* change(insert, approval);
    const { id, recording, purpose, asker, openUntil } = approval;
    yield* trail.append(recording, {
      event: 'approval asked',
      actor: asker,
      detail: { approval: id, purpose, openUntil },
    });

    return approvalRow.parse(yield* one(select, { id }));
  });

  const decide = writing(function* (id: ApprovalId, answer: Verdict): Step<ApprovalRow> {
    const approval = yield* find(id);
    if (approval === undefined) throw new PreavisError('approval_unknown', 'there is no question with this id');
    const { asker, recording, purpose } = approval;
    if (asker === answer.by) throw new PreavisError('approval_own', 'whoever asked cannot answer');
    const endsAt = answer.verdict === 'approved' ? answer.endsAt : null;
    const { by, at, verdict } = answer;
    if ((yield* change(update, { id, by, at, verdict, endsAt })) === 0) {
      throw new PreavisError(
        'approval_closed',
        approval.verdict === null ? 'its time is over' : 'it was answered before',
      );
    }
    const detail = { approval: id, purpose, asker, ...(endsAt === null ? {} : { until: endsAt }) };
    const event = verdict === 'approved' ? 'approval given' : 'approval refused';
    yield* trail.append(recording, { event, actor: by, detail });

    return approvalRow.parse(yield* one(select, { id }));
  });

  const sweep = writing(function* (at: number, before: number, actor: string): Step<void> {
    // What is from so far ahead was written before the clock was set back, and would stay for as much longer.
    const aheadSince = at + dayMs;
    const expired = z.array(approvalRow).parse(yield* all(selectExpired, { at, aheadSince }));
    for (const { id, recording, purpose, asker } of expired) {
      yield* change(expire, { id, at });
      yield* trail.append(recording, { event: 'approval expired', actor, detail: { approval: id, purpose, asker } });
    }
    yield* change(removeOld, { before, aheadSince });
  });

  return {
    /** The same question, still open, is asked once: the earlier one is given back. Throws recording_gone and recording_unknown. */
    ask,
    /** Throws approval_unknown, approval_own, and approval_closed for one that was answered or whose time is over. */
    decide,
    find,
    /** All that somebody asked of a recording, the oldest first. */
    *of(recording: RecordingId, asker: string): Step<ApprovalRow[]> {
      return z.array(approvalRow).parse(yield* all(selectOf, { recording, asker }));
    },
    /** Those that wait for an answer, in the order of ids, beyond `after`. */
    *open(at: number, after: string, limit: number): Step<ApprovalRow[]> {
      return z.array(approvalRow).parse(yield* all(selectOpen, { at, after, limit }));
    },
    /** All that somebody asked, the newest first, before `before`. */
    *askedBy(asker: string, before: string, limit: number): Step<ApprovalRow[]> {
      return z.array(approvalRow).parse(yield* all(selectAsked, { asker, before, limit }));
    },
    /** Ends what nobody has answered, and removes what has been over since `before`. */
    sweep,
  };
}
