import * as z from 'zod';
import { dayMs } from '../../core/clock.ts';
import { overdueAfterMs } from '../../retention/promised.ts';
import type { WebPorts } from '../ports.ts';
import { route, type Route } from '../route.ts';
import { id, named, recordingPage } from '../schemas.ts';
import { shownRecordingOfList } from '../shown.ts';
import { knownRecording, listedCalls, type ListedCall } from '../subjects.ts';
import type { CallId } from '../../core/ids.ts';

/** Where a list by ends goes on. */
const endCursor = z
  .string()
  .regex(/^3\.\d{1,15}\.[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a cursor of this list')
  .transform((text) => {
    const [, keepUntil = '', last = ''] = text.split('.');

    return { keepUntil: Number(keepUntil), id: last };
  });

/** So many parts of an index are gone through for one page of what an actor may see. */
const mostRounds = 8;
const upcomingDays = 30;

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('At most this many.'),
  cursor: endCursor.optional().describe('`next` of the page before.'),
});

type Page = { listed: ListedCall[]; next: { keepUntil: number; id: string } | undefined };

/** Recordings in the order of their ends, from `from` on and until `until`, ms since 1970 UTC; those that `fits` says. */
async function byEnd(
  actor: Parameters<typeof listedCalls>[1],
  {
    after,
    until,
    limit,
    fits,
  }: { after: { keepUntil: number; id: string }; until: number; limit: number; fits: (each: ListedCall) => boolean },
  ports: WebPorts,
): Promise<Page> {
  const listed: ListedCall[] = [];
  let last = after;
  for (let round = 0; round < mostRounds; round += 1) {
    const most = limit - listed.length;
    const rows = await ports.catalogue.figures.byEnd(last, most);
    const within = rows.filter(({ keepUntil }) => keepUntil <= until);
    const calls = within.map(({ callId }) => callId as CallId);
    listed.push(...(await listedCalls(ports, actor, calls)).filter(fits));
    const end = within.at(-1);
    if (end === undefined || within.length < most) return { listed, next: undefined };
    last = { keepUntil: end.keepUntil, id: end.id };
    if (listed.length >= limit) break;
  }

  return { listed, next: last };
}

/** Whether every purpose is over, holds taken into account: then nothing keeps it. */
const isOver = (at: number) => (each: ListedCall) =>
  !each.isHeld && each.ends.every(({ keepUntil }) => keepUntil <= at);

const lists = {
  due: 'List the recordings whose time is over and which no hold keeps, the oldest end first',
  overdue: 'List those of them that a daily pass has missed',
  upcoming: 'List the recordings whose time is over within thirty days, the next end first',
} as const;

const ofEnds = (['due', 'overdue', 'upcoming'] as const).map((which) =>
  route({
    method: 'GET',
    path: `/retention/${which}`,
    summary: lists[which],
    act: 'list',
    query,
    answer: { status: 200, schema: recordingPage, description: 'A page of recordings.' },
    handle: async ({ actor, query: { limit, cursor } }, ports) => {
      const at = ports.clock.now();
      const until = { due: at, overdue: at - overdueAfterMs, upcoming: at + upcomingDays * dayMs }[which];
      const start = which === 'upcoming' ? { keepUntil: at, id: '~' } : { keepUntil: 0, id: '' };
      const fits = which === 'upcoming' ? () => true : isOver(at);
      const { listed, next } = await byEnd(actor, { after: cursor ?? start, until, limit, fits }, ports);
      const recordings = listed.flatMap((each) => shownRecordingOfList(each, at) ?? []);

      return {
        kind: 'json',
        body: { recordings, next: next === undefined ? null : `3.${next.keepUntil}.${next.id}` },
      };
    },
  }),
);

const heldPage = named(
  'HeldPage',
  recordingPage.extend({
    recordings: recordingPage.shape.recordings.describe('One that two holds keep is there twice.'),
  }),
);

const held = route({
  method: 'GET',
  path: '/retention/held',
  summary: 'List the recordings that holds keep, in the order in which the holds were set',
  act: 'list',
  query: z.strictObject({
    limit: query.shape.limit,
    cursor: id.shape.id.optional().describe('`next` of the page before.'),
  }),
  answer: { status: 200, schema: heldPage, description: 'A page of recordings.' },
  handle: async ({ actor, query: { limit, cursor = '' } }, ports) => {
    const at = ports.clock.now();
    const holds = await ports.catalogue.legalHolds.active(at, cursor, limit);
    const known = await Promise.all(holds.map(({ recording }) => knownRecording(ports, recording)));
    const calls = known.flatMap((each) => (each === undefined ? [] : [each.call.id]));
    const listed = await listedCalls(ports, actor, calls);
    const recordings = listed.flatMap((each) => shownRecordingOfList(each, at) ?? []);

    return { kind: 'json', body: { recordings, next: holds.length < limit ? null : (holds.at(-1)?.id ?? null) } };
  },
});

export const retentionRoutes: readonly Route[] = [...ofEnds, held];
