import type { Pool, PoolClient, QueryConfig } from 'pg';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import { orRefused, Refused } from './failures.ts';
import { postgresMigrations, schemaName } from './migrations.ts';
import { makePool, withClient, type PostgresAddress } from './pool.ts';

/** Where the catalogue is, and whose. */
export type PostgresCatalogue = PostgresAddress & {
  /** A new one is marked by it; undefined: it is not asked. */
  installation?: string;
};

export type PostgresOptions = PostgresCatalogue & {
  /** Fail where there is no catalogue, instead of making an empty one. */
  mustExist?: boolean;
};

/** Of 2022: the first with all that the catalogue asks for. */
const oldestRelease = 150_000;
/** How long a step may take, ms. */
const migrationMs = 60 * 60_000;
/** It is there as long as a move into the database is not finished. */
export const movingTable = 'moving';
/** As docs/operations/postgresql.md makes one: who owns it may make the schema of the catalogue in it. */
export const newDatabase =
  'createdb --owner=NAME_OF_ITS_USER --encoding=UTF8 --locale=C --template=template0 NAME (docs/operations/postgresql.md).';
/** Two processes make or migrate it one after the other. */
const migrationLock = `SELECT pg_advisory_xact_lock(x'70726176'::integer, 2)`;

const formRow = z.object({ program: z.string(), steps: z.number(), installation: z.string().nullable() });
const serverRow = z.object({
  release: z.number(),
  encoding: z.string(),
  objects: z.number(),
  isOurs: z.number(),
  isMoving: z.number(),
});

/** What a database has. `isMoving`: a catalogue that is being moved into it, and is not to be used before. */
export type Form = { kind: 'none' } | { kind: 'ours'; steps: number; installation: string | null; isMoving: boolean };

async function rowOf<Row>(client: PoolClient, schema: z.ZodType<Row>, sql: string): Promise<Row> {
  return schema.parse((await orRefused(client.query<Record<string, unknown>>(sql))).rows[0]);
}

/** Looks at the database without changing anything of it. */
export async function inspectPostgres(client: PoolClient): Promise<Form> {
  const { release, encoding, objects, isOurs, isMoving } = await rowOf(
    client,
    serverRow,
    `SELECT current_setting('server_version_num')::integer AS release, current_setting('server_encoding') AS encoding,
       (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('${schemaName}')) AS objects,
       to_regclass('${schemaName}.schema_form') IS NOT NULL AS "isOurs",
       to_regclass('${schemaName}.${movingTable}') IS NOT NULL AS "isMoving"`,
  );
  if (release < oldestRelease) {
    throw new PreavisError('catalogue_unusable', `PostgreSQL ${Math.floor(release / 10_000)} is too old`, {
      hint: `Use PostgreSQL ${oldestRelease / 10_000} or later.`,
    });
  }
  if (encoding !== 'UTF8') {
    throw new PreavisError('catalogue_unusable', `the encoding of the database is ${encoding}`, {
      hint: `Make a database for the catalogue: ${newDatabase}`,
    });
  }
  if (objects === 0) return { kind: 'none' };
  if (isOurs === 0) throw foreign('the schema preavis of the database has tables of another program');
  const form = await rowOf(client, formRow, `SELECT program, steps, installation FROM ${schemaName}.schema_form`);
  if (form.program !== 'preavis') throw foreign('the database has the catalogue of another program');

  return { kind: 'ours', ...form, isMoving: isMoving === 1 };
}

function foreign(why: string): PreavisError {
  return new PreavisError('catalogue_foreign', why, {
    hint: 'Give each installation a database of its own (catalogue.postgres.database), or correct catalogue.installation. Nothing was changed.',
  });
}

function refuseOther(form: Form, { installation, mustExist = false }: PostgresOptions): void {
  if (form.kind === 'none') {
    if (mustExist) {
      throw new PreavisError('catalogue_unusable', 'the database has no catalogue', {
        hint: 'The first `preavis serve` with this configuration makes one, or `preavis catalogue move` brings that of catalogue.file. If there is one already, correct catalogue.postgres.',
      });
    }
    return;
  }
  if (form.isMoving) {
    throw new PreavisError('catalogue_moving', 'a catalogue is being moved into the database, which is not done');
  }
  if (form.steps > postgresMigrations.length) {
    throw new PreavisError(
      'catalogue_newer',
      `the database has schema ${form.steps}; this version of Préavis knows ${postgresMigrations.length}`,
    );
  }
  if (installation !== undefined && form.installation !== null && form.installation !== installation) {
    throw foreign('the database has the catalogue of another installation');
  }
}

