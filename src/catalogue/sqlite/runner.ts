import type DatabaseConstructor from 'better-sqlite3';
import type { Mode, Query, Step, Transaction } from '../sql/step.ts';
import type { Database } from './sqlite.ts';

/** Runs a step to its end. Throws what the step throws, and the errors of SQLite. */
export type Run = <Result>(step: Step<Result>) => Result;

/** More texts than the repositories have: one that is made anew for each question must not fill the memory. */
const mostPrepared = 1_000;

/** Prepares each text once. */
function makePrepared(prepare: (text: string) => DatabaseConstructor.Statement) {
  const prepared = new Map<string, DatabaseConstructor.Statement>();

  return (text: string): DatabaseConstructor.Statement => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    if (prepared.size >= mostPrepared) prepared.clear();
    const statement = prepare(text);
    prepared.set(text, statement);

    return statement;
  };
}

function makeAsk(database: Database) {
  const rows = makePrepared((text) => database.prepare(text));
  const columns = makePrepared((text) => database.prepare(text).pluck());

  return ({ statement: { sqlite }, given, want }: Query): unknown => {
    switch (want) {
      case 'all':
        return rows(sqlite).all(given);
      case 'one':
        return rows(sqlite).get(given);
      case 'values':
        return columns(sqlite).all(given);
      case 'value':
        return columns(sqlite).get(given);
      case 'change':
        return rows(sqlite).run(given).changes;
    }
  };
}

/** The commits within do not wait for the disk. Within a transaction SQLite refuses to change that. */
function withoutWaiting<Result>(database: Database, act: () => Result): Result {
  database.exec('PRAGMA synchronous = NORMAL');
  try {
    return act();
  } finally {
    database.exec('PRAGMA synchronous = FULL');
  }
}

/**
 * Carries the queries of steps out in SQLite, all within one call: a transaction begins and ends within it, and nothing else of this process comes
 * between. So nobody ever waits within a transaction.
 */
export function makeSqliteRunner(database: Database): Run {
  const ask = makeAsk(database);
  const begin = { reading: database.prepare('BEGIN'), writing: database.prepare('BEGIN IMMEDIATE') };
  const commit = database.prepare('COMMIT');
  const rollback = database.prepare('ROLLBACK');
  /** Of the transaction that is under way: why a part of it has failed. */
  let broken: { thrown: unknown } | undefined;
  /** A step that is one transaction is under way. Where SQLite has ended that itself, nothing more of it is done. */
  let isWhole = false;

  const requireWhole = (): void => {
    if (broken !== undefined) throw new Error('a part of the transaction has failed', { cause: broken.thrown });
  };

  const runPart = (step: Step<unknown>): unknown => {
    try {
      return run(step);
    } catch (thrown) {
      broken ??= { thrown };
      throw thrown;
    }
  };

  const runWhole = (mode: Exclude<Mode, 'relaxed'>, step: Step<unknown>): unknown => {
    broken = undefined;
    begin[mode].run();
    isWhole = true;
    try {
      const result = run(step);
      requireWhole();
      commit.run();

      return result;
    } catch (thrown) {
      // SQLite has ended it already where the disk is full.
      if (database.inTransaction) rollback.run();
      throw thrown;
    } finally {
      isWhole = false;
    }
  };

  const requireOpen = (): void => {
    if (isWhole && !database.inTransaction) throw new Error('SQLite has ended the transaction');
  };

  const transact = ({ mode, step }: Transaction): unknown => {
    if (database.inTransaction) return runPart(step);
    if (mode !== 'relaxed') return runWhole(mode, step);

    return withoutWaiting(database, () => runWhole('writing', step));
  };

  const run: Run = (step) => {
    let next = step.next();
    while (next.done !== true) {
      const asked = next.value;
      let answer: unknown;
      try {
        requireOpen();
        answer = asked.kind === 'query' ? ask(asked) : transact(asked);
      } catch (thrown) {
        next = step.throw(thrown);
        continue;
      }
      next = step.next(answer);
    }

    return next.value;
  };

  return run;
}
