import { openDatabase } from '../../../../src/catalogue/open.ts';
import { makePostgresRunner } from '../../../../src/catalogue/postgres/runner.ts';
import { sql, values } from '../../../../src/catalogue/sql/step.ts';
import { makeSqliteRunner } from '../../../../src/catalogue/sqlite/runner.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const server = usePostgres();

const document = JSON.stringify({
  code: 'archive_full',
  'a b': { c: [1, 'two'] },
  none: null,
  exceptions: [{ ground: 'x' }],
});
const list = JSON.stringify(['nl', 'fr', 'été "x"']);
const given = { document, list, none: null, empty: '[]', at: 1_796_000_000_123, day: 86_400 };

/** What statements of the catalogue ask for, and PostgreSQL has not of itself. */
const expressions = [
  `SELECT json_extract(@document, '$.code')`,
  `SELECT json_extract(@document, '$."a b".c[1]')`,
  `SELECT json_extract(@document, '$.none')`,
  `SELECT json_extract(@document, '$.missing.deeper')`,
  `SELECT json_extract(@none, '$.code')`,
  `SELECT value FROM json_each(@list)`,
  `SELECT value FROM json_each(@empty)`,
  `SELECT value FROM json_each(@none)`,
  `SELECT json_extract(each.value, '$.ground') FROM json_each(@document, '$.exceptions') AS each`,
  `SELECT json_insert(@list, '$[#]', 'de')`,
  `SELECT json_insert(@empty, '$[#]', 'a "b"')`,
  `SELECT json_group_array(value ORDER BY value DESC) FILTER (WHERE value <> 'nl') FROM json_each(@list) AS each`,
  `SELECT json_group_array(value) FROM json_each(@empty) AS each`,
  `SELECT instr(@list, '"nl"')`,
  `SELECT instr(@list, 'de')`,
  `SELECT max(1, @at - 2)`,
  `SELECT min(1, @at - 2)`,
  `SELECT max(1, CAST(@none AS INTEGER))`,
  `SELECT date(@at / 86400000 * 86400, 'unixepoch')`,
  `SELECT length(hex(randomblob(16)))`,
  `SELECT substr(@list, 2, 4)`,
  `SELECT 'a' < 'B'`,
];

test('a function of SQLite gives the same in PostgreSQL', async () => {
  const pool = await server.open(await server.newCatalogue());
  const sqlite = openDatabase(folder.path('catalogue.db'));
  try {
    const [inSqlite, inPostgres] = [makeSqliteRunner(sqlite), makePostgresRunner(pool)];
    for (const text of expressions) {
      const there = await inPostgres(() => values(sql(text), given));
      expect({ text, there }).toEqual({ text, there: inSqlite(values(sql(text), given)) });
    }
  } finally {
    sqlite.close();
  }
});

test('random bytes are others each time', async () => {
  const pool = await server.open(await server.newCatalogue());
  const { rows } = await pool.query<{ id: string }>('SELECT hex(randomblob(16)) AS id FROM generate_series(1, 100)');
  expect(new Set(rows.map(({ id }) => id)).size).toBe(100);
});
