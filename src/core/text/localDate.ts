/** Times for people outside the company: the local one first, that of the proof in brackets. */

/** In a language and a time zone, as IANA names it. */
export type Locale = { locale: string; timezone: string };

/** `29 November 2026, 21:15 (20:15 UTC)`; in the brackets with its day where that is another one. */
export function localDate(iso: string, { locale, timezone }: Locale): string {
  const time = new Date(iso);
  const dayIn = (timeZone: string): string =>
    new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric', timeZone }).format(time);
  const clockIn = (timeZone: string): string =>
    new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }).format(time);
  const [day, dayInUtc] = [dayIn(timezone), dayIn('UTC')];
  const inUtc = day === dayInUtc ? clockIn('UTC') : `${dayInUtc}, ${clockIn('UTC')}`;

  return `${day}, ${clockIn(timezone)} (${inUtc} UTC)`;
}

/** `2026-11-29 21:15:00.123 (20:15:00.123 UTC)`, to the millisecond as a proof has it, in no language. */
export function exactLocalDate(iso: string, timezone: string): string {
  const time = new Date(iso);
  // The Swedish write as ISO 8601 has it.
  const parts = new Intl.DateTimeFormat('sv-SE', {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
    hourCycle: 'h23',
    timeZone: timezone,
  }).format(time);
  const [day = '', clock = ''] = parts.split(' ');
  const [dayInUtc = '', clockInUtc = ''] = time.toISOString().replace('Z', '').split('T');

  return `${day} ${clock}${clockInUtc.slice(-4)} (${day === dayInUtc ? '' : `${dayInUtc} `}${clockInUtc} UTC)`;
}
