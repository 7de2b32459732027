import * as z from 'zod';
import { isActiveHold } from '../conditions.ts';
import type { Step } from '../sql/step.ts';
import { hasScore, type CallSearch } from './searchConditions.ts';

/** Which index gives the candidates of a search, in the order of the ids of calls. */

export type Values = Readonly<Record<string, string | number | null>>;

/** Parts that are merged, each in the order of its column of ids. */
export type Driver = { parts: readonly Part[]; values: Values };
/** `covers`: what its candidates all fit, so that it is not asked of each of them. */
export type Part = { select: string; from: string; where: string; covers?: keyof CallSearch };

/** A column that holds a name, or a list as JSON, with the index of it. */
type ListIndex = { table: string; index: string; column: string; where: string };
/** The different ones that an index has, at most so many. */
export type Lists = (index: ListIndex, most: number) => Step<string[]>;

/** Values or lists that are looked up one by one; with more, an index that has more of them is taken. */
const mostParts = 100;

const isEnded = 'state IS NULL';
/** Calls that go on are in no other index; there are few. */
const open: Part = { select: 'id', from: 'calls INDEXED BY calls_open', where: 'state IS NOT NULL' };

const single = (part: Part): Driver => ({ parts: [part], values: {} });

const ended = (covers: 'reason' | 'result'): Driver => ({
  parts: [
    open,
    {
      select: 'id',
      from: `calls INDEXED BY calls_by_${covers}`,
      where: `${isEnded} AND ${covers} = @${covers}`,
      covers,
    },
  ],
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
function* ofLists(
  wanted: readonly string[],
  list: ListIndex & Pick<Part, 'select' | 'covers'>,
  lists: Lists,
): Step<Driver | undefined> {
  const { table, index, column, where, select, covers } = list;
  const all = yield* lists(list, mostParts + 1);
  if (all.length > mostParts) return undefined;
  const fitting = all.filter((each) => {
    const members = z.array(z.string()).parse(JSON.parse(each));

    return wanted.some((one) => members.includes(one));
  });

  return ofValues(fitting, (value) => ({
    select,
    from: `${table} INDEXED BY ${index}`,
    where: `${where} AND ${column} = ${value}`,
    ...(covers === undefined ? {} : { covers }),
  }));
}

function* ofCallLists(
  wanted: readonly string[],
  [column, covers]: ['purposes', 'purposes'] | ['languages', 'language'],
  lists: Lists,
): Step<Driver | undefined> {
  const index = { table: 'calls', index: `calls_by_${column}`, column, where: isEnded, select: 'id', covers };
  const found = yield* ofLists(wanted, index, lists);

  return found && { ...found, parts: [open, ...found.parts] };
}

/** A step where the lists of an index must be read first. */
type Choice = (search: CallSearch, lists: Lists) => Driver | undefined | Step<Driver | undefined>;

const ofFlags = {
  table: 'recordings',
  index: 'recordings_flagged',
  column: 'flags',
  where: `flags <> '[]'`,
  select: 'call_id',
  covers: 'flag',
} as const;
const ofStatus = single({
  select: 'call_id',
  from: 'recordings INDEXED BY recordings_of_status',
  where: 'status = @status',
  covers: 'status',
});
const ofCaller = single({
  select: 'call_id',
  from: 'callers INDEXED BY callers_by_hash',
  where: 'hash = @caller',
  covers: 'caller',
});
const ofDialled = single({
  select: 'call_id',
  from: 'dialled INDEXED BY dialled_by_number',
  where: 'number = @dialled',
  covers: 'dialled',
});
const held = single({ select: 'call_id', from: 'holds INDEXED BY holds_by_call', where: isActiveHold, covers: 'held' });
const exemplary = single({
  select: 'call_id',
  from: 'changes INDEXED BY changes_exemplary',
  where: `change = 'exemplaryMarked'`,
  covers: 'exemplary',
});
const turnedAway = single({
  select: 'call_id',
  from: 'changes INDEXED BY changes_turned_away',
  where: `change = 'turnedAway'`,
});
const outgoing = single({
  select: 'id',
  from: 'calls INDEXED BY calls_outgoing',
  where: `direction = 'outgoing'`,
  covers: 'direction',
});
const ofPbx = single({ select: 'id', from: 'calls INDEXED BY calls_by_pbx', where: 'pbx = @pbx', covers: 'pbx' });
export const namesOfPbxs: ListIndex = {
  table: 'calls',
  index: 'calls_by_pbx',
  column: 'pbx',
  where: 'pbx IS NOT NULL',
};
const ofTag = single({ select: 'call_id', from: 'tags INDEXED BY tags_by_tag', where: 'tag = @tag', covers: 'tag' });
const ofCollection = single({
  select: 'call_id',
  from: 'collected INDEXED BY collected_by_call',
  where: 'collection = @collection',
  covers: 'collection',
});
const rated = single({
  select: 'call_id',
  from: 'annotations INDEXED BY annotations_rated',
  where: hasScore,
  covers: 'scores',
});
const everyRecording = single({ select: 'call_id', from: 'recordings', where: 'TRUE', covers: 'recorded' });
const everyCall = single({ select: 'id', from: 'calls', where: 'TRUE' });

/** What is likely to be rarest comes first. What its index does not know is looked at in each candidate. */
const choices: readonly Choice[] = [
  (search) => (search.caller === undefined ? undefined : ofCaller),
  (search) => (search.tag === undefined ? undefined : ofTag),
  (search) => (search.collection === undefined ? undefined : ofCollection),
  (search) => search.held && held,
  (search) => search.exemplary && exemplary,
  (search) => search.scores && rated,
  ({ flag }, lists) => (flag === undefined ? undefined : ofLists([flag], ofFlags, lists)),
  ({ result }) => (result === 'turnedAway' ? turnedAway : undefined),
  ({ reason }) => (reason === undefined ? undefined : ended('reason')),
  ({ extensions }) =>
    extensions &&
    ofValues(extensions, (value) => ({
      select: 'call_id',
      from: 'extensions INDEXED BY extensions_by_extension',
      where: `extension = ${value}`,
      covers: 'extensions',
    })),
  ({ result }) => (result === 'goingOn' ? { parts: [open], values: {} } : undefined),
  // Most are archived: a line is rarer than that.
  ({ status }) => (status === undefined || status === 'archived' ? undefined : ofStatus),
  // A line may have several numbers.
  ({ dialled }) => (dialled === undefined ? undefined : ofDialled),
  ({ direction }) => (direction === 'outgoing' ? outgoing : undefined),
  ({ lines }) =>
    lines &&
    ofValues(
      lines,
      (value) => ({
        select: 'id',
        from: 'calls INDEXED BY calls_by_line',
        where: `${isEnded} AND line = ${value}`,
        covers: 'lines',
      }),
      [open],
    ),
  ({ controllers }) =>
    controllers &&
    ofValues(
      controllers.map((each) => each ?? ''),
      (value) => ({
        select: 'id',
        from: 'calls INDEXED BY calls_by_controller',
        where: `${isEnded} AND ifnull(controller, '') = ${value}`,
        covers: 'controllers',
      }),
      [open],
    ),
  ({ pbx }) => (pbx === undefined ? undefined : ofPbx),
  ({ language }, lists) =>
    language === undefined ? undefined : ofCallLists([language], ['languages', 'language'], lists),
  ({ purposes }, lists) => purposes && ofCallLists(purposes, ['purposes', 'purposes'], lists),
  ({ result }) => result && ended('result'),
  ({ status }) => status && ofStatus,
  ({ recorded, lengths }) => (recorded ?? lengths) && everyRecording,
];

export function* driverOf(search: CallSearch, lists: Lists): Step<Driver> {
  for (const choice of choices) {
    const made = choice(search, lists);
    const driver = made === undefined || 'parts' in made ? made : yield* made;
    if (driver !== undefined) return driver;
  }

  return everyCall;
}
