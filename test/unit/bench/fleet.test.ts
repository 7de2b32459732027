/** What `npm run bench:fleet` makes of its counts. */
import { costOfTalk, figuresOf, isLosing, tooMuch, type Step } from '../../../bench/fleet/report.ts';
import type { Taken } from '../../../bench/fleet/machine.ts';

const nothing: Taken = {
  asterisk: 0,
  serve: 0,
  postgres: 0,
  store: 0,
  telephones: 0,
  mainThreads: [0, 0],
  machine: 0,
};
const counts = { commits: 0, walBytes: 0, walSyncs: 0, walSyncMs: 0, bytes: 0 };
const rest = { commits: 10, walSyncs: 2 };

/** Ten calls in ten seconds. */
const stepOf = (talkMs: number, asterisk: number): Step => ({
  offered: 1,
  talkMs,
  placed: 10,
  answered: 10,
  recorded: 10,
  archived: 10,
  archiveLagSeconds: 2,
  gapsMs: [3, 1, 2],
  before: nothing,
  after: { ...nothing, asterisk, serve: 500, mainThreads: [100, 400], machine: 10_000 },
  lookedSeconds: 10,
  database: {
    before: counts,
    after: { commits: 400, walBytes: 102_400, walSyncs: 120, walSyncMs: 240, bytes: 20_480 },
  },
});

test('a call costs what was taken, without what the fleet does when nobody calls', () => {
  const figures = figuresOf(stepOf(1_000, 600), rest, 2);
  expect(figures).toMatchObject({
    cpu: { asterisk: 60, serve: 50, postgres: 0 },
    database: { commits: 30, walSyncs: 10, walKib: 10, kib: 2 },
    walSyncMs: 2,
    gap: { p50: 2, p99: 3 },
  });
  // The machine's two processors, of which others than the bench had most; and one of the main threads.
  expect(figures.busy).toEqual({ machine: 0.5, others: 0.445, mainThread: 0.04 });
});

test('what each second of a talk costs is told from what the call costs', () => {
  const [short, long] = [figuresOf(stepOf(1_000, 600), rest, 2), figuresOf(stepOf(21_000, 2_600), rest, 2)];
  expect(costOfTalk(short, long, 'asterisk')).toEqual({ aCall: 50, aSecond: 10 });
  expect(costOfTalk(short, long, 'serve')).toEqual({ aCall: 50, aSecond: 0 });
});

test('a pace is too much where calls are lost, or recorders run late, and where calls are lost a higher one says nothing', () => {
  const good = figuresOf(stepOf(1_000, 600), rest, 2);
  expect([tooMuch(good), isLosing(good)]).toEqual([[], false]);
  const late = { ...good, gap: { p50: 2, p99: 30 } };
  expect([tooMuch(late), isLosing(late)]).toEqual([['the gap has a p99 of 30 ms'], false]);
  const unrecorded = { ...good, recorded: 8, archived: 7 };
  expect([tooMuch(unrecorded), isLosing(unrecorded)]).toEqual([
    ['2 of 10 were not recorded', '1 of 8 were not archived'],
    true,
  ]);
  expect(isLosing({ ...good, answered: 9 })).toBe(true);
});
