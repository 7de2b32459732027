import pLimit from 'p-limit';
import * as z from 'zod';
import type { Actor } from '../../access/actor.ts';
import type { Figures, FigureTimes } from '../../catalogue/figures.ts';
import { ownCalls } from '../../config/controllerSchema.ts';
import { dayMs, isoTime } from '../../core/clock.ts';
import { asPreavisError } from '../../core/errors.ts';
import { reportMonth } from '../../evidence/monthlyReport.ts';
import { erasureFailed } from '../../retention/pass.ts';
import { countAside } from '../../services/catalogue.ts';
import { knownControllers } from '../../services/controllers.ts';
import { monthlyReport } from '../../services/report.ts';
import { companiesCounted } from '../company.ts';
import type { WebPorts } from '../ports.ts';
import { RequestInvalid } from '../problems.ts';
import { monthReport } from '../reportSchema.ts';
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
  pbx: nameGiven.optional().describe('That came to the PBX of this name (`ari.pbx`). Default: to any.'),
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
  pbxs: z
    .array(z.object({ pbx: z.string(), calls: z.int() }))
    .describe(
      'Where calls have come to PBXs of several names, and none is asked for: how many that came to each were not recorded. Else empty.',
    ),
});
components.add(unrecorded, { id: 'UnrecordedReport' });
export type UnrecordedReport = z.output<typeof unrecorded>;

const withinMs = 2 * 60_000;

/** Throws request_invalid for one that has not begun. */
function monthOf(asked: string | undefined, at: number): ReturnType<typeof reportMonth> {
  try {
    return reportMonth(asked, at);
  } catch (thrown) {
    if (asPreavisError(thrown).code !== 'usage') throw thrown;
    throw new RequestInvalid([{ where: 'query.month', message: 'has not begun' }]);
  }
}

/** Throws access_refused for a company that they do not see, and request_invalid for one that there is not. */
async function companyOf(
  actor: Actor,
  asked: string | undefined,
  { config, catalogue }: Pick<WebPorts, 'config' | 'catalogue'>,
): Promise<string | null | undefined> {
  companiesCounted(actor, asked);
  if (asked === undefined || asked === ownCalls) return asked === undefined ? undefined : null;
  if (!(await knownControllers(config, catalogue)).includes(asked))
    throw new RequestInvalid([{ where: 'query.controller', message: 'is not a company' }]);

  return asked;
}

function ofMonth(): Route {
  // One after the other: each reads the whole catalogue.
  const inOrder = pLimit(1);

  return route({
    method: 'GET',
    path: '/report',
    summary: 'Read the report of a month: what is kept and why, what is due, what failed, what needs attention',
    description: 'What `preavis report --json` prints. It is counted anew each time, which may take seconds.',
    act: 'readReport',
    query: z.strictObject({
      month: z
        .string()
        .regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'is not a month such as 2026-10')
        .optional()
        .describe('Of UTC. Default: the last one that is over.'),
      controller: period.shape.controller,
    }),
    withinMs,
    answer: { status: 200, schema: monthReport, description: 'The report.' },
    handle: async ({ actor, query, signal }, ports) => {
      const { config, catalogue, clock } = ports;
      const at = clock.now();
      const controller = await companyOf(actor, query.controller, ports);
      const month = monthOf(query.month, at);
      const readFigures = (times: FigureTimes, of: typeof controller): Promise<Figures> =>
        inOrder(() => countAside(ports, { times, erasureFailed, controller: of }, signal));
      const order = { month, at, company: query.controller, controller };
      const made = await monthlyReport({ config, catalogue, readFigures }, order);

      return { kind: 'json', body: { ...made, attention: [...made.attention] } };
    },
  });
}

export const reportRoutes = (): readonly Route[] => [
  ofMonth(),
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
      const found = await catalogue.figures.unrecorded({ from, to }, controllers, query.pbx);
      const names = query.pbx === undefined ? await catalogue.search.pbxs() : [];
      const pbxs = names.length > 1 ? await catalogue.figures.unrecordedByPbx({ from, to }, names, controllers) : [];

      return { kind: 'json', body: { from: isoTime(from), to: isoTime(to), ...found, pbxs } };
    },
  }),
];
