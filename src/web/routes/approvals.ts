import * as z from 'zod';
import {
  answerApproval,
  askApproval,
  openApprovals,
  type Answered,
  type ApprovalPorts,
} from '../../access/approvals.ts';
import type { Actor } from '../../access/actor.ts';
import type { ApprovalRow } from '../../catalogue/access/approvals.ts';
import { isProgram } from '../../access/users.ts';
import { isoTime } from '../../core/clock.ts';
import { asPreavisError } from '../../core/errors.ts';
import type { ApprovalId } from '../../core/ids.ts';
import type { Pages } from '../cursor.ts';
import type { WebPorts } from '../ports.ts';
import { refusal, RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { id, named, nameGiven, page } from '../schemas.ts';
import { allowed, knownRecording } from '../subjects.ts';

const time = z.iso.datetime();

export const approval = named(
  'Approval',
  z.object({
    id: z.string(),
    recording: z.string(),
    purpose: z.string(),
    asker: z.string(),
    reason: z.string().describe('In words of whoever asked; empty once the recording is erased.'),
    askedAt: time,
    openUntil: time.describe('Until when it can be answered.'),
    state: z.enum(['open', 'approved', 'refused', 'expired']).describe('expired: nobody has answered in time.'),
    answeredAt: time.nullable(),
    answeredBy: z.string().nullable(),
    until: time.nullable().describe('Until when it may be heard; null unless it was approved.'),
  }),
);
export const approvalPage = named(
  'ApprovalPage',
  z.object({ approvals: z.array(approval), next: z.string().nullable().describe('cursor of the next page.') }),
);

function shownApproval(row: ApprovalRow, now: number): z.input<typeof approval> {
  const { id, recording, purpose, asker, reason, askedAt, openUntil, verdict, decidedAt, decidedBy, endsAt } = row;

  return {
    id,
    recording,
    purpose,
    asker,
    reason,
    askedAt: isoTime(askedAt),
    openUntil: isoTime(openUntil),
    state: verdict ?? (openUntil > now ? 'open' : 'expired'),
    answeredAt: isoTime(decidedAt),
    answeredBy: decidedBy,
    until: isoTime(endsAt),
  };
}

const portsOf = ({ catalogue, config, clock, ids }: WebPorts): ApprovalPorts => ({
  catalogue,
  config,
  clock,
  ids,
  extensionOf: async (call) => (await catalogue.extensions.of(call)) ?? null,
});

/** The words of the rules, as faults of the body. */
async function answered(given: Promise<Answered>, where: string): Promise<ApprovalRow> {
  const answer = await given.catch((thrown: unknown) => {
    const { code, message } = asPreavisError(thrown);
    if (code === 'usage' || code === 'purpose_foreign') throw new RequestInvalid([{ where, message }]);
    throw thrown;
  });
  if (answer.kind === 'refused') throw refusal(answer.reason);

  return answer.approval;
}

const ask = route({
  method: 'POST',
  path: '/recordings/{id}/approvals',
  summary: 'Ask to hear a recording that is heard on approval only',
  description: 'The same question, still open, is asked once: the earlier one is the answer.',
  act: 'askApproval',
  params: id,
  body: z.strictObject({
    purpose: nameGiven.describe('Of access.approvalFor, and of the recording.'),
    reason: z.string().trim().min(10).max(500).describe('In your words; it is erased with the recording.'),
  }),
  answer: { status: 201, schema: approval, description: 'The question.' },
  handle: async ({ actor, params, body }, ports) => {
    const { recording } = await allowed(ports, actor, 'askApproval', await knownRecording(ports, params.id));
    const row = await answered(askApproval(portsOf(ports), actor, { recording: recording.id, ...body }), 'body');

    return { kind: 'json', status: 201, body: shownApproval(row, ports.clock.now()) };
  },
});

const query = z.strictObject(page);

/** Behind every id. */
const lastId = 'Z'.repeat(26);

const pageOf = (
  rows: readonly ApprovalRow[],
  { limit, pages }: { limit: number; pages: Pages },
  now: number,
): z.input<typeof approvalPage> => ({
  approvals: rows.map((row) => shownApproval(row, now)),
  next: pages.next(rows.length < limit ? undefined : rows.at(-1)?.id),
});

const waiting = route({
  method: 'GET',
  path: '/approvals',
  summary: 'List the questions that wait for your answer, the oldest first',
  act: 'approve',
  query,
  answer: { status: 200, schema: approvalPage, description: 'A page of questions.' },
  handle: async ({ actor, pages, query: { limit } }, ports) => {
    const { approvals, next } = await openApprovals(portsOf(ports), actor, pages.begin(z.string()) ?? '', limit);
    const at = ports.clock.now();

    return {
      kind: 'json',
      body: { approvals: approvals.map((row) => shownApproval(row, at)), next: pages.next(next) },
    };
  },
});

const own = route({
  method: 'GET',
  path: '/approvals/own',
  summary: 'List the questions that you have asked, the newest first, with their answers',
  act: 'askApproval',
  query,
  answer: { status: 200, schema: approvalPage, description: 'A page of questions.' },
  handle: async ({ actor, pages, query: { limit } }, ports) => {
    const rows = await ports.catalogue.approvals.askedBy(actor.name, pages.begin(z.string()) ?? lastId, limit);

    return { kind: 'json', body: pageOf(rows, { limit, pages }, ports.clock.now()) };
  },
});

const answerBody = z.discriminatedUnion('verdict', [
  z.strictObject({
    verdict: z.literal('approved'),
    hours: z
      .int()
      .min(1)
      .max(720)
      .optional()
      .describe('How long it counts; at most, and by default, access.approvalHours.'),
  }),
  z.strictObject({ verdict: z.literal('refused') }),
]);

const give = (actor: Actor, id: ApprovalId, body: z.output<typeof answerBody>, ports: WebPorts): Promise<Answered> =>
  answerApproval(portsOf(ports), actor, id, body.verdict === 'refused' ? 'refused' : { approvedForHours: body.hours });

const answer = route({
  method: 'POST',
  path: '/approvals/{id}/answer',
  summary: 'Approve or refuse that somebody else hears a recording',
  description:
    'Nobody answers their own question, and no program answers one. A yes ends with the purpose at the latest.',
  act: 'approve',
  params: id,
  body: answerBody,
  answer: { status: 200, schema: approval, description: 'The question with its answer.' },
  handle: async ({ actor, params, body }, ports) => {
    if (isProgram(actor)) throw refusal('program');
    const row = await answered(give(actor, params.id as ApprovalId, body, ports), 'body.hours');

    return { kind: 'json', body: shownApproval(row, ports.clock.now()) };
  },
});

export const approvalRoutes: readonly Route[] = [ask, waiting, own, answer];
