import { freshHold, lastDay } from '../../../console/src/call/holdDraft.ts';
import { holdDates } from '../../../src/retention/legalHolds.ts';

/** The last day that the console proposes for a hold. */

const dayMs = 86_400_000;
const morning = Date.UTC(2026, 10, 30);

test.each([
  ['that is kept for less than 180 days', null, '2027-05-29'],
  ['that is kept for a year', '2027-11-30T12:00:00Z', '2028-05-28'],
  ['that was to be erased before', '2020-01-01T00:00:00Z', '2027-05-29'],
  ['that is kept for ten years', '2036-11-30T00:00:00Z', '2036-11-29'],
])('of a recording %s keeps it longer where the API takes such a day', (_which, keptUntil, until) => {
  expect(freshHold(['dispute'], keptUntil, morning).until).toBe(until);
});

test.each([morning, morning + dayMs / 2, morning + dayMs - 1])('is taken by the API at any time of the day', (now) => {
  expect(() => holdDates({ until: lastDay(now), review: undefined }, now)).not.toThrow();
  expect(() => holdDates({ until: lastDay(now + 2 * dayMs), review: undefined }, now)).toThrow();
});
