import * as z from 'zod';
import type { Clock } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { thisProcess } from '../../core/processes.ts';
import { makeIdentity } from '../identity.ts';
import { isServingMark, jobInWords, makeLeases } from '../jobs/leases.ts';
import type { Leaving } from '../open.ts';
import { makeSqliteRunner } from '../sqlite/runner.ts';
import type { Database } from '../sqlite/sqlite.ts';
import { keyOf, rowNumber, type Batch, type Row, type Table, type Value } from './tables.ts';

/** The SQLite catalogue that is moved: it is only read. */
export type Source = {
  readonly identity: string;
  /** In an order in which each comes behind those that it names rows of. */
  readonly tables: readonly Table[];
  /** Who works with it, by its leases, as far as that is known. */
  readonly users: readonly string[];
  count(table: Table): number;
  /** The rows behind this key; undefined where there are none. Throws move_refused for what PostgreSQL does not keep. */
  batch(table: Table, after: Row | undefined): Batch | undefined;
  /** The highest number that a table with a sequence has ever given. */
  highest: (table: string) => bigint;
  /** Throws move_refused where SQLite says that it is damaged, or rows name others that are not there. */
  requireSound(): void;
};

/** Of a batch: its transaction is short, and so is what is done again after a kill. What is in memory is bounded by both. */
const rowsOfBatch = 2_000;
const mostBytes = 4 * 1024 * 1024;

/** What only SQLite needs, or makes for itself. */
const isOfSqliteAlone = (name: string): boolean => name === 'log_debt' || name.startsWith('sqlite_');

const columnRow = z.object({ name: z.string(), type: z.enum(['INTEGER', 'TEXT']), pk: z.number() });
const referenceRow = z.object({ table: z.string() });

export function makeSource(
  { database }: Pick<Leaving, 'database'>,
  clock: Clock,
  mostRows: number = rowsOfBatch,
): Source {
  const run = makeSqliteRunner(database);
  const names = z
    .array(z.string())
    .parse(database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).pluck().all())
    .filter((name) => !isOfSqliteAlone(name));
  const batch = makeBatches(database, mostRows);

  return {
    identity: run(makeIdentity().identity()),
    tables: inOrderOfReferences(database, names).map((name) => tableOf(database, name)),
    users: usersOf(database, clock),
    count: ({ name }) => z.number().parse(database.prepare(`SELECT count(*) FROM ${name}`).pluck().get()),
    batch,
    highest: (table) => {
      const seen = database.prepare(`SELECT seq FROM sqlite_sequence WHERE name = ?`).pluck().safeIntegers().get(table);

      return z.bigint().default(0n).parse(seen);
    },
    requireSound: () => {
      requireSound(database);
    },
  };
}

function tableOf(database: Database, name: string): Table {
  const found = z.array(columnRow).parse(database.pragma(`table_info(${name})`));
  const columns = found.map((column) => ({
    name: column.name,
    type: column.type === 'INTEGER' ? ('bigint' as const) : ('text' as const),
  }));
  if (name === rowNumber.table) {
    return { name, columns: [...columns, { name: rowNumber.column, type: 'bigint' }], key: [rowNumber.column] };
  }
  const key = found
    .filter(({ pk }) => pk > 0)
    .toSorted((one, other) => one.pk - other.pk)
    .map((column) => column.name);

  // What has no key has one row.
  return { name, columns, key: key.length > 0 ? key : columns.map((column) => column.name) };
}

function inOrderOfReferences(database: Database, names: readonly string[]): string[] {
  const ordered = new Set<string>();
  const referencesOf = (name: string): string[] =>
    z
      .array(referenceRow)
      .parse(database.pragma(`foreign_key_list(${name})`))
      .map(({ table }) => table);
  const place = (name: string): void => {
    if (ordered.has(name)) return;
    for (const each of referencesOf(name)) if (each !== name) place(each);
    ordered.add(name);
  };
  for (const name of names) place(name);

  return [...ordered];
}

