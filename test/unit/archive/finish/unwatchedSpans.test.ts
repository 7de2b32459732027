import { judgeUnwatched, type Presence } from '../../../../src/archive/finish/unwatchedSpans.ts';
import type { ChangeRow, UnwatchedRow } from '../../../../src/catalogue/rows.ts';

const start = Date.UTC(2026, 10, 25, 3);
const recording = {
  startedAt: start,
  finishedAt: start + 60_000,
  durationMs: 60_000,
  writtenAt: start + 60_020,
  call: { startedAt: start - 20_000, endedAt: start + 70_000 },
};
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
/** `doneAt`: as late as it was seen, where that is not known to be sooner. */
const change = (what: ChangeRow['change'], at: number | null, doneAt = at): ChangeRow => ({
  change: what,
  at: at === null ? null : start + at,
  newcomer: null,
  doneAt: doneAt === null ? null : start + doneAt,
  party: null,
});
const paused = (at: number | null, doneAt = at): ChangeRow => change('recorderPaused', at, doneAt);
const resumed = (at: number | null, doneAt = at): ChangeRow => change('recorderResumed', at, doneAt);
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

  test('becomes silence as a whole where nothing tells when the recorder ended, as of a copy from another machine', () => {
    const copied = { ...recording, finishedAt: null, writtenAt: undefined };
    for (const to of [30_000, null]) {
      expect(judgeUnwatched(copied, [interval(20_000, to)], [], seen()).spans).toEqual([{ from: 0, to: end }]);
    }
    expect(judgeUnwatched(copied, [interval(20_000, 30_000)], [], seen('onlyTold')).spans).toEqual([]);
    expect(judgeUnwatched(copied, [interval(-9_000, -1)], [], seen()).spans).toEqual([]);
  });

  test('is nothing of the recording where it ended before, or began after it', () => {
    const outside = [interval(-9_000, -1, 1), interval(61_001, 70_000, 2)];
    expect(judgeUnwatched(recording, outside, [], seen())).toEqual({
      spans: [],
      judged: outside.map(({ id }) => ({ id, judged: 'outside' })),
    });
  });

  test('is nothing of the recording where somebody joined after its end', () => {
    expect(judgeUnwatched(recording, [], [change('joined', 62_000)], seen()).spans).toEqual([]);
    expect(judgeUnwatched(recording, [], [change('joined', 60_500)], seen()).spans).toEqual([]);
    // Where nobody saw it end, it may have run on until its file was written to.
    const unseen = { ...recording, finishedAt: null, writtenAt: start + 60_600 };
    expect(judgeUnwatched(unseen, [], [change('joined', 60_500)], seen()).spans).toHaveLength(1);
  });

  test.each([
    ['put back three hours before, and right again', interval(-10_797_000, -10_794_000)],
    ['put forward by three hours', interval(10_803_000, null)],
  ])('becomes silence, all of it, where the clock was %s: where it lies is not known', (_, each) => {
    expect(judgeUnwatched(recording, [each], [], seen('onlyTold'))).toEqual({
      spans: [{ from: 0, to: end }],
      judged: [{ id: 1, judged: 'blanked' }],
    });
  });

  test('is not behind a recording whose end has an earlier time because a clock was put back', () => {
    const putBack = { ...recording, finishedAt: start + 55_000 };
    expect(judgeUnwatched(putBack, [interval(57_000, null)], [], seen())).toEqual({
      spans: [{ from: 51_000, to: end }],
      judged: [{ id: 1, judged: 'blanked' }],
    });
  });

  test('is all of a recording whose beginning is not known', () => {
    const without = { ...recording, startedAt: null, finishedAt: null };
    expect(judgeUnwatched(without, [interval(20_000, 30_000)], [], seen()).spans).toEqual([{ from: 0, to: end }]);
    // But where only those were there who were told.
    expect(judgeUnwatched(without, [interval(20_000, 30_000)], [], seen('onlyTold'))).toEqual({
      spans: [],
      judged: [{ id: 1, judged: 'witnessed' }],
    });
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
    expect(judgeUnwatched(stepped, [], [change('joined', -setMs)], seen())).toMatchObject({
      spans: [{ from: 0, to: end }],
      joinedAt: start - setMs,
    });
  });

  test('is all of it where it ended before it began', () => {
    expect(judgeUnwatched(recording, [interval(20_000, 10_000)], [], seen())).toEqual({
      spans: [{ from: 0, to: end }],
      judged: [{ id: 1, judged: 'blanked' }],
    });
  });

  test('is not all of it where the file is longer by what the clock was put back in it', () => {
    const longer = { ...recording, durationMs: 62_000 };
    expect(judgeUnwatched(longer, [interval(20_000, 18_500)], [], seen())).toEqual({
      spans: [{ from: 17_000, to: 20_500 }],
      judged: [{ id: 1, judged: 'blanked' }],
    });
    const barely = { ...recording, durationMs: 61_400 };
    expect(judgeUnwatched(barely, [interval(20_000, 18_500)], [], seen()).spans).toEqual([{ from: 0, to: end }]);
  });

  test('is as much more as a clock was put back in the talk, where nobody saw its end: by the time of the file', () => {
    const untold = { ...recording, finishedAt: null, durationMs: 90_000, call: { startedAt: start, endedAt: null } };
    expect(judgeUnwatched(untold, [interval(20_000, 30_000)], [], seen()).spans).toEqual([{ from: 0, to: 59_980 }]);
  });

  test.each([55_000, 65_000])('is as much more as a file of %i ms differs from what is expected', (durationMs) => {
    expect(judgeUnwatched({ ...recording, durationMs }, [interval(20_000, 30_000)], [], seen()).spans).toEqual([
      { from: 14_000, to: 35_000 },
    ]);
  });

  test.each<[string, number, ChangeRow[], { from: number; to: number }]>([
    ['before it', 4_000, [paused(5_000), resumed(9_000)], { from: 15_000, to: 26_000 }],
    ['behind it', 5_000, [paused(40_000), resumed(45_000)], { from: 19_000, to: 30_000 }],
    ['in it', 3_000, [paused(22_000), resumed(25_000)], { from: 19_000, to: 27_000 }],
    ['over its end', 10_000, [paused(25_000), resumed(35_000)], { from: 19_000, to: 25_000 }],
    ['without an end', 35_000, [paused(25_000)], { from: 19_000, to: 25_000 }],
    // By the length of the file it lies there, and no earlier; without that pause here, and no later.
    ['of unknown length', 4_000, [paused(5_000), resumed(null, 12_000)], { from: 15_000, to: 30_000 }],
    ['of unknown length behind it', 4_000, [paused(40_000), resumed(null, 52_000)], { from: 15_000, to: 30_000 }],
    ['that nobody saw begin', 4_000, [paused(null, 8_000), resumed(9_000)], { from: 15_000, to: 29_000 }],
    [
      'which Asterisk began much later than asked',
      6_000,
      [paused(5_000, 15_000), resumed(19_000)],
      { from: 13_000, to: 26_000 },
    ],
    [
      'of which the end, and the next beginning, were not seen',
      20_000,
      [paused(2_000), resumed(null, 12_000), paused(null, 21_000), resumed(31_000)],
      { from: 9_000, to: 21_000 },
    ],
  ])('lies earlier in the file by a pause %s', (_, pausedMs, changes, span) => {
    const shorter = { ...recording, durationMs: recording.durationMs - pausedMs };
    expect(judgeUnwatched(shorter, [interval(20_000, 30_000)], changes, seen()).spans).toEqual([span]);
  });
});

