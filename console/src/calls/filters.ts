import { recordingFlags } from './flags.ts';

/** What is looked for, as it stands in the address of the list: a link shows what its sender saw. Days are those of the reader. */

/** Of a choice: what there is. */
export const choices = {
  result: ['recorded', 'unrecorded', 'turnedAway', 'notConnected', 'abandoned', 'goingOn'],
  direction: ['incoming', 'outgoing'],
  status: ['recording', 'recorded', 'archived', 'erased', 'failed', 'lost', 'discarded'],
  flag: recordingFlags,
} as const;

/** Those that are always shown. */
const usual = ['from', 'to', 'line', 'result'] as const;
/** Those behind "More filters". */
export const rare = [
  'reason',
  'purpose',
  'language',
  'direction',
  'extension',
  'dialled',
  'status',
  'flag',
  'held',
  'exemplary',
  'controller',
  'pbx',
  'tag',
  'collection',
  'scoreFrom',
  'scoreTo',
  'lengthFrom',
  'lengthTo',
] as const;
const names = [...usual, ...rare] as const;
export type FilterName = (typeof names)[number];
export type Filters = Readonly<Partial<Record<FilterName, string | undefined>>>;

const dayForm = /^\d{4}-\d{2}-\d{2}$/;

/** Of what is not one of these the API says that it is wrong: an address may be old, or typed. */
const forms: Readonly<Record<FilterName, RegExp>> = {
  from: dayForm,
  to: dayForm,
  line: /^[a-z][a-z0-9-]{0,39}$/,
  result: new RegExp(`^(${choices.result.join('|')})$`),
  reason: /^[a-z_]{1,40}$/,
  purpose: /^[a-z][a-z0-9-]{0,39}$/,
  language: /^[a-z]{2,3}(_[A-Z]{2})?$/,
  direction: new RegExp(`^(${choices.direction.join('|')})$`),
  extension: /^[A-Za-z0-9*#+._-]{1,80}$/,
  dialled: /^([+(]{0,2}[0-9][0-9 ()./-]{2,37}|[0-9A-Za-z*#._-]{1,40})$/,
  status: new RegExp(`^(${choices.status.join('|')})$`),
  flag: /^[a-z_]{1,40}$/,
  held: /^true$/,
  exemplary: /^true$/,
  controller: /^[a-z][a-z0-9-]{0,39}$/,
  pbx: /^[a-z][a-z0-9-]{0,39}$/,
  tag: /^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,39}$/u,
  collection: /^[a-z][a-z0-9-]{0,39}$/,
  scoreFrom: /^(100|\d{1,2})$/,
  scoreTo: /^(100|\d{1,2})$/,
  lengthFrom: /^\d{1,4}$/,
  lengthTo: /^\d{1,4}$/,
};

export const isUsable = (name: FilterName, value: string): boolean => forms[name].test(value);

/** Those of an address that can be used. */
export function filtersIn(query: URLSearchParams): Filters {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query.get(name) ?? '';

      return isUsable(name, value) ? [[name, value]] : [];
    }),
  );
}

/** The address of the list with these filters; of its first page where there is no cursor. */
export function listAddress(filters: Filters, cursor?: string): string {
  const query = new URLSearchParams();
  for (const name of names) if ((filters[name] ?? '') !== '') query.set(name, filters[name] ?? '');
  if (cursor !== undefined) query.set('cursor', cursor);
  const text = query.toString();

  return text === '' ? '/calls' : `/calls?${text}`;
}

/** The begin of a day of the reader, `days` later. */
function beginOf(day: string, days = 0): Date {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);

  return new Date(year, month - 1, date + days);
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The day of the reader at this time, as filters have it. */
export const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** So many days before that of `now`, ms since 1970 UTC. */
export function daysBack(days: number, now: number): string {
  const today = new Date(now);

  return dayOf(new Date(today.getFullYear(), today.getMonth(), today.getDate() - days));
}

/** As the API has filters. `to` is the last day, and the API wants the time behind it. */
export function apiFilters({ from, to, ...rest }: Filters): Readonly<Record<string, string>> {
  const given = Object.entries(rest).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));

  return {
    ...Object.fromEntries(given),
    ...(from === undefined ? {} : { from: beginOf(from).toISOString() }),
    ...(to === undefined ? {} : { to: beginOf(to, 1).toISOString() }),
  };
}

/** The address of the API for a page of the list. */
export function apiQuery(filters: Filters, cursor: string | undefined, limit: number): string {
  const query = new URLSearchParams(apiFilters(filters));
  if (cursor !== undefined) query.set('cursor', cursor);
  query.set('limit', String(limit));

  return `/calls?${query.toString()}`;
}
