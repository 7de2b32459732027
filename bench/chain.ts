/**
 * How the audit trail stays one chain while many write into it, in PostgreSQL: `npm run bench:chain`. Three ways take turns, each in a database of
 * its own, on a server whose commits wait for the disk:
 *
 * - `lock`: each append takes a lock until its transaction is on the disk, as the catalogue does;
 * - `flush`: the same, but the lock ends with a commit that does not wait, and who appended waits for the disk afterwards;
 * - `chainer`: appends have no lock and no link; one writer chains them afterwards.
 *
 * First calls come at a pace, each with the commits and the three appends that a recorded call makes, whatever the ones before it take. Then as many
 * append as can. A reader follows the trail meanwhile, as who verifies it does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { startPostgres } from '../lab/postgres/postgres.ts';
import { openPostgres } from '../src/catalogue/postgres/open.ts';
import { makePostgresRunner, type RunPostgres } from '../src/catalogue/postgres/runner.ts';
import { change, one, sql, writing, type Step } from '../src/catalogue/sql/step.ts';
import { chainStart, entryDigest, linkOf } from '../src/core/crypto/hashChain.ts';
import { ascending, quantile } from './figures.ts';

const ways = ['lock', 'flush', 'chainer'] as const;
type Way = (typeof ways)[number];

const { values } = parseArgs({
  options: {
    perSecond: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    processes: { type: 'string', default: '4' },
    atOnce: { type: 'string', default: '32' },
    pauseMs: { type: 'string', default: '50' },
    ways: { type: 'string', default: ways.join(',') },
  },
});
const number = (name: 'perSecond' | 'seconds' | 'rounds' | 'processes' | 'atOnce' | 'pauseMs'): number =>
  Number(values[name]);
const chosen = ways.filter((way) => values.ways.split(',').includes(way));

/** How long a call of the bench takes, ms, and how often it is saved meanwhile. */
const callMs = 2_000;
const saves = 9;

const insertCall = sql(`
  INSERT INTO calls (id, started_at, policy_version, asterisk_version, asterisk_node, line, phase, state)
  VALUES (@id, @at, 'bench', '22', 'node', 'sales', 'planning', @state)`);
const saveCall = sql('UPDATE calls SET phase = @phase, state = @state WHERE id = @id');
const insertRecording = sql(`
  INSERT INTO recordings (id, call_id, status, notice_finished_at, keep_days) VALUES (@id, @id, 'recording', @at, 28)`);
const moveRecording = sql('UPDATE recordings SET status = @to WHERE id = @id AND status = @from');
const columns = '(at, recording_id, event, from_status, to_status, actor, detail)';
const appended = `VALUES (@at, @id, @event, @from, @to, 'bench', @detail)`;
const append = sql(`INSERT INTO audit ${columns} ${appended}`);
const appendUnchained = sql(`INSERT INTO unchained ${columns} ${appended}`);
/** A commit that waits for the disk: all that was committed before it is there as well. */
const flush = sql(`SELECT pg_logical_emit_message(true, 'preavis', '') IS NOT NULL AS done`);
const chain = sql(`
  WITH taken AS (DELETE FROM unchained RETURNING *)
  INSERT INTO audit ${columns} SELECT at, recording_id, event, from_status, to_status, actor, detail FROM taken ORDER BY id`);

type Move = { id: string; from: string | null; to: string };

function* move(way: Way, { id, from, to }: Move): Step<void> {
  if (from === null) yield* change(insertRecording, { id, at: Date.now() });
  else yield* change(moveRecording, { id, from, to });
  const line = { id, from, to, at: Date.now(), event: `to ${to}`, detail: JSON.stringify({ bytes: 960_044 }) };
  yield* change(way === 'chainer' ? appendUnchained : append, line);
}

const aboutOne = (_way: Way, { id }: Move): string => id;
const moveAtOnce = writing(move, aboutOne);
/** For the way `flush`: the commit does not wait for the disk. */
const relax = sql(`SELECT set_config('synchronous_commit', 'off', true)`);
const moveRelaxed = writing(function* (way: Way, given: Move): Step<void> {
  yield* one(relax);
  yield* move(way, given);
}, aboutOne);

async function doMove(run: RunPostgres, way: Way, given: Move): Promise<void> {
  if (way !== 'flush') return run(() => moveAtOnce(way, given));
  await run(() => moveRelaxed(way, given));
  await run(() => one(flush));
}

