import { counted } from '../../../../src/core/text/counted.ts';

test.each([
  [0, '0 recordings'],
  [1, '1 recording'],
  [2, '2 recordings'],
])('%i is counted as "%s"', (count, words) => {
  expect(counted(count, 'recording')).toBe(words);
});

test('what is said of one thing may differ from what is said of several', () => {
  expect([1, 3].map((count) => counted(count, 'copy waits', 'copies wait'))).toEqual(['1 copy waits', '3 copies wait']);
});