describe('what is not seen of a recorder', () => {
  test('is allowed for where the first sample came late, or keys were pressed', () => {
    const shorter = { ...recording, durationMs: 59_200 };
    expect(judgeUnwatched(shorter, [interval(20_000, 30_000)], [], seen()).spans).toEqual([
      { from: 18_200, to: 30_000 },
    ]);
  });

  test('is allowed for by the time of the file where nobody heard of its end', () => {
    const untold = { ...recording, finishedAt: null, durationMs: 57_000, writtenAt: start + 60_000 };
    expect(judgeUnwatched(untold, [interval(20_000, null)], [], seen()).spans).toEqual([{ from: 16_000, to: end }]);
  });

  test('is allowed for where neither the end of the recorder nor that of a hold was seen', () => {
    const untold = { ...recording, finishedAt: null, durationMs: 60_000, writtenAt: start + 60_000 };
    const changes = [paused(5_000), resumed(null, 9_000)];
    expect(judgeUnwatched(untold, [interval(20_000, null)], changes, seen()).spans).toEqual([
      { from: 15_000, to: end },
    ]);
  });

  test('makes no set clock of a long hold whose end was not seen: who was there counts', () => {
    const call = { startedAt: start, endedAt: start + 201_000 };
    const held = { ...recording, call, finishedAt: start + 200_000, durationMs: 100_000 };
    const changes = [paused(50_000), resumed(null, 155_000)];
    const others = { ...interval(160_000, 170_000), id: 2 };
    expect(judgeUnwatched(held, [interval(20_000, 30_000), others], changes, seen('onlyTold'))).toEqual({
      spans: [{ from: 59_000, to: 170_000 }],
      judged: [
        { id: 1, judged: 'witnessed' },
        { id: 2, judged: 'blanked' },
      ],
    });
  });
});

