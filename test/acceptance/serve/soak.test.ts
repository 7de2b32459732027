import { liveCount, stopAll } from '../../../lab/machine/processes.ts';
import { faults, type Harm } from '../../soak/faults.ts';
import { runSoak } from '../../soak/soak.ts';

afterAll(async () => {
  const left = liveCount();
  await stopAll();
  expect(left).toBe(0);
});

it('two minutes of calls and faults lose nothing, record nobody who was not told, and leave nothing behind', async () => {
  const seed = 'two minutes';
  await runSoak(
    { seed, minutes: 2, callers: 3, say: () => undefined },
    ({ verdict, calls, byWay, faults: struck, recordings }) => {
      expect({ seed, ...verdict }).toEqual({
        seed,
        lost: [],
        unannounced: [],
        stranded: [],
        disagreeing: [],
        grown: [],
      });
      expect(calls).toBeGreaterThan(20);
      expect(byWay['follow']).toBeGreaterThan(6);
      expect(recordings.begun).toBeGreaterThan(10);
      const kinds = faults.filter(({ name }) => (struck[name] ?? 0) > 0);
      expect(kinds.length).toBeGreaterThan(4);
      const times = (harms: readonly Harm[]): number =>
        faults.filter(({ harm }) => harms.includes(harm)).reduce((sum, { name }) => sum + (struck[name] ?? 0), 0);
      // Before the first step of a clock is less time than a half lasts; a stranger finds somebody who talks, sooner or later.
      expect(times(['asteriskClock', 'ownClock'])).toBeGreaterThanOrEqual(2);
      expect(times(['stranger'])).toBeGreaterThanOrEqual(1);
    },
  );
}, 900_000);
