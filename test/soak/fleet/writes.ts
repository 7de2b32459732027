import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** Who has written what into the catalogue, noted by PostgreSQL itself: what a process says of itself proves nothing. */
export type WriteLog = {
  /** Notes every row that is written from now on, by the role that writes it; the tables of the catalogue are there. */
  begin(): Promise<void>;
  /** The time of the database. */
  now(): Promise<string>;
  /**
   * What this role has written since then, as `UPDATE calls`, each once; of a lease also which. Leases that it has given back are left out: those
   * that another has had since it cannot give back.
   */
  since(role: string, from: string): Promise<string[]>;
  /** Ends every session but this one. */
  cutConnections(): Promise<void>;
};

const askAgainMs = 500;
const mostTries = 240;

/** Asks again while PostgreSQL is away, or has no time: whoever asks has taken it away, or others have. */
async function asAdministrator<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 20_000 });
    // Its end is told by what it is asked.
    client.on('error', () => undefined);
    try {
      await client.connect();

      return await act(client);
    } catch (error) {
      if (tries === mostTries) throw error;
      await sleep(askAgainMs);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** `url`: the catalogue's database, by the superuser of the lab. Makes these roles, which may write everything. */
export async function makeWriteLog(url: string, roles: readonly string[]): Promise<WriteLog> {
  const { password } = new URL(url);
  await asAdministrator(url, async (client) => {
    await client.query(roles.map((role) => `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD '${password}';`).join(''));
  });

  return {
    begin: () =>
      asAdministrator(url, async (client) => {
        await client.query(`
          CREATE SCHEMA chaos;
          CREATE TABLE chaos.writes (at timestamptz NOT NULL DEFAULT clock_timestamp(), role text NOT NULL DEFAULT session_user, what text NOT NULL);
          CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              INSERT INTO chaos.writes (what)
                VALUES (concat_ws(' ', TG_OP, TG_TABLE_NAME, coalesce(to_jsonb(NEW), to_jsonb(OLD)) ->> 'job'));
              RETURN NULL;
            END $$;
          DO $$ DECLARE name text;
            BEGIN
              FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'preavis' LOOP
                EXECUTE format('CREATE TRIGGER chaos AFTER INSERT OR UPDATE OR DELETE ON preavis.%I FOR EACH ROW EXECUTE FUNCTION chaos.note()', name);
              END LOOP;
            END $$;`);
      }),
    now: () =>
      asAdministrator(url, async (client) => {
        const { rows } = await client.query<{ at: string }>('SELECT clock_timestamp()::text AS at');

        return rows[0]?.at ?? '';
      }),
    since: (role, from) =>
      asAdministrator(url, async (client) => {
        const { rows } = await client.query<{ what: string }>(
          `SELECT DISTINCT what FROM chaos.writes WHERE role = $1 AND at > $2::timestamptz AND what NOT LIKE 'DELETE leases %' ORDER BY what`,
          [role, from],
        );

        return rows.map(({ what }) => what);
      }),
    cutConnections: () =>
      asAdministrator(url, async (client) => {
        await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
        );
      }),
  };
}
