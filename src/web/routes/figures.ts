import { setImmediate as breathe } from 'node:timers/promises';
import * as z from 'zod';
import { dayMs, isoTime } from '../../core/clock.ts';
import { makePolicy } from '../../policy/policy.ts';
import { waitsOf } from '../../policy/waits.ts';
import type { KeptLibrary } from '../../services/keptLibrary.ts';
import { companiesCounted } from '../company.ts';
import type { Kept } from '../kept.ts';
import { RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { named, nameGiven } from '../schemas.ts';

/** A quarter of a year, with the days of its months. */
const mostDays = 93;
const usualDays = 30;
/** So long who asks for the storage waits for a count that is soon done, ms. */
const soonMs = 150;
const withinMs = 60_000;

const company = nameGiven
  .optional()
  .describe('Of this company, of `controllers`; `own`: of none of them. Default: of all.');

const callsByDay = named(
  'CallsByDay',
  z.object({
    days: z.array(
      z.object({
        day: z.iso.date().describe('Of UTC.'),
        result: z.string().nullable().describe('null: it goes on.'),
        languages: z.array(z.string()).describe('In which the notice was said; none where it was not.'),
        calls: z.int(),
      }),
    ),
  }),
);

const storage = named(
  'StorageByPurpose',
  z.object({
    countedAt: z.iso.datetime().nullable().describe('null: it is being counted for the first time.'),
    isCounting: z.boolean().describe('A count goes on, behind which there are newer figures.'),
    purposes: z
      .array(z.object({ purpose: z.string(), recordings: z.int(), bytes: z.int() }))
      .describe('A recording of two purposes counts for both.'),
  }),
);

const notices = named(
  'NoticeSeconds',
  z.object({
    lines: z.array(
      z.object({
        line: z.string(),
        languages: z.array(z.string()),
        consent: z.enum(['announce', 'optOut', 'optIn']),
        menuMs: z.int(),
        noticeMs: z.int().describe('Notice and question.'),
        spokenMs: z.int().describe('All that is said before the talk.'),
        longestMs: z.int().describe('What Préavis proposes at most for the notice.'),
      }),
    ),
  }),
);

export type CallsByDay = z.output<typeof callsByDay>;
export type StorageByPurpose = z.output<typeof storage>;
export type NoticeSeconds = z.output<typeof notices>;

const midnight = (at: number): number => Math.floor(at / dayMs) * dayMs;
const languageList = z.array(z.string());

const calls = route({
  method: 'GET',
  path: '/figures/calls',
  summary: 'Count calls by day, result and language',
  act: 'readReport',
  query: z.strictObject({
    from: z.iso.date().optional().describe('The first day, of UTC. Default: 29 days before the last.'),
    to: z.iso.date().optional().describe('The last day. Default: today. At most 93 days in all.'),
    controller: company,
  }),
  withinMs,
  answer: { status: 200, schema: callsByDay, description: 'The counts.' },
  handle: async ({ actor, query, signal }, { catalogue, clock }) => {
    const controllers = companiesCounted(actor, query.controller);
    const last = query.to === undefined ? midnight(clock.now()) : Date.parse(query.to);
    const first = query.from === undefined ? last - (usualDays - 1) * dayMs : Date.parse(query.from);
    if (first > last || last - first >= mostDays * dayMs) {
      throw new RequestInvalid([
        { where: 'query.from', message: `is behind \`to\`, or makes more than ${mostDays} days` },
      ]);
    }
    const days: z.input<typeof callsByDay>['days'] = [];
    for (let at = first; at <= last; at += dayMs) {
      signal.throwIfAborted();
      const day = isoTime(at).slice(0, 10);
      for (const { result, languages, calls: count } of await catalogue.figures.calls(at, at + dayMs, controllers)) {
        days.push({ day, result, languages: languageList.parse(JSON.parse(languages)), calls: count });
      }
      await breathe();
    }

    return { kind: 'json', body: { days } };
  },
});

const storageRoute = (count: Kept['storage']): Route =>
  route({
    method: 'GET',
    path: '/figures/storage',
    summary: 'Count what is kept, by purpose',
    description:
      'Among many recordings a count takes a while. Who asks is given the last one, and asks again for the next. One that takes long is made anew every ten minutes at most.',
    act: 'readReport',
    answer: { status: 200, schema: storage, description: 'The counts.' },
    handle: async ({ actor }) => {
      companiesCounted(actor, undefined);

      return { kind: 'json', body: await count.read(soonMs) };
    },
  });

const seconds = (library: KeptLibrary): Route =>
  route({
    method: 'GET',
    path: '/figures/notices',
    summary: 'Tell how many seconds callers wait before they talk, by line, languages and consent',
    act: 'readReport',
    answer: { status: 200, schema: notices, description: 'The seconds.' },
    handle: async ({ actor }, { config }) => {
      companiesCounted(actor, undefined);
      const waits = waitsOf(makePolicy(config, await library()));
      const lines = waits.map(({ languages, ...wait }) => ({ ...wait, languages: [...languages] }));

      return { kind: 'json', body: { lines } };
    },
  });

export const figureRoutes = ({ storage: count, library }: Kept): readonly Route[] => [
  calls,
  storageRoute(count),
  seconds(library),
];
