import { Problem } from '../../../console/src/api/problem.ts';
import { HeardParts } from '../../../console/src/call/heard.ts';
import { isForLater } from '../../../console/src/call/usePlayer.ts';
import { apiQuery, filtersIn, listAddress } from '../../../console/src/calls/filters.ts';
import { withSeen } from '../../../console/src/calls/known.ts';
import { formatOf } from '../../../console/src/text/format.ts';
import { sumsOf } from '../../../console/src/unrecorded/sums.ts';

/** What the pages reckon by themselves. */

test('a line, purpose or PBX that is not configured any more can be chosen, from a filter or a call, and stays so', () => {
  const nothing = { lines: [], purposes: ['training'], languages: [], tags: [], companies: ['own'], pbxs: [] };
  const call = {
    line: null,
    purposes: ['former'],
    languages: ['fr'],
    controller: 'acme',
    pbx: 'north',
    recording: { tags: ['vip'] },
  };
  const byFilter = withSeen(nothing, [], { line: 'old', purpose: 'gone', language: 'de', pbx: 'south' });
  expect(byFilter).toEqual({
    ...nothing,
    lines: ['old'],
    purposes: ['gone', 'training'],
    languages: ['de'],
    pbxs: ['south'],
  });
  expect(withSeen(withSeen(byFilter, [call], {}), [], {})).toEqual({
    lines: ['old'],
    purposes: ['former', 'gone', 'training'],
    languages: ['de', 'fr'],
    tags: ['vip'],
    companies: ['acme', 'own'],
    pbxs: ['north', 'south'],
  });
});

describe('the filters of an address', () => {
  test('are those that can be used; others are left aside', () => {
    const query = new URLSearchParams('line=sales&result=nothing&from=yesterday&held=true&cursor=x&number=%2B32');
    expect(filtersIn(query)).toEqual({ line: 'sales', held: 'true' });
  });

  test('make the same address again', () => {
    const address = '/calls?from=2026-11-01&line=sales&result=unrecorded';
    expect(listAddress(filtersIn(new URLSearchParams(address.split('?')[1])))).toBe(address);
    const dialled = new URLSearchParams(listAddress({ dialled: '+32 (0)2 555 01 00' }).split('?')[1]);
    expect(filtersIn(dialled)).toEqual({ dialled: '+32 (0)2 555 01 00' });
    expect(filtersIn(new URLSearchParams({ dialled: '<b>' }))).toEqual({});
    expect(listAddress({})).toBe('/calls');
    expect(listAddress({ line: 'sales' }, 'abc')).toBe('/calls?line=sales&cursor=abc');
  });

  test('have tags in any language, scores, companies, PBXs and collections', () => {
    const address =
      '/calls?controller=acme&pbx=north&tag=%C3%A9t%C3%A9+vip&collection=exemplary&scoreFrom=0&scoreTo=100';
    expect(listAddress(filtersIn(new URLSearchParams(address.split('?')[1])))).toBe(address);
    expect(filtersIn(new URLSearchParams('scoreFrom=101&scoreTo=-1&tag=%3Cb%3E&collection=A&pbx=%3Cb%3E'))).toEqual({});
  });

  test('ask the API for whole days, the last one included', () => {
    const query = new URLSearchParams(apiQuery({ from: '2026-11-01', to: '2026-11-02' }, undefined, 50).split('?')[1]);
    const begin = new Date(2026, 10, 1).toISOString();
    expect(query.get('from')).toBe(begin);
    expect(query.get('to')).toBe(new Date(2026, 10, 3).toISOString());
    expect(query.get('limit')).toBe('50');
  });
});

describe('what was heard', () => {
  test('is what was played, and not what was jumped over', () => {
    const heard = new HeardParts();
    for (const position of [0, 250, 500]) heard.playedTo(position);
    heard.interrupted();
    for (const position of [10_000, 10_250]) heard.playedTo(position);
    expect(heard.seconds).toBe(0.75);
    expect(heard.take()).toEqual([
      [0, 500],
      [10_000, 10_250],
    ]);
    expect(heard.take()).toEqual([]);
  });

  test('has no jump that nobody told of, and no way back', () => {
    const heard = new HeardParts();
    for (const position of [0, 5_000, 5_100, 4_000]) heard.playedTo(position);
    expect(heard.take()).toEqual([[5_000, 5_100]]);
  });

  test('that could not be told is told the next time', () => {
    const heard = new HeardParts();
    heard.playedTo(0);
    heard.playedTo(1_000);
    heard.putBack(heard.take());
    expect(heard.take()).toEqual([[0, 1_000]]);
  });

  test.each([
    [0, true],
    [429, true],
    [503, true],
    [400, false],
    [401, false],
    [404, false],
  ])('after an answer %i is told again: %s', (status, isAgain) => {
    expect(isForLater(new Problem({ code: 'any', status }))).toBe(isAgain);
  });
});

test('the report is put together by reason, line, PBX and day, faults apart from what somebody wanted', () => {
  const row = (day: string, line: string | null, reason: string | null, calls: number) => ({
    day,
    line,
    reason,
    calls,
  });
  const sums = sumsOf({
    from: '2026-11-01T00:00:00Z',
    to: '2026-11-03T12:00:00Z',
    calls: 20,
    unrecorded: [
      row('2026-11-01', 'sales', 'refused', 2),
      row('2026-11-03', 'orders', 'spool_full', 4),
      row('2026-11-03', 'sales', null, 1),
    ],
    pbxs: [
      { pbx: 'north', calls: 3 },
      { pbx: 'south', calls: 4 },
    ],
  });
  expect(sums).toEqual({
    total: 7,
    faults: [
      { name: 'spool_full', calls: 4 },
      { name: null, calls: 1 },
    ],
    wanted: [{ name: 'refused', calls: 2 }],
    lines: [
      { name: 'orders', calls: 4 },
      { name: 'sales', calls: 3 },
    ],
    pbxs: [
      { name: 'south', calls: 4 },
      { name: 'north', calls: 3 },
    ],
    days: [
      { day: '2026-11-01', faults: 0, wanted: 2 },
      { day: '2026-11-02', faults: 0, wanted: 0 },
      { day: '2026-11-03', faults: 5, wanted: 0 },
    ],
  });
});

test('a length is rounded before it is told in minutes and seconds', () => {
  const { length } = formatOf('en');
  expect([12, 1_440, 59_940, 119_700, 125_000].map(length)).toEqual([
    '12 ms',
    '1.4 s',
    '59.9 s',
    '2 min 0 s',
    '2 min 5 s',
  ]);
});
