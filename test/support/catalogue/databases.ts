import {
  openCatalogue,
  openPostgresCatalogue,
  type Catalogue,
  type CatalogueOptions,
} from '../../../src/catalogue/catalogue.ts';
import { moveCatalogue } from '../../../src/catalogue/move/move.ts';
import { onlyHere } from '../../../src/catalogue/here.ts';
import { openDatabase } from '../../../src/catalogue/open.ts';
import { makePool, withClient } from '../../../src/catalogue/postgres/pool.ts';
import { makePostgresRunner } from '../../../src/catalogue/postgres/runner.ts';
import type { Step } from '../../../src/catalogue/sql/step.ts';
import { makeSqliteRunner } from '../../../src/catalogue/sqlite/runner.ts';
import type { Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { callStart } from '../call/calls.ts';
import { clockAt, type ConnectCatalogue } from './catalogues.ts';
import type { LeaseDatabase } from './leaseContract.ts';
import type { PostgresServer } from './postgres.ts';

/** A database with a catalogue, of either kind, and ways past the catalogue. */
export type TestDatabase = {
  /** Each is closed after the test. */
  connect: ConnectCatalogue;
  rows: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Statements of a text that both databases take. */
  execute: (sql: string) => Promise<void>;
  /** As somebody does who has the rights of the file, or of the database: nothing guards the audit trail against it. */
  tamper: (sql: string) => Promise<void>;
  /** A step of its own, beside those of the catalogue. */
  run: <Result>(make: () => Step<Result>) => Promise<Result>;
};

export type Databases = {
  /** With an empty catalogue. */
  newDatabase: () => TestDatabase;
  /** The same, whose clock can be moved. */
  newLeases: () => LeaseDatabase;
  /** With the catalogue of this SQLite file, which may be used no more. */
  withRowsOf: (file: string) => Promise<TestDatabase>;
};

const optionsOf = (
  ...[webhooks = [], here = onlyHere, unreadable]: AfterClock<Parameters<ConnectCatalogue>>
): CatalogueOptions => ({
  webhooks,
  here,
  ...(unreadable === undefined ? {} : { unreadable }),
});
type AfterClock<Given extends unknown[]> = Given extends [unknown, ...infer Rest] ? Rest : never;

/** Closes them after each test. */
function closing(): (catalogue: Catalogue) => Catalogue {
  const opened: Catalogue[] = [];
  afterEach(() => {
    for (const catalogue of opened.splice(0)) catalogue.close();
  });

  return (catalogue) => {
    opened.push(catalogue);

    return catalogue;
  };
}

/** @param newFile the path of a file that is not there */
export function sqliteDatabases(newFile: () => string): Databases {
  const closed = closing();
  const of = (file: string): TestDatabase => {
    // eslint-disable-next-line @typescript-eslint/require-await -- What is thrown is told as PostgreSQL tells it.
    const past = async <Result>(act: (database: Database) => Result): Promise<Result> => {
      const database = openDatabase(file);
      try {
        return act(database);
      } finally {
        database.close();
      }
    };
    const execute = (sql: string) =>
      past((database) => {
        database.transaction(() => database.exec(sql))();
      });

    return {
      connect: (clock, ...given) => Promise.resolve(closed(openCatalogue(file, clock, optionsOf(...given)))),
      rows: (sql) => past((database) => database.prepare<[], Record<string, unknown>>(sql).all()),
      execute,
      tamper: (sql) =>
        execute(`DROP TRIGGER IF EXISTS audit_is_append_only_1; DROP TRIGGER IF EXISTS audit_is_append_only_2; ${sql}`),
      run: (make) => past((database) => makeSqliteRunner(database)(make())),
    };
  };

  return {
    newDatabase: () => of(newFile()),
    newLeases: () => {
      const { connect, execute } = of(newFile());
      const clock = clockAt(callStart);

      return {
        connect: () => connect(clock),
        later: (ms) => {
          clock.at += ms;

          return Promise.resolve();
        },
        byHand: execute,
      };
    },
    withRowsOf: (file) => Promise.resolve(of(file)),
  };
}

export function postgresDatabases(server: PostgresServer): Databases {
  const closed = closing();
  const of = (made: Promise<string>): TestDatabase => {
    const execute = async (sql: string): Promise<void> => {
      const pool = makePool({ url: await made, connections: 1 });
      try {
        await pool.query(sql);
      } finally {
        await pool.end();
      }
    };

    return {
      connect: async (clock, ...given) =>
        closed(await openPostgresCatalogue({ url: await made, connections: 4 }, clock, optionsOf(...given))),
      rows: async (sql) => {
        const pool = makePool({ url: await made, connections: 1 });
        try {
          return await withClient(pool, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);
        } finally {
          await pool.end();
        }
      },
      execute,
      tamper: (sql) => execute(`ALTER TABLE audit DISABLE TRIGGER USER; ${sql}; ALTER TABLE audit ENABLE TRIGGER USER`),
      run: async (make) => {
        const pool = makePool({ url: await made, connections: 1 });
        try {
          return await makePostgresRunner(pool)(make);
        } finally {
          await pool.end();
        }
      },
    };
  };

  return {
    newDatabase: () => of(server.newCatalogue()),
    newLeases: () => {
      const { connect, execute } = of(server.newCatalogue());

      return {
        connect: () => connect(systemClock),
        // By its own clock, which no test can set: what counts by it is put back instead.
        later: (ms) => execute(`UPDATE leases SET until = until - ${ms}`),
        byHand: execute,
      };
    },
    withRowsOf: async (file) => {
      const url = await server.newDatabase();
      await moveCatalogue(
        { file, postgres: { url }, clock: systemClock },
        { dryRun: false, again: false, signal: new AbortController().signal, progress: () => undefined },
      );

      return of(Promise.resolve(url));
    },
  };
}
