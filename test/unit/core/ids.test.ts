import { isoTime } from '../../../src/core/clock.ts';
import { isUlid, makeIds } from '../../../src/core/ids.ts';

describe('an id', () => {
  test('is safe in a path and in a query, and no two are the same', () => {
    const ids = makeIds();
    const made = Array.from({ length: 1_000 }, () => ids.recording());
    expect(new Set(made).size).toBe(1_000);
    expect(made.every(isUlid)).toBe(true);
  });

  test('of what is made in Asterisk is recognisable as ours', () => {
    const ids = makeIds();
    for (const id of [ids.channel(), ids.bridge(), ids.playback()]) expect(id).toMatch(/^preavis-[0-9A-Z]{26}$/);
  });

  test.each([
    '',
    '../../etc/passwd',
    '01ARZ3NDEKTSV4RRFFQ69G5FA',
    '01arz3ndektsv4rrffq69g5fav',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV\n',
    "'; --",
  ])('%j is none', (text) => {
    expect(isUlid(text)).toBe(false);
  });
});

test('a time is written in UTC with milliseconds', () => {
  expect(isoTime(Date.UTC(2026, 7, 24, 10, 0, 0, 7))).toBe('2026-08-24T10:00:00.007Z');
});
