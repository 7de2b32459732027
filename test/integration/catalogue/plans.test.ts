import { openDatabase } from '../../../src/catalogue/open.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { statementsMade } from '../../support/catalogue/statements.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
let file: string;
let statements: readonly string[];

beforeAll(async () => {
  file = folder.path('catalogue.db');
  statements = await statementsMade('sqlite', async () => {
    const { openCatalogue } = await import('../../../src/catalogue/catalogue.ts');
    openCatalogue(file, systemClock).close();
  });
});

/** Each of its parameters is null. */
function parametersOf(sql: string): Record<string, null> {
  return Object.fromEntries([...sql.matchAll(/@(\w+)/g)].map(([, name = '']) => [name, null]));
}

test('every statement is one that SQLite can carry out, although each is prepared when it is first asked', () => {
  expect(statements.length).toBeGreaterThan(200);
  const database = openDatabase(file);
  for (const sql of statements) database.prepare(sql);
  database.close();
});

test('a statement about the few recordings that are held, doubted or left in an archive begins with those few', () => {
  const ofFew = statements.filter((sql) => /FROM\s+(holds|clock_doubts|archive_copies)\b/.test(sql));
  expect(ofFew.length).toBeGreaterThan(10);
  const database = openDatabase(file);
  const faults = ofFew.filter((sql) =>
    (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parametersOf(sql)) as { detail: string }[]).some(({ detail }) =>
      /^SCAN recordings|recordings USING INDEX recordings_of_status/.test(detail),
    ),
  );
  database.close();
  expect(faults).toEqual([]);
});

test('the count of what is stored reads of each part no more than that part', () => {
  const ofStorage = statements.filter((sql) => /sum\(bytes\)[^]+@last\b/.test(sql));
  expect(ofStorage).toHaveLength(1);
  const database = openDatabase(file);
  const [plan] = ofStorage.map((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parametersOf(sql)));
  database.close();
  expect(plan).toContainEqual(
    expect.objectContaining({ detail: 'SEARCH recordings USING COVERING INDEX recordings_kept (id>? AND id<?)' }),
  );
});
