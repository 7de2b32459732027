import { jest } from '@jest/globals';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import { openSqlite, type Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();

/** Every statement that a catalogue makes when it is opened. */
function statementsOf(file: string): readonly string[] {
  const shared = openSqlite(':memory:');
  const made = jest.spyOn(Object.getPrototypeOf(shared) as Database, 'prepare');
  try {
    openCatalogue(file, systemClock).close();

    return [...new Set(made.mock.calls.map(([sql]) => sql))];
  } finally {
    made.mockRestore();
    shared.close();
  }
}

/** Each of its parameters is null. */
function parametersOf(sql: string): unknown[] {
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, null]);

  return names.length > 0 ? [Object.fromEntries(names)] : [...sql.matchAll(/\?/g)].map(() => null);
}

test('a statement about the few recordings that are held, doubted or left in an archive begins with those few', () => {
  const file = folder.path('catalogue.db');
  const statements = statementsOf(file).filter((sql) => /FROM\s+(holds|clock_doubts|archive_copies)\b/.test(sql));
  expect(statements.length).toBeGreaterThan(10);
  const database = openSqlite(file);
  const faults = statements.filter((sql) =>
    (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parametersOf(sql)) as { detail: string }[]).some(
      ({ detail }) => /^SCAN recordings|recordings USING INDEX recordings_of_status/.test(detail),
    ),
  );
  database.close();
  expect(faults).toEqual([]);
});
