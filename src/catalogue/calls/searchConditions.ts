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
  /** Of its recording; a call without one has none of these. */
  recorded?: true | undefined;
  status?: RecordingStatus | undefined;
  flag?: string | undefined;
  /** Kept by a hold at the time `at`. */
  held?: true | undefined;
  exemplary?: true | undefined;
};

const inJson = (column: string, name: string): string => `${column} IN (SELECT value FROM json_each(@${name}))`;
const anyInJson = (column: string, name: string): string =>
  `EXISTS (SELECT 1 FROM json_each(${column}) AS one WHERE one.value IN (SELECT value FROM json_each(@${name})))`;
const isTurnedAway = `EXISTS (SELECT 1 FROM changes WHERE call_id = calls.id AND change = 'turnedAway')`;
const ofRecording = (condition: string): string =>
  `EXISTS (SELECT 1 FROM recordings WHERE recordings.call_id = calls.id AND ${condition})`;

/** Each condition on its own, whatever index the candidates come from; `calls` is the row. */
export function conditionsOf(search: CallSearch): string[] {
  const { result } = search;
  const whenGiven = (value: unknown, condition: string): string[] => (value === undefined ? [] : [condition]);
  const ofResult =
    result === 'turnedAway'
      ? `calls.result = 'unrecorded' AND ${isTurnedAway}`
      : `ifnull(calls.result, 'goingOn') = @result`;

  return [
    ...whenGiven(search.from, 'calls.started_at >= @from'),
    ...whenGiven(search.to, 'calls.started_at < @to'),
    ...whenGiven(search.lines, inJson('calls.line', 'lines')),
    ...whenGiven(search.purposes, anyInJson('calls.purposes', 'purposes')),
    ...whenGiven(search.language, anyInJson('calls.languages', 'languages')),
    ...whenGiven(search.direction, 'calls.direction = @direction'),
    ...whenGiven(result, ofResult),
    ...whenGiven(search.reason, 'calls.reason = @reason'),
    ...whenGiven(search.caller, 'EXISTS (SELECT 1 FROM callers WHERE call_id = calls.id AND hash = @caller)'),
    ...whenGiven(
      search.extensions,
      `EXISTS (SELECT 1 FROM extensions WHERE call_id = calls.id AND ${inJson('extension', 'extensions')})`,
    ),
    ...whenGiven(search.recorded, ofRecording('TRUE')),
    ...whenGiven(search.status, ofRecording('status = @status')),
    ...whenGiven(search.flag, ofRecording('EXISTS (SELECT 1 FROM json_each(flags) WHERE value = @flag)')),
    ...whenGiven(
      search.held,
      ofRecording(`EXISTS (SELECT 1 FROM holds WHERE holds.recording_id = recordings.id AND ${isActiveHold})`),
    ),
    ...whenGiven(
      search.exemplary,
      `EXISTS (SELECT 1 FROM changes WHERE call_id = calls.id AND change = 'exemplaryMarked')`,
    ),
  ];
}
