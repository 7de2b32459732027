import fc from 'fast-check';
import { joined, lengthOf, rangeIn } from '../../../src/web/ranges.ts';

test.each([
  [undefined, undefined],
  ['bytes=0-0', { from: 0, bytes: 1 }],
  ['bytes=10-', { from: 10, bytes: 90 }],
  ['bytes=-10', { from: 90, bytes: 10 }],
  ['bytes=-1000', { from: 0, bytes: 100 }],
  ['bytes=90-1000', { from: 90, bytes: 10 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,3-4', undefined],
  ['lines=0-1', undefined],
  ['bytes=a-b', undefined],
])('of 100 bytes, Range %s asks for this part', (header, range) => {
  expect(rangeIn(header, 100)).toEqual(range);
});

test('whatever is asked for, a part lies within the whole', () => {
  const text = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => `bytes=${from}-${to}`),
  );
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 10_000 }), (header, of) => {
      const range = rangeIn(header, of);
      if (range === undefined || range === 'unsatisfiable') return;
      expect(range.from).toBeGreaterThanOrEqual(0);
      expect(range.bytes).toBeGreaterThan(0);
      expect(range.from + range.bytes).toBeLessThanOrEqual(of);
    }),
  );
});

test('parts that were heard count each second once', () => {
  const part = fc.tuple(fc.nat({ max: 50 }), fc.nat({ max: 50 }));
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const heard = new Set(
        parts.flatMap(([from, to]) => Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at)),
      );
      expect(lengthOf(joined(parts))).toBe(heard.size);
    }),
  );
});

test('parts are one where each began before, or soon after, the one before ended', () => {
  const parts = [
    [5_000, 6_000],
    [1_000, 2_500],
    [2_900, 3_100],
    [1_500, 2_000],
  ] as const;
  expect(joined(parts, 400)).toEqual([
    [1_000, 3_100],
    [5_000, 6_000],
  ]);
  expect(joined(parts, 399)).toHaveLength(3);
});
