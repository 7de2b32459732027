import { Client } from 'pg';
import { usePostgres } from '../../../support/catalogue/postgres.ts';

const server = usePostgres();

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const tables = (url: string): Promise<Record<string, unknown>[]> =>
  ask(url, `SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('preavis', 'public') ORDER BY 1, 2`);

describe('a catalogue in PostgreSQL', () => {
  it('is made once by all who open it at the same time, and is the same one for all', async () => {
    const url = await server.newDatabase();
    const pools = await Promise.all(Array.from({ length: 8 }, () => server.open(url)));
    const identities = await Promise.all(
      pools.map(async (pool) => (await pool.query<{ id: string }>('SELECT id FROM identity')).rows),
    );
    expect(new Set(identities.map((rows) => JSON.stringify(rows))).size).toBe(1);
    expect(identities[0]?.[0]?.id).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is not made where it must exist', async () => {
    const url = await server.newDatabase();
    await expect(server.open(url, { mustExist: true })).rejects.toMatchObject({ code: 'catalogue_unusable' });
    expect(await tables(url)).toEqual([]);
    await server.open(url);
    await server.open(url, { mustExist: true });
  });

  it('is refused where a newer version has migrated it, and nothing is changed', async () => {
    const url = await server.newDatabase();
    await server.open(url);
    await ask(url, 'UPDATE preavis.schema_form SET steps = 99');
    await expect(server.open(url)).rejects.toMatchObject({
      code: 'catalogue_newer',
      message: expect.stringContaining('the database has schema 99') as unknown,
    });
    expect(await ask(url, 'SELECT steps FROM preavis.schema_form')).toEqual([{ steps: '99' }]);
  });

  it.each([
    ['tables of another program', 'CREATE SCHEMA preavis; CREATE TABLE preavis.visits (id integer)'],
    [
      'the catalogue of another program',
      `CREATE SCHEMA preavis; CREATE TABLE preavis.schema_form (program text, steps bigint, installation text);
       INSERT INTO preavis.schema_form VALUES ('other', 1, NULL)`,
    ],
  ])('is not made among %s', async (_, sql) => {
    const url = await server.newDatabase();
    await ask(url, sql);
    const before = await tables(url);
    await expect(server.open(url)).rejects.toMatchObject({ code: 'catalogue_foreign' });
    expect(await tables(url)).toEqual(before);
  });

  it('is made beside tables of others that are in another schema', async () => {
    const url = await server.newDatabase();
    await ask(url, 'CREATE TABLE calls (id integer)');
    await server.open(url);
    expect(await ask(url, 'SELECT * FROM public.calls')).toEqual([]);
  });

  it('belongs to the installation that has made it, or first names itself', async () => {
    const url = await server.newDatabase();
    await server.open(url);
    await server.open(url, { installation: 'one' });
    await server.open(url, { installation: 'one' });
    await server.open(url);
    await expect(server.open(url, { installation: 'other' })).rejects.toMatchObject({
      code: 'catalogue_foreign',
      message: expect.stringContaining('another installation') as unknown,
    });
  });

  it('says in words why it cannot be opened', async () => {
    const url = await server.newDatabase();
    const failure = (address: string): Promise<unknown> => server.open(address).then(() => undefined, String);
    expect(await failure(url.replace(/:[0-9a-f]+@/, ':wrong@'))).toContain('refuses the user or the password');
    expect(await failure(`${url}none`)).toContain('does not exist (3D000)');
    expect(await failure(url.replace(/:\d+\//, ':1/'))).toContain(
      'cannot be reached, or does not answer (ECONNREFUSED)',
    );
    await ask(url, `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
    expect(await failure(url.replace(/lab\d+$/, 'latin'))).toContain('the encoding of the database is LATIN1');
    await ask(url, `CREATE ROLE reader LOGIN PASSWORD 'reader'`);
    expect(await failure(url.replace(/preavis:[0-9a-f]+@/, 'reader:reader@'))).toContain('(42501)');
    await ask(url, `CREATE ROLE crowd LOGIN PASSWORD 'crowd' CONNECTION LIMIT 0`);
    expect(await failure(url.replace(/preavis:[0-9a-f]+@/, 'crowd:crowd@'))).toContain('no connection left (53300)');
  });
});
