import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { openDatabase } from '../../../../src/catalogue/open.ts';
import { postgresMigrations } from '../../../../src/catalogue/postgres/migrations.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { isOfSqliteAlone, sqliteAsPostgres } from '../../../support/catalogue/sqliteAsPostgres.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const server = usePostgres();

/** What PostgreSQL has beyond SQLite: the form of the schema, the chain, and the third way in which it removes rows. */
const ofPostgresAlone = ['schema_form', 'audit_is_chained', 'audit_is_append_only_3'];
/** In the place of the rowid. */
const columnOfPostgresAlone = 'policies: number ';

/** In PostgreSQL's own words, which are the same for the same thing. */
async function described(pool: Pool, schema: string): Promise<Record<string, string[]>> {
  const client = await pool.connect();
  try {
    await client.query(`SET search_path = ${schema}`);
    const read = async (sql: string): Promise<string[]> => {
      const { rows } = await client.query<{ of: string; what: string }>(sql, [schema]);

      return rows
        .filter(({ of }) => !ofPostgresAlone.includes(of))
        .map(({ of, what }) => `${of}: ${what.replaceAll(`${schema}.`, '').replace(/\s+/g, ' ').trim()}`)
        .filter((each) => !each.startsWith(columnOfPostgresAlone))
        .toSorted();
    };

    return {
      columns: await read(`
        SELECT table_name AS of, concat_ws(' ', column_name, data_type, collation_name, 'null', is_nullable,
          coalesce(column_default, 'none'), is_identity) AS what
        FROM information_schema.columns WHERE table_schema = $1`),
      constraints: await read(`
        SELECT relname AS of, pg_get_constraintdef(pg_constraint.oid) AS what FROM pg_constraint
        JOIN pg_class ON pg_class.oid = conrelid WHERE connamespace = $1::regnamespace`),
      indexes: await read(`
        SELECT tablename AS of, indexdef AS what FROM pg_indexes WHERE schemaname = $1`),
      triggers: await read(`
        SELECT tgname AS of, pg_get_triggerdef(pg_trigger.oid) || ' ' || prosrc AS what FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE relnamespace = $1::regnamespace AND NOT tgisinternal`),
    };
  } finally {
    client.release(true);
  }
}

test('each table, column, check, reference, index and trigger of SQLite has its counterpart', async () => {
  const pool = await server.open(await server.newDatabase());
  const sqlite = openDatabase(folder.path('catalogue.db'));
  await pool.query('CREATE SCHEMA expected');
  const client = await pool.connect();
  try {
    await client.query('SET search_path = expected');
    for (const sql of sqliteAsPostgres(sqlite)) await client.query(sql);
    const names = sqlite.prepare<[], { name: string }>(`SELECT name FROM sqlite_schema WHERE sql IS NOT NULL`).all();
    expect(names.filter(({ name }) => isOfSqliteAlone(name)).length).toBeLessThan(names.length / 5);
  } finally {
    client.release(true);
    sqlite.close();
  }
  const [expected, made] = [await described(pool, 'expected'), await described(pool, 'preavis')];
  expect(made).toEqual(expected);
  expect(Object.values(expected).map((all) => all.length > 10)).toEqual([true, true, true, true]);
});

test('a step that was released is never changed', () => {
  const digests = postgresMigrations.map((step) => createHash('sha256').update(step).digest('hex'));
  expect(digests).toEqual([
    'a56997eb64177e9b9b764c92c29da123d7a65a4de206018d8f6065af153075a8',
    '28b976b9daa545a9424d4d8682ca98e1c004268ae5c5da87fe21fb33ac8a08f7',
    '5292f4ec709815bea68de1ec5928e8ea9cd6dae52e2f3955be53d5f5da07767d',
    'dfca45afbbef65d1211dfbb9f093569f82ef145ad7eaba31e3025e8cd8cc05c5',
    '66bd90ade547a07e4fbf4d0db64f7744eed9938431b41f8090565022721d8e54',
    '53ddc24e77e093b5ad0d123c534c5a82efb28d1a16392c8d82e5e780ca45c57d',
    '6d97214c5cb128da0a0192bc681ddff142c065a7c8412d1cb146b421da34769e',
  ]);
});

test('who called, and what people wrote, goes with the recording, and with what is lost only the latter', async () => {
  const pool = await server.open(await server.newCatalogue());
  const left = async (status: string) => {
    await pool.query(`
      INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, phase)
        VALUES ('${status}', 1, 'one', '22', 'node', 'ended');
      INSERT INTO recordings (id, call_id, status, notice_finished_at, keep_days) VALUES ('${status}', '${status}', 'recorded', 1, 1);
      INSERT INTO callers VALUES ('${status}', 'hash', NULL);
      INSERT INTO dialled VALUES ('${status}', '+3225550100');
      INSERT INTO tags VALUES ('${status}', 'good', '${status}');
      INSERT INTO holds VALUES ('${status}', '${status}', 'dispute', 'of Jane', 'a', 1, 1, 1, NULL, NULL, '${status}');
      UPDATE recordings SET status = '${status}' WHERE id = '${status}'`);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*) FROM callers WHERE call_id = $1) AS callers, (SELECT count(*) FROM dialled WHERE call_id = $1) AS dialled,
         (SELECT count(*) FROM tags WHERE call_id = $1) AS tags, (SELECT reason FROM holds WHERE id = $1) AS reason`,
      [status],
    );

    return rows[0] as unknown;
  };
  expect(await left('archived')).toEqual({ callers: 1, dialled: 1, tags: 1, reason: 'of Jane' });
  expect(await left('lost')).toEqual({ callers: 1, dialled: 1, tags: 0, reason: 'of Jane' });
  expect(await left('erased')).toEqual({ callers: 0, dialled: 0, tags: 0, reason: '' });
});
