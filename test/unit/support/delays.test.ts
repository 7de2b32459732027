import { delaysOf } from '../../run/delays.mjs';

const delays = (...calls: number[][]): number => delaysOf(calls.map((at) => ({ sentence: 'is placed again', at })));

describe('the hiccups for which calls were placed again', () => {
  it('are counted once, however many calls one has hit', () => {
    expect(delays([10_000], [10_100], [10_200], [10_300], [10_400], [10_500])).toBe(1);
  });

  it('are several in different seconds, whichever calls were on', () => {
    expect(delays([60_000], [10_000], [11_001])).toBe(3);
    expect(delays([9_500, 60_500], [10_000], [60_000])).toBe(2);
    expect(delays(...Array.from({ length: 30 }, (_, index) => [20_000 * index, 20_000 * (index + 1)]))).toBe(31);
  });

  it('are none where a scene was missed', () => {
    expect(delays([], [], [10_000])).toBe(1);
  });
});