test('what was judged before stands, whatever is known now', () => {
  const rows = [
    { ...interval(20_000, 30_000, 1), judged: 'blanked' as const },
    { ...interval(40_000, 50_000, 2), judged: 'witnessed' as const },
  ];
  const now = new Map<number, Presence>([
    [1, 'onlyTold'],
    [2, 'others'],
  ]);
  expect(judgeUnwatched(recording, rows, [], now)).toEqual({
    spans: [{ from: 19_000, to: 30_000 }],
    judged: [
      { id: 1, judged: 'blanked' },
      { id: 2, judged: 'witnessed' },
    ],
  });
});

test.each(['joined', 'transferred'] as const)(
  'what the recorder still got after somebody %s becomes silence, from 0.3 s before',
  (what) => {
    expect(judgeUnwatched(recording, [], [change(what, 30_000), change(what, 40_000)], seen())).toEqual({
      spans: [{ from: 29_700, to: end }],
      judged: [],
      joinedAt: start + 30_000,
      untoldMs: 30_300,
    });
  },
);

describe('who joined and was told', () => {
  const joined = change('joined', 20_000);
  const told = change('allTold', 28_000);

  test('is silent until then, and is heard after it', () => {
    const pause = [paused(20_000, 20_010), joined, told, resumed(28_000, 28_005)];
    const shorter = { ...recording, durationMs: 52_000 };
    const { spans, untoldMs } = judgeUnwatched(shorter, [], pause, seen());
    expect(spans).toEqual([{ from: 19_690, to: 20_030 }]);
    expect(untoldMs).toBe(340);
  });

  test('is silent for as long as it took where the recorder did not pause', () => {
    expect(judgeUnwatched(recording, [], [joined, told], seen()).spans).toEqual([{ from: 19_700, to: 28_020 }]);
  });

  test('takes nothing from the file where they came while nothing was recorded', () => {
    const pause = [paused(19_980, 19_990), joined, told, resumed(28_050, 28_050)];
    expect(judgeUnwatched({ ...recording, durationMs: 51_930 }, [], pause, seen()).spans).toEqual([]);
  });

  test('is silent to the end where the next one is not told', () => {
    const changes = [joined, told, change('joined', 40_000)];
    expect(judgeUnwatched(recording, [], changes, seen()).spans).toEqual([
      { from: 19_700, to: 28_020 },
      { from: 39_700, to: end },
    ]);
  });
});

test('who comes when the recorder has ended takes nothing from what was said last', () => {
  const ended = { ...recording, finishedAt: start + 59_990 };
  expect(judgeUnwatched(ended, [], [change('transferred', 59_991)], seen()).spans).toEqual([]);
  expect(judgeUnwatched(ended, [], [change('transferred', 59_980)], seen()).spans).toEqual([{ from: 59_680, to: end }]);
});

