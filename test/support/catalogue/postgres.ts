import type { Pool } from 'pg';
import { startPostgres, type LabPostgres } from '../../../lab/postgres/postgres.ts';
import { openPostgres, type PostgresOptions } from '../../../src/catalogue/postgres/open.ts';

export type PostgresServer = {
  lab(): LabPostgres;
  /** The address of a new, empty database. */
  newDatabase(): Promise<string>;
  /** Opens the catalogue there, which is closed after the test. */
  open(url: string, options?: Omit<PostgresOptions, 'url'>): Promise<Pool>;
};

/** A PostgreSQL for a file of tests. */
export function usePostgres(): PostgresServer {
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

  return {
    lab,
    newDatabase: () => lab().makeDatabase(),
    open: async (url, options = {}) => {
      const pool = await openPostgres({ url, ...options });
      pools.push(pool);

      return pool;
    },
  };
}
