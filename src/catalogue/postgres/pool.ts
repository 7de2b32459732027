import { Pool, types, type ClientBase, type PoolClient, type PoolConfig, type QueryConfig } from 'pg';
import { isLost, orRefused, Refused } from './failures.ts';
import { schemaName } from './migrations.ts';

/** By its parts, or as `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, without TLS. */
type PostgresPlace =
  | { url: string }
  | {
      /** Name or address of its machine, or the absolute path of the folder of its socket. */
      host: string;
      port: number;
      database: string;
      user: string;
      password: string | undefined;
      /** With the certificates (PEM) that are trusted, or those that Node.js trusts; undefined: no TLS. */
      tls: { ca: string | undefined } | undefined;
    };

export type PostgresAddress = PostgresPlace & {
  /** Connections of this process at most. */
  connections?: number;
  /** How long a connection may take, also where all are in use, ms. */
  connectTimeoutMs?: number;
  /** How long a statement may take, ms; and how long a step waits for what another one holds, ms. */
  statementTimeoutMs?: number;
  lockTimeoutMs?: number;
};

const idleMs = 60_000;
/**
 * Whoever is within a transaction that writes keeps others from it, at every PBX: who calls meanwhile would be connected unrecorded. None of ours does
 * anything but to ask between two statements; who stood still for longer does the step again.
 */
export const stoppedInTransactionMs = 2_000;
/** What the connection itself may add to a statement: a PostgreSQL that was cut off says nothing at all. */
const silenceMs = 2_000;
const keepAliveAfterMs = 10_000;

/** PostgreSQL's numbers of types, of what the catalogue reads. */
const asNumber = new Set<number>([
  types.builtins.INT8,
  types.builtins.INT4,
  types.builtins.INT2,
  types.builtins.NUMERIC,
  types.builtins.FLOAT8,
]);

const yesNo: number = types.builtins.BOOL;

/** Rows read as those of SQLite: whole numbers as numbers, yes and no as 1 and 0, anything else as text. */
function readAs(type: number): (text: string) => unknown {
  if (asNumber.has(type)) return Number;
  if (type === yesNo) return (text) => (text === 't' ? 1 : 0);

  return (text) => text;
}

function placeOf(place: PostgresPlace): PoolConfig {
  if ('url' in place) return { connectionString: place.url, ssl: false };
  const { host, port, database, user, password, tls } = place;
  // `host`: of an address, too, its certificate must be.
  const ssl = tls === undefined ? false : { host, ...(tls.ca === undefined ? {} : { ca: tls.ca }) };

  return { host, port, database, user, ...(password === undefined ? {} : { password }), ssl };
}

/**
 * A statement whose process was killed, or has given it up, ends within two seconds, and not at its limit. Only PostgreSQL on Windows cannot see that,
 * and refuses the setting.
 */
async function endWithClient(client: ClientBase): Promise<void> {
  // Its types do not know how long one query may take.
  const query: QueryConfig & { query_timeout: number } = {
    text: `SET client_connection_check_interval = '2s'`,
    query_timeout: silenceMs,
  };
  await client.query(query).catch((thrown: unknown) => {
    if (isLost(new Refused(thrown))) throw thrown;
  });
}

/** Connections to the database of a catalogue; none is made before somebody asks. Its end waits for what is under way. */
export function makePool({
  connections = 10,
  connectTimeoutMs = 5_000,
  statementTimeoutMs = 10_000,
  lockTimeoutMs = 5_000,
  ...place
}: PostgresAddress): Pool {
  const pool = new Pool({
    ...placeOf(place),
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    query_timeout: statementTimeoutMs + silenceMs,
    // A process that was stopped within a transaction would hold what it has locked, however long its statements may take.
    idle_in_transaction_session_timeout: stoppedInTransactionMs,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- It waits for it, which its types do not know.
    onConnect: endWithClient,
    application_name: 'preavis',
    // A page of a list is looked up row by row in the order of an index. PostgreSQL's own figure is of disks that turn, and puts all rows in order instead.
    options: `-c search_path=${schemaName} -c random_page_cost=1.1`,
    types: { getTypeParser: readAs },
  });
  // A connection that nobody used has ended: the next one who asks gets another, or is told.
  pool.on('error', () => undefined);

  return pool;
}

/** Does something with a connection of its own; one that is spoilt is used no more. Throws Refused where there is none. */
export async function withClient<Result>(pool: Pool, act: (client: PoolClient) => Promise<Result>): Promise<Result> {
  const client = await orRefused(pool.connect());
  let ending: unknown;
  const note = (cause: unknown): void => {
    ending ??= cause;
  };
  client.on('error', note);
  let spoilt = false;
  try {
    return await act(client);
  } catch (thrown) {
    spoilt = isLost(thrown);
    // What is asked behind its end says only that it has ended, and not why.
    throw spoilt && ending !== undefined ? new Refused(ending) : thrown;
  } finally {
    client.off('error', note);
    client.release(spoilt);
  }
}
