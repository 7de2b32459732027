import { listingStatements } from '../../../../src/catalogue/calls/listings.ts';
import { driverOf } from '../../../../src/catalogue/calls/searchDrivers.ts';
import { searchStatements } from '../../../../src/catalogue/calls/search.ts';
import type { CallSearch } from '../../../../src/catalogue/calls/searchConditions.ts';
import { countsOfPbx, unrecordedByDay } from '../../../../src/catalogue/figures.ts';
import type { Step } from '../../../../src/catalogue/sql/step.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { fillCatalogue } from '../../../../bench/largeCatalogue.ts';
import { sqliteDatabases } from '../../../support/catalogue/databases.ts';
import { annotate, searchContract, searches } from '../../../support/catalogue/searchContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let files = 0;

searchContract(
  sqliteDatabases(() => folder.path(`${(files += 1)}.db`)),
  { runs: 150 },
);

beforeAll(() => {
  fillCatalogue(folder.path('catalogue.db'), 5_000);
  annotate(folder.path('catalogue.db'));
});

/** What a step comes to that asks the database nothing. */
function unasked<Result>(step: Step<Result>): Result {
  const { done, value } = step.next();
  if (done !== true) throw new Error('it asks the database');

  return value;
}

/** What SQLite does for a statement, step by step. */
function planOf(...statements: readonly string[]): string[] {
  const database = openSqlite(folder.path('catalogue.db'), { readonly: true });
  try {
    return statements.flatMap((sql) =>
      (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(explained) as { detail: string }[]).map(
        ({ detail }) => detail,
      ),
    );
  } finally {
    database.close();
  }
}

/** Tables that grow with the calls. */
const large =
  'calls|recordings|recording_purposes|callers|extensions|dialled|changes|holds|notices|approvals|tags|collected|annotations';
/** Through all rows of such a table in no order that is wanted, or all rows of one put in order. */
const costly = (steps: readonly string[]): string[] =>
  steps.filter((step) => {
    if (step.startsWith('USE TEMP B-TREE')) return true;

    return new RegExp(`^SCAN (${large})( |$)`).test(step) && !step.includes('USING');
  });

const each = Object.entries(searches);
const pairs = each.flatMap(([one, first], at) =>
  each.slice(at + 1).map(([other, second]): [string, CallSearch] => [`${one}, ${other}`, { ...first, ...second }]),
);
const triples = each.flatMap(([one, first], at) =>
  pairs
    .filter(([names]) => each.slice(at + 1).some(([name]) => names.startsWith(`${name},`)))
    .map(([names, others]): [string, CallSearch] => [`${one}, ${names}`, { ...first, ...others }]),
);

test.each([
  ['one filter', each],
  ['any two filters', pairs],
  ['any three filters', triples],
])(
  'a search by %s goes through an index in the order of the list, sorts nothing and reads no table from end to end',
  (_, all) => {
    // What each list in the index would be asked for.
    const lists = function* (): Step<string[]> {
      return ['["a"]', '["nl"]', '["training","agreement"]', '["silent"]', '["obligation"]'];
    };
    const faults = all.flatMap(([name, search]) =>
      costly(planOf(...searchStatements(search, unasked(driverOf(search, lists))).map(({ sqlite }) => sqlite))).map(
        (step) => `${name}: ${step}`,
      ),
    );
    expect(faults).toEqual([]);
  },
);

test.each(Object.entries(listingStatements))(
  'what a page shows of %s is looked up by the ids of the page',
  (_, sql) => {
    const steps = planOf(sql);
    // A page has at most two hundred calls: what is found of them is put in order.
    expect(costly(steps).filter((step) => step !== 'USE TEMP B-TREE FOR ORDER BY')).toEqual([]);
    expect(steps.some((step) => step.startsWith('SEARCH'))).toBe(true);
  },
);

test('calls that were not recorded are counted by day, line and reason in the order of an index that has it all', () => {
  expect(planOf(unrecordedByDay)).toEqual([
    expect.stringMatching(/^SEARCH calls USING COVERING INDEX calls_unrecorded_by_day/),
  ]);
});

test.each(Object.entries(countsOfPbx))('the calls of a PBX are counted (%s) from an index alone, too', (_, sql) => {
  const [first, ...others] = planOf(sql);
  expect(first).toMatch(/^SEARCH calls USING COVERING INDEX calls_(unrecorded_)?of_pbx/);
  // The companies that are asked for.
  expect(others.filter((step) => /calls|B-TREE/.test(step))).toEqual([]);
});

/** Parameters by their names: EXPLAIN asks for each. */
const explained = new Proxy<Record<string, unknown>>(
  {},
  {
    get: () => null,
    has: () => true,
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: null }),
  },
);
