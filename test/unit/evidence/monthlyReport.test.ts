import type { Figures } from '../../../src/catalogue/figures.ts';
import { parseConfig } from '../../../src/config/load.ts';
import {
  makeReport,
  reportMarkdown,
  reportMonth,
  sizeInWords,
  type ReportSources,
} from '../../../src/evidence/monthlyReport.ts';
import { aPurpose, purposesConfig } from '../../support/policy/purposes.ts';

const at = Date.UTC(2026, 10, 26, 10);
const hour = 3_600_000;
const config = parseConfig({
  ...purposesConfig({ training: aPurpose(), agreement: aPurpose({ kind: 'evidence', keepDays: 395 }) }),
  controller: { name: 'Example *SA*\n# of old' },
});

const nothing: Figures = {
  purposes: [],
  statuses: [],
  due: { held: 0, awaiting: 0, overdue: 0, overdueSince: null, untried: 0, decided: 0, failures: [] },
  doubts: { open: 0, oldestAt: null },
  holds: { active: 0, reviewsOverdue: 0, nextReviewAt: null },
  calls: [],
  notices: [],
  witness: [],
  ended: [],
  unwatched: [],
  certificates: 0,
  requests: { erased: 0, kept: 0, failed: 0, grounds: [], failures: [] },
};

const reported = (figures: Partial<Figures>, over: Partial<ReportSources> = {}) =>
  makeReport({
    config,
    company: null,
    month: reportMonth(undefined, at),
    at,
    figures: { ...nothing, ...figures },
    uploads: [],
    webhooks: [],
    ...over,
  });

describe('the month of a report', () => {
  test.each<[string, number, string | undefined, string, string]>([
    ['the last one that is over', Date.UTC(2026, 10, 1), undefined, '2026-10-01', '2026-11-01'],
    ['that of the year before, in January', Date.UTC(2027, 0, 31, 23), undefined, '2026-12-01', '2027-01-01'],
    ['the one that is asked for', at, '2024-02', '2024-02-01', '2024-03-01'],
    ['the one that goes on, when it is asked for', at, '2026-11', '2026-11-01', '2026-12-01'],
    ['its first moment is enough', Date.UTC(2026, 11, 1), '2026-12', '2026-12-01', '2027-01-01'],
  ])('is %s', (_, now, asked, from, to) => {
    expect(reportMonth(asked, now)).toEqual({ month: from.slice(0, 7), from: Date.parse(from), to: Date.parse(to) });
  });

  test.each(['2026-12', '2099-01', '2026-13', '2026-00', '2026-1', '1999-01', '', '2026-10-01', ' 2026-10', '٢٠٢٦-10'])(
    '%j is bad usage',
    (asked) => {
      expect(() => reportMonth(asked, at)).toThrow('--month');
    },
  );
});

test('a report of nothing has every purpose and every status, and nothing that needs attention', () => {
  const report = reported({});
  expect(report.attention).toEqual([]);
  expect(report.purposes).toMatchObject([
    { purpose: 'training', configured: true, keepDays: 28, recordings: 0, bytes: 0, oldest: null },
    { purpose: 'agreement', legalBasis: 'GDPR art. 6(1)(f)', keepDays: 395, recordings: 0 },
  ]);
  expect(report.statuses).toEqual({
    recording: 0,
    recorded: 0,
    archived: 0,
    erased: 0,
    failed: 0,
    lost: 0,
    discarded: 0,
  });
  expect(reportMarkdown(report)).toContain('## Needs attention\n\nNothing.\n');
});

describe('what needs attention', () => {
  const kept = { failure: null, count: 7 };

  test.each<[string, Partial<Figures>, Partial<ReportSources>]>([
    [
      '2 recordings are overdue: their time is over, or their erasure is decided, and they are not erased',
      { due: { ...nothing.due, overdue: 2, overdueSince: 1 } },
      {},
    ],
    [
      '5 recordings are due and could not be erased at the last attempt',
      {
        due: {
          ...nothing.due,
          awaiting: 5,
          failures: [
            { code: 'archive_locked', recordings: 4 },
            { code: 'archive_denied', recordings: 1 },
          ],
        },
      },
      {},
    ],
    [
      '2 recordings that persons asked in the month to have erased could not be erased',
      { requests: { ...nothing.requests, failed: 2 } },
      {},
    ],
    [
      '3 recordings could not be archived and wait',
      {},
      { uploads: [{ failure: 'archive_mismatch', count: 3, oldestAt: at }] },
    ],
    [
      '7 recordings wait for the archive, the oldest for more than a day',
      {},
      { uploads: [{ ...kept, oldestAt: at - 24 * hour - 1 }] },
    ],
    [
      '5 recordings failed or were lost in the month',
      {
        ended: [
          { status: 'failed', failure: 'wav_empty', recordings: 4 },
          { status: 'lost', failure: null, recordings: 1 },
        ],
      },
      {},
    ],
    ['1 hold should have been reviewed by now', { holds: { active: 1, reviewsOverdue: 1, nextReviewAt: null } }, {}],
    [
      '5 calls of the month are not what the second witness says',
      {
        witness: [
          { witness: 'disagrees', calls: 2 },
          { witness: 'missing', calls: 3 },
        ],
      },
      {},
    ],
    [
      '2 recordings of the month were not watched for a while: unwatched_blanked',
      { unwatched: [{ flag: 'unwatched_blanked', recordings: 2 }] },
      {},
    ],
    [
      '4 messages to the webhook crm were given up',
      {},
      { webhooks: [{ endpoint: 'crm', waiting: 1, failed: 4, oldestWaitingAt: at }] },
    ],
  ])('%s', (sentence, figures, over) => {
    const report = reported(figures, over);
    expect(report.attention).toEqual([sentence]);
    expect(reportMarkdown(report)).toContain(`## Needs attention\n\n- ${sentence.replaceAll('_', '\\_')}\n`);
  });

  test('is not what goes its way', () => {
    const report = reported(
      {
        due: { ...nothing.due, held: 3, awaiting: 4 },
        requests: { ...nothing.requests, erased: 2, kept: 6 },
        holds: { active: 3, reviewsOverdue: 0, nextReviewAt: at + hour },
        ended: [{ status: 'erased', failure: null, recordings: 50 }],
        calls: [{ result: 'unrecorded', reason: 'refused', calls: 9, refused: 9 }],
        witness: [{ witness: 'agrees', calls: 100 }],
      },
      {
        uploads: [{ ...kept, oldestAt: at - 24 * hour }],
        webhooks: [{ endpoint: 'crm', waiting: 5, failed: 0, oldestWaitingAt: at }],
      },
    );
    expect(report.attention).toEqual([]);
    expect(report).toMatchObject({ due: { held: 3, awaitingPass: 4 }, erased: 50, failed: [] });
  });
});

