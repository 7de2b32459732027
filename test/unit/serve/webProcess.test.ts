import { pauseBefore } from '../../../src/serve/webProcess.ts';

test('what ends again and again is started after longer and longer pauses, of a minute at most', () => {
  expect([0, 1, 2, 5, 6, 7, 1_000].map(pauseBefore)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
});
