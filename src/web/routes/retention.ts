import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import { firstDue } from '../../catalogue/calls/recordings.ts';
import { isActive } from '../../catalogue/retention/legalHolds.ts';
import { recordingId } from '../../catalogue/sqlite/rowForm.ts';
import { dayMs } from '../../core/clock.ts';
import { isLockKnown } from '../../retention/lockedDue.ts';
import { erasureFailed } from '../../retention/pass.ts';
import { overdueAfterMs } from '../../retention/promised.ts';
import { route, type Route } from '../route.ts';
import { hold, listedRecording, named, page, recordingPage } from '../schemas.ts';
import { seenPage, type Listed } from '../seenPages.ts';
import { shownHold, shownRecordingOfList } from '../shown.ts';
import { decided, type ListedCall } from '../subjects.ts';
import type { WebPorts } from '../ports.ts';

/** Where a list by ends goes on. */
const end = z.object({ keepUntil: z.number(), id: recordingId });
type End = z.output<typeof end>;

const upcomingDays = 30;

const query = z.strictObject(page);

const lists = {
  due: 'List the recordings whose time is over and which neither a hold, a doubt about clocks, nor a lock that was set keeps, the oldest end first',
  overdue: 'List those of them that a daily pass has missed',
  upcoming: 'List the recordings whose time is over within thirty days, the next end first',
  doubtful: 'List the recordings whose clocks disagree: none is erased before somebody says when they ended',
} as const;
type ListName = keyof typeof lists;

export const endingPage = named(
  'EndingPage',
  recordingPage.extend({
    recordings: z.array(
      listedRecording.extend({
        overdue: z.boolean().describe('A daily pass has missed it: it is due for longer than that takes.'),
      }),
    ),
  }),
);

type Part<Place> = {
  /** Where it begins at this time. */
  first: (at: number) => Place;
  place: z.ZodType<Place>;
  read: (ports: WebPorts, at: number, after: Place, most: number) => Promise<Listed<Place>[]>;
  /** What it has is due, and nothing keeps it. */
  mayBeOverdue?: boolean;
};

function isMissed({ recording }: ListedCall, at: number): boolean {
  const keepUntil = recording?.keepUntil ?? null;

  return keepUntil !== null && keepUntil <= at - overdueAfterMs;
}

const listOf = <Place>(which: ListName, { first, place, read, mayBeOverdue = false }: Part<Place>): Route =>
  route({
    method: 'GET',
    path: `/retention/${which}`,
    summary: lists[which],
    act: 'list',
    query,
    answer: { status: 200, schema: endingPage, description: 'A page of recordings.' },
    handle: async ({ actor, pages, query: { limit } }, ports) => {
      const at = ports.clock.now();
      const { listed, next } = await seenPage<Place>(actor, ports, {
        after: pages.begin(place) ?? first(at),
        limit,
        read: (after, most) => read(ports, at, after, most),
      });
      const recordings = listed.flatMap((each) => {
        const recording = shownRecordingOfList(each, at);

        return recording === undefined ? [] : [{ ...recording, overdue: mayBeOverdue && isMissed(each, at) }];
      });

      return { kind: 'json', body: { recordings, next: pages.next(next) } };
    },
  });

/** As the counts of `/system` have it. */
const dueBefore = (which: 'due' | 'overdue', afterMs: number): Route =>
  listOf<End>(which, {
    first: () => firstDue as End,
    place: end,
    mayBeOverdue: true,
    read: async ({ catalogue }, at, after, most) => {
      const rows: Listed<End>[] = [];
      for (const { callId, code, ...place } of await catalogue.figures.dueAttempts(at, erasureFailed, after, most)) {
        if (place.keepUntil > at - afterMs) break;
        const isKnown = code === 'archive_locked' && isLockKnown(await catalogue.auditTrail.of(place.id), at);
        // A row of no call is shown to nobody, and the list goes on behind it.
        rows.push({ call: isKnown ? '' : callId, place: { keepUntil: place.keepUntil, id: place.id } });
      }

      return rows;
    },
  });

const ofEnds: readonly Route[] = [
  dueBefore('due', 0),
  dueBefore('overdue', overdueAfterMs),
  listOf<End>('upcoming', {
    first: (at) => ({ keepUntil: at, id: '~' as End['id'] }),
    place: end,
    read: async ({ catalogue }, at, after, most) => {
      const rows = await catalogue.figures.byEnd(after, most);

      return rows
        .filter(({ keepUntil }) => keepUntil <= at + upcomingDays * dayMs)
        .map(({ callId, keepUntil, id }) => ({ call: callId, place: { keepUntil, id: id as End['id'] } }));
    },
  }),
  listOf<string>('doubtful', {
    first: () => '',
    place: z.string(),
    read: async ({ catalogue }, _at, after, most) => {
      const rows: Listed<string>[] = [];
      for (const { recording } of await catalogue.clockDoubts.open(after, most)) {
        rows.push({ call: (await catalogue.recordings.find(recording))?.callId ?? '', place: recording });
      }

      return rows;
    },
  }),
];

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
