import { localDay, localTime, parseDay, timeColumn } from '../../../src/cli/localTime.ts';

const hourMs = 3_600_000;
const now = Date.UTC(2026, 7, 24, 10);

test('a time for people names its zone, and is the same moment', () => {
  const [date, time, zone] = localTime(now).split(' ');
  expect(Date.parse(`${date}T${time}${zone === 'UTC' ? 'Z' : zone}`)).toBe(now);
});

test('a column says the zone once where it is the same for all', () => {
  const { header, cells } = timeColumn('STARTED', [now, null, now + hourMs]);
  expect(header).toMatch(/^STARTED (UTC|[+-]\d\d:\d\d)$/);
  expect(cells).toEqual([localTime(now).slice(0, 19), '', localTime(now + hourMs).slice(0, 19)]);
  expect(timeColumn('STARTED', [null])).toEqual({ header: 'STARTED', cells: [''] });
});

describe('a day', () => {
  test('is of the local time, from its first moment to that of the next', () => {
    const { from, to } = parseDay('2026-08-24', now);
    expect([localDay(from), localDay(from - 1), localDay(to - 1), localDay(to)]).toEqual([
      '2026-08-24',
      '2026-08-23',
      '2026-08-24',
      '2026-08-25',
    ]);
  });

  test('may be told as today and yesterday', () => {
    expect(parseDay('today', now)).toEqual(parseDay(localDay(now), now));
    expect(parseDay('yesterday', now).to).toBe(parseDay('today', now).from);
  });

  test.each([
    '',
    '24.08.2026',
    '2026-8-24',
    '2026-02-30',
    '2026-13-01',
    '0000-00-00',
    'tomorrow',
    '2026-08-24T10:00',
    ' today',
  ])('%j is none', (text) => {
    expect(() => parseDay(text, now)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });
});
