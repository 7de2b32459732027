import { exactLocalDate, localDate } from '../../../../src/core/text/localDate.ts';

const timezone = 'Europe/Brussels';

test.each([
  ['fr-BE', '24 août 2026, 12:00 (10:00 UTC)'],
  ['nl-BE', '24 augustus 2026, 12:00 (10:00 UTC)'],
  ['de-BE', '24. August 2026, 12:00 (10:00 UTC)'],
  ['en-GB', '24 August 2026, 12:00 (10:00 UTC)'],
])('in %s the local time comes first', (locale, text) => {
  expect(localDate('2026-08-24T10:00:59.999Z', { locale, timezone })).toBe(text);
});

test('the day is in the brackets where it is another one', () => {
  expect(localDate('2026-12-31T23:30:00.000Z', { locale: 'en-GB', timezone })).toBe(
    '1 January 2027, 00:30 (31 December 2026, 23:30 UTC)',
  );
});

test('the hour that comes twice in autumn is told apart by the brackets', () => {
  const [first, second] = ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'].map((iso) =>
    localDate(iso, { locale: 'en-GB', timezone }),
  );
  expect([first, second]).toEqual(['25 October 2026, 02:30 (00:30 UTC)', '25 October 2026, 02:30 (01:30 UTC)']);
});

test('a time of a proof is told to the millisecond, in no language', () => {
  expect(exactLocalDate('2026-08-24T10:00:05.070Z', timezone)).toBe('2026-08-24 12:00:05.070 (10:00:05.070 UTC)');
  expect(exactLocalDate('2026-12-31T23:30:00.000Z', timezone)).toBe(
    '2027-01-01 00:30:00.000 (2026-12-31 23:30:00.000 UTC)',
  );
  expect(exactLocalDate('2026-08-24T00:00:05.070Z', 'UTC')).toBe('2026-08-24 00:00:05.070 (00:00:05.070 UTC)');
});
