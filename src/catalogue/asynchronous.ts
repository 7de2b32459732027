import { setTimeout as sleep } from 'node:timers/promises';
import { ZodError } from 'zod';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { isStep, type Step } from './sql/step.ts';
import type { RunPostgres } from './postgres/runner.ts';
import type { Run } from './sqlite/runner.ts';

/** How long a step waits for other processes' writes, and how long between two tries, ms. */
const busyLimitMs = 10_000;
const busyPauseMs = 20;

/** A record of functions that make steps, or do one at once; `never` takes any arguments. */
export type Steps = Readonly<Record<string, (...args: never[]) => unknown>>;

/** The same functions, each with a promise of what its step comes to. */
export type Asynchronous<Repository> = {
  readonly [Name in keyof Repository]: Repository[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<[Result] extends [Step<infer Came>] ? Came : Result>
    : never;
};

/** What there is of it may be in a state that no step of ours leaves. */
function damaged(what: string, cause: unknown): PreavisError {
  return new PreavisError('catalogue_unusable', `the catalogue is damaged${what}`, {
    cause,
    hint: 'Stop Préavis, keep the file, and restore the last backup (docs/operations/backup.md).',
  });
}

/** The file as a whole may be well: then it is a fault of ours, and a backup would throw away what came after it. */
export function badRow(cause: unknown): PreavisError {
  return new PreavisError('row_unreadable', 'a row of the catalogue is malformed', { cause });
}

function asCatalogueError(cause: unknown): unknown {
  const code = errnoOf(cause) ?? '';
  if (cause instanceof PreavisError) return cause;
  // Rows are read by their schema alone: SQLite hands out what a damaged page holds where it can.
  if (cause instanceof ZodError || cause instanceof SyntaxError) return badRow(cause);
  if (!code.startsWith('SQLITE')) return cause;
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return damaged(` (${code})`, cause);

  return new PreavisError('catalogue_unusable', `the catalogue refused a step (${code})`, { cause });
}

/** Runs one step of SQLite; a busy database is asked again. */
async function eventually<Result>(step: () => Result): Promise<Result> {
  const giveUp = performance.now() + busyLimitMs;
  for (;;) {
    try {
      return step();
    } catch (cause) {
      const busy = (errnoOf(cause) ?? '').startsWith('SQLITE_BUSY');
      if (!busy || performance.now() >= giveUp) throw asCatalogueError(cause);
      await sleep(busyPauseMs);
    }
  }
}

/** Carries out the step that it makes, and makes it anew where it has to be done again: what it has read before counts no more. */
export type CarryOut = (make: () => unknown) => Promise<unknown>;

/** The steps of repositories as functions with promises: of each by `carryOut`. */
export function asynchronous<Repository extends Steps>(
  steps: Repository,
  carryOut: CarryOut,
): Asynchronous<Repository> {
  const wrapped = Object.entries(steps).map(([name, step]) => [
    name,
    (...args: never[]): Promise<unknown> => carryOut(() => step(...args)),
  ]);

  return Object.fromEntries(wrapped) as Asynchronous<Repository>;
}

/**
 * SQLite does a step at once. A transaction begins and ends within it, so a caller never stands within one. Throws catalogue_unusable when the
 * database fails, row_unreadable for a damaged row, and the errors of the step itself.
 */
export function bySqlite(run: Run): CarryOut {
  return (make) =>
    eventually(() => {
      const made = make();

      return isStep(made) ? run(made) : made;
    });
}

/** As {@link bySqlite}; PostgreSQL takes time, and others are served meanwhile. */
export function byPostgres(run: RunPostgres): CarryOut {
  return async (make) => {
    try {
      return await run(() => {
        const made = make();

        return isStep(made) ? made : atOnce(made);
      });
    } catch (cause) {
      throw cause instanceof ZodError || cause instanceof SyntaxError ? badRow(cause) : cause;
    }
  };
}

/** A step that asks for nothing. */
function* atOnce<Made>(made: Made): Step<Made> {
  return made;
}
