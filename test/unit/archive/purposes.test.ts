import type { RecordingStatus } from '../../../src/catalogue/statuses.ts';
import { purposesInForce } from '../../../src/archive/purposes.ts';

const purposes = ['training', 'agreement'];
const ends = [
  { purpose: 'training', keepUntil: 1_000 },
  { purpose: 'agreement', keepUntil: 2_000 },
];

test.each<[number, string[]]>([
  [999, ['training', 'agreement']],
  [1_000, ['agreement']],
  [1_999, ['agreement']],
  [2_000, []],
])('at %d these are in force: %j', (at, expected) => {
  for (const status of ['recorded', 'archived', 'failed'] as const) {
    expect(purposesInForce(status, purposes, ends, at)).toEqual(expected);
  }
});

test('all are in force before the recording is finished', () => {
  expect(purposesInForce('recording', purposes, [], 5_000)).toEqual(purposes);
});

test.each<RecordingStatus>(['erased', 'lost', 'discarded'])('none is in force for a recording that is %s', (status) => {
  expect(purposesInForce(status, purposes, ends, 0)).toEqual([]);
});

test('a purpose without an end is not in force', () => {
  expect(purposesInForce('recorded', purposes, ends.slice(1), 0)).toEqual(['agreement']);
});
