import type { PoolClient } from 'pg';
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { openLeaving, type Leaving } from '../open.ts';
import { Refused } from '../postgres/failures.ts';
import type { PostgresOptions } from '../postgres/open.ts';
import { makePool, withClient } from '../postgres/pool.ts';
import { makeSource, type Source } from './source.ts';
import { openedBy } from './openedBy.ts';
import type { Table } from './tables.ts';
import { lockForMove, makeTarget, type Target } from './target.ts';
import { emptyTrail, trailTable, verifyTable, type Trail } from './verification.ts';

/**
 * Moves a SQLite catalogue into an empty database of PostgreSQL. At any moment one of the two is the catalogue, or none is while the last two
 * steps are done, and never both:
 *
 * 1. The database is made, with a table `moving` in it: until that is gone, nobody opens the catalogue there.
 * 2. All rows are copied, in batches; each has its progress in its transaction. So a process that was killed leaves the SQLite catalogue in use
 *    as before, and a copy that the next move goes on with.
 * 3. All rows of both are compared, and PostgreSQL makes the audit trail's links anew. What was changed in SQLite since it was copied shows here.
 * 4. The SQLite file is marked as moved: nobody opens it any more.
 * 5. `moving` is removed.
 */

export type MovePorts = {
  readonly file: string;
  readonly postgres: PostgresOptions;
  readonly clock: Clock;
};

export type MoveOptions = {
  readonly dryRun: boolean;
  /**
   * Begin an unfinished move anew: what was copied may not be what there is now. Of a file that is marked as moved as well: that no other database
   * has its catalogue is for who asks for it to know.
   */
  readonly again: boolean;
  /** Rows of a batch at most. */
  readonly rowsAtOnce?: number;
  readonly signal: AbortSignal;
  /** @param total of what is to be copied and compared, rows */
  readonly progress: (done: number, total: number) => void;
};

type MovedTable = { readonly table: string; readonly rows: number };

/**
 * `could`: a dry run, and who uses the catalogue now. `couldEnd`: a dry run, of a file that is marked as moved while the move is not finished.
 * `moved`: done; `before`: it was done before. `broken` lines of the audit trail were changed before the move, and `removed` ones at its end taken
 * away: PostgreSQL gives their numbers again.
 */
export type Moved =
  | { readonly kind: 'could'; readonly tables: readonly MovedTable[]; readonly users: readonly string[] }
  | { readonly kind: 'couldEnd'; readonly identity: string; readonly tables: readonly MovedTable[] }
  | {
      readonly kind: 'moved';
      readonly identity: string;
      readonly tables: readonly MovedTable[];
      readonly trail: Trail & { readonly removed: number };
    }
  | { readonly kind: 'before'; readonly identity: string };

/** Over rows that are short a batch takes a part of a second; over many that are long, on a disk that is slow, minutes. */
const statementTimeoutMs = 10 * 60_000;
/** PostgreSQL ends what a killed move has left as soon as it sees that nobody is there. */
const lockWaitMs = 30_000;
const lockPauseMs = 250;

/**
 * @throws PreavisError `move_refused`, `move_differs`, `catalogue_in_use`, what opening either database throws, and the signal's reason. Whatever
 *   is thrown, the SQLite catalogue is as it was, unless it was marked before: then the next move ends it.
 */
export async function moveCatalogue(ports: MovePorts, options: MoveOptions): Promise<Moved> {
  const leaving = openLeaving(ports.file, !options.dryRun);
  try {
    const source = makeSource(leaving, ports.clock, options.rowsAtOnce);
    const pool = makePool({
      ...ports.postgres,
      connections: 1,
      statementTimeoutMs,
      lockTimeoutMs: statementTimeoutMs,
    });
    try {
      return await withClient(pool, async (client) => {
        const parts = { leaving, source, target: makeTarget(client, ports.postgres) };
        if (options.dryRun) return await couldMove(parts, ports, options);
        await waitForLock(client, options.signal);

        return await move(parts, options);
      });
    } catch (thrown) {
      throw thrown instanceof Refused ? thrown.cause : thrown;
    } finally {
      await pool.end();
    }
  } finally {
    leaving.database.close();
  }
}

async function waitForLock(client: PoolClient, signal: AbortSignal): Promise<void> {
  for (const giveUp = performance.now() + lockWaitMs; ;) {
    if (await lockForMove(client)) return;
    if (performance.now() >= giveUp) {
      throw new PreavisError('catalogue_in_use', 'another process moves a catalogue into the same database', {
        hint: 'Wait until it has ended.',
      });
    }
    signal.throwIfAborted();
    await sleep(lockPauseMs);
  }
}

