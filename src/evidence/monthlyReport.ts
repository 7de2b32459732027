import type { DeliveryFigures } from '../catalogue/jobs/deliveries.ts';
import type { Figures } from '../catalogue/figures.ts';
import type { WaitingRecordings } from '../catalogue/calls/recordings.ts';
import { recordingStatuses } from '../catalogue/statuses.ts';
import type { Config } from '../config/schema.ts';
import { purposeOf } from '../config/purposeRules.ts';
import { isoTime } from '../core/clock.ts';
import { counted } from '../core/text/counted.ts';
import { inLanguage } from '../core/text/inLanguage.ts';
import { PreavisError } from '../core/errors.ts';
import { markdownBullets, markdownFacts, markdownLine } from '../core/text/markdown.ts';

/**
 * The monthly review: what is kept, why, until when, what is overdue, what failed. Counts, times and codes only; no ids of
 * calls or recordings, no personal data.
 */

/** A calendar month in UTC, from the first ms on and before the second. */
export type Month = { month: string; from: number; to: number };

function monthOf(year: number, index: number): Month {
  const from = Date.UTC(year, index);

  return { month: isoTime(from).slice(0, 7), from, to: Date.UTC(year, index + 1) };
}

/** The month that is asked for, or the last one that is over. Throws usage for one that is none or has not begun. */
export function reportMonth(asked: string | undefined, at: number): Month {
  const now = new Date(at);
  if (asked === undefined) return monthOf(now.getUTCFullYear(), now.getUTCMonth() - 1);
  const [, year, month] = /^(20\d\d)-(0[1-9]|1[0-2])$/.exec(asked) ?? [];
  if (year === undefined || month === undefined) throw new PreavisError('usage', '--month is a month such as 2026-10');
  const found = monthOf(Number(year), Number(month) - 1);
  if (found.from > at) throw new PreavisError('usage', '--month has not begun');

  return found;
}

/** What waits for the archive for longer needs attention, ms. */
const uploadLateMs = 24 * 3_600_000;

export type ReportSources = {
  config: Config;
  /** Whose it is, as `--controller` names it; null: of all. */
  company: string | null;
  month: Month;
  /** Now, ms since 1970 UTC. */
  at: number;
  figures: Figures;
  uploads: readonly WaitingRecordings[];
  webhooks: readonly DeliveryFigures[];
};

const nothingKept = { recordings: 0, bytes: 0, over: 0, oldestAt: null, nextEndAt: null, lastEndAt: null };

/** The purposes of the configuration, and those from before of which something is still kept. */
function purposesOf({ config, figures }: ReportSources) {
  const former = figures.purposes.filter(
    ({ purpose, recordings }) => recordings > 0 && !Object.hasOwn(config.purposes, purpose),
  );

  return [...Object.keys(config.purposes), ...former.map(({ purpose }) => purpose)].map((purpose) => {
    const configured = purposeOf(config.purposes, purpose);
    const kept = figures.purposes.find((each) => each.purpose === purpose);
    const { recordings, bytes, over, oldestAt, nextEndAt, lastEndAt } = kept ?? nothingKept;
    const worded = configured ?? kept?.stated ?? undefined;

    return {
      purpose,
      configured: configured !== undefined,
      // The report is in English.
      justification: worded === undefined ? null : inLanguage(worded.justification, 'en'),
      legalBasis: worded === undefined ? null : inLanguage(worded.legalBasis, 'en'),
      keepDays: configured?.keepDays ?? null,
      recordings,
      bytes,
      over,
      oldest: isoTime(oldestAt),
      nextDue: isoTime(nextEndAt),
      longestKeepUntil: isoTime(lastEndAt),
    };
  });
}

