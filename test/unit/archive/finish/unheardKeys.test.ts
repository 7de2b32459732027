import { judgeKeys } from '../../../../src/archive/finish/unheardKeys.ts';
import type { CallRow } from '../../../../src/catalogue/rows.ts';

type Judged = Pick<CallRow, 'consent' | 'startedAt' | 'endedAt'>;

const endedAt = 100_000;
const callIn = (mode: Judged['consent']['mode'], end: number | null = endedAt): Judged => ({
  consent: { mode, reason: null, purposes: [], answer: 'none', digits: null, at: null },
  startedAt: 0,
  endedAt: end,
});
const deaf = (from: number, heardAgainAt: number | null) => ({ from, heardAgainAt });

describe('a key that refuses, while nobody listened', () => {
  test.each(['optOut', 'optIn'] as const)('would have been pressed again in the 30 s after it: %s', (mode) => {
    expect(judgeKeys(callIn(mode), null, [deaf(50_000, 69_999)])).toBe('unheard');
    expect(judgeKeys(callIn(mode), null, [deaf(50_000, 70_000)])).toBe('perhapsRefused');
  });

  test('may have been the last thing before the end', () => {
    expect(judgeKeys(callIn('optOut'), null, [deaf(50_000, null)])).toBe('perhapsRefused');
    expect(judgeKeys(callIn('optOut'), null, [deaf(99_999, 200_000)])).toBe('perhapsRefused');
  });

  test('may have been pressed in a call whose end nobody saw', () => {
    expect(judgeKeys(callIn('optOut', null), null, [deaf(50_000, 60_000)])).toBe('perhapsRefused');
  });

  test('was heard until the end of the recorder, where that was seen and the end of the call was not', () => {
    expect(judgeKeys(callIn('optOut', null), 100_000, [deaf(50_000, 60_000)])).toBe('unheard');
    expect(judgeKeys(callIn('optOut', null), 80_000, [deaf(50_000, 60_000)])).toBe('perhapsRefused');
    expect(judgeKeys(callIn('optOut', null), 100_000, [deaf(50_000, 60_000), deaf(100_001, null)])).toBe(
      'perhapsRefused',
    );
  });

  test('may be the last thing where a clock was set meanwhile: when that was is not known', () => {
    expect(judgeKeys(callIn('optOut'), null, [deaf(endedAt + 5_000_000, 10_000)])).toBe('perhapsRefused');
    expect(judgeKeys(callIn('optOut'), null, [deaf(-10_800_000, -10_790_000)])).toBe('perhapsRefused');
  });

  test('may be the last thing where a clock was put back later in the talk: when the call ended is not known', () => {
    const putBack = endedAt - 60 * 86_400_000;
    expect(judgeKeys(callIn('optOut', putBack), endedAt - 10_000, [deaf(50_000, 60_000)])).toBe('perhapsRefused');
    // At the end of a call, when its recorder is awaited, nobody may listen either.
    expect(judgeKeys(callIn('optOut'), null, [deaf(endedAt + 10_000, null)])).toBe('none');
  });

  test('was not missed for a clock that was put back a little meanwhile: what follows is of the same clock', () => {
    expect(judgeKeys(callIn('optOut'), null, [deaf(10_000, 9_999)])).toBe('unheard');
    expect(judgeKeys(callIn('optOut'), null, [deaf(85_000, 80_000)])).toBe('perhapsRefused');
    expect(judgeKeys(callIn('optOut'), null, [deaf(endedAt + 3_000, 95_000)])).toBe('perhapsRefused');
  });

  test('counts from any of several times', () => {
    expect(judgeKeys(callIn('optOut'), null, [deaf(10_000, 20_000), deaf(60_000, 75_000)])).toBe('perhapsRefused');
    expect(judgeKeys(callIn('optOut'), null, [deaf(10_000, 20_000), deaf(30_000, 40_000)])).toBe('unheard');
  });

  test('was not missed after the end, where all was heard, or where no key refuses', () => {
    expect(judgeKeys(callIn('optOut'), null, [deaf(endedAt, null)])).toBe('none');
    expect(judgeKeys(callIn('optOut', null), null, [])).toBe('none');
    expect(judgeKeys(callIn('announce'), null, [deaf(50_000, null)])).toBe('none');
    expect(judgeKeys(undefined, null, [deaf(50_000, null)])).toBe('none');
  });
});
