import { encodeTime } from 'ulid';
import * as z from 'zod';
import type { CallId } from '../../core/ids.ts';
import { dayMs } from '../../core/clock.ts';
import { sql, value, values, type Statement, type Step } from '../sql/step.ts';
import { conditionsOf, inPostgres, inSqlite, type CallSearch, type Words } from './searchConditions.ts';
import { driverOf, namesOfPbxs, type Driver, type Lists, type Part, type Values } from './searchDrivers.ts';

/** `next`: where to go on; undefined where there are no more. A page may be shorter than asked for, even empty, and have a `next`. */
export type FoundCalls = { ids: CallId[]; next: CallId | undefined };

/**
 * So many candidates of an index are looked at for one page. What few of them fit is found in several pages: no question, however it is put
 * together, keeps the process busy.
 */
const candidatesAtOnce = 1_000;
/** To choose from. */
const mostPbxs = 100;
/** Ids begin with the time by our clock; calls begin by Asterisk's. What differs by more is not found by its time, ms. */
const clocksApartMs = dayMs;

/** Ids, the first included and the second not. */
type Range = { least: string; before: string };

/** Searches of calls, newest first by their ids, with their recordings. */
export function makeSearch() {
  /** One step in the index for each list that is there. */
  const listsIn: Lists = function* ({ table, index, column, where }, most) {
    const select = sql(`
        WITH RECURSIVE each (list) AS (
          SELECT min(${column}) FROM ${table} INDEXED BY ${index} WHERE ${where} UNION ALL
          SELECT (SELECT min(${column}) FROM ${table} INDEXED BY ${index} WHERE ${where} AND ${column} > each.list)
          FROM each WHERE each.list IS NOT NULL)
        SELECT list FROM each WHERE list IS NOT NULL LIMIT ${most}`);

    return z.array(z.string()).parse(yield* values(select));
  };

  function* onePage(
    search: CallSearch,
    driver: Driver,
    { range, given, limit }: { range: Range; given: Values; limit: number },
  ): Step<{ ids: string[]; floor: string | undefined }> {
    if (driver.parts.length === 0) return { ids: [], floor: undefined };
    const [lastCandidate, select] = searchStatements(search, driver);
    const floor = z
      .string()
      .optional()
      .parse(yield* value(lastCandidate, { ...given, ...range }));
    const found = yield* values(select, { ...given, ...range, least: floor ?? range.least, limit });

    return { ids: z.array(z.string()).parse(found), floor };
  }

  return {
    /**
     * The newest of them, older than `before` where that is given.
     *
     * @param at when holds count, ms since 1970 UTC
     */
    *calls(search: CallSearch, at: number, before: string | undefined, limit: number): Step<FoundCalls> {
      const driver = yield* driverOf(search, listsIn);
      const range = rangeOf(search, before);
      const found = yield* onePage(search, driver, { range, given: valuesOf(search, driver, at), limit });
      const ids = [...new Set(found.ids)] as CallId[];

      return { ids, next: found.ids.length === limit ? ids.at(-1) : (found.floor as CallId | undefined) };
    },
    /** The names of the PBXs that calls have come to, in their order, at most a hundred. */
    *pbxs(): Step<string[]> {
      return yield* listsIn(namesOfPbxs, mostPbxs);
    },
  };
}

/** What says where the candidates of a page end, and what finds it among them. */
export function searchStatements(search: CallSearch, driver: Driver): [lastCandidate: Statement, select: Statement] {
  return [
    newest(driver, undefined, { of: String(candidatesAtOnce), all: `1 OFFSET ${candidatesAtOnce - 1}` }),
    newest(driver, search, { of: '@limit', all: '@limit' }),
  ];
}

/** So many of each part at most, and of all together. */
type Limits = { of: string; all: string };

/**
 * With a search, each candidate is looked at, too. Duplicates are possible, as of a recording with two holds. SQLite merges the parts in the order of their
 * indexes, until there are enough. PostgreSQL would put all of each in order, so it is told how many of each can be wanted.
 */
function newest({ parts }: Driver, search: CallSearch | undefined, limits: Limits): Statement {
  const inOrder = (selects: readonly string[], limit: string): string =>
    `${selects.join(' UNION ALL ')} ORDER BY 1 DESC LIMIT ${limit}`;
  const ofPart = (select: string, index: number): string =>
    `SELECT id FROM (${inOrder([select], limits.of)}) AS part${index}`;
  const ofPostgres = parts.map((part) => candidates(part, search, inPostgres));

  return sql({
    sqlite: inOrder(
      parts.map((part) => candidates(part, search, inSqlite)),
      limits.all,
    ),
    postgres: inOrder(ofPostgres.length === 1 ? ofPostgres : ofPostgres.map(ofPart), limits.all),
  });
}

/** Of one part, those that fit. */
function candidates({ select, from, where, covers }: Part, search: CallSearch | undefined, words: Words): string {
  const isOfCalls = from.startsWith('calls');
  const asked = search && { ...search, ...(covers === undefined ? {} : { [covers]: undefined }) };
  const conditions = asked === undefined ? [] : conditionsOf(asked, from.startsWith('recordings'), words);
  const needsCalls = !isOfCalls && conditions.some((condition) => condition.includes('calls.'));
  const withCalls = needsCalls ? `${from} CROSS JOIN calls ON calls.id = ${select}` : from;
  const column = isOfCalls ? 'calls.id' : select;
  const all = [where, `${column} >= @least`, `${column} < @before`, ...conditions];

  return `SELECT ${column} AS id FROM ${withCalls} WHERE ${all.join(' AND ')}`;
}

/** Behind every id. */
const lastId = 'Z'.repeat(26);

function rangeOf({ from, to }: CallSearch, before: string | undefined): Range {
  const idAt = (ms: number): string => encodeTime(Math.max(0, ms), 10);
  const end = to === undefined ? lastId : idAt(to + clocksApartMs);

  return {
    least: from === undefined ? '' : idAt(from - clocksApartMs),
    before: before !== undefined && before < end ? before : end,
  };
}

function valuesOf(search: CallSearch, driver: Driver, at: number): Values {
  const { lines, purposes, language, extensions, dialled, ...others } = search;
  const {
    from,
    to,
    direction,
    result,
    reason,
    caller,
    status,
    flag,
    controllers,
    tag,
    collection,
    scores,
    lengths,
    pbx,
  } = others;

  return {
    ...driver.values,
    at,
    from: from ?? null,
    to: to ?? null,
    lines: JSON.stringify(lines ?? []),
    purposes: JSON.stringify(purposes ?? []),
    languages: JSON.stringify(language === undefined ? [] : [language]),
    extensions: JSON.stringify(extensions ?? []),
    dialled: dialled ?? null,
    direction: direction ?? null,
    result: result ?? null,
    reason: reason ?? null,
    caller: caller ?? null,
    pbx: pbx ?? null,
    status: status ?? null,
    flag: flag ?? null,
    controllers: JSON.stringify((controllers ?? []).map((each) => each ?? '')),
    tag: tag ?? null,
    collection: collection ?? null,
    scoreFrom: scores?.from ?? null,
    scoreTo: scores?.to ?? null,
    lengthFrom: lengths?.from ?? null,
    lengthTo: lengths?.to ?? null,
  };
}
