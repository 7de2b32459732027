import { judgeUnwatched, type Presence } from '../../../src/archive/unwatchedSpans.ts';
import type { ChangeRow, UnwatchedRow } from '../../../src/catalogue/rows.ts';

const start = Date.UTC(2026, 10, 25, 3);
const recording = { startedAt: start, finishedAt: start + 60_000 };
const end = Number.POSITIVE_INFINITY;

const interval = (from: number, to: number | null, id = 1): UnwatchedRow => ({
  id,
  from: start + from,
  to: to === null ? null : start + to,
  why: 'process_ended',
  bridge: 'bridge',
  parties: ['caller', 'destination'],
  judged: null,
});
const change = (what: ChangeRow['change'], at: number | null): ChangeRow => ({
  change: what,
  at: at === null ? null : start + at,
  party: null,
});
const seen = (presence?: Presence): Map<number, Presence> => new Map(presence === undefined ? [] : [[1, presence]]);

describe('what was recorded while nobody listened', () => {
  test.each<[Presence | undefined]>([[undefined], ['incomplete'], ['others']])(
    'becomes silence from a second before, where who was there is %s',
    (presence) => {
      expect(judgeUnwatched(recording, [interval(20_000, 30_000)], [], seen(presence))).toEqual({
        spans: [{ from: 19_000, to: 30_000 }],
        judged: [{ id: 1, judged: 'blanked' }],
      });
    },
  );

  test('is kept where only those were there who were told', () => {
    expect(judgeUnwatched(recording, [interval(20_000, 30_000)], [], seen('onlyTold'))).toEqual({
      spans: [],
      judged: [{ id: 1, judged: 'witnessed' }],
    });
  });

  test('becomes silence to the end where the call was not as before afterwards', () => {
    expect(judgeUnwatched(recording, [interval(20_000, null)], [], seen()).spans).toEqual([{ from: 19_000, to: end }]);
  });

  test('is nothing of the recording where it ended before, or began after it', () => {
    const outside = [interval(-9_000, -1, 1), interval(61_001, 70_000, 2)];
    expect(judgeUnwatched(recording, outside, [], seen())).toEqual({
      spans: [],
      judged: outside.map(({ id }) => ({ id, judged: 'outside' })),
    });
  });

  test('is all of a recording whose beginning is not known', () => {
    const without = { startedAt: null, finishedAt: null };
    expect(judgeUnwatched(without, [interval(20_000, 30_000)], [], seen()).spans).toEqual([{ from: 0, to: end }]);
  });

  test.each<[string, ChangeRow[], { from: number; to: number }]>([
    ['before it', [change('recorderPaused', 5_000), change('recorderResumed', 9_000)], { from: 15_000, to: 26_000 }],
    ['behind it', [change('recorderPaused', 40_000), change('recorderResumed', 45_000)], { from: 19_000, to: 30_000 }],
    ['in it', [change('recorderPaused', 22_000), change('recorderResumed', 25_000)], { from: 19_000, to: 27_000 }],
    [
      'over its end',
      [change('recorderPaused', 25_000), change('recorderResumed', 35_000)],
      { from: 19_000, to: 25_000 },
    ],
    ['without an end', [change('recorderPaused', 25_000)], { from: 19_000, to: 25_000 }],
    [
      'of unknown length',
      [change('recorderPaused', 5_000), change('recorderResumed', null)],
      { from: 19_000, to: 30_000 },
    ],
  ])('lies earlier in the file by a pause %s', (_, changes, span) => {
    expect(judgeUnwatched(recording, [interval(20_000, 30_000)], changes, seen()).spans).toEqual([span]);
  });
});

test.each(['joined', 'transferred'] as const)(
  'what the recorder still got after somebody %s becomes silence',
  (what) => {
    expect(judgeUnwatched(recording, [], [change(what, 30_000), change(what, 40_000)], seen())).toEqual({
      spans: [{ from: 30_000, to: end }],
      judged: [],
    });
  },
);

test('who joined and left before the recorder began is not in the file', () => {
  expect(judgeUnwatched(recording, [], [change('joined', -5_000)], seen()).spans).toEqual([]);
});
