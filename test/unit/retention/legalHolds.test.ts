import { isActive } from '../../../src/catalogue/retention/legalHolds.ts';
import { holdDates, mayHold } from '../../../src/retention/legalHolds.ts';

const day = 86_400_000;
const at = Date.UTC(2026, 10, 26, 12);

describe('the dates of a hold', () => {
  test('end with their day in UTC, and name it; nobody says when to review: within half a year, and not after the end', () => {
    expect(holdDates({ until: '2027-12-31', review: undefined }, at)).toEqual({
      expiresAt: Date.parse('2027-12-31T23:59:59.999Z'),
      reviewAt: at + 180 * day,
    });
    const first = Date.parse('2026-12-01T23:59:59.999Z');
    expect(holdDates({ until: '2026-12-01', review: undefined }, at).reviewAt).toBe(first);
    expect(holdDates({ until: '2026-12-31', review: '2026-12-01' }, at).reviewAt).toBe(first);
  });

  test('may be today until its last millisecond, and keeps the recording until then', () => {
    const end = Date.parse('2026-11-26T23:59:59.999Z');
    expect(holdDates({ until: '2026-11-26', review: '2026-11-26' }, end - 1)).toEqual({
      expiresAt: end,
      reviewAt: end,
    });
    expect(isActive({ expiresAt: end, releasedAt: null }, end - 1)).toBe(true);
    expect(isActive({ expiresAt: end, releasedAt: null }, end)).toBe(false);
    expect(() => holdDates({ until: '2026-11-26', review: undefined }, end)).toThrow(
      expect.objectContaining({ code: 'usage' }) as Error,
    );
  });

  test.each([
    ['tomorrow', undefined],
    ['2026-02-30', undefined],
    ['2026-11-25', undefined],
    ['2037-01-01', undefined],
    ['2026-12-31', '2027-01-01'],
    ['2026-12-31', '2026-11-25'],
    ['2026-12-31', 'x'],
  ])('cannot be until %s with a review at %s', (until, review) => {
    expect(() => holdDates({ until, review }, at)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });
});

describe('a hold for a dispute', () => {
  const allowed = (purpose: string): boolean => purpose === 'agreement';

  test('keeps only what is evidence; an authority and the person may ask for anything', () => {
    expect(() => {
      mayHold('dispute', ['training'], allowed);
    }).toThrow(expect.objectContaining({ code: 'hold_refused' }) as Error);
    for (const ground of ['authority', 'restriction'] as const) mayHold(ground, ['training'], allowed);
    mayHold('dispute', ['training', 'agreement'], allowed);
  });
});