function makeBatches(database: Database, mostRows: number): Source['batch'] {
  const inSqlite = (table: Table, name: string): string =>
    table.name === rowNumber.table && name === rowNumber.column ? 'rowid' : `"${name}"`;
  const select = (table: Table, isFirst: boolean) => {
    const key = table.key.map((name) => inSqlite(table, name)).join(', ');
    const columns = table.columns.map(({ name }) => inSqlite(table, name)).join(', ');
    const behind = isFirst ? '' : `WHERE (${key}) > (${table.key.map(() => '?').join(', ')})`;

    return `SELECT ${columns} FROM ${table.name} ${behind} ORDER BY ${key} LIMIT ${mostRows}`;
  };

  const requireText = (table: Table, row: Row): void => {
    const columns = table.columns.map(({ name }) => `hex(${inSqlite(table, name)})`).join(', ');
    const where = table.key.map((name) => `${inSqlite(table, name)} IS ?`).join(' AND ');
    const bytes = database
      .prepare<Value[], string[]>(`SELECT ${columns} FROM ${table.name} WHERE ${where}`)
      .raw()
      .get(...keyOf(table, row));
    for (const [index, value] of row.entries()) {
      if (typeof value !== 'string' || bytes?.[index] === Buffer.from(value).toString('hex').toUpperCase()) continue;
      throw notKept(`a text of ${table.name}.${table.columns[index]?.name ?? ''} is not in UTF-8`);
    }
  };

  return (table, after) => {
    const found = database
      .prepare<Value[], Value[]>(select(table, after === undefined))
      .raw()
      .safeIntegers()
      .iterate(...(after ?? []));
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of found) {
      rows.push(row);
      bytes += bytesOf(table, row);
      if (bytes >= mostBytes) break;
    }
    // SQLite gives what is no text in UTF-8 with this sign in its place, and any text may have it.
    for (const row of rows)
      if (row.some((value) => typeof value === 'string' && value.includes('\ufffd'))) requireText(table, row);
    const last = rows.at(-1);

    return last === undefined ? undefined : { rows, last: keyOf(table, last) };
  };
}

const notKept = (what: string): PreavisError =>
  new PreavisError('move_refused', `${what}, which PostgreSQL does not keep`, {
    hint: 'No version of Préavis writes one: find out who did. The catalogue stays where it is.',
  });

/** About as many as it has. Throws move_refused for what PostgreSQL does not keep. */
function bytesOf({ name, columns }: Table, row: Row): number {
  let bytes = 0;
  for (const [index, value] of row.entries()) {
    if (typeof value !== 'string') continue;
    bytes += value.length;
    if (value.includes('\0')) {
      const column = columns[index]?.name ?? '';
      throw notKept(`a text of ${name}.${column} has a NUL`);
    }
  }

  return bytes;
}

function usersOf(database: Database, clock: Clock): string[] {
  const run = makeSqliteRunner(database);
  const { otherHolder } = makeLeases(clock);
  const jobs = z.array(z.string()).parse(database.prepare('SELECT job FROM leases ORDER BY job').pluck().all());

  return jobs.flatMap((job) => {
    const holder = isServingMark(job) ? undefined : run(otherHolder(job, thisProcess()));

    return holder === undefined ? [] : [`${jobInWords(job)}, by process ${holder.pid} on ${holder.host}`];
  });
}

function requireSound(database: Database): void {
  const verdict = database.pragma('quick_check(1)', { simple: true });
  if (verdict !== 'ok') {
    throw new PreavisError('move_refused', 'SQLite says that the catalogue is damaged', {
      hint: 'Restore the last backup (docs/operations/backup.md), and move that.',
    });
  }
  const tables = z
    .array(z.string())
    .parse(database.prepare('SELECT DISTINCT "table" FROM pragma_foreign_key_check ORDER BY 1').pluck().all());
  if (tables.length > 0) {
    throw new PreavisError('move_refused', `rows of ${tables.join(', ')} name others that are not in the catalogue`, {
      hint: 'Rows were removed by another program. Restore the last backup (docs/operations/backup.md), and move that.',
    });
  }
}
