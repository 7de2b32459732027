import { fillCatalogue } from '../../../bench/largeCatalogue.ts';
import { openSqlite, type Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import type { Catalogue } from '../../../src/catalogue/catalogue.ts';
import { archivedRecording, saveCall } from './catalogues.ts';

/** Of every table, rows. */
export async function fillEverything(
  file: string,
  open: (file: string) => Catalogue,
  { calls = 60 }: { calls?: number } = {},
): Promise<void> {
  fillCatalogue(file, calls);
  const catalogue = open(file);
  await archivedRecording(catalogue);
  await saveCall(catalogue, { until: 'talking' });
  await saveCall(catalogue, { keepDays: 7 });
  await catalogue.auditTrail.appendAll(
    Array.from({ length: 50 }, (_, index) => ({
      recording: null,
      note: { event: `event ${index}`, actor: odd, detail: { odd, index } },
    })),
  );
  catalogue.close();
  const database = openSqlite(file);
  try {
    fillEmptyTables(database);
  } finally {
    database.close();
  }
}

/** What a text may have in it and a program may get wrong: quotes, what SQL, JSON, arrays and COPY read, and more than one byte. */
const odd = `d'é "q" \\ \\N {1,NULL} \u2028 \u0001 \t\n 😀 ,`;

/** Columns that take some values alone. */
const allowed: Readonly<Record<string, string | number | null>> = {
  'holds.ground': 'dispute',
  'archive_copies.state': 'left',
  'approvals.verdict': null,
  'deliveries.status': 'waiting',
  'notices.witness': 'agrees',
  'asked_erasures.cause': '{"kind":"user","user":"anna"}',
  'unwatched.why': 'process_ended',
  'watch.id': 1,
};

/** So many rows of each table that has none. */
const rowsOfTable = 20;

function fillEmptyTables(database: Database): void {
  const read = (sql: string): unknown[] => database.prepare(sql).pluck().all();
  const tables = read(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`) as string[];
  const ids = read(`SELECT id FROM recordings WHERE id = call_id ORDER BY id LIMIT ${rowsOfTable}`) as string[];
  const isEmpty = (table: string): boolean => read(`SELECT EXISTS (SELECT 1 FROM ${table})`)[0] === 0;
  for (const table of tables.filter(isEmpty)) {
    const columns = database.pragma(`table_info(${table})`) as { name: string; type: string }[];
    const insert = database.prepare(
      `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    for (const [index, id] of ids.slice(0, table === 'watch' ? 1 : undefined).entries()) {
      const values = columns.map(({ name, type }) => {
        const named = allowed[`${table}.${name}`];
        if (named !== undefined) return named;
        if (name === 'call_id' || name === 'recording_id') return id;

        return type === 'INTEGER' ? BigInt(index) * 1_000_000_007n : `${odd} ${table} ${index}`;
      });
      insert.run(...values);
    }
  }
}
