import * as z from 'zod';
import { dayMs, isoTime } from '../../core/clock.ts';
import { companiesCounted } from '../company.ts';
import { RequestInvalid } from '../problems.ts';
import { route, type Route } from '../route.ts';
import { components, nameGiven } from '../schemas.ts';

/** A quarter of a year, with the days of its months. */
const longestMs = 93 * dayMs;
const usualMs = 30 * dayMs;

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const period = z.strictObject({
  from: time.optional().describe('Default: thirty days before `to`.'),
  to: time.optional().describe('Excluded. Default: now. At most 93 days from `from`.'),
  controller: nameGiven
    .optional()
    .describe('Of this company, of `controllers`; `own`: of none of them. Default: of all.'),
});

const unrecorded = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  calls: z.int().describe('All calls of the time, recorded or not.'),
  unrecorded: z.array(
    z.object({
      day: z.iso.date().describe('Of UTC.'),
      line: z.string().nullable(),
      reason: z.string().nullable(),
      calls: z.int(),
    }),
  ),
});
components.add(unrecorded, { id: 'UnrecordedReport' });
export type UnrecordedReport = z.output<typeof unrecorded>;

export const reportRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/reports/unrecorded',
    summary: 'Count the calls that were not recorded, by day, line and reason',
    description: 'preavis_calls_total has the same for Prometheus, and docs/dialplan.md what each reason means.',
    act: 'readReport',
    query: period,
    answer: { status: 200, schema: unrecorded, description: 'The counts.' },
    handle: async ({ actor, query }, { catalogue, clock }) => {
      const controllers = companiesCounted(actor, query.controller);
      const to = query.to ?? clock.now();
      const from = query.from ?? to - usualMs;
      if (to <= from || to - from > longestMs) {
        throw new RequestInvalid([{ where: 'query.from', message: 'is not before `to`, or by more than 93 days' }]);
      }
      const found = await catalogue.figures.unrecorded({ from, to }, controllers);

      return { kind: 'json', body: { from: isoTime(from), to: isoTime(to), ...found } };
    },
  }),
];
