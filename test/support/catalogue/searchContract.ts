import fc from 'fast-check';
import { callId, fillCatalogue, firstCall, hashKey, lineOf, numberOf } from '../../../bench/largeCatalogue.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { CallSearch } from '../../../src/catalogue/calls/searchConditions.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeCallerHash } from '../../../src/call/plan/preferences.ts';
import type { CallId } from '../../../src/core/ids.ts';
import { temporaryFolder } from '../temporaryFolder.ts';
import type { Databases, TestDatabase } from './databases.ts';

/** Some calls are of another company, or came to another PBX, and people have written about some recordings. */
export function annotate(file: string): void {
  const database = openSqlite(file);
  database.exec(`
    UPDATE calls SET controller = 'acme' WHERE rowid % 40 = 0;
    UPDATE calls SET pbx = iif(rowid % 3 = 0, 'north', 'south') WHERE rowid % 4 <> 0;
    INSERT INTO tags SELECT id, iif(rowid % 60 = 0, 'vip', 'complaint'), call_id FROM recordings WHERE rowid % 30 = 0;
    INSERT INTO collected (recording_id, collection, call_id, position, added_by, added_at, controller)
      SELECT id, 'exemplary', call_id, rowid, 'user:anna', 1, '' FROM recordings WHERE rowid % 70 = 0;
    INSERT INTO annotations SELECT id, call_id, 1, '[]', rowid % 101, 'user:anna', 1 FROM recordings WHERE rowid % 9 = 0;`);
  database.close();
}

const caller = makeCallerHash(hashKey, 'BE')(numberOf(1_234)) ?? '';
export const searches: Readonly<Record<string, CallSearch>> = {
  everything: {},
  recorded: { recorded: true },
  line: { lines: ['line-3'] },
  lines: { lines: ['line-3', 'rare'] },
  purpose: { purposes: ['training'] },
  purposes: { purposes: ['obligation', 'agreement'] },
  language: { language: 'nl' },
  outgoing: { direction: 'outgoing' },
  incoming: { direction: 'incoming' },
  result: { result: 'abandoned' },
  turnedAway: { result: 'turnedAway' },
  goingOn: { result: 'goingOn' },
  reason: { reason: 'refused' },
  caller: { caller },
  extension: { extensions: ['123'] },
  extensions: { extensions: ['123', '200', '301'] },
  dialled: { dialled: '+3225550100' },
  archived: { status: 'archived' },
  erased: { status: 'erased' },
  flag: { flag: 'silent' },
  held: { held: true },
  exemplary: { exemplary: true },
  tag: { tag: 'vip' },
  collection: { collection: 'exemplary' },
  scores: { scores: { from: 40, to: 60 } },
  lengths: { lengths: { from: 30_000, to: 90_000 } },
  company: { controllers: ['acme'] },
  pbx: { pbx: 'north' },
  companies: { controllers: ['acme', null] },
  day: { from: firstCall + 20_000 * 700, to: firstCall + 20_000 * 900 },
  written: { tag: 'complaint', scores: { from: 0, to: 100 }, controllers: [null], lines: ['line-3'] },
  several: { lines: ['line-3'], reason: 'refused', language: 'de', from: firstCall + 20_000 * 100 },
};

type Row = Record<string, string | number | null> & { id: string };
function everyRow(file: string): readonly Row[] {
  const database = openSqlite(file, { readonly: true });
  const rows = database
    .prepare(
      `SELECT calls.id, line, purposes, languages, direction, calls.started_at, result, reason, status, flags, callers.hash, extension,
         dialled.number AS dialled, calls.controller, calls.pbx, tag, collection, score, duration_ms,
         EXISTS (SELECT 1 FROM holds WHERE recording_id = recordings.id) AS held,
         EXISTS (SELECT 1 FROM changes WHERE call_id = calls.id AND change = 'exemplaryMarked') AS exemplary,
         EXISTS (SELECT 1 FROM changes WHERE call_id = calls.id AND change = 'turnedAway') AS turned
       FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id LEFT JOIN callers ON callers.call_id = calls.id
         LEFT JOIN extensions ON extensions.call_id = calls.id LEFT JOIN dialled ON dialled.call_id = calls.id
         LEFT JOIN tags ON tags.call_id = calls.id LEFT JOIN collected ON collected.call_id = calls.id
         LEFT JOIN annotations ON annotations.call_id = calls.id ORDER BY calls.id DESC`,
    )
    .all() as Row[];
  database.close();

  return rows;
}

