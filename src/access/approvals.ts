/** Hearing a recording on approval: somebody asks, somebody else answers, and the answer has an end. */
import type { ApprovalRow } from '../catalogue/access/approvals.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { Clock } from '../core/clock.ts';
import { PreavisError } from '../core/errors.ts';
import type { ApprovalId, IdMaker } from '../core/ids.ts';
import { fittingPage } from '../core/pages.ts';
import type { Act, Actor, Subject } from './actor.ts';
import { decideAccess, type Refusal } from './decide.ts';
import { findSubject, type SubjectPorts } from './subject.ts';
import { isProgram } from './users.ts';

const hourMs = 3_600_000;
/** So long a question waits for its answer. */
const openMs = 7 * 24 * hourMs;

export type ApprovalPorts = SubjectPorts & {
  catalogue: CataloguePart<{ approvals: 'ask' | 'decide' | 'find' | 'open' }>;
  clock: Clock;
  ids: Pick<IdMaker, 'approval'>;
};

export type Answered = { kind: 'done'; approval: ApprovalRow } | { kind: 'refused'; reason: Refusal };

const leastReason = 10;
const mostReason = 500;

/** What is wrong with a reason; undefined when nothing is. */
function reasonFault(reason: string): string | undefined {
  const { length } = Array.from(reason.trim());
  if (length < leastReason) return `needs at least ${leastReason} characters`;

  return length > mostReason ? `has more than ${mostReason} characters` : undefined;
}

/**
 * Asks to hear a recording for one of its purposes. The same question, still open, is asked once. Throws usage for a reason that is none,
 * purpose_foreign for a purpose that is heard without approval, or is not one of it.
 */
export async function askApproval(
  ports: ApprovalPorts,
  actor: Actor,
  { recording: id, purpose, reason }: { recording: string; purpose: string; reason: string },
): Promise<Answered> {
  const fault = reasonFault(reason);
  if (fault !== undefined) throw new PreavisError('usage', `the reason ${fault}`);
  const { catalogue, clock, ids } = ports;
  const askedAt = clock.now();
  const found = await findSubject(ports, id, actor.name, askedAt);
  const decision = decideAccess(actor, 'askApproval', found?.subject, askedAt);
  if (!decision.allowed) return { kind: 'refused', reason: decision.reason };
  const asked = found?.subject.purposes.find(({ name }) => name === purpose);
  // The same question, of this purpose alone.
  const ofThis = decideAccess(actor, 'askApproval', found && asked && { ...found.subject, purposes: [asked] }, askedAt);
  if (found === undefined || !ofThis.allowed) {
    throw new PreavisError(
      'purpose_foreign',
      'it is not a purpose of the recording that can be approved for this user',
    );
  }
  const question = {
    id: ids.approval(),
    recording: found.recording.id,
    purpose,
    asker: actor.name,
    reason: reason.trim(),
  };

  return {
    kind: 'done',
    approval: await catalogue.approvals.ask({ ...question, askedAt, openUntil: askedAt + openMs }),
  };
}

/**
 * Answers a question. Who answers must be somebody else, and must see the recording for that purpose; a question that does not exist is out of their scope.
 * Throws approval_own, approval_closed, and usage for a yes that is longer than access.approvalHours.
 *
 * @param verdict a yes counts for so many hours, or for access.approvalHours
 */
export async function answerApproval(
  ports: ApprovalPorts,
  actor: Actor,
  id: ApprovalId,
  verdict: 'refused' | { approvedForHours: number | undefined },
): Promise<Answered> {
  const { catalogue, clock, config } = ports;
  const at = clock.now();
  const asked = await catalogue.approvals.find(id);
  const found = asked && (await findSubject(ports, asked.recording, actor.name, at));
  const decision = decide(actor, found && ofPurpose(found.subject, asked), at);
  if (!decision.allowed) return { kind: 'refused', reason: decision.reason };
  const by = { by: actor.name, at };
  const answer =
    verdict === 'refused'
      ? { ...by, verdict }
      : { ...by, verdict: 'approved' as const, endsAt: at + hoursOf(verdict.approvedForHours, config) * hourMs };

  return { kind: 'done', approval: await catalogue.approvals.decide(id, answer) };
}

function hoursOf(asked: number | undefined, { access: { approvalHours } }: ApprovalPorts['config']): number {
  if (asked === undefined) return approvalHours;
  if (asked > approvalHours) {
    throw new PreavisError('usage', `an approval counts for ${approvalHours} hours at most (access.approvalHours)`);
  }

  return asked;
}

/** A recording of several purposes: who sees one of them approves nothing that is heard for another. */
const ofPurpose = (subject: Subject, { purpose }: Pick<ApprovalRow, 'purpose'>): Subject => ({
  ...subject,
  purposes: subject.purposes.filter(({ name }) => name === purpose),
});

/** `approve` without a subject asks whether they may approve at all: here it is of one recording, which must be there. */
const decide = (actor: Actor, subject: Subject | undefined, at: number) => {
  const act: Act = 'approve';
  // The yes of a program is nobody's, and may be that of who asked.
  if (isProgram(actor)) return { allowed: false, reason: 'role' } as const;
  const atAll = decideAccess(actor, act, undefined, at);
  if (!atAll.allowed) return atAll;

  return subject === undefined
    ? ({ allowed: false, reason: 'outOfScope' } as const)
    : decideAccess(actor, act, subject, at);
};

/**
 * What waits for an answer of this actor: of recordings that they see, and not asked by themselves. Beyond `after`, in the order of ids; a page
 * as `fittingPage` has it.
 */
export async function openApprovals(
  ports: ApprovalPorts,
  actor: Actor,
  after: string,
  limit: number,
): Promise<{ approvals: ApprovalRow[]; next: string | undefined }> {
  const at = ports.clock.now();
  const mayAnswer = async (approval: ApprovalRow): Promise<boolean> => {
    if (approval.asker === actor.name) return false;
    const found = await findSubject(ports, approval.recording, actor.name, at);

    return decide(actor, found && ofPurpose(found.subject, approval), at).allowed;
  };
  const { shown, next } = await fittingPage<ApprovalRow, string, ApprovalRow>({
    after,
    limit,
    read: (beyond, most) => ports.catalogue.approvals.open(at, beyond, most),
    placeOf: ({ id }) => id,
    fitting: async (rows) => {
      const fitting: { row: ApprovalRow; shown: ApprovalRow }[] = [];
      for (const row of rows) if (await mayAnswer(row)) fitting.push({ row, shown: row });

      return fitting;
    },
  });

  return { approvals: shown, next };
}
