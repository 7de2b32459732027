/**
 * A step of a repository, as a generator of the queries that it asks: it reads and decides between them, and never touches a database
 * itself. A runner carries the queries out, so that one text of logic stands before SQLite (sqlite/runner.ts) and any other database.
 *
 *     function* (id: string): Step<RecordingRow | undefined> {
 *       return recordingRow.optional().parse(yield* one(select, { id }));
 *     }
 */
export type Step<Result> = Generator<Asked, Result, unknown>;

/** What a step asks its runner for. */
export type Asked = Query | Transaction;

/** Parameters are named in both texts, as `@name`. Where a database has no way of its own, both texts are one. */
export type Statement = { readonly sqlite: string; readonly postgres: string };

/** The values of its parameters. There may be others beside them. */
export type Given = Readonly<Record<string, unknown>>;

/** Rows (`all`, `one`), the first column of them (`values`, `value`), or the number of rows that were changed. */
type Want = 'all' | 'one' | 'values' | 'value' | 'change';

export type Query = {
  readonly kind: 'query';
  readonly statement: Statement;
  readonly given: Given;
  readonly want: Want;
};

/**
 * A step whose queries are one transaction. Within another one it is part of that: then its mode says nothing, and nothing is kept of the
 * outer one once it has failed.
 */
export type Transaction = {
  readonly kind: 'transaction';
  readonly mode: Mode;
  readonly step: Step<unknown>;
  /** The call or the recording whose rows alone it reads and changes, if there is one. */
  readonly about: string | undefined;
};

/**
 * `reading`: all queries see the same moment. `writing`: nothing of what it reads changes before it writes, and its commit is on the disk
 * when it is over. `relaxed`: as `writing`, but the commit need not wait for the disk where the database dies with this process.
 */
export type Mode = 'reading' | 'writing' | 'relaxed';

/** Texts that differ are for what only one of the databases can do, or needs. */
export function sql(text: string | Statement): Statement {
  return typeof text === 'string' ? { sqlite: text, postgres: text } : text;
}

const nothing: Given = {};

const query = (want: Want, statement: Statement, given: Given): Query => ({ kind: 'query', statement, given, want });

/** All rows. */
export function* all(statement: Statement, given: Given = nothing): Step<readonly unknown[]> {
  return (yield query('all', statement, given)) as readonly unknown[];
}

/** The first row; undefined where there is none. */
export function* one(statement: Statement, given: Given = nothing): Step<unknown> {
  return yield query('one', statement, given);
}

/** The first column of all rows. */
export function* values(statement: Statement, given: Given = nothing): Step<readonly unknown[]> {
  return (yield query('values', statement, given)) as readonly unknown[];
}

/** The first column of the first row; undefined where there is none. */
export function* value(statement: Statement, given: Given = nothing): Step<unknown> {
  return yield query('value', statement, given);
}

/** How many rows were changed. For a statement that gives no rows. */
export function* change(statement: Statement, given: Given = nothing): Step<number> {
  return (yield query('change', statement, given)) as number;
}

type Makes<Args extends unknown[], Result> = (...args: Args) => Step<Result>;

/**
 * `about`: the call or the recording whose rows alone the step reads and changes. A database that lets several write at once lets others write
 * meanwhile; without it nobody else does.
 */
const inTransaction =
  (mode: Mode) =>
  <Args extends unknown[], Result>(step: Makes<Args, Result>, about?: (...args: Args) => string): Makes<Args, Result> =>
    function* (...args) {
      return (yield { kind: 'transaction', mode, step: step(...args), about: about?.(...args) }) as Result;
    };

/** For a step of several queries that must agree; it changes nothing. */
export const reading = inTransaction('reading');

/** For a step that changes more than one statement can, or what it has read before. */
export const writing = inTransaction('writing');

/**
 * For a step whose commit need not wait for the disk: it survives a killed process like any other, and a power cut only once a later step was
 * written through. A server that can die alone writes it through at once. For what is done again, or written by the next step, when it is lost.
 */
export const relaxed = inTransaction('relaxed');

/** Whether a function has made a step, which is still to be run. */
export function isStep(made: unknown): made is Step<unknown> {
  return typeof made === 'object' && made !== null && Symbol.iterator in made && 'throw' in made;
}

/** What a step comes to. */
export type ResultOf<Made extends Step<unknown>> = Made extends Step<infer Result> ? Result : never;