function callsOf({ figures }: ReportSources) {
  const sum = (result: string | null): number =>
    figures.calls.reduce((total, each) => (each.result === result ? total + each.calls : total), 0);

  return {
    recorded: sum('recorded'),
    unrecorded: figures.calls.flatMap(({ result, reason, calls }) =>
      result === 'unrecorded' ? [{ reason: reason ?? 'unknown', calls }] : [],
    ),
    notConnected: sum('notConnected'),
    abandoned: sum('abandoned'),
    goingOn: sum(null),
    /** Of all of these, those whose caller said no. */
    refused: figures.calls.reduce((total, { refused }) => total + refused, 0),
  };
}

function witnessOf({ figures }: ReportSources) {
  const of = (status: string | null): number => figures.witness.find(({ witness }) => witness === status)?.calls ?? 0;

  return {
    agrees: of('agrees'),
    disagrees: of('disagrees'),
    missing: of('missing'),
    unavailable: of('unavailable'),
    notCompared: of(null),
  };
}

function factsOf(sources: ReportSources) {
  const { config, month, at, figures, uploads, webhooks } = sources;
  const { due, holds, requests } = figures;
  const statuses = Object.fromEntries(
    recordingStatuses.map((status) => [
      status,
      figures.statuses.find((each) => each.status === status)?.recordings ?? 0,
    ]),
  );
  return {
    report: 1 as const,
    printedAt: isoTime(at),
    period: { month: month.month, from: isoTime(month.from), to: isoTime(month.to) },
    controller: config.controller.name ?? null,
    /** Whose calls it counts: one of `controllers`, own, or null for all of the installation. */
    company: sources.company,
    /** How many companies it counts together with the controller. */
    otherCompanies: sources.company === null ? Object.keys(config.controllers).length : 0,
    purposes: purposesOf(sources),
    statuses,
    due: {
      held: due.held,
      decided: due.decided,
      awaitingPass: due.awaiting,
      overdue: { recordings: due.overdue, since: isoTime(due.overdueSince), untried: due.untried },
      failures: due.failures,
    },
    holds: { active: holds.active, reviewsOverdue: holds.reviewsOverdue, nextReview: isoTime(holds.nextReviewAt) },
    clockDoubts: { open: figures.doubts.open, oldest: isoTime(figures.doubts.oldestAt) },
    uploads: uploads.map(({ failure, count, oldestAt }) => ({ failure, recordings: count, oldest: isoTime(oldestAt) })),
    calls: callsOf(sources),
    noticesNotVerified: figures.notices,
    witness: witnessOf(sources),
    erased: figures.ended.reduce((sum, each) => (each.status === 'erased' ? sum + each.recordings : sum), 0),
    certificates: figures.certificates,
    erasureRequests: { asked: requests.erased + requests.kept + requests.failed, ...requests },
    failed: figures.ended.flatMap(({ status, failure, recordings }) =>
      status === 'erased' ? [] : [{ status, failure, recordings }],
    ),
    unwatched: figures.unwatched,
    webhooks: webhooks.map(({ endpoint, waiting, failed, oldestWaitingAt }) => ({
      name: endpoint,
      waiting,
      failed,
      oldestWaiting: isoTime(oldestWaitingAt),
    })),
  };
}

type Facts = ReturnType<typeof factsOf>;
export type Report = Facts & { attention: readonly string[] };

export function makeReport(sources: ReportSources): Report {
  const facts = factsOf(sources);

  return { ...facts, attention: attentionOf(facts, sources.at) };
}

const some = (count: number, one: string, several: string): string[] =>
  count === 0 ? [] : [counted(count, one, several)];
const total = (rows: readonly { recordings: number }[]): number => rows.reduce((sum, row) => sum + row.recordings, 0);

