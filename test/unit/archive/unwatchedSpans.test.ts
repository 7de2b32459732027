import { judgeUnwatched, type Presence } from '../../../src/archive/unwatchedSpans.ts';
import type { ChangeRow, UnwatchedRow } from '../../../src/catalogue/rows.ts';

const start = Date.UTC(2026, 10, 25, 3);
const recording = { startedAt: start, finishedAt: start + 60_000, durationMs: 60_000 };
const end = Number.POSITIVE_INFINITY;

const interval = (from: number, to: number | null, id = 1): UnwatchedRow => ({
  id,
  from: start + from,
  to: to === null ? null : start + to,
  heardAgainAt: to === null ? null : start + to,
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
    const without = { startedAt: null, finishedAt: null, durationMs: 60_000 };
    expect(judgeUnwatched(without, [interval(20_000, 30_000)], [], seen()).spans).toEqual([{ from: 0, to: end }]);
  });

  const setMs = 60 * 86_400_000;
  test.each([
    ['forward', recording.finishedAt + setMs],
    ['back', recording.finishedAt - setMs],
  ])('is all of a recording in which a clock was set %s, whoever was there', (_, finishedAt) => {
    const stepped = { ...recording, finishedAt };
    for (const [at, presence] of [
      [20_000, undefined],
      [setMs + 20_000, undefined],
      [-setMs, 'onlyTold'],
    ] as const) {
      expect(judgeUnwatched(stepped, [interval(at, at + 10_000)], [], seen(presence))).toEqual({
        spans: [{ from: 0, to: end }],
        judged: [{ id: 1, judged: 'blanked' }],
      });
    }
    expect(judgeUnwatched(stepped, [], [change('joined', -setMs)], seen()).spans).toEqual([{ from: 0, to: end }]);
  });

  test('is all of it where it ended before it began', () => {
    expect(judgeUnwatched(recording, [interval(20_000, 10_000)], [], seen())).toEqual({
      spans: [{ from: 0, to: end }],
      judged: [{ id: 1, judged: 'blanked' }],
    });
  });

  test.each([55_000, 65_000])('is as much more as a file of %i ms differs from what is expected', (durationMs) => {
    expect(judgeUnwatched({ ...recording, durationMs }, [interval(20_000, 30_000)], [], seen()).spans).toEqual([
      { from: 14_000, to: 35_000 },
    ]);
  });

  test.each<[string, number, ChangeRow[], { from: number; to: number }]>([
    [
      'before it',
      4_000,
      [change('recorderPaused', 5_000), change('recorderResumed', 9_000)],
      { from: 15_000, to: 26_000 },
    ],
    [
      'behind it',
      5_000,
      [change('recorderPaused', 40_000), change('recorderResumed', 45_000)],
      { from: 19_000, to: 30_000 },
    ],
    [
      'in it',
      3_000,
      [change('recorderPaused', 22_000), change('recorderResumed', 25_000)],
      { from: 19_000, to: 27_000 },
    ],
    [
      'over its end',
      10_000,
      [change('recorderPaused', 25_000), change('recorderResumed', 35_000)],
      { from: 19_000, to: 25_000 },
    ],
    ['without an end', 35_000, [change('recorderPaused', 25_000)], { from: 19_000, to: 25_000 }],
    [
      'of unknown length',
      0,
      [change('recorderPaused', 5_000), change('recorderResumed', null)],
      { from: 19_000, to: 30_000 },
    ],
  ])('lies earlier in the file by a pause %s', (_, pausedMs, changes, span) => {
    const paused = { ...recording, durationMs: recording.durationMs - pausedMs };
    expect(judgeUnwatched(paused, [interval(20_000, 30_000)], changes, seen()).spans).toEqual([span]);
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
