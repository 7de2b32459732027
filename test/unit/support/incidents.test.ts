import { incidentsOf, type PlacedAgain } from '../../run/incidents.mjs';

const call = (sentence: string, ...at: number[]): PlacedAgain => ({ sentence, at });
const sentencesOf = (placedAgain: readonly PlacedAgain[]): string[][] =>
  incidentsOf(placedAgain).map((calls) => calls.map(({ sentence }) => sentence));

describe('calls that were placed again', () => {
  it('by one hiccup are one incident, however many it has hit', () => {
    const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => call(name, 10_000 + 100 * index));
    expect(sentencesOf(six)).toEqual([['a', 'b', 'c', 'd', 'e', 'f']]);
  });

  it('by hiccups of different seconds are several', () => {
    expect(sentencesOf([call('a', 10_000), call('b', 11_001), call('c', 60_000)])).toEqual([['a'], ['b'], ['c']]);
  });

  it('are one incident where one of them was on through both hiccups', () => {
    expect(sentencesOf([call('a', 10_000), call('b', 60_000), call('c', 9_500, 60_500)])).toEqual([['a', 'b', 'c']]);
  });

  it('because their scene was missed are each for itself', () => {
    expect(sentencesOf([call('a'), call('b'), call('c', 10_000)])).toEqual([['a'], ['b'], ['c']]);
  });
});