test('who joined and left before the recorder began is not in the file', () => {
  expect(judgeUnwatched(recording, [], [change('joined', -5_000)], seen()).spans).toEqual([]);
  expect(judgeUnwatched(recording, [], [change('joined', -5)], seen()).spans).toEqual([{ from: 0, to: end }]);
});

describe('what was recorded in a pause that somebody asked for', () => {
  const began = (at: number): ChangeRow => change('pauseBegan', at);

  test('becomes silence from half a second before the first key, where Asterisk paused late', () => {
    const changes = [paused(20_100, 23_000), began(20_000), resumed(30_000, 30_010), change('pauseEnded', 30_000)];
    const { spans } = judgeUnwatched({ ...recording, durationMs: 53_000 }, [], changes, seen());
    expect(spans).toEqual([{ from: 19_500, to: 23_020, why: 'pause' }]);
  });

  test('becomes silence in a part that ran for a moment, between a hold and the pause', () => {
    const changes = [
      paused(10_000, 10_050),
      resumed(20_050),
      began(20_600),
      paused(20_950),
      change('pauseEnded', 40_000),
      resumed(40_100),
    ];
    const { spans } = judgeUnwatched({ ...recording, durationMs: 10_000 + 900 + 19_900 }, [], changes, seen());
    expect(spans).toEqual([{ from: 10_050, to: 10_970, why: 'pause' }]);
  });

  test('reaches further by as much as the file has more sound than the recorder had time', () => {
    const changes = [paused(20_100, 20_100), began(20_000), resumed(30_000), change('pauseEnded', 29_980)];
    const { spans } = judgeUnwatched({ ...recording, durationMs: 50_100 + 35 }, [], changes, seen());
    expect(spans).toMatchObject([{ to: 20_100 + 35 + 20 }]);
  });

  test('leaves what is behind it, where the next part was only found to run', () => {
    const changes = [paused(20_000, 20_010), began(20_000), change('pauseEnded', 40_000), resumed(40_000, 41_000)];
    const { spans } = judgeUnwatched({ ...recording, durationMs: 39_900 }, [], changes, seen());
    expect(spans).toEqual([{ from: 19_390, to: 20_030, why: 'pause' }]);
  });

  test('is nothing where the pause was over before the recording began', () => {
    const changes = [began(-20_000), change('pauseEnded', -100)];
    expect(judgeUnwatched(recording, [], changes, seen()).spans).toEqual([]);
  });

  test('is none of it, but for the keys of the code, where it paused at once', () => {
    const changes = [paused(20_100, 20_100), began(20_000), resumed(30_000), change('pauseExpired', 30_000)];
    const { spans, untoldMs } = judgeUnwatched({ ...recording, durationMs: 50_100 }, [], changes, seen());
    expect(spans).toEqual([{ from: 19_500, to: 20_120, why: 'pause' }]);
    expect(untoldMs).toBeUndefined();
  });

  test('is all that follows, where nobody ended it', () => {
    const changes = [paused(20_100, 20_100), began(20_000)];
    const { spans } = judgeUnwatched({ ...recording, durationMs: 20_100 }, [], changes, seen());
    expect(spans).toEqual([{ from: 19_500, to: end, why: 'pause' }]);
  });

  test('is each pause by itself', () => {
    const pause = (from: number, to: number): ChangeRow[] => [
      paused(from + 10, from + 10),
      began(from),
      resumed(to),
      change('pauseEnded', to),
    ];
    const changes = [...pause(10_000, 20_000), ...pause(40_000, 50_000)];
    const { spans } = judgeUnwatched({ ...recording, durationMs: 40_020 }, [], changes, seen());
    expect(spans).toEqual([
      { from: 9_500, to: 10_030, why: 'pause' },
      { from: 29_510, to: 30_040, why: 'pause' },
    ]);
  });
});
