import type { Pool } from 'pg';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import { openPostgres, type PostgresOptions } from '../../../src/catalogue/postgres/open.ts';

export type PostgresServer = {
  lab(): LabPostgres;
  /** The address of a new, empty database. */
  newDatabase(): Promise<string>;
  /** The address of one with an empty catalogue: perhaps that of a test before, since making one takes a second on a busy machine. */
  newCatalogue(): Promise<string>;
  /** Opens the catalogue there, which is closed after the test. */
  open(url: string, options?: Omit<PostgresOptions, 'url'>): Promise<Pool>;
};

let ofThisFile: PostgresServer | undefined;

/** A PostgreSQL for a file of tests: one, also where that has several parts. */
export function usePostgres(): PostgresServer {
  return (ofThisFile ??= startedForFile());
}

function startedForFile(): PostgresServer {
  let started: LabPostgres | undefined;
  const pools: Pool[] = [];
  const lab = (): LabPostgres => {
    if (started === undefined) throw new Error('the PostgreSQL of this file has not started');

    return started;
  };
  beforeAll(async () => {
    started = await startPostgres();
  });
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.end();
  });
  afterAll(async () => {
    await started?.stop();
  });

  const free: string[] = [];
  const used: string[] = [];
  afterEach(() => {
    free.push(...used.splice(0));
  });

  return {
    lab,
    newDatabase: () => lab().makeDatabase(),
    newCatalogue: async () => {
      const before = free.pop();
      const url = before ?? (await lab().makeDatabase());
      used.push(url);
      const pool = await openPostgres({ url });
      try {
        if (before !== undefined) await pool.query(await emptying(pool));
      } finally {
        await pool.end();
      }

      return url;
    },
    open: async (url, options = {}) => {
      const pool = await openPostgres({ url, ...options });
      pools.push(pool);

      return pool;
    },
  };
}

/** Removes all rows but those of a new catalogue, and begins to count anew. */
async function emptying(pool: Pool): Promise<string> {
  const read = async (sql: string): Promise<string[]> =>
    (await pool.query<{ text: string }>(sql)).rows.map(({ text }) => text);
  const removals = await read(`
    SELECT 'DELETE FROM ' || tablename AS text FROM pg_tables
    WHERE schemaname = 'preavis' AND tablename NOT IN ('identity', 'schema_form')`);
  const sequences = await read(`
    SELECT 'ALTER SEQUENCE ' || sequencename || ' RESTART' AS text FROM pg_sequences WHERE schemaname = 'preavis'`);

  // Neither references nor triggers are asked.
  return ['SET LOCAL session_replication_role = replica', ...removals, ...sequences].join('; ');
}
