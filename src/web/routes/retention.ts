import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { isActive } from '../../catalogue/retention/legalHolds.ts';
import { dayMs } from '../../core/clock.ts';
import { overdueAfterMs } from '../../retention/promised.ts';
import { route, type Route } from '../route.ts';
import { hold, listedRecording, named, page, recordingPage } from '../schemas.ts';
import { seenPage } from '../seenPages.ts';
import { shownHold, shownRecordingOfList } from '../shown.ts';
import { decided, type ListedCall } from '../subjects.ts';
import type { WebPorts } from '../ports.ts';

/** Where a list by ends goes on. */
const end = z.object({ keepUntil: z.number(), id: z.string() });
type End = z.output<typeof end>;

const upcomingDays = 30;

const query = z.strictObject(page);

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
    handle: async ({ actor, pages, query: { limit } }, ports) => {
      const at = ports.clock.now();
      const until = { due: at, overdue: at - overdueAfterMs, upcoming: at + upcomingDays * dayMs }[which];
      const start = which === 'upcoming' ? { keepUntil: at, id: '~' } : { keepUntil: 0, id: '' };
      const { listed, next } = await seenPage<End>(actor, ports, {
        after: pages.begin(end) ?? start,
        limit,
        read: async (after, most) => {
          const rows = await ports.catalogue.figures.byEnd(after, most);
          const within = rows.filter(({ keepUntil }) => keepUntil <= until);

          return within.map(({ callId, keepUntil, id }) => ({ call: callId, place: { keepUntil, id } }));
        },
        fits: which === 'upcoming' ? () => true : isOver(at),
      });
      const recordings = listed.flatMap((each) => shownRecordingOfList(each, at) ?? []);

      return { kind: 'json', body: { recordings, next: pages.next(next) } };
    },
  }),
);

export const heldPage = named(
  'HeldPage',
  recordingPage.extend({
    recordings: z
      .array(listedRecording.extend({ holds: z.array(hold).describe('Those that keep it now.') }))
      .describe('One that two holds keep is there twice.'),
  }),
);

async function activeHolds(actor: Actor, known: ListedCall, ports: WebPorts): Promise<z.input<typeof hold>[]> {
  const { allowed: withReason } = await decided(ports, actor, 'release', known);
  const at = ports.clock.now();

  return known.holds.filter((each) => isActive(each, at)).map((each) => shownHold(each, withReason));
}

const held = route({
  method: 'GET',
  path: '/retention/held',
  summary: 'List the recordings that holds keep, in the order in which the holds were set',
  act: 'list',
  query,
  answer: { status: 200, schema: heldPage, description: 'A page of recordings.' },
  handle: async ({ actor, pages, query: { limit } }, ports) => {
    const at = ports.clock.now();
    const { legalHolds, recordings: kept } = ports.catalogue;
    const { listed, next } = await seenPage<string>(actor, ports, {
      after: pages.begin(z.string()) ?? '',
      limit,
      read: async (after, most) => {
        const holds = await legalHolds.active(at, after, most);
        const rows: { call: string; place: string }[] = [];
        for (const { id: hold, recording } of holds) {
          rows.push({ call: (await kept.find(recording))?.callId ?? '', place: hold });
        }

        return rows;
      },
    });
    const shown = listed.map(async (each) => {
      const recording = shownRecordingOfList(each, at);

      return recording === undefined ? [] : [{ ...recording, holds: await activeHolds(actor, each, ports) }];
    });
    const recordings = (await Promise.all(shown)).flat();

    return { kind: 'json', body: { recordings, next: pages.next(next) } };
  },
});

export const retentionRoutes: readonly Route[] = [...ofEnds, held];
