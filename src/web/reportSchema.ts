import * as z from 'zod';
import { recordingStatuses } from '../catalogue/statuses.ts';
import { named } from './schemas.ts';

/** The report of a month, as `preavis report --json` prints it. */

const time = z.iso.datetime();
const count = z.int();
const byCode = z.array(z.object({ code: z.string(), recordings: count }));

const purpose = z.object({
  purpose: z.string(),
  configured: z.boolean().describe('false: not any more; what was recorded for it is kept to its end.'),
  justification: z.string().nullable(),
  legalBasis: z.string().nullable(),
  keepDays: count.nullable(),
  recordings: count,
  bytes: count,
  over: count.describe('Of them, those whose time for this purpose is over.'),
  oldest: time.nullable(),
  nextDue: time.nullable(),
  longestKeepUntil: time.nullable(),
});

const due = z.object({
  held: count,
  decided: count.describe('Held or not, since somebody has decided to erase them.'),
  awaitingPass: count,
  overdue: z.object({ recordings: count, since: time.nullable(), untried: count }),
  failures: byCode.describe('All that is due, not held, and failed at the last attempt.'),
});

const calls = z.object({
  recorded: count,
  unrecorded: z.array(z.object({ reason: z.string(), calls: count })),
  notConnected: count,
  abandoned: count,
  goingOn: count,
  refused: count.describe('Of all of these, those whose caller said no.'),
});

export const monthReport = named(
  'MonthReport',
  z.object({
    report: z.literal(1),
    printedAt: time,
    period: z.object({ month: z.string(), from: time, to: time }),
    controller: z.string().nullable(),
    company: z.string().nullable().describe('Whose calls it counts; null: those of all.'),
    otherCompanies: count,
    purposes: z.array(purpose),
    statuses: z.object(Object.fromEntries(recordingStatuses.map((status) => [status, count]))),
    due,
    holds: z.object({ active: count, reviewsOverdue: count, nextReview: time.nullable() }),
    clockDoubts: z.object({ open: count, oldest: time.nullable() }),
    uploads: z.array(z.object({ failure: z.string().nullable(), recordings: count, oldest: time })),
    calls,
    noticesNotVerified: z.array(z.object({ verdict: z.string(), sentences: count, calls: count })),
    witness: z.object({
      ...{ agrees: count, disagrees: count, missing: count, unavailable: count, notCompared: count },
    }),
    erased: count,
    certificates: count,
    erasureRequests: z.object({
      ...{ asked: count, erased: count, kept: count, failed: count },
      grounds: z.array(z.object({ ground: z.string(), recordings: count })),
      failures: byCode,
    }),
    failed: z.array(
      z.object({ status: z.enum(['failed', 'lost']), failure: z.string().nullable(), recordings: count }),
    ),
    unwatched: z.array(z.object({ flag: z.string(), recordings: count })),
    webhooks: z.array(z.object({ name: z.string(), waiting: count, failed: count, oldestWaiting: time.nullable() })),
    attention: z.array(z.string()).describe('What somebody should look at, in English.'),
  }),
);
