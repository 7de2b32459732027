import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import { PreavisError } from '../../core/errors.ts';
import type { LedgerLock } from '../ledgerLock.ts';
import { orRefused, Refused } from './failures.ts';

/** How long a step waits for another one that changes the ledger, ms; how long between two tries, and how long PostgreSQL may take to say what it knows. */
const waitLimitMs = 30_000;
const pauseMs = 20;
const answerMs = 5_000;

const number = `x'70726176'::integer, 5`;
/** Where its machine has lost its power or its network, PostgreSQL sees that within half a minute, and not after hours. By a socket there is no such loss. */
const noticeLoss = 'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3';

/** Its types do not know how long one query may take. */
const asked = (text: string, query_timeout: number): QueryConfig => {
  const query: QueryConfig & { query_timeout: number } = { text, query_timeout };

  return query;
};

/** Throws ledger_unusable where another step does not end in time. PostgreSQL gives the lock in the order in which it was asked for, each wait anew. */
async function take(client: PoolClient): Promise<void> {
  const giveUp = performance.now() + waitLimitMs;
  await orRefused(client.query(asked(noticeLoss, answerMs)));
  for (;;) {
    try {
      await orRefused(client.query(asked(`SELECT pg_advisory_lock(${number})`, waitLimitMs)));
      return;
    } catch (thrown) {
      // After the limit of the connection for what others hold.
      if (!(thrown instanceof Refused) || !thrown.again) throw thrown;
      if (performance.now() >= giveUp) {
        throw new PreavisError('ledger_unusable', 'another process changes the ledger, and is not done', {
          cause: thrown.cause,
          hint: "Ask PostgreSQL which machine has the lock: SELECT client_addr FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND objid = 5 AND granted. Nothing is lost: a later pass continues.",
        });
      }
      await sleep(pauseMs);
    }
  }
}

/**
 * A lock of the session: it ends with the connection, and so with its process, however that ends. Nothing is written for it. A lease would outlive a
 * killed process by a minute, and nothing could refuse what a frozen one writes into a file.
 *
 * Steps of one process take turns before: a connection is kept for the one that has the lock, and what it asks the catalogue needs others.
 */
export function makeLedgerLock(pool: Pool): LedgerLock {
  const inTurn = pLimit(1);
  const locked: LedgerLock = async (step) => {
    const client = await orRefused(pool.connect());
    // Its end while it is not asked is told by what it is asked next.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let isGivenBack = false;
    try {
      await take(client);
      const result = await step(async () => {
        await orRefused(client.query(asked('SELECT 1', answerMs)));
      });
      isGivenBack = await client.query(asked(`SELECT pg_advisory_unlock(${number})`, answerMs)).then(
        () => true,
        () => false,
      );

      return result;
    } finally {
      client.off('error', ignore);
      // One that may still have the lock is ended.
      client.release(!isGivenBack);
    }
  };

  return (step) =>
    inTurn(() =>
      locked(step).catch((thrown: unknown) => {
        throw thrown instanceof Refused ? thrown.cause : thrown;
      }),
    );
}