test('a purpose that is not configured any more is told as its recordings were made, while there are any', () => {
  const row = { bytes: 2_000_000, over: 1, oldestAt: at - hour, nextEndAt: at + hour, lastEndAt: at + 2 * hour };
  const stated = { justification: 'Because we did.', legalBasis: 'consent' };
  const report = reported({
    purposes: [
      { purpose: 'quality', stated, recordings: 2, ...row },
      { purpose: 'surveys', stated, recordings: 0, ...row },
    ],
  });
  expect(report.purposes.map(({ purpose }) => purpose)).toEqual(['training', 'agreement', 'quality']);
  expect(reportMarkdown(report)).toContain(
    [
      '### quality',
      '',
      '- **Configured:** not any more; what was recorded for it is kept to its end',
      '- **Why:** Because we did.',
      '- **Legal basis:** consent',
      '- **Kept for:** as it was when each call was made',
      '- **Recordings now:** 2, 2.0 MB',
      '- **Of them over for this purpose:** 1 (kept for another purpose, held, or due)',
      '- **The oldest:** 2026-11-26T09:00:00.000Z',
      '- **The next to end:** 2026-11-26T11:00:00.000Z',
      '- **The last to end:** 2026-11-26T12:00:00.000Z',
      '',
    ].join('\n'),
  );
});

test('the Markdown has a line for each figure, and nothing of the configuration breaks out of its own', () => {
  const text = reportMarkdown(
    reported(
      {
        due: {
          held: 1,
          awaiting: 2,
          overdue: 3,
          overdueSince: at - 50 * hour,
          untried: 1,
          decided: 0,
          failures: [
            { code: 'archive_denied', recordings: 3 },
            { code: 'archive_locked', recordings: 1 },
          ],
        },
        calls: [
          { result: 'recorded', reason: null, calls: 80, refused: 0 },
          { result: 'unrecorded', reason: 'refused', calls: 9, refused: 9 },
          { result: 'unrecorded', reason: 'notice_failed', calls: 3, refused: 0 },
          { result: 'notConnected', reason: null, calls: 2, refused: 0 },
          { result: 'abandoned', reason: null, calls: 4, refused: 1 },
          { result: null, reason: null, calls: 1, refused: 0 },
        ],
        notices: [{ verdict: 'notice_cut_short', sentences: 6, calls: 5 }],
        certificates: 11,
      },
      { webhooks: [{ endpoint: 'crm', waiting: 2, failed: 0, oldestWaitingAt: at }] },
    ),
  );
  for (const line of [
    '# Recordings: report of 2026-10',
    '- **Controller:** Example \\*SA\\* # of old',
    '- **Period:** 2026-10-01T00:00:00.000Z to 2026-11-01T00:00:00.000Z (UTC)',
    '- **Due and held:** 1',
    '- **Due, for the next pass:** 2',
    '- **Overdue:** 3, the oldest since 2026-11-24T08:00:00.000Z; for 1 of them no attempt has failed',
    '- **Due or overdue, and the last attempt failed:** 3 archive\\_denied, 1 archive\\_locked',
    '- **Calls recorded:** 80',
    '- **Calls unrecorded:** 9 refused, 3 notice\\_failed',
    '- **Callers who refused:** 10',
    '- **Other calls:** 2 not connected, 4 abandoned, 1 going on or broken off',
    '- **Sentences of a notice that are not verified:** 6 notice\\_cut\\_short (in 5 calls)',
    '- **Certificates of erasure:** 11',
    '- **Recordings that persons asked to have erased:** 0',
    '- **Why they are kept:** none',
    '- **Webhooks:** crm: 2 waiting since 2026-11-26T10:00:00.000Z, 0 given up',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test.each<[number, string]>([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [960_044, '960.0 kB'],
  [1e9, '1.0 GB'],
  [1.5e15, '1.5 PB'],
  [2e19, '20000.0 PB'],
])('%d bytes are %s', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});