const isBetween = (value: unknown, range: { from: number; to: number } | undefined): boolean =>
  typeof value === 'number' && range !== undefined && value >= range.from && value <= range.to;

/** The same said in another way: without an index, over every row. */
function expectedOf(rows: readonly Row[], search: CallSearch): string[] {
  const has = (json: string | number | null | undefined, wanted: readonly string[]): boolean =>
    wanted.some((each) => (JSON.parse(String(json ?? '[]')) as string[]).includes(each));
  const is = (wanted: unknown, value: boolean): boolean => wanted === undefined || value;

  return rows
    .filter(
      (row) =>
        is(search.recorded, row['status'] !== null) &&
        is(search.lines, search.lines?.includes(String(row['line'])) === true) &&
        is(search.purposes, has(row['purposes'], search.purposes ?? [])) &&
        is(search.language, has(row['languages'], [search.language ?? ''])) &&
        is(search.direction, row['direction'] === search.direction) &&
        is(
          search.result,
          search.result === 'turnedAway' ? row['turned'] === 1 : (row['result'] ?? 'goingOn') === search.result,
        ) &&
        is(search.reason, row['reason'] === search.reason) &&
        is(search.caller, row['hash'] === search.caller) &&
        is(search.extensions, search.extensions?.includes(String(row['extension'])) === true) &&
        is(search.dialled, row['dialled'] === search.dialled) &&
        is(search.status, row['status'] === search.status) &&
        is(search.flag, has(row['flags'], [search.flag ?? ''])) &&
        is(search.held, row['held'] === 1) &&
        is(search.exemplary, row['exemplary'] === 1) &&
        is(search.controllers, search.controllers?.includes(row['controller'] as string | null) === true) &&
        is(search.pbx, row['pbx'] === search.pbx) &&
        is(search.tag, row['tag'] === search.tag) &&
        is(search.collection, row['collection'] === search.collection) &&
        is(search.scores, isBetween(row['score'], search.scores)) &&
        is(search.lengths, isBetween(row['duration_ms'], search.lengths)) &&
        is(search.from, Number(row['started_at']) >= (search.from ?? 0)) &&
        is(search.to, Number(row['started_at']) < (search.to ?? 0)),
    )
    .map(({ id }) => id);
}

/** All that a search finds, page by page, and how many pages it took. */
async function allOf(catalogue: Catalogue, search: CallSearch, limit = 200): Promise<string[]> {
  const found: string[] = [];
  for (let before: string | undefined; ;) {
    const page = await catalogue.search.calls(search, firstCall, before, limit);
    found.push(...page.ids);
    if (page.next === undefined) return found;
    before = page.next;
  }
}