/** So that `preavis check` says of an empty database what the first serve would end with. */
async function requireRightToMake(client: PoolClient): Promise<void> {
  const { mayMake } = await rowOf(
    client,
    z.object({ mayMake: z.number() }),
    `SELECT has_database_privilege(current_database(), 'CREATE') AS "mayMake"`,
  );
  if (mayMake === 1) return;
  throw new PreavisError('catalogue_unusable', 'the user of the catalogue may make no schema in the database', {
    hint: `Make this user the owner of the database: ALTER DATABASE NAME OWNER TO NAME_OF_ITS_USER. Or make another: ${newDatabase}`,
  });
}

/**
 * The identity of the catalogue in the database; undefined: it has none, and opening it makes one. Changes nothing. Throws what openPostgres
 * throws.
 */
export async function identityInPostgres(options: PostgresCatalogue): Promise<string | undefined> {
  const pool = makePool({ ...options, connections: 1 });
  try {
    return await withClient(pool, async (client) => {
      const form = await inspectPostgres(client);
      refuseOther(form, options);
      if (form.kind === 'none') {
        await requireRightToMake(client);
        return undefined;
      }

      return (await rowOf(client, z.object({ id: z.string() }), `SELECT id FROM ${schemaName}.identity`)).id;
    });
  } catch (thrown) {
    throw thrown instanceof Refused ? thrown.cause : thrown;
  } finally {
    await pool.end();
  }
}

const isCurrent = (form: Form, { installation }: PostgresOptions): boolean =>
  form.kind === 'ours' &&
  form.steps === postgresMigrations.length &&
  (installation === undefined || form.installation !== null);

type Ask = (text: string, values?: unknown[]) => Promise<unknown>;

/** In a transaction of the caller. */
async function migrateWithin(ask: Ask, client: PoolClient, options: PostgresOptions): Promise<void> {
  await ask('SET LOCAL statement_timeout = 0');
  await ask('SET LOCAL lock_timeout = 0');
  await ask(migrationLock);
  // Another one may have been faster.
  const form = await inspectPostgres(client);
  refuseOther(form, options);
  if (form.kind === 'none') await ask(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`);
  const done = form.kind === 'none' ? 0 : form.steps;
  for (const step of postgresMigrations.slice(done)) await ask(step);
  await ask('UPDATE schema_form SET steps = $1, installation = coalesce(installation, $2)', [
    postgresMigrations.length,
    options.installation ?? null,
  ]);
}

/**
 * All steps in one transaction: another process sees the schema as it was before, or as it is behind the last of them.
 *
 * @param more is done in the same transaction
 * @param how `try`: all of it is undone
 */
export async function migratePostgres(
  client: PoolClient,
  options: PostgresOptions,
  more: (ask: Ask) => Promise<void> = () => Promise.resolve(),
  how: 'do' | 'try' = 'do',
): Promise<void> {
  const ask: Ask = (text, values = []) => {
    // Its types do not know how long one query may take.
    const query: QueryConfig & { query_timeout: number } = { text, values, query_timeout: migrationMs };

    return orRefused(client.query(query));
  };
  await ask('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await migrateWithin(ask, client, options);
    await more(ask);
    await ask(how === 'do' ? 'COMMIT' : 'ROLLBACK');
  } catch (thrown) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw thrown;
  }
}

/**
 * Opens the catalogue in a database of PostgreSQL, making or migrating it as needed.
 * Throws catalogue_unusable, catalogue_foreign or catalogue_newer; nothing is changed then.
 */
export async function openPostgres(options: PostgresOptions): Promise<Pool> {
  const pool = makePool(options);
  try {
    await withClient(pool, async (client) => {
      const form = await inspectPostgres(client);
      refuseOther(form, options);
      if (!isCurrent(form, options)) await migratePostgres(client, options);
    });

    return pool;
  } catch (thrown) {
    await pool.end();
    throw thrown instanceof Refused ? thrown.cause : thrown;
  }
}
