import type { CallsByDay } from '../../../src/web/routes/figures.ts';
import { choices } from '../calls/filters.ts';

/** The counts of the API, put together for the plots. */

/** `counts` has one for each day, in their order. */
export type Series = { key: string; counts: number[]; total: number };
export type Plot = { days: string[]; series: Series[] };

type Row = CallsByDay['days'][number];

const dayMs = 86_400_000;

/** Whole days of UTC, the last of them that of `now`, ms since 1970 UTC. */
export function daysUpTo(now: number, count: number): string[] {
  const today = Math.floor(now / dayMs) * dayMs;

  return Array.from({ length: count }, (_none, index) =>
    new Date(today - (count - 1 - index) * dayMs).toISOString().slice(0, 10),
  );
}

function seriesOf(rows: readonly Row[], days: readonly string[], keyOf: (row: Row) => string): Series[] {
  const places = new Map(days.map((day, place) => [day, place]));
  const found = new Map<string, Series>();
  for (const row of rows) {
    const key = keyOf(row);
    const place = places.get(row.day);
    if (place === undefined) continue;
    const series = found.get(key) ?? { key, counts: days.map(() => 0), total: 0 };
    series.counts[place] = (series.counts[place] ?? 0) + row.calls;
    series.total += row.calls;
    found.set(key, series);
  }

  return [...found.values()];
}

/** In the order in which results are told everywhere. */
export function byResult(rows: readonly Row[], days: string[]): Plot {
  const order: readonly string[] = choices.result;
  const series = seriesOf(rows, days, ({ result }) => result ?? 'goingOn');

  return { days, series: series.toSorted((one, other) => order.indexOf(one.key) - order.indexOf(other.key)) };
}

/** So many are told apart by their colours; those behind them are one. */
const mostLanguages = 5;
/** Of calls without a notice, and of the languages that few calls have. */
export const noLanguage = '';
export const otherLanguages = '+';

/** The most frequent first, those without a notice last. Two languages, one behind the other, are a kind of their own: `fr nl`. */
export function byLanguage(rows: readonly Row[], days: string[]): Plot {
  const found = seriesOf(rows, days, ({ languages }) => languages.join(' '));
  const spoken = found.filter(({ key }) => key !== noLanguage).toSorted((one, other) => other.total - one.total);
  const shown = spoken.length > mostLanguages ? spoken.slice(0, mostLanguages - 1) : spoken;
  const rest = spoken.slice(shown.length);
  const joined: Series = {
    key: otherLanguages,
    counts: days.map((_day, place) => rest.reduce((sum, { counts }) => sum + (counts[place] ?? 0), 0)),
    total: rest.reduce((sum, { total }) => sum + total, 0),
  };

  return {
    days,
    series: [...shown, ...(rest.length === 0 ? [] : [joined]), ...found.filter(({ key }) => key === noLanguage)],
  };
}

/** Of each day. */
export const totalsOf = ({ days, series }: Plot): number[] =>
  days.map((_day, place) => series.reduce((sum, { counts }) => sum + (counts[place] ?? 0), 0));

/** Round numbers up to the first that is not below `most`: at most five steps. */
export function ticksUpTo(most: number): number[] {
  const rough = Math.max(1, most) / 4;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? 10 * power;
  const count = Math.ceil(Math.max(1, most) / step);

  return Array.from({ length: count + 1 }, (_none, index) => index * step);
}
