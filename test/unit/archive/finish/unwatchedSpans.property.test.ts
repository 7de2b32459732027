import fc from 'fast-check';
import { judgeUnwatched } from '../../../../src/archive/finish/unwatchedSpans.ts';
import type { ChangeRow } from '../../../../src/catalogue/rows.ts';
import { tried } from '../../../support/properties.ts';

/** A recorder that is paused and loses sound, and what Préavis knows of it. Times are ms since it began. */

const ranMs = 200_000;

type Stretch = { from: number; to: number };
/** How long before it the event came that asked for it, and how long after it it was known; undefined where that was missed. */
type Known = { sooner: number | undefined; later: number | undefined };
type Hold = { kind: 'seen'; begin: Known; end: Known } | { kind: 'unseen' };

const moments = (count: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: ranMs - 1 }), { minLength: count, maxLength: count })
    .map((all) => all.sort((a, b) => a - b));
const maybe = fc.option(fc.integer({ min: 0, max: 30_000 }), { nil: undefined });
const known = fc.record({ sooner: maybe, later: maybe });
const hold: fc.Arbitrary<Hold> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('seen' as const), begin: known, end: known }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'unseen' as const }) },
);
const course = fc.record({
  // Even ones begin a hold, or a loss; odd ones end it.
  holdsAt: moments(6),
  holds: fc.tuple(hold, hold, hold),
  lossesAt: moments(4),
  isEndTold: fc.boolean(),
  // How long after the last sample the recorder ended, or the file was written to.
  endMs: fc.integer({ min: 0, max: 4_000 }),
  interval: moments(2),
});

const pairs = (times: readonly number[]): Stretch[] =>
  times.flatMap((from, index) => (index % 2 === 0 ? [{ from, to: times[index + 1] ?? ranMs }] : []));

function rowsOf(holds: readonly Hold[], stretches: readonly Stretch[]): ChangeRow[] {
  const row = (change: ChangeRow['change'], time: number, { sooner, later }: Known): ChangeRow => ({
    change,
    at: sooner === undefined ? null : time - sooner,
    newcomer: null,
    doneAt: later === undefined ? null : time + later,
    party: null,
  });

  return stretches.flatMap(({ from, to }, index) => {
    const each = holds[index];

    return each?.kind === 'seen' ? [row('recorderPaused', from, each.begin), row('recorderResumed', to, each.end)] : [];
  });
}

test('what was recorded in an interval becomes silence, whatever is not known of holds and losses', () => {
  const isIn = (stretches: readonly Stretch[], second: number): boolean =>
    stretches.some(({ from, to }) => from <= second && second < to);
  fc.assert(
    fc.property(course, ({ holdsAt, holds, lossesAt, isEndTold, endMs, interval }) => {
      const held = pairs(holdsAt);
      const silent = [...held, ...pairs(lossesAt.map((at) => Math.round(at / 10)))];
      /** Where the sound of this moment lies in the file. */
      const edges = [...new Set([0, ranMs, ...interval, ...silent.flatMap(({ from, to }) => [from, to])])].sort(
        (a, b) => a - b,
      );
      const placeOf = (at: number): number =>
        edges.reduce((sum, from, index) => {
          const to = Math.min(at, edges[index + 1] ?? ranMs);
          return from >= to || isIn(silent, from) ? sum : sum + to - from;
        }, 0);
      const [from = 0, to = ranMs] = interval;
      const recorded = {
        startedAt: 0,
        finishedAt: isEndTold ? ranMs + endMs : null,
        writtenAt: ranMs + endMs,
        durationMs: placeOf(ranMs),
        call: undefined,
      };
      const unwatched = {
        id: 1,
        from,
        to,
        heardAgainAt: to,
        why: 'process_ended' as const,
        bridge: 'bridge',
        parties: [],
        judged: null,
      };
      const { spans, judged } = judgeUnwatched(recorded, [unwatched], rowsOf(holds, held), new Map());
      expect(judged).toEqual([{ id: 1, judged: 'blanked' }]);
      const [span] = spans;
      expect(span?.from).toBeLessThanOrEqual(placeOf(from));
      expect(span?.to).toBeGreaterThanOrEqual(placeOf(to));
    }),
    tried(2_000),
  );
});
