import * as z from 'zod';
import { auditOf } from '../../access/audit.ts';
import { isoTime } from '../../core/clock.ts';
import { cursor } from '../cursor.ts';
import { route, type Route } from '../route.ts';
import { auditStep, named, timeGiven } from '../schemas.ts';

const trailPlace = z.object({ at: z.number(), line: z.number() });

/** So many parts of the trail are gone through for one page, and none is begun after so long, ms. */
const mostRounds = 8;
const lookForMs = 20;

const trail = named(
  'AuditTrail',
  z.object({
    lines: z.array(
      auditStep.extend({
        line: z.int().describe('Its number in the chain.'),
        recording: z.string().nullable().describe('null: it tells of no recording.'),
        call: z.string().nullable().describe('The call of the recording; null also where nothing is left of it.'),
      }),
    ),
    next: z
      .string()
      .nullable()
      .describe(
        'cursor of the next page; null after the last one. A page may be short, or empty, and have a next one.',
      ),
  }),
);

export type AuditPage = z.output<typeof trail>;

export const auditRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/audit',
    summary: 'Read the audit trail, newest first: what was done to recordings, and who came to look',
    description:
      'docs/access.md names the events of those who look. For who sees all calls: of one recording, GET /recordings/{id} has it. That somebody has read it is a line of it.',
    act: 'readAudit',
    query: z.strictObject({
      from: timeGiven.optional().describe('Written then or later.'),
      to: timeGiven.optional().describe('Written before then.'),
      event: z
        .string()
        .regex(/^[a-z][a-z ,-]{0,79}$/, 'is not the name of an event, such as `searched by number`')
        .optional()
        .describe('The name of the event, whole.'),
      actor: z
        .string()
        .regex(/^[\p{L}\p{N}][\p{L}\p{N} :@._()-]{0,127}$/u, 'is not a name as the trail has it, such as user:anna')
        .optional()
        .describe(
          'Who did it, as the trail has it: `user:anna`, `token:crm`, `openid:...`, `serve`. A name without a kind, `anna`, is that of a user, too.',
        ),
      about: z
        .enum(['recordings', 'others'])
        .optional()
        .describe('Lines of recordings, or of none: sign-ins, searches by number, sessions.'),
      limit: z.coerce.number().int().min(1).max(200).default(50).describe('At most this many.'),
      cursor: cursor.optional(),
    }),
    answer: { status: 200, schema: trail, description: 'A page of lines.' },
    handle: async ({ actor: reader, pages, query: { limit, from, to, event, actor, about } }, { catalogue, clock }) => {
      const lines: Awaited<ReturnType<typeof catalogue.auditTrail.search>>['lines'] = [];
      const search = { from, to, event, actor, about };
      let next = pages.begin(trailPlace);
      const began = clock.now();
      for (let round = 0; round < mostRounds; round += 1) {
        const page = await catalogue.auditTrail.search(search, next, limit - lines.length);
        lines.push(...page.lines);
        next = page.next;
        if (next === undefined || lines.length === limit || clock.now() - began >= lookForMs) break;
      }
      await catalogue.auditTrail.append(null, auditOf(reader, { did: 'readAudit' }));

      return {
        kind: 'json',
        body: { lines: lines.map((each) => ({ ...each, at: isoTime(each.at) })), next: pages.next(next) },
      };
    },
  }),
];
