import * as z from 'zod';
import { isActiveHold } from '../conditions.ts';
import type { CallSearch } from './searchConditions.ts';

/** Which index gives the candidates of a search, in the order of the ids of calls. */

export type Values = Readonly<Record<string, string | number | null>>;

/** Parts that are merged, each in the order of its column of ids. */
export type Driver = { parts: readonly Part[]; values: Values };
type Part = { select: string; from: string; where: string };

/** A column that holds a list, as JSON, with the index of it. */
type ListIndex = { table: string; index: string; column: string; where: string };
/** The different lists that an index has, at most so many. */
export type Lists = (index: ListIndex, most: number) => string[];

/** Values or lists that are looked up one by one; with more, an index that has more of them is taken. */
const mostParts = 100;

const isEnded = 'state IS NULL';
/** Calls that go on are in no other index; there are few. */
const open: Part = { select: 'id', from: 'calls INDEXED BY calls_open', where: 'state IS NOT NULL' };

const single = (select: string, from: string, where: string): Driver => ({
  parts: [{ select, from, where }],
  values: {},
});

const ended = (index: string, where: string): Driver => ({
  parts: [open, { select: 'id', from: `calls INDEXED BY ${index}`, where: `${isEnded} AND ${where}` }],
  values: {},
});

/** A part for each value; undefined where they are too many. */
function ofValues(wanted: readonly string[], part: (value: string) => Part, others: readonly Part[] = []) {
  if (wanted.length > mostParts) return undefined;

  return {
    parts: [...others, ...wanted.map((_, at) => part(`@value${at}`))],
    values: Object.fromEntries(wanted.map((value, at) => [`value${at}`, value])),
  };
}

/** A part for each list that has one of these, since an index knows lists and not what is in them. */
function ofLists(wanted: readonly string[], list: ListIndex & { select: string }, lists: Lists): Driver | undefined {
  const { table, index, column, where, select } = list;
  const all = lists(list, mostParts + 1);
  if (all.length > mostParts) return undefined;
  const fitting = all.filter((each) => {
    const members = z.array(z.string()).parse(JSON.parse(each));

    return wanted.some((one) => members.includes(one));
  });

  return ofValues(fitting, (value) => ({
    select,
    from: `${table} INDEXED BY ${index}`,
    where: `${where} AND ${column} = ${value}`,
  }));
}

function ofCallLists(wanted: readonly string[], column: 'purposes' | 'languages', lists: Lists): Driver | undefined {
  const index = { table: 'calls', index: `calls_by_${column}`, column, where: isEnded, select: 'id' };
  const found = ofLists(wanted, index, lists);

  return found && { ...found, parts: [open, ...found.parts] };
}

type Choice = (search: CallSearch, lists: Lists) => Driver | undefined;

const heldRecordings =
  'holds INDEXED BY holds_by_recording CROSS JOIN recordings ON recordings.id = holds.recording_id';
const flags = { table: 'recordings', index: 'recordings_flagged', column: 'flags', where: `flags <> '[]'` };
const ofStatus = single('call_id', 'recordings INDEXED BY recordings_of_status', 'status = @status');

/** What is likely to be rarest comes first. What its index does not know is looked at in each candidate. */
const choices: readonly Choice[] = [
  ({ caller }) =>
    caller === undefined ? undefined : single('call_id', 'callers INDEXED BY callers_by_hash', 'hash = @caller'),
  ({ held }) => held && single('recordings.call_id', heldRecordings, isActiveHold),
  ({ exemplary }) =>
    exemplary && single('call_id', 'changes INDEXED BY changes_exemplary', `change = 'exemplaryMarked'`),
  ({ flag }, lists) => (flag === undefined ? undefined : ofLists([flag], { ...flags, select: 'call_id' }, lists)),
  ({ result }) =>
    result === 'turnedAway'
      ? single('call_id', 'changes INDEXED BY changes_turned_away', `change = 'turnedAway'`)
      : undefined,
  ({ reason }) => (reason === undefined ? undefined : ended('calls_by_reason', 'reason = @reason')),
  ({ extensions }) =>
    extensions &&
    ofValues(extensions, (value) => ({
      select: 'call_id',
      from: 'extensions INDEXED BY extensions_by_extension',
      where: `extension = ${value}`,
    })),
  ({ result }) => (result === 'goingOn' ? { parts: [open], values: {} } : undefined),
  // Most are archived: a line is rarer than that.
  ({ status }) => (status === undefined || status === 'archived' ? undefined : ofStatus),
  ({ direction }) =>
    direction === 'outgoing' ? single('id', 'calls INDEXED BY calls_outgoing', `direction = 'outgoing'`) : undefined,
  ({ lines }) =>
    lines &&
    ofValues(
      lines,
      (value) => ({ select: 'id', from: 'calls INDEXED BY calls_by_line', where: `${isEnded} AND line = ${value}` }),
      [open],
    ),
  ({ language }, lists) => (language === undefined ? undefined : ofCallLists([language], 'languages', lists)),
  ({ purposes }, lists) => purposes && ofCallLists(purposes, 'purposes', lists),
  ({ result }) => result && ended('calls_by_result', 'result = @result'),
  ({ status }) => status && ofStatus,
  ({ recorded }) => recorded && single('call_id', 'recordings', 'TRUE'),
];

export function driverOf(search: CallSearch, lists: Lists): Driver {
  for (const choice of choices) {
    const driver = choice(search, lists);
    if (driver !== undefined) return driver;
  }

  return single('id', 'calls', 'TRUE');
}
