import { PreavisError } from '../core/errors.ts';

/** Times for people: those of the machine's time zone (TZ), with what that is ahead of UTC. --json has UTC. */

const two = (number: number): string => String(number).padStart(2, '0');

/** `+02:00`; `UTC` where it is that. */
function zoneAt(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);

  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `2026-08-24 12:00:00.000`: its own clock, without saying which. */
function wallClock(ms: number): string {
  const minutes = new Date(ms).getTimezoneOffset();

  return new Date(ms - minutes * 60_000).toISOString().replace('T', ' ').replace('Z', '');
}

/** `2026-08-24 12:00:00 +02:00`. */
export function localTime(ms: number): string {
  return `${wallClock(ms).slice(0, -4)} ${zoneAt(ms)}`;
}

/** `12:00:00.123`, for what happened on one day that was named before. */
export function localClock(ms: number): string {
  return wallClock(ms).slice(-12);
}

/** `2026-08-24`, the day by the machine's time zone. */
export function localDay(ms: number): string {
  return wallClock(ms).slice(0, 10);
}

/**
 * A column of times. The zone stands in the header where all have the same, else with each of them, as where summer time ended in between.
 *
 * @param times ms since 1970 UTC; null for an empty cell
 */
export function timeColumn(name: string, times: readonly (number | null)[]): { header: string; cells: string[] } {
  const known = times.filter((time) => time !== null);
  const [zone, ...others] = new Set(known.map(zoneAt));
  if (zone === undefined || others.length > 0) {
    return { header: name, cells: times.map((time) => (time === null ? '' : localTime(time))) };
  }

  return {
    header: `${name} ${zone}`,
    cells: times.map((time) => (time === null ? '' : wallClock(time).slice(0, -4))),
  };
}

/** From its first moment to that of the next day, ms since 1970 UTC. */
export type Day = { from: number; to: number };

const dayForm = /^(\d{4})-(\d\d)-(\d\d)$/;

/** A day of the machine's time zone: `2026-08-24`, `today` or `yesterday`. Throws usage, which names the option. */
export function parseDay(text: string, now: number, option = '--day'): Day {
  const isNamed = text === 'today' || text === 'yesterday';
  const named = isNamed ? localDay(now) : text;
  const [year = Number.NaN, month = 0, date = 0] = (dayForm.exec(named) ?? []).slice(1).map(Number);
  // A day is 23 or 25 hours long where the clock is changed.
  const begin = (ahead: number): number => new Date(year, month - 1, date + ahead).getTime();
  if (Number.isNaN(begin(0)) || localDay(begin(0)) !== named) {
    throw new PreavisError('usage', `${option} is a day such as 2026-08-24, or today, or yesterday`);
  }
  const ahead = text === 'yesterday' ? -1 : 0;

  return { from: begin(ahead), to: begin(ahead + 1) };
}
