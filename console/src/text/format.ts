import type { Language } from './language.ts';

/** Times, lengths and sizes as a language writes them. Times are those of the reader's clock; `title` has UTC. */
export type Format = {
  /** 29 November 2026, 14:03 */
  dayAndTime: (iso: string) => string;
  /** Sunday 29 November 2026 */
  longDay: (iso: string) => string;
  /** 29/11/2026 */
  day: (iso: string) => string;
  /** The same of a day that somebody has named, or of its times in UTC: it is this day wherever the reader is. */
  namedDay: (iso: string) => string;
  /** 29/11, 14:03 */
  shortTime: (iso: string) => string;
  /** 29/11 */
  shortDay: (iso: string) => string;
  /** 14:03:07 */
  clock: (iso: string) => string;
  /** 14:03:07.120: as the receipt has it. */
  exactClock: (iso: string) => string;
  /** 1:05, or 1:00:05 */
  position: (ms: number) => string;
  /** 12 ms, 1.4 s, 2 min 5 s */
  length: (ms: number) => string;
  /** 4.8 s: with one digit behind the point, also where it is 0, so that columns are easy to compare. */
  seconds: (ms: number) => string;
  size: (bytes: number) => string;
  number: (value: number) => string;
  /** 1.25× */
  speed: (value: number) => string;
  percent: (share: number) => string;
  languageName: (tag: string) => string;
};

/** Of the day before the month, as the countries write it where Préavis is used. */
const locales: Readonly<Record<Language, string>> = { fr: 'fr-BE', nl: 'nl-BE', de: 'de-DE', en: 'en-GB' };

const two = (value: number): string => String(value).padStart(2, '0');

/** 65000 ms as 1:05. */
function positionText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];

  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export function formatOf(language: Language): Format {
  const locale = locales[language];
  const dates = (options: Intl.DateTimeFormatOptions): ((iso: string) => string) => {
    const format = new Intl.DateTimeFormat(locale, options);

    return (iso) => format.format(new Date(iso));
  };
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const exact = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const day = dates({ day: '2-digit', month: '2-digit', year: 'numeric' });
  const clock = dates({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
  const names = new Intl.DisplayNames([locale], { type: 'language' });
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const byte = language === 'fr' ? 'o' : 'B';

  return {
    dayAndTime: dates({
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }),
    longDay: dates({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    day,
    namedDay: (iso) => day(`${iso.slice(0, 10)}T12:00:00`),
    shortDay: dates({ day: '2-digit', month: '2-digit' }),
    shortTime: dates({ day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    clock,
    exactClock: (iso) => `${clock(iso)}.${String(new Date(iso).getUTCMilliseconds()).padStart(3, '0')}`,
    position: positionText,
    length: (ms) => {
      if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
      if (Math.abs(ms) < 60_000) return `${number.format(ms / 1_000)} s`;

      const seconds = Math.round(ms / 1_000);

      return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    },
    seconds: (ms) => `${tenths.format(ms / 1_000)} s`,
    size: (bytes) => {
      if (bytes < 1_000_000) return `${number.format(Math.max(0.1, bytes / 1_000))} k${byte}`;
      if (bytes < 1_000_000_000) return `${number.format(bytes / 1_000_000)} M${byte}`;

      return `${number.format(bytes / 1_000_000_000)} G${byte}`;
    },
    number: (value) => number.format(value),
    speed: (value) => `${exact.format(value)}×`,
    percent: (share) => percent.format(share),
    languageName: (tag) => {
      try {
        return names.of(tag.replaceAll('_', '-')) ?? tag;
      } catch {
        return tag;
      }
    },
  };
}
