/** Times for people outside the company: the local one first, that of the proof in brackets. */

/** In a language and a time zone, as IANA names it. */
export type Locale = { locale: string; timezone: string };

type Fineness = 'minute' | 'second' | 'millisecond';

const clockOf = (fineness: Fineness): Intl.DateTimeFormatOptions => ({
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  ...(fineness === 'minute' ? {} : { second: '2-digit' }),
  ...(fineness === 'millisecond' ? { fractionalSecondDigits: 3 } : {}),
});

/** `29 November 2026, 21:15 (20:15 UTC)`; in the brackets with its day where that is another one. */
export function localDate(iso: string, { locale, timezone }: Locale, fineness: Fineness = 'minute'): string {
  const time = new Date(iso);
  const dayIn = (timeZone: string): string =>
    new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric', timeZone }).format(time);
  const clockIn = (timeZone: string): string =>
    new Intl.DateTimeFormat(locale, { ...clockOf(fineness), timeZone }).format(time);
  const [day, dayInUtc] = [dayIn(timezone), dayIn('UTC')];
  const inUtc = day === dayInUtc ? clockIn('UTC') : `${dayInUtc}, ${clockIn('UTC')}`;

  return `${day}, ${clockIn(timezone)} (${inUtc} UTC)`;
}
