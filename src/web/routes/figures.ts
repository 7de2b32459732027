import { setImmediate as breathe } from 'node:timers/promises';
import * as z from 'zod';
import { dayMs, isoTime } from '../../core/clock.ts';
import { makePolicy } from '../../policy/policy.ts';
import { waitsOf } from '../../policy/waits.ts';
import { loadLibrary } from '../../services/prompts.ts';
import { companiesCounted } from '../company.ts';
import { RequestInvalid } from '../problems.ts';
import type { WebPorts } from '../ports.ts';
import { route, type Route } from '../route.ts';
import { named, nameGiven } from '../schemas.ts';

/** A quarter of a year, with the days of its months. */
const mostDays = 93;
const usualDays = 30;
/** Recordings that are counted at a time. */
const batch = 2_000;
/** So long a count of everything is not made anew, ms. */
const keptMs = 10 * 60_000;
/** So long it is given while another one is made, ms. */
const shownMs = 60 * 60_000;
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
    countedAt: z.iso
      .datetime()
      .describe(
        'It is counted anew every ten minutes at most. While that goes on the last count is given, for an hour at most.',
      ),
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

type Stored = z.input<typeof storage>;

async function count({ catalogue, clock }: WebPorts): Promise<{ at: number; found: Stored }> {
  const at = clock.now();
  const sums = new Map<string, { recordings: number; bytes: number }>();
  for (let after: string | undefined = ''; after !== undefined;) {
    const part: Awaited<ReturnType<typeof catalogue.figures.storage>> = await catalogue.figures.storage(after, batch);
    for (const { purpose, recordings, bytes } of part.purposes) {
      const sum = sums.get(purpose) ?? { recordings: 0, bytes: 0 };
      sums.set(purpose, { recordings: sum.recordings + recordings, bytes: sum.bytes + bytes });
    }
    after = part.next;
    await breathe();
  }
  const purposes = [...sums].map(([purpose, sum]) => ({ purpose, ...sum }));

  return { at, found: { countedAt: isoTime(at), purposes } };
}

function storageRoute(): Route {
  let known: Awaited<ReturnType<typeof count>> | undefined;
  let counting: ReturnType<typeof count> | undefined;
  const countAnew = (ports: WebPorts): ReturnType<typeof count> =>
    (counting ??= count(ports)
      .then((counted) => (known = counted))
      .finally(() => {
        counting = undefined;
      }));

  return route({
    method: 'GET',
    path: '/figures/storage',
    summary: 'Count what is kept, by purpose',
    act: 'readReport',
    withinMs,
    answer: { status: 200, schema: storage, description: 'The counts.' },
    handle: async ({ actor }, ports) => {
      companiesCounted(actor, undefined);
      const age = known === undefined ? Infinity : Math.abs(ports.clock.now() - known.at);
      if (known !== undefined && age < keptMs) return { kind: 'json', body: known.found };
      const anew = countAnew(ports);
      if (known === undefined || age >= shownMs) return { kind: 'json', body: (await anew).found };
      // It reads the whole catalogue: who asks is given the last count meanwhile. Whoever asks once it has failed is told why.
      anew.catch(() => {
        known = undefined;
      });

      return { kind: 'json', body: known.found };
    },
  });
}

const seconds = route({
  method: 'GET',
  path: '/figures/notices',
  summary: 'Tell how many seconds callers wait before they talk, by line, languages and consent',
  act: 'readReport',
  answer: { status: 200, schema: notices, description: 'The seconds.' },
  handle: async ({ actor }, { config }) => {
    companiesCounted(actor, undefined);
    const waits = waitsOf(makePolicy(config, await loadLibrary(config)));
    const lines = waits.map(({ languages, ...wait }) => ({ ...wait, languages: [...languages] }));

    return { kind: 'json', body: { lines } };
  },
});

export const figureRoutes = (): readonly Route[] => [calls, storageRoute(), seconds];
