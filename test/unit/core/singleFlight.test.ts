import { makeMetrics } from '../../../src/core/metrics/metrics.ts';
import { singleFlight } from '../../../src/core/singleFlight.ts';

test('what is asked while the answer is on its way is asked once, and anew afterwards, also after a failure', async () => {
  let asked = 0;
  const ask = singleFlight(() => {
    asked += 1;
    return asked === 2 ? Promise.reject(new Error('no')) : Promise.resolve(asked);
  });
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  await expect(Promise.all([ask(), ask()])).rejects.toThrow('no');
  expect(await ask()).toBe(3);
});

test('one reading of the metrics asks the catalogue once', async () => {
  const metrics = makeMetrics();
  let asked = 0;
  metrics.archive(
    () => ({ isFailing: false, lastStoredAt: undefined }),
    () => {
      asked += 1;
      return Promise.resolve({ waiting: [], doubtful: 0, isRetentionStopped: false, at: 0 });
    },
  );
  await metrics.text();
  expect(asked).toBe(1);
  await metrics.text();
  expect(asked).toBe(2);
});