/** What the reader has of the trail, checked as it comes. */
class Reader {
  readonly #pool: Pool;
  /** When each line was first seen, by its recording and event. */
  readonly seen = new Map<string, number>();
  #last = 0;
  #link = chainStart;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** @throws Error where a line is missing, or is not linked to the one before it */
  async look(): Promise<void> {
    const { rows } = await this.#pool.query<Record<string, string | number | null>>(
      'SELECT * FROM audit WHERE id > $1 ORDER BY id',
      [this.#last],
    );
    const now = performance.now();
    for (const { id, at, recording_id, event, from_status, to_status, actor, detail, chain: link } of rows) {
      this.#link = linkOf(this.#link, entryDigest([at, recording_id, event, from_status, to_status, actor, detail]));
      this.#last += 1;
      if (link !== this.#link || id !== this.#last) throw new Error(`the chain is broken at line ${String(id)}`);
      this.seen.set(`${String(recording_id)} ${String(event)}`, now);
    }
  }
}

type Pace = {
  appendMs: number[];
  saveMs: number[];
  seenAfterMs: number[];
  commitsPerSecond: number;
  syncsPerCall: number;
};

let calls = 0;
const nextId = (): string => String((calls += 1)).padStart(26, '0');
const state = JSON.stringify({ kind: 'talking', facts: 'x'.repeat(3_000) });

const placed = (id: string, state: string | null) =>
  writing(
    () => change(insertCall, { id, at: Date.now(), state }),
    () => id,
  );

/** One call: from when each step was due, however late it began. */
async function placeCall(
  run: RunPostgres,
  way: Way,
  dueAt: number,
  into: Pace,
  done: Map<string, number>,
): Promise<void> {
  const id = nextId();
  const due = async (at: number, list: number[], step: () => Promise<unknown>): Promise<void> => {
    await sleep(Math.max(0, at - performance.now()));
    await step();
    list.push(performance.now() - at);
  };
  const saved = (phase: string): Promise<number> =>
    run(
      writing(
        () => change(saveCall, { id, phase, state }),
        () => id,
      ),
    );
  const moved = (from: string | null, to: string) => async (): Promise<void> => {
    await doMove(run, way, { id, from, to });
    done.set(`${id} to ${to}`, performance.now());
  };
  await due(dueAt, into.saveMs, () => run(placed(id, state)));
  for (let each = 0; each < saves; each += 1) {
    const at = dueAt + ((each + 1) * callMs) / (saves + 3);
    await due(at, into.saveMs, () => saved(`phase ${each}`));
    if (each === 3) await due(at + 20, into.appendMs, moved(null, 'recording'));
  }
  await due(dueAt + callMs * 0.9, into.appendMs, moved('recording', 'recorded'));
  await due(dueAt + callMs, into.appendMs, moved('recorded', 'archived'));
}

/** Begins it again and again until told; `stop` waits for its last time. */
function repeat(everyMs: number, act: () => Promise<unknown>): { stop: () => Promise<void> } {
  const end = new AbortController();
  const over = (async () => {
    while (!end.signal.aborted) {
      await act();
      await sleep(everyMs);
    }
    await act();
  })();

  return {
    stop: async () => {
      end.abort();
      await over;
    },
  };
}

type Counts = { commits: number; syncs: number };

/** Commits of the database, and how often the server has waited for the disk. */
const countsOf = async (pool: Pool): Promise<Counts> => {
  await pool.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await pool.query<Counts>(
    `SELECT xact_commit AS commits, (SELECT wal_sync FROM pg_stat_wal) AS syncs
     FROM pg_stat_database WHERE datname = current_database()`,
  );

  return rows[0] ?? { commits: Number.NaN, syncs: Number.NaN };
};

async function atPace(way: Way, runs: readonly RunPostgres[], pool: Pool): Promise<Pace> {
  const into: Pace = { appendMs: [], saveMs: [], seenAfterMs: [], commitsPerSecond: 0, syncsPerCall: 0 };
  const done = new Map<string, number>();
  const reader = new Reader(pool);
  const reading = repeat(10, () => reader.look());
  const before = await countsOf(pool);
  const began = performance.now();
  const placed: Promise<void>[] = [];
  const count = number('perSecond') * number('seconds');
  for (let each = 0; each < count; each += 1) {
    const dueAt = began + (each * 1_000) / number('perSecond');
    await sleep(Math.max(0, dueAt - performance.now()));
    const run = runs[each % runs.length];
    if (run !== undefined) placed.push(placeCall(run, way, dueAt, into, done));
  }
  await Promise.all(placed);
  const { commits, syncs } = await countsOf(pool);
  into.commitsPerSecond = ((commits - before.commits) * 1_000) / (performance.now() - began);
  into.syncsPerCall = (syncs - before.syncs) / count;
  // What the chainer has not taken by now is taken soon.
  while (reader.seen.size < done.size) await sleep(10);
  await reading.stop();
  for (const [line, at] of done) into.seenAfterMs.push((reader.seen.get(line) ?? Number.NaN) - at);

  return into;
}

type Most = { perSecond: number; syncsPerAppend: number };

/** Appends a second by so many who do not wait in between; those that are chained. */
async function asManyAsCan(way: Way, runs: readonly RunPostgres[], pool: Pool): Promise<Most> {
  const reader = new Reader(pool);
  await reader.look();
  const known = reader.seen.size;
  const before = await countsOf(pool);
  const began = performance.now();
  const until = began + 5_000;
  await Promise.all(
    Array.from({ length: number('atOnce') }, async (_, each) => {
      const run = runs[each % runs.length];
      for (let id = ''; performance.now() < until && run !== undefined;) {
        id = nextId();
        await run(placed(id, null));
        await doMove(run, way, { id, from: null, to: 'recording' });
      }
    }),
  );
  await reader.look();
  const appends = reader.seen.size - known;

  return {
    perSecond: (appends * 1_000) / (performance.now() - began),
    syncsPerAppend: ((await countsOf(pool)).syncs - before.syncs) / appends,
  };
}

type Figures = Pace & { most: Most };

async function measure(way: Way, url: string): Promise<Figures> {
  const pools = await Promise.all(Array.from({ length: number('processes') }, () => openPostgres({ url })));
  const own = await openPostgres({ url, connections: 3 });
  try {
    if (way === 'chainer') {
      await own.query('CREATE TABLE unchained (LIKE audit INCLUDING DEFAULTS)');
      await own.query('ALTER TABLE unchained ALTER id ADD GENERATED ALWAYS AS IDENTITY');
    }
    const chaining = makePostgresRunner(own);
    const chainer =
      way === 'chainer'
        ? repeat(number('pauseMs'), () =>
            chaining(
              writing(
                () => change(chain),
                () => 'chain',
              ),
            ),
          )
        : undefined;
    const runs = pools.map(makePostgresRunner);
    const pace = await atPace(way, runs, own);
    const most = await asManyAsCan(way, runs, own);
    await chainer?.stop();

    return { ...pace, most };
  } finally {
    await Promise.all([...pools, own].map((pool) => pool.end()));
  }
}

const ms = (list: readonly number[], part: number): string => quantile(ascending(list), part).toFixed(1).padStart(8);

const server = await startPostgres({ durable: true });
try {
  process.stdout.write(
    `PostgreSQL ${server.release}, Node ${process.versions.node}; ${number('perSecond')} calls a second for ${number('seconds')} s, ` +
      `${number('processes')} processes' pools; load ${loadavg()
        .map((each) => each.toFixed(1))
        .join(' ')}\n\n` +
      'way       round  append p50     p99    save p50     p99  seen after p50     p99  commits/s  syncs/call   at most, /s  syncs/append    load\n',
  );
  for (let round = 1; round <= number('rounds'); round += 1) {
    for (const way of chosen) {
      const { appendMs, saveMs, seenAfterMs, commitsPerSecond, syncsPerCall, most } = await measure(
        way,
        await server.makeDatabase(),
      );
      const timed = [appendMs, saveMs, seenAfterMs].map((list) => `${ms(list, 0.5)}${ms(list, 0.99)}`).join('    ');
      const others = [commitsPerSecond, syncsPerCall, most.perSecond, most.syncsPerAppend, ...loadavg().slice(0, 1)];
      process.stdout.write(
        `${way.padEnd(8)} ${String(round).padStart(6)}${timed}  ${others.map((each) => each.toFixed(1).padStart(10)).join(' ')}\n`,
      );
    }
  }
} finally {
  await server.stop();
}
