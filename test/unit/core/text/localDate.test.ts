import { localDate } from '../../../../src/core/text/localDate.ts';

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

test('a time of a call can be told to the second or the millisecond', () => {
  const at = '2026-08-24T10:00:05.070Z';
  expect(localDate(at, { locale: 'en-GB', timezone }, 'second')).toBe('24 August 2026, 12:00:05 (10:00:05 UTC)');
  expect(localDate(at, { locale: 'fr-BE', timezone }, 'millisecond')).toBe(
    '24 août 2026, 12:00:05,070 (10:00:05,070 UTC)',
  );
});