/** Searches of many calls, and what a page shows of them, whatever database keeps them. */
export function searchContract({ withRowsOf }: Databases, { runs }: { runs: number }): void {
  const folder = temporaryFolder();
  let database: TestDatabase;
  let rows: readonly Row[];
  const connect = () => database.connect({ now: () => firstCall });
  beforeAll(async () => {
    const file = folder.path('catalogue.db');
    fillCatalogue(file, 5_000);
    annotate(file);
    rows = everyRow(file);
    database = await withRowsOf(file);
  }, 120_000);

  test.each(Object.entries(searches))(
    'a search by %s finds each call once, the newest first, whatever the page',
    async (_, search) => {
      const catalogue = await connect();
      const found = await allOf(catalogue, search);
      expect(found).toEqual(expectedOf(rows, search));
      expect(await allOf(catalogue, search, 7)).toEqual(found);
    },
  );

  test('a search by any of these together finds each call once, the newest first', async () => {
    const catalogue = await connect();
    await fc.assert(
      fc.asyncProperty(fc.subarray(Object.values(searches), { minLength: 2, maxLength: 5 }), async (chosen) => {
        const search = Object.assign({}, ...chosen) as CallSearch;
        expect(await allOf(catalogue, search)).toEqual(expectedOf(rows, search));
      }),
      { numRuns: runs },
    );
  });

  test('a page of any calls is what each of them is by itself, in the order that is asked for', async () => {
    const catalogue = await connect();
    const wanted = [4_999, 0, 1_009, 3_003, 83].map((call) => callId(call) as CallId);
    const listings = await catalogue.listings.of([...wanted, 'no-call' as CallId], 'token:somebody');
    expect(listings.map(({ call }) => call.id)).toEqual(wanted);
    for (const { call, recording, ...listing } of listings) {
      const alone = await catalogue.recordings.ofCall(call.id);
      expect(call).toEqual(await catalogue.calls.find(call.id));
      expect(recording === undefined ? undefined : alone).toEqual(recording && expect.objectContaining(recording));
      expect(listing).toEqual({
        extension: (await catalogue.extensions.of(call.id)) ?? null,
        dialled: (await catalogue.dialled.of(call.id)) ?? null,
        holds: alone === undefined ? [] : await catalogue.legalHolds.of(alone.id),
        ends: alone === undefined ? [] : await catalogue.recordings.purposeEnds(alone.id),
        approvals: [],
        isExemplary: (await catalogue.timeline.changes(call.id)).some(({ change }) => change === 'exemplaryMarked'),
        written: {
          tags: alone === undefined ? [] : (await catalogue.annotations.of(alone.id)).tags,
          score: (alone && (await catalogue.annotations.of(alone.id)).rating?.score) ?? null,
          collections: alone === undefined ? [] : await catalogue.collections.of(alone.id),
        },
      });
    }
  });

  test('the PBXs that calls came to are known by name, and calls are counted by them as by a look at each', async () => {
    const catalogue = await connect();
    const pbxs = await catalogue.search.pbxs();
    expect(pbxs).toEqual(['north', 'south']);
    const period = { from: firstCall + 20_000 * 700 + 1, to: firstCall + 20_000 * 4_000 };
    const controllers: readonly (readonly string[] | undefined)[] = [undefined, [''], ['acme'], ['acme', '']];
    for (const of of controllers) {
      const counted = (pbx: string | undefined, result?: string): number =>
        rows.filter(
          (row) =>
            Number(row['started_at']) >= period.from &&
            Number(row['started_at']) < period.to &&
            (of?.includes(String(row['controller'] ?? '')) ?? true) &&
            (pbx === undefined || row['pbx'] === pbx) &&
            (result === undefined || row['result'] === result),
        ).length;
      const expected = pbxs.map((pbx) => ({ pbx, calls: counted(pbx, 'unrecorded') }));
      expect(await catalogue.figures.unrecordedByPbx(period, [...pbxs, 'nowhere'], of)).toEqual(
        expected.filter(({ calls }) => calls > 0),
      );
      for (const pbx of [...pbxs, undefined]) {
        const { calls, unrecorded } = await catalogue.figures.unrecorded(period, of, pbx);
        expect([calls, unrecorded.reduce((sum, row) => sum + row.calls, 0)]).toEqual([
          counted(pbx),
          counted(pbx, 'unrecorded'),
        ]);
      }
    }
  });

  test('a page of what few calls fit is short and says where to go on', async () => {
    const catalogue = await connect();
    const first = await catalogue.search.calls(
      { direction: 'incoming', language: 'de', reason: 'nothing' },
      firstCall,
      undefined,
      50,
    );
    expect(first).toEqual({ ids: [], next: undefined });
    const rare = { from: firstCall, to: firstCall + 20_000 } as const;
    const page = await catalogue.search.calls(rare, firstCall, undefined, 50);
    expect(page.ids).toEqual(page.next === undefined ? [callId(0)] : []);
    expect(await allOf(catalogue, rare)).toEqual([callId(0)]);
    expect(lineOf(0)).toBe('rare');
  });
}
