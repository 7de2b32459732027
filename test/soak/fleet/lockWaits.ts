import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { joined } from '../../../src/web/ranges.ts';

/** Unix times, ms. */
export type Span = readonly [from: number, to: number];
/** When writes waited for the locks that writers take (runner.ts). A process that stands still in a transaction keeps those of all PBXs waiting. */
export type LockWaits = { spans(): readonly Span[]; stop(): Promise<void> };

const everyMs = 250;
/** Shorter waits are those of any write for the one before it, ms. */
const leastMs = 250;
/** Later, PostgreSQL itself stood still: that is another fault, ms. */
const promptMs = 500;

/** The lock of all writers has two numbers; those of single calls and recordings have one. */
const oldestWait = `
  SELECT coalesce(extract(epoch FROM clock_timestamp() - min(waitstart)) * 1000, 0)::float8 AS ms
    FROM pg_locks
    WHERE NOT granted AND locktype = 'advisory' AND (objsubid = 1 OR (classid = x'70726176'::integer AND objid = 3))`;

/** Asks PostgreSQL again and again, with a connection of its own, until it is stopped. @param url by the superuser of the lab */
export function watchLocks(url: string): LockWaits {
  const spans: Span[] = [];
  const over = new AbortController();
  let answersSince = Date.now();
  const look = async (client: Client): Promise<void> => {
    const askedAt = Date.now();
    const { rows } = await client.query<{ ms: number }>(oldestWait);
    const now = Date.now();
    if (now - askedAt > promptMs) answersSince = now;
    const waitedMs = Math.min(rows[0]?.ms ?? 0, now - answersSince);
    if (waitedMs > leastMs) spans.push([now - waitedMs, now]);
  };
  const connected = async (): Promise<void> => {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 20_000 });
    // Its end is told by what it is asked.
    client.on('error', () => undefined);
    try {
      await client.connect();
      answersSince = Date.now();
      while (!over.signal.aborted) {
        await look(client);
        await sleep(everyMs, undefined, { signal: over.signal });
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      // PostgreSQL is away, or the watch is over.
      await connected().catch(() => sleep(over.signal.aborted ? 0 : everyMs));
    }
  })();

  return {
    // Who has waited for too long asks anew: that is one wait.
    spans: () => joined(spans, 2 * everyMs),
    stop: () => {
      over.abort();
      return watching;
    },
  };
}