async function couldMove(
  { leaving, source, target }: Parts,
  { file }: MovePorts,
  { again, signal, progress }: MoveOptions,
): Promise<Moved> {
  const before = await target.before(source.identity, again);
  if (before === 'moved') return requireMarked(leaving, source);
  if (leaving.isMoved && before === 'empty') throw movedElsewhere();
  const { identity } = source;
  const tables = source.tables.map((table) => ({ table: table.name, rows: source.count(table) }));
  if (leaving.isMoved) return { kind: 'couldEnd', identity, tables };
  source.requireSound();
  if (before === 'empty') await target.tryTables(source.tables);
  else if (!again) await target.requireTables(source.tables);
  const total = tables.reduce((sum, { rows }) => sum + rows, 0);
  let seen = 0;
  for (const table of source.tables) {
    // To read it shows what PostgreSQL would not keep.
    for (let batch = source.batch(table, undefined); batch !== undefined; batch = source.batch(table, batch.last)) {
      signal.throwIfAborted();
      progress((seen += batch.rows.length), total);
      await breathe();
    }
  }

  return { kind: 'could', tables, users: [...source.users, ...openedBy(file)] };
}

const movedElsewhere = (options: { cause?: unknown; hint?: string } = {}): PreavisError =>
  new PreavisError('catalogue_moved', 'the catalogue was moved to another database than the configured one', options);

/** A database that has this catalogue, and no move under way, has it by a move that has come to its end. */
function requireMarked({ isMoved }: Leaving, { identity }: Source): Moved {
  if (isMoved) return { kind: 'before', identity };
  throw new PreavisError(
    'move_refused',
    'the database has this catalogue already, and the SQLite file is in use again',
    {
      hint:
        'A copy of the file from before the move was put back. Use PostgreSQL alone, or restore the file and an archive of one time ' +
        '(docs/operations/backup.md), and move into a new database.',
    },
  );
}

type Parts = { readonly leaving: Leaving; readonly source: Source; readonly target: Target };

async function move({ leaving, source, target }: Parts, { again, signal, progress }: MoveOptions): Promise<Moved> {
  const { identity, tables, users } = source;
  const before = await target.before(identity, again);
  if (before === 'moved') return requireMarked(leaving, source);
  const counted = tables.map((table) => ({ table: table.name, rows: source.count(table) }));
  const step = makeSteps(counted, signal, progress);
  const isAnew = before === 'unfinished' && again;
  if (leaving.isMoved && !isAnew) return await finishMoved({ source, target }, { before, step });
  const [user] = users;
  if (user !== undefined) throw new PreavisError('catalogue_in_use', `the catalogue is in use: ${user}`);
  source.requireSound();
  if (isAnew) await target.empty();
  if (before === 'empty' || again) await target.begin(identity);
  await target.requireTables(tables);
  for (const table of tables) await copy({ source, target }, table, step);
  const trail = await verify({ source, target }, step);
  const removed = trail.last === undefined ? 0 : Number(source.highest(trailTable) - trail.last);
  await target.setSequences(source.highest);
  await target.settle();
  leaving.mark();
  await target.finish();

  return { kind: 'moved', identity, tables: counted, trail: { ...trail, removed } };
}

async function verify(
  { source, target }: Pick<Parts, 'source' | 'target'>,
  step: (rows: number) => void,
): Promise<Trail> {
  let trail = emptyTrail;
  for (const table of source.tables) {
    const found = await verifyTable({ source, target }, table, step);
    if (found.lines > 0) trail = found;
  }

  return trail;
}

/** It was verified, and killed between its last two steps. The database may be another one by now, with an older copy. */
async function finishMoved(
  { source, target }: Pick<Parts, 'source' | 'target'>,
  options: FinishOptions,
): Promise<Moved> {
  if (options.before === 'empty') throw movedElsewhere();
  await verify({ source, target }, options.step).catch((thrown: unknown) => {
    throw thrown instanceof PreavisError && thrown.code === 'move_differs'
      ? movedElsewhere({ cause: thrown, hint: lostHint })
      : thrown;
  });
  await target.finish();

  return { kind: 'before', identity: source.identity };
}

const lostHint =
  'Set catalogue.postgres to the database that it was moved to. If no other database has it, as after a failover or a restoration that has lost ' +
  'the last rows: preavis catalogue move --again copies anew (docs/operations/moving-to-postgresql.md).';

type FinishOptions = { readonly before: 'empty' | 'unfinished'; readonly step: (rows: number) => void };

/** Counts rows, and ends where it was asked to. */
function makeSteps(
  tables: readonly MovedTable[],
  signal: AbortSignal,
  progress: MoveOptions['progress'],
): (rows: number) => void {
  const total = 2 * tables.reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;

  return (rows) => {
    signal.throwIfAborted();
    progress((done += rows), total);
  };
}

async function copy(
  { source, target }: Pick<Parts, 'source' | 'target'>,
  table: Table,
  step: (rows: number) => void,
): Promise<void> {
  const begun = await target.progress(table);
  step(begun.rows);
  let after = begun.last;
  for (;;) {
    const batch = source.batch(table, after);
    if (batch === undefined) return;
    await target.append(table, batch);
    after = batch.last;
    step(batch.rows.length);
  }
}
