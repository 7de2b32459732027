import { movedTo } from '../../../console/src/collections/useOrder.ts';
import {
  byLanguage,
  byResult,
  daysUpTo,
  noLanguage,
  otherLanguages,
  ticksUpTo,
  totalsOf,
} from '../../../console/src/figures/series.ts';
import { causeText } from '../../../console/src/system/cause.ts';
import { en } from '../../../console/src/messages/en.ts';
import { formatOf } from '../../../console/src/text/format.ts';

/** What the plots are made of. */

const days = ['2026-11-29', '2026-11-30'];
const row = (day: string, result: string | null, languages: string[], calls: number) => ({
  day,
  result,
  languages,
  calls,
});

test('days are those of UTC, the last of them today', () => {
  expect(daysUpTo(Date.parse('2026-12-01T23:59:59.999Z'), 3)).toEqual(['2026-11-29', '2026-11-30', '2026-12-01']);
});

test('calls by result have each day, also one without calls, and the order of results', () => {
  const rows = [
    row('2026-11-30', 'unrecorded', ['fr'], 2),
    row('2026-11-30', 'recorded', ['fr'], 3),
    row('2026-11-30', 'recorded', ['nl'], 1),
    row('2026-11-30', null, [], 1),
    row('2026-10-01', 'recorded', ['nl'], 9),
  ];
  const plot = byResult(rows, days);
  expect(plot.series).toEqual([
    { key: 'recorded', counts: [0, 4], total: 4 },
    { key: 'unrecorded', counts: [0, 2], total: 2 },
    { key: 'goingOn', counts: [0, 1], total: 1 },
  ]);
  expect(totalsOf(plot)).toEqual([0, 7]);
});

test('calls by language have the most frequent first, two languages as one kind, and those without a notice last', () => {
  const rows = [
    row('2026-11-29', 'recorded', [], 9),
    row('2026-11-29', 'recorded', ['fr', 'nl'], 2),
    row('2026-11-30', 'recorded', ['de'], 5),
  ];
  expect(byLanguage(rows, days).series.map(({ key, total }) => [key, total])).toEqual([
    ['de', 5],
    ['fr nl', 2],
    [noLanguage, 9],
  ]);
});

test('of many languages the rare ones are one, and no call is left out', () => {
  const rows = ['fr', 'nl', 'de', 'en', 'es', 'it', 'pt'].map((tag, place) =>
    row('2026-11-30', 'recorded', [tag], 10 - place),
  );
  const plot = byLanguage(rows, days);
  expect(plot.series.map(({ key }) => key)).toEqual(['fr', 'nl', 'de', 'en', otherLanguages]);
  expect(totalsOf(plot)).toEqual([0, 49]);
});

test.each([
  [0, [0, 1]],
  [1, [0, 1]],
  [5, [0, 2, 4, 6]],
  [75, [0, 20, 40, 60, 80]],
  [1_000, [0, 500, 1_000]],
])('the scale up to %d has few, round numbers, and none below the highest column', (most, ticks) => {
  expect(ticksUpTo(most)).toEqual(ticks);
});

test('what the archive did not take has a cause in words, where there are words', () => {
  expect(causeText(null, en)).toBe(en.figures.untried);
  expect(causeText('archive_unreachable', en)).toBe(en.problems.archive_unreachable.replace(/\.$/, ''));
  expect(causeText('some_code', en)).toBe('some_code');
});

test('sizes go up to gigabytes, in the units of the language, and seconds have one digit', () => {
  const { size, seconds } = formatOf('de');
  const sizes = [1_200, 3_400_000, 5_600_000_000];
  expect(sizes.map(size)).toEqual(['1,2 kB', '3,4 MB', '5,6 GB']);
  expect(sizes.map(formatOf('fr').size)).toEqual(['1,2 ko', '3,4 Mo', '5,6 Go']);
  expect(seconds(8_000)).toBe('8,0 s');
});

test('a row that is moved is at its new place, and the others keep their order', () => {
  expect(movedTo(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
  expect(movedTo(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
  expect(movedTo(['a', 'b'], 5, 0)).toEqual(['a', 'b']);
});
