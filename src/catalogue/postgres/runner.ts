import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import type { Asked, Given, Query, Step, Transaction } from '../sql/step.ts';
import { isLost, orRefused, Refused } from './failures.ts';
import { stoppedInTransactionMs, withClient } from './pool.ts';
import { translate, type Translated } from './translation.ts';

/**
 * Runs a step to its end, and makes it anew where it has to be done again.
 *
 * Throws what the step throws, and catalogue_unusable when the database fails. Where the connection is lost while a change is committed,
 * nobody knows whether it was: it is not done again, and who asked finds out by asking.
 */
export type RunPostgres = <Result>(make: () => Step<Result>) => Promise<Result>;

/** When a step is given up, by `performance.now()`. */
type Deadline = { readonly until: number };

/** A query that ends with its step. Its types do not know how long one may take. Throws Refused where the step is over: then nothing is sent. */
function inTime<Query extends QueryConfig>(query: Query, { until }: Deadline): Query {
  if (until === Infinity) return query;
  const leftMs = Math.floor(until - performance.now());
  if (leftMs <= 0) throw new Refused(new Error('the step was given up'));

  return { ...query, query_timeout: leftMs };
}

/** How long a step is done again where others held what it needs, and how long between two tries, ms. */
const againLimitMs = 10_000;
const againPauseMs = 20;

/** More texts than the repositories have: one that is made anew for each question must not fill the memory of the server. */
const mostPrepared = 1_000;

/**
 * How a transaction begins. Steps read, decide and then write, and count on nothing of what they have read changing in between. So whoever writes has
 * a lock until the end, as SQLite's writers have: alone, or beside others that write about other calls or recordings.
 *
 * All that a statement reads was committed when it began, and so what the one before had written.
 *
 * What is relaxed waits for the disk as well. PostgreSQL can die alone, and would take such a commit with it, while this process lives on and counts on it.
 */
export function beginningOf({ mode, about }: Pick<Transaction, 'mode' | 'about'>): string {
  if (mode === 'reading') return 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

  return beginningBehind(
    about === undefined ? writeAlone : `${writeBeside}; SELECT pg_advisory_xact_lock(${lockOf(about)})`,
  );
}

/** A message that PostgreSQL carries out to its end, whether its process is still there or not. */
const beginningBehind = (lock: string): string => `BEGIN ISOLATION LEVEL READ COMMITTED; ${lock}; ${alreadyWaited}`;

/** What a transaction has at least between two statements, however long it has waited for its lock, ms. */
const leastBetweenMs = 500;
/**
 * A process that stands still may have several under way. Each would get the lock behind the one before, and keep others waiting for as long again. So what
 * it has waited for the lock is gone from the time that it may stand still.
 */
const alreadyWaited = `SELECT set_config('idle_in_transaction_session_timeout', greatest(${leastBetweenMs},
  ${stoppedInTransactionMs} - extract(epoch FROM clock_timestamp() - now()) * 1000)::integer::text, true)`;

const writeLock = `x'70726176'::integer, 3`;
const writeAlone = `SELECT pg_advisory_xact_lock(${writeLock})`;
const writeBeside = `SELECT pg_advisory_xact_lock_shared(${writeLock})`;

/** A number for each call and each recording. Two that have the same write one after the other. */
function lockOf(about: string): bigint {
  return createHash('sha256').update(about).digest().readBigInt64BE();
}

/** `name`: under which a connection keeps it prepared; undefined where there are too many. */
type Prepared = Translated & { readonly name: string | undefined };

/** Translates each text once. */
function makePrepared(): (sql: string) => Prepared {
  const known = new Map<string, Prepared>();

  return (sql) => {
    const before = known.get(sql);
    if (before !== undefined) return before;
    const isRoom = known.size < mostPrepared;
    const translated = translate(sql);
    // The same for the same text in every process.
    const name = isRoom ? createHash('sha256').update(translated.text).digest('hex').slice(0, 32) : undefined;
    const made = { ...translated, name };
    if (isRoom) known.set(sql, made);

    return made;
  };
}

function valuesOf(names: readonly string[], given: Given): unknown[] {
  return names.map((name) => {
    const value = given[name];
    if (value === undefined) throw new TypeError(`the parameter ${name} of a statement is missing`);

    return asWhole(value);
  });
}

/** The limits of whole numbers there. */
const [least, most] = ['-9223372036854775808', '9223372036854775807'] as const;

