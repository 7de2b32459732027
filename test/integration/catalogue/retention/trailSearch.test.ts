import { makeTrailSearch, type TrailPlace, type TrailSearch } from '../../../../src/catalogue/retention/trailSearch.ts';
import { makeSqliteRunner } from '../../../../src/catalogue/sqlite/runner.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { sqliteDatabases } from '../../../support/catalogue/databases.ts';
import { at, writeTrail } from '../../../support/catalogue/trailSearchContract.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const { newDatabase } = sqliteDatabases(() => folder.path('long.db'));

// What does not depend on SQLite stands in trailSearchContract.ts.
test('a page behind many others comes as soon as a first one', async () => {
  await writeTrail(newDatabase());
  const database = openSqlite(folder.path('long.db'));
  database.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300000)
    INSERT INTO audit (at, event, actor) SELECT ${at} + 100 + n, 'heard', 'user:anna' FROM numbers`);
  const run = makeSqliteRunner(database);
  const trail = makeTrailSearch(10);
  const behind = { at: at + 200, line: Number.MAX_SAFE_INTEGER };
  const soonest = (wanted: TrailSearch, place?: TrailPlace): number => {
    const times = Array.from({ length: 9 }, () => {
      const since = performance.now();
      expect(run(trail.search(wanted, place, 5)).lines.map((line) => line.at)).toEqual(
        [0, 1, 2, 3, 4].map((n) => at + 200 - n),
      );

      return performance.now() - since;
    });

    return Math.min(...times);
  };
  // Passing over 300,000 lines takes more than ten milliseconds, a page of ten less than one.
  const first = soonest({ from: at, to: at + 201 });
  for (const to of [undefined, at + 400_000]) {
    expect(soonest({ from: at, to }, behind)).toBeLessThan(10 * first + 1);
  }
  expect(run(trail.search({ from: at, to: at + 150 }, behind, 1)).lines.map((line) => line.at)).toEqual([at + 149]);
  database.close();
});
