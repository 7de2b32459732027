import { EventClock } from '../../../../src/call/watch/eventClock.ts';

test('tells times by the latest event, and none before the first', () => {
  const clock = new EventClock();
  expect(clock.timeOf(100)).toBeUndefined();
  clock.hear(1_000_000, 100);
  expect(clock.timeOf(40)).toBe(999_940);
  // Asterisk's clock was set back.
  clock.hear(500_000, 200);
  expect(clock.timeOf(150)).toBe(499_950);
});

test('an event that took long to come is not taken for a later one', () => {
  const clock = new EventClock();
  clock.hear(1_000_000, 101);
  clock.hear(1_000_050, 900);
  expect(clock.momentOf(1_000_050)).toBe(151);
});