/** In SQLite a number may be compared with one that is above or below all others, and PostgreSQL takes none for a whole number. */
function asWhole(value: unknown): unknown {
  return value === Infinity ? most : value === -Infinity ? least : value;
}

/** A transaction that is under way, and why a part of it has failed. */
type Open = Deadline & { readonly client: PoolClient; broken: { readonly thrown: unknown } | undefined };

const partFailed = (cause: unknown): Error => new Error('a part of the transaction has failed', { cause });

function makeAsk(): (query: Query, client: PoolClient, deadline: Deadline) => Promise<unknown> {
  const prepared = makePrepared();

  return async ({ statement, given, want }, client, deadline) => {
    const { text, names, name } = prepared(statement.postgres);
    const config = inTime({ text, values: valuesOf(names, given), ...(name === undefined ? {} : { name }) }, deadline);
    const rows = async () => (await orRefused(client.query<Record<string, unknown>>(config))).rows;
    const columns = async () => (await orRefused(client.query<unknown[]>({ ...config, rowMode: 'array' }))).rows;
    switch (want) {
      case 'all':
        return await rows();
      case 'one':
        return (await rows())[0];
      case 'values':
        return (await columns()).map(([first]) => first);
      case 'value':
        return (await columns())[0]?.[0];
      case 'change':
        return (await orRefused(client.query(config))).rowCount ?? 0;
    }
  };
}

/** A transaction on this connection. */
async function within<Result>(
  beginning: string,
  { client, until }: Pick<Open, 'client' | 'until'>,
  act: (open: Open) => Promise<Result>,
): Promise<Result> {
  const open: Open = { client, until, broken: undefined };
  try {
    await orRefused(client.query(inTime({ text: beginning }, open)));
    const result = await act(open);
    if (open.broken !== undefined) throw partFailed(open.broken.thrown);
    // PostgreSQL answers the commit of what has failed by its end, and not by an error.
    const { command } = await orRefused(client.query(inTime({ text: 'COMMIT' }, open)));
    if (command !== 'COMMIT') throw partFailed(undefined);

    return result;
  } catch (thrown) {
    if (!isLost(thrown)) await orRefused(client.query(inTime({ text: 'ROLLBACK' }, open)));
    throw thrown;
  }
}

/**
 * Carries the queries of steps out in PostgreSQL: each on a connection of the pool, those of one transaction on the same.
 *
 * A step that is given up leaves its connection to its end. PostgreSQL may still do what it was asked last, and is asked for nothing more there; what
 * comes after it about the same call or recording waits for that.
 *
 * @param stepTimeoutMs how long a step may take with all its statements, beside the connection, ms
 */
export function makePostgresRunner(pool: Pool, stepTimeoutMs = Infinity): RunPostgres {
  const ask = makeAsk();

  const runPart = async (step: Step<unknown>, open: Open): Promise<unknown> => {
    try {
      return await run(step, open, open);
    } catch (thrown) {
      open.broken ??= { thrown };
      throw thrown;
    }
  };

  const answerTo = (asked: Asked, { until }: Deadline, open: Open | undefined): Promise<unknown> => {
    if (open !== undefined) return asked.kind === 'query' ? ask(asked, open.client, open) : runPart(asked.step, open);
    if (asked.kind === 'transaction') {
      return withClient(pool, (client) =>
        within(beginningOf(asked), { client, until }, (own) => run(asked.step, own, own)),
      );
    }
    // It changes nothing that another one has read, and is about to write.
    if (asked.want === 'change') {
      const beginning = beginningBehind(writeBeside);

      return withClient(pool, (client) => within(beginning, { client, until }, (own) => ask(asked, client, own)));
    }

    return withClient(pool, (client) => ask(asked, client, { until }));
  };

  const run = async <Result>(step: Step<Result>, deadline: Deadline, open?: Open): Promise<Result> => {
    let next = step.next();
    while (next.done !== true) {
      let answer: unknown;
      try {
        answer = await answerTo(next.value, deadline, open);
      } catch (thrown) {
        next = step.throw(thrown);
        continue;
      }
      next = step.next(answer);
    }

    return next.value;
  };

  return (make) => {
    const began = performance.now();
    const deadline = { until: began + stepTimeoutMs };

    return untilDone(Math.min(deadline.until, began + againLimitMs), () => run(make(), deadline));
  };
}

async function untilDone<Result>(giveUp: number, act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      if (!thrown.again || performance.now() >= giveUp) throw thrown.cause;
      await sleep(againPauseMs);
    }
  }
}