/** What somebody should look at; empty when nothing is. */
function attentionOf(facts: Facts, at: number): string[] {
  const { due, holds, clockDoubts, uploads, failed, erasureRequests, witness, unwatched, webhooks } = facts;
  const late = uploads.filter(({ failure, oldest }) => failure === null && Date.parse(oldest) < at - uploadLateMs);

  return [
    ...some(
      due.overdue.recordings,
      'recording is overdue: its time is over, or its erasure is decided, and it is not erased',
      'recordings are overdue: their time is over, or their erasure is decided, and they are not erased',
    ),
    ...some(
      total(due.failures),
      'recording is due and could not be erased at the last attempt',
      'recordings are due and could not be erased at the last attempt',
    ),
    ...some(
      clockDoubts.open,
      'recording is kept until somebody settles when it ended: clocks disagree',
      'recordings are kept until somebody settles when they ended: clocks disagree',
    ),
    ...some(
      erasureRequests.failed,
      'recording that a person asked in the month to have erased could not be erased',
      'recordings that persons asked in the month to have erased could not be erased',
    ),
    ...some(
      total(uploads.filter(({ failure }) => failure !== null)),
      'recording could not be archived and waits',
      'recordings could not be archived and wait',
    ),
    ...some(
      total(late),
      'recording waits for the archive, for more than a day',
      'recordings wait for the archive, the oldest for more than a day',
    ),
    ...some(total(failed), 'recording failed or was lost in the month', 'recordings failed or were lost in the month'),
    ...some(holds.reviewsOverdue, 'hold should have been reviewed by now', 'holds should have been reviewed by now'),
    ...some(
      witness.disagrees + witness.missing,
      'call of the month is not what the second witness says',
      'calls of the month are not what the second witness says',
    ),
    ...unwatched.flatMap(({ flag, recordings }) =>
      some(
        recordings,
        `recording of the month was not watched for a while: ${flag}`,
        `recordings of the month were not watched for a while: ${flag}`,
      ),
    ),
    ...webhooks.flatMap(({ name, failed: given }) =>
      some(given, `message to the webhook ${name} was given up`, `messages to the webhook ${name} were given up`),
    ),
  ];
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes for people, in powers of 1000. */
export function sizeInWords(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);

  return `${power === 0 ? bytes : (bytes / 1_000 ** power).toFixed(1)} ${units[power] ?? ''}`;
}

const listed = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));

function purposeMarkdown(each: Facts['purposes'][number]): string[] {
  return [
    `### ${markdownLine(each.purpose)}`,
    '',
    ...markdownFacts([
      ...(each.configured
        ? []
        : [['Configured', 'not any more; what was recorded for it is kept to its end'] as const]),
      ['Why', each.justification ?? 'not stated'],
      ['Legal basis', each.legalBasis ?? 'not stated'],
      ['Kept for', each.keepDays === null ? 'as it was when each call was made' : counted(each.keepDays, 'day')],
      ['Recordings now', `${each.recordings}, ${sizeInWords(each.bytes)}`],
      ['Of them over for this purpose', `${each.over} (kept for another purpose, held, or due)`],
      ['The oldest', each.oldest ?? 'none'],
      ['The next to end', each.nextDue ?? 'none'],
      ['The last to end', each.longestKeepUntil ?? 'none'],
    ]),
    '',
  ];
}

function nowMarkdown({ statuses, due, holds, clockDoubts, uploads, webhooks }: Facts): string[] {
  const { overdue } = due;

  return markdownFacts([
    ['By status', listed(Object.entries(statuses).map(([status, count]) => `${status} ${count}`))],
    ['Due and held', String(due.held)],
    ['Due, held or not, since somebody has decided to erase them', String(due.decided)],
    ['Due, for the next pass', String(due.awaitingPass)],
    [
      'Overdue',
      overdue.since === null
        ? '0'
        : `${overdue.recordings}, the oldest since ${overdue.since}; for ${overdue.untried} of them no attempt has failed`,
    ],
    [
      'Due or overdue, and the last attempt failed',
      listed(due.failures.map(({ code, recordings }) => `${recordings} ${code}`)),
    ],
    [
      'Holds in force',
      `${holds.active}, ${holds.reviewsOverdue} past their review; next review: ${holds.nextReview ?? 'none'}`,
    ],
    [
      'Clocks disagree, not settled',
      clockDoubts.oldest === null ? '0' : `${clockDoubts.open}, the oldest found at ${clockDoubts.oldest}`,
    ],
    [
      'Waiting for the archive',
      listed(
        uploads.map(
          ({ failure, recordings, oldest }) =>
            `${recordings} ${failure ?? 'without a failure'} (the oldest of ${oldest})`,
        ),
      ),
    ],
    [
      'Webhooks',
      listed(
        webhooks.map(
          ({ name, waiting, failed, oldestWaiting }) =>
            `${name}: ${waiting} waiting${oldestWaiting === null ? '' : ` since ${oldestWaiting}`}, ${failed} given up`,
        ),
      ),
    ],
  ]);
}

