import type { PoolClient } from 'pg';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import { orRefused } from '../postgres/failures.ts';
import { postgresMigrations, schemaName } from '../postgres/migrations.ts';
import { inspectPostgres, migratePostgres, movingTable, newDatabase, type PostgresOptions } from '../postgres/open.ts';
import { digestInPostgres, namesOf, type Batch, type Row, type Table } from './tables.ts';

/** How far a table has come. `last`: the key of the row that was copied last. */
type Progress = { readonly rows: number; readonly last: Row | undefined };

/** What there is of the rows of a range. */
type Held = { readonly rows: number; readonly digest: string };

/** A line of the audit trail as PostgreSQL has it, and the link that it makes of it; null: the line has none. */
type Link = { readonly chain: string | null; readonly made: string | null };

/** What the database is before a move: empty, or of a move that did not come to its end, or the catalogue that was moved. */
type Before = 'empty' | 'unfinished' | 'moved';

/** The database that a catalogue is moved into, by one connection: with its end, its lock is another move's to have. */
export type Target = {
  /** @param again it would be emptied */
  before(identity: string, again: boolean): Promise<Before>;
  /** Of an empty database. */
  begin(identity: string): Promise<void>;
  /** Empties a database that has an unfinished move. */
  empty(): Promise<void>;
  /** Throws move_refused where it does not have each of these columns, and no others. */
  requireTables(tables: readonly Table[]): Promise<void>;
  /** The same of an empty database, as if a move had begun there: what is made for that is undone. */
  tryTables(tables: readonly Table[]): Promise<void>;
  progress(table: Table): Promise<Progress>;
  append(table: Table, batch: Batch): Promise<void>;
  /** Rows with a key above `after` and up to `last`; undefined: no limit. */
  held(table: Table, after: Row | undefined, last: Row | undefined): Promise<Held>;
  /** Of lines in the order of their numbers. @param before the link of the line before the first of them, if there is one */
  links(after: Row | undefined, last: Row, before: string | undefined): Promise<readonly Link[]>;
  /** Sets each sequence behind what was given. */
  setSequences(highest: (table: string) => bigint): Promise<void>;
  /** From then on a power cut takes nothing of it. */
  settle(): Promise<void>;
  finish(): Promise<void>;
};

const namesRecordings = 'audit_names_recordings';

/** A table of progress, and whose move it is. */
const beginning = (identity: string): readonly string[] => [
  `CREATE TABLE ${schemaName}.${movingTable} (
     of_table text COLLATE "C" PRIMARY KEY, source text COLLATE "C" NOT NULL, rows bigint NOT NULL, last text COLLATE "C"
   )`,
  // Of no table: of the move itself.
  `INSERT INTO ${schemaName}.${movingTable} (of_table, source, rows) VALUES ('', '${identity}', 0)`,
  // The new one's own.
  `DELETE FROM ${schemaName}.identity`,
  // A line may name a recording that somebody has taken out of the catalogue: it is the proof of that.
  `ALTER TABLE ${schemaName}.audit DISABLE TRIGGER ${namesRecordings}`,
];

const progressRow = z.object({ rows: z.number(), last: z.string().nullable() });
const keyForm = z.array(z.union([z.string(), z.object({ number: z.string() })]));
const heldRow = z.object({ rows: z.number(), digest: z.string() });
const linkRow = z.object({ chain: z.string().nullable(), made: z.string().nullable() });
const columnRow = z.object({ table: z.string(), column: z.string(), type: z.string() });
const sequenceRow = z.object({ table: z.string(), column: z.string() });

/** Of the schema itself. */
const ownTables = ['schema_form', movingTable];

const lockMove = `SELECT pg_try_advisory_lock(x'70726176'::integer, 4) AS own`;

/** Takes the lock of a move, until the connection ends. false: another process has it. */
export async function lockForMove(client: PoolClient): Promise<boolean> {
  const { rows } = await orRefused(client.query<{ own: number }>(lockMove));

  return rows[0]?.own === 1;
}

// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeTarget(client: PoolClient, options: PostgresOptions): Target {
  const ask = async (text: string, values: readonly unknown[] = []): Promise<readonly unknown[]> =>
    (await orRefused(client.query<Record<string, unknown>>(text, [...values]))).rows;
  const transact = async (act: () => Promise<void>, commit: 'throughTheDisk' | 'withoutWaiting'): Promise<void> => {
    await ask(`BEGIN ISOLATION LEVEL READ COMMITTED`);
    try {
      await ask(`SET LOCAL synchronous_commit = ${commit === 'throughTheDisk' ? 'on' : 'off'}`);
      await act();
      await ask('COMMIT');
    } catch (thrown) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw thrown;
    }
  };
  const requireTables = async (tables: readonly Table[]): Promise<void> => {
    const found = z.array(columnRow).parse(
      await ask(
        `SELECT table_name AS table, column_name AS column, data_type AS type FROM information_schema.columns
         WHERE table_schema = $1`,
        [schemaName],
      ),
    );
    const named = (table: string, column: string, type: string): string => `${table}.${column} (${type})`;
    const there = new Set(
      found
        .filter(({ table }) => !ownTables.includes(table))
        .map(({ table, column, type }) => named(table, column, type)),
    );
    const wanted = new Set(
      tables.flatMap(({ name, columns }) => columns.map((column) => named(name, column.name, column.type))),
    );
    const differing = [...there, ...wanted].filter((each) => !there.has(each) || !wanted.has(each));
    if (differing.length > 0) {
      throw new PreavisError('move_refused', `the schemas of the two catalogues differ: ${differing.join(', ')}`, {
        hint: 'Somebody has changed one of them by hand. The catalogue stays where it is.',
      });
    }
  };

  return {
    before: async (identity, again) => {
      const form = await inspectPostgres(client);
      if (form.kind === 'none') return 'empty';
      if (!form.isMoving) {
        const [own] = z.array(z.object({ id: z.string() })).parse(await ask(`SELECT id FROM ${schemaName}.identity`));
        if (own?.id === identity) return 'moved';
        throw new PreavisError('move_refused', 'the database has another catalogue already', {
          hint: `Make a database for this one: ${newDatabase} Nothing was changed.`,
        });
      }
      const [begun] = z
        .array(z.object({ source: z.string() }))
        .parse(await ask(`SELECT source FROM ${movingTable} WHERE of_table = ''`));
      if (begun?.source !== identity) {
        throw new PreavisError('move_refused', 'the move of another catalogue into the database is not finished', {
          hint: `Make a database for this one: ${newDatabase} Nothing was changed.`,
        });
      }
      if (form.steps !== postgresMigrations.length && !again) {
        throw new PreavisError(
          'move_refused',
          `the move was begun with schema ${form.steps}, and this version of Préavis has ${postgresMigrations.length}`,
          { hint: 'Begin it anew: preavis catalogue move --again.' },
        );
      }

      return 'unfinished';
    },
    begin: (identity) =>
      migratePostgres(client, options, async (askIn) => {
        for (const each of beginning(identity)) await askIn(each);
      }),
    empty: async () => {
      await transact(async () => {
        await ask(`DROP SCHEMA ${schemaName} CASCADE`);
      }, 'throughTheDisk');
    },
    requireTables,
    tryTables: (tables) => migratePostgres(client, options, () => requireTables(tables), 'try'),
    progress: async ({ name }) => {
      const [found] = z
        .array(progressRow)
        .parse(await ask(`SELECT rows, last FROM ${movingTable} WHERE of_table = $1`, [name]));
      if (found === undefined) return { rows: 0, last: undefined };

      return { rows: found.rows, last: found.last === null ? undefined : keyIn(found.last) };
    },
    append: async (table, { rows, last }) => {
      const { name, columns } = table;
      const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
      const names = namesOf(columns.map((column) => column.name));
      await transact(async () => {
        await ask(
          `INSERT INTO ${name} (${names}) SELECT * FROM unnest(${arrays})`,
          columns.map((_, index) => rows.map((row) => asText(row[index] ?? null))),
        );
        await ask(
          `INSERT INTO ${movingTable} (of_table, source, rows, last) VALUES ($1, '', $2, $3)
           ON CONFLICT (of_table) DO UPDATE SET rows = ${movingTable}.rows + excluded.rows, last = excluded.last`,
          [name, rows.length, keyAsText(last)],
        );
        // What a power cut takes is copied again: its progress goes with it.
      }, 'withoutWaiting');
    },
    held: async (table, after, last) => {
      const { where, values } = between(table, after, last);
      const [found] = await ask(
        `SELECT count(*) AS rows, ${digestInPostgres(table)} AS digest FROM ${table.name} ${where}`,
        values,
      );

      return heldRow.parse(found);
    },
    links: async (after, last, before) => {
      const { where, values } = between({ key: ['id'], columns: [{ name: 'id', type: 'bigint' }] }, after, last);
      const found = await ask(
        `SELECT chain, made FROM (
           SELECT id, chain, preavis_link(coalesce(lag(chain) OVER (ORDER BY id), $${values.length + 1}::text), at, recording_id, event,
             from_status, to_status, actor, detail) AS made
           FROM audit ${where} AND chain IS NOT NULL
           UNION ALL SELECT id, NULL, NULL FROM audit ${where} AND chain IS NULL) AS lines
         ORDER BY id`,
        [...values, before ?? null],
      );

      return z.array(linkRow).parse(found);
    },
    setSequences: async (highest) => {
      const found = z.array(sequenceRow).parse(
        await ask(
          `SELECT table_name AS table, column_name AS column FROM information_schema.columns
           WHERE table_schema = $1 AND is_identity = 'YES'`,
          [schemaName],
        ),
      );
      for (const { table, column } of found) {
        await ask(
          `SELECT setval(pg_get_serial_sequence($1, $2), greatest(1, $3::bigint, (SELECT max(${column}) FROM ${table})),
             greatest(0, $3::bigint, (SELECT max(${column}) FROM ${table})) > 0)`,
          [`${schemaName}.${table}`, column, String(highest(table))],
        );
      }
    },
    settle: async () => {
      // A commit that is on the disk has all before it there, too.
      await transact(async () => {
        await ask(`UPDATE ${movingTable} SET rows = rows + 1 WHERE of_table = ''`);
      }, 'throughTheDisk');
    },
    finish: async () => {
      await transact(async () => {
        await ask(`ALTER TABLE audit ENABLE TRIGGER ${namesRecordings}`);
        await ask(`DROP TABLE ${movingTable}`);
      }, 'throughTheDisk');
    },
  };
}

const asText = (value: Row[number]): string | null => (typeof value === 'bigint' ? String(value) : value);

/** As JSON, in which a number has a form of its own. */
function keyAsText(key: Row): string {
  return JSON.stringify(key.map((value) => (typeof value === 'bigint' ? { number: String(value) } : value)));
}

function keyIn(text: string): Row {
  return keyForm.parse(JSON.parse(text)).map((value) => (typeof value === 'string' ? value : BigInt(value.number)));
}

function between(
  { key, columns }: Pick<Table, 'key' | 'columns'>,
  after: Row | undefined,
  last: Row | undefined,
): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const typeOf = (name: string): string => columns.find((column) => column.name === name)?.type ?? 'text';
  const bound = (sign: string, row: Row | undefined): string[] => {
    if (row === undefined) return [];
    const given = key.map((name, index) => `$${values.push(asText(row[index] ?? null))}::${typeOf(name)}`);

    return [`(${namesOf(key)}) ${sign} (${given.join(', ')})`];
  };
  const conditions = ['true', ...bound('>', after), ...bound('<=', last)];

  return { where: `WHERE ${conditions.join(' AND ')}`, values };
}
