import * as z from 'zod';
import { auditOf } from '../../access/audit.ts';
import { liveCalls } from '../live.ts';
import { route, type Route } from '../route.ts';
import { components, id, liveCall, pbxGiven } from '../schemas.ts';
import { allowed, knownCall } from '../subjects.ts';

const livePage = z.object({ calls: z.array(liveCall) });
components.add(livePage, { id: 'LiveCalls' });

const done = z.object({
  call: z.string(),
  done: z.boolean().describe('false: an agreement was noted, but the notice did not name its purpose.'),
  paused: z.boolean().optional(),
  recorded: z.boolean().optional(),
  agreement: z.boolean().optional(),
});
components.add(done, { id: 'Done' });
export type Done = z.output<typeof done>;

const acts = [
  ['pause', 'Pause the recording of a call that goes on'],
  ['resume', 'Let the recording of a paused call go on, once both sides have heard that it does'],
  ['record', 'Record a call from now on that goes on, on a line that records on request'],
  ['agreement', 'Mark that an agreement is made in a call that goes on'],
] as const;

const seen = route({
  method: 'GET',
  path: '/live',
  summary: 'List the calls that go on now',
  description: 'GET /live/events is a WebSocket that tells whenever something of them changes.',
  act: 'seeLive',
  query: z.strictObject({ pbx: pbxGiven.optional() }),
  answer: { status: 200, schema: livePage, description: 'The calls.' },
  handle: async ({ actor, query }, ports) => {
    const calls = await liveCalls(actor, ports);

    return { kind: 'json', body: { calls: calls.filter(({ pbx }) => query.pbx === undefined || pbx === query.pbx) } };
  },
});

const asked = acts.map(([task, summary]) =>
  route({
    method: 'POST',
    path: `/live/{id}/${task}`,
    summary,
    description: 'It is asked of the serve that has the call, and answered once it is done.',
    act: 'actOnCall',
    params: id,
    answer: { status: 200, schema: done, description: 'What became of it.' },
    handle: async ({ actor, params }, ports) => {
      const { call, recording } = await allowed(ports, actor, 'actOnCall', await knownCall(ports, params.id));
      const { fields, isFull } = await ports.ask(task, call);
      const step = auditOf(actor, { did: 'actedOnCall', what: task });
      await ports.catalogue.auditTrail.append(recording?.id ?? null, step);

      return { kind: 'json', body: { call: call.id, done: isFull, ...fields } };
    },
  }),
);

export const liveRoutes: readonly Route[] = [seen, ...asked];