function requestsMarkdown({ asked, erased, kept, failed, grounds, failures }: Facts['erasureRequests']) {
  const why = [
    ...grounds.map(({ ground, recordings }) => `${recordings} ${ground}`),
    ...failures.map(({ code, recordings }) => `${recordings} ${code}`),
  ];
  const isManifold = total(grounds) > kept;

  return [
    [
      'Recordings that persons asked to have erased',
      asked === 0 ? '0' : `${asked}: ${erased} erased, ${kept} kept, ${failed} could not be erased`,
    ],
    ['Why they are kept', `${listed(why)}${isManifold ? ' (one may have several grounds)' : ''}`],
  ] as const;
}

function monthMarkdown(facts: Facts): string[] {
  const { calls, noticesNotVerified, witness, failed, unwatched, erased, certificates, erasureRequests } = facts;

  return markdownFacts([
    ['Calls recorded', String(calls.recorded)],
    ['Calls unrecorded', listed(calls.unrecorded.map(({ reason, calls: count }) => `${count} ${reason}`))],
    ['Callers who refused', String(calls.refused)],
    [
      'Other calls',
      `${calls.notConnected} not connected, ${calls.abandoned} abandoned, ${calls.goingOn} going on or broken off`,
    ],
    [
      'Sentences of a notice that are not verified',
      listed(noticesNotVerified.map((each) => `${each.sentences} ${each.verdict} (in ${counted(each.calls, 'call')})`)),
    ],
    [
      'Second witness',
      `${witness.agrees} agree, ${witness.disagrees} disagree, ${witness.missing} missing, ` +
        `${witness.unavailable} without a witness, ${witness.notCompared} not compared yet`,
    ],
    [
      'Recordings that failed or were lost',
      listed(failed.map(({ status, failure, recordings }) => `${recordings} ${status} (${failure ?? 'no code'})`)),
    ],
    ['Recordings not watched for a while', listed(unwatched.map(({ flag, recordings }) => `${recordings} ${flag}`))],
    ['Recordings erased', String(erased)],
    ['Certificates of erasure', String(certificates)],
    ...requestsMarkdown(erasureRequests),
  ]);
}

export function reportMarkdown(report: Report): string {
  const { period, printedAt, controller, company, attention, purposes } = report;
  const lines = [
    `# Recordings: report of ${period.month}`,
    '',
    ...markdownFacts([
      ['Controller', controller ?? 'not stated'],
      ...(company === null ? [] : [['Counts', `what belongs to ${company} alone`] as const]),
      ...(report.otherCompanies === 0
        ? []
        : [
            [
              'Counts',
              `all of this installation, with ${counted(report.otherCompanies, 'other company', 'other companies')}`,
            ] as const,
          ]),
      ['Period', `${period.from} to ${period.to} (UTC)`],
      ['Printed', `${printedAt}; what is kept, due and waiting is of this moment`],
    ]),
    '',
    '## Needs attention',
    '',
    ...(attention.length === 0 ? ['Nothing.'] : markdownBullets(attention)),
    '',
    '## What is kept, and why',
    '',
    ...purposes.flatMap(purposeMarkdown),
    '## Where it stands now',
    '',
    ...nowMarkdown(report),
    '',
    `## In ${period.month}`,
    '',
    ...monthMarkdown(report),
  ];

  return `${lines.join('\n')}\n`;
}
