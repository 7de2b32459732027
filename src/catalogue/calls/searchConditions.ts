import { isActiveHold } from '../conditions.ts';
import type { Direction } from '../rows.ts';
import type { RecordingStatus } from '../statuses.ts';
import type { CallResult } from './calls.ts';

/** Which calls; all that is given must be true of a call. */
export type CallSearch = {
  /** Begun in this time by Asterisk's clock, ms since 1970 UTC, the second excluded. */
  from?: number | undefined;
  to?: number | undefined;
  /** On one of these. */
  lines?: readonly string[] | undefined;
  /** For at least one of these. */
  purposes?: readonly string[] | undefined;
  language?: string | undefined;
  direction?: Direction | undefined;
  result?: CallResult | undefined;
  reason?: string | undefined;
  /** The keyed hash of the number. */
  caller?: string | undefined;
  /** Answered by one of these, or dialled from it. */
  extensions?: readonly string[] | undefined;
  /** The number of the company that the caller dialled, in the form that it is kept in. */
  dialled?: string | undefined;
  /** For one of these of `controllers`; null: for none of them. */
  controllers?: readonly (string | null)[] | undefined;
  /** As the operator named the Asterisk that took it. */
  pbx?: string | undefined;
  /** Of its recording; a call without one has none of these. */
  recorded?: true | undefined;
  status?: RecordingStatus | undefined;
  /** Of the sound, ms, both included; of one that is not finished it is not known. */
  lengths?: { from: number; to: number } | undefined;
  flag?: string | undefined;
  /** Kept by a hold at the time `at`. */
  held?: true | undefined;
  exemplary?: true | undefined;
  tag?: string | undefined;
  collection?: string | undefined;
  /** Of its rating, from 0 to 100, both included; one that is not rated has none. */
  scores?: { from: number; to: number } | undefined;
};

/**
 * How a database is told to look at each candidate by itself. PostgreSQL makes a join of an EXISTS or IN wherever it can, and may begin it at the other
 * end: at all recordings that are rated, for a thousand calls. It makes none of a query with an OFFSET, nor of an array.
 */
export type Words = { among: (column: string, name: string) => string; exists: (select: string) => string };
const wanted = (name: string): string => `SELECT value FROM json_each(@${name})`;
export const inSqlite: Words = {
  among: (column, name) => `${column} IN (${wanted(name)})`,
  exists: (select) => `EXISTS (${select})`,
};
export const inPostgres: Words = {
  among: (column, name) => `${column} = ANY (ARRAY (${wanted(name)}))`,
  exists: (select) => `EXISTS (${select} OFFSET 0)`,
};

export const hasScore = 'score IS NOT NULL AND score BETWEEN @scoreFrom AND @scoreTo';

/** What is asked of a recording; one row at most, which is looked up once. */
function recordingConditions(search: CallSearch, { exists }: Words): string[] {
  const writtenOf = (table: string, condition: string): string =>
    exists(`SELECT 1 FROM ${table} WHERE ${table}.recording_id = recordings.id AND ${condition}`);

  return [
    ...whenGiven(search.status, 'recordings.status = @status'),
    ...whenGiven(search.lengths, 'recordings.duration_ms BETWEEN @lengthFrom AND @lengthTo'),
    ...whenGiven(search.flag, exists('SELECT 1 FROM json_each(recordings.flags) WHERE value = @flag')),
    ...whenGiven(search.held, writtenOf('holds', isActiveHold)),
    ...whenGiven(search.tag, writtenOf('tags', 'tag = @tag')),
    ...whenGiven(search.collection, writtenOf('collected', 'collection = @collection')),
    ...whenGiven(search.scores, writtenOf('annotations', hasScore)),
  ];
}

const whenGiven = (value: unknown, condition: string): string[] => (value === undefined ? [] : [condition]);

/**
 * Each condition on its own, whatever index the candidates come from; `calls` is the row. Those that read nothing but that row come first:
 * SQLite looks at them in this order, and at no more once one does not hold.
 *
 * @param withRecording `recordings` is a row, too
 */
export function conditionsOf(search: CallSearch, withRecording: boolean, words: Words): string[] {
  const { result, recorded } = search;
  const { among, exists } = words;
  const anyAmong = (column: string, name: string): string =>
    exists(`SELECT 1 FROM json_each(${column}) AS one WHERE ${among('one.value', name)}`);
  const isChanged = (change: string): string =>
    exists(`SELECT 1 FROM changes WHERE call_id = calls.id AND change = '${change}'`);
  const ofResult =
    result === 'turnedAway'
      ? `calls.result = 'unrecorded' AND ${isChanged('turnedAway')}`
      : `coalesce(calls.result, 'goingOn') = @result`;
  const asked = recordingConditions(search, words);
  const hasSuch = ['recordings.call_id = calls.id', ...asked].join(' AND ');
  const ofRecording =
    asked.length === 0 && recorded !== true ? [] : [exists(`SELECT 1 FROM recordings WHERE ${hasSuch}`)];

  return [
    ...whenGiven(search.from, 'calls.started_at >= @from'),
    ...whenGiven(search.to, 'calls.started_at < @to'),
    ...whenGiven(search.direction, 'calls.direction = @direction'),
    ...whenGiven(search.reason, 'calls.reason = @reason'),
    ...whenGiven(search.pbx, 'calls.pbx = @pbx'),
    ...whenGiven(search.lines, among('calls.line', 'lines')),
    ...whenGiven(search.controllers, among(`coalesce(calls.controller, '')`, 'controllers')),
    ...whenGiven(result, ofResult),
    ...whenGiven(search.purposes, anyAmong('calls.purposes', 'purposes')),
    ...whenGiven(search.language, anyAmong('calls.languages', 'languages')),
    ...(withRecording ? asked : ofRecording),
    ...whenGiven(search.caller, exists('SELECT 1 FROM callers WHERE call_id = calls.id AND hash = @caller')),
    ...whenGiven(
      search.extensions,
      exists(`SELECT 1 FROM extensions WHERE call_id = calls.id AND ${among('extension', 'extensions')}`),
    ),
    ...whenGiven(
      search.dialled,
      exists('SELECT 1 FROM dialled WHERE dialled.call_id = calls.id AND dialled.number = @dialled'),
    ),
    ...whenGiven(search.exemplary, isChanged('exemplaryMarked')),
  ];
}
