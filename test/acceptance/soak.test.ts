import { liveCount, stopAll } from '../../lab/processes.ts';
import { runSoak } from '../soak/soak.ts';

afterAll(async () => {
  const left = liveCount();
  await stopAll();
  expect(left).toBe(0);
});

it('two minutes of calls and faults lose nothing, record nobody who was not told, and leave nothing behind', async () => {
  const seed = 'two minutes';
  const { verdict, calls, faults, recordings } = await runSoak({ seed, minutes: 2, callers: 3, say: () => undefined });
  expect({ seed, ...verdict }).toEqual({
    seed,
    lost: [],
    unannounced: [],
    stranded: [],
    disagreeing: [],
    grown: [],
  });
  expect(calls).toBeGreaterThan(20);
  expect(recordings.begun).toBeGreaterThan(10);
  expect(Object.keys(faults).length).toBeGreaterThan(4);
}, 900_000);
