import type { Pool } from 'pg';
import { makePool } from '../../../../src/catalogue/postgres/pool.ts';
import { beginningOf, makePostgresRunner, type RunPostgres } from '../../../../src/catalogue/postgres/runner.ts';
import {
  all,
  change,
  one,
  reading,
  relaxed,
  sql,
  value,
  values,
  writing,
  type Step,
} from '../../../../src/catalogue/sql/step.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { ownMs } from '../../../support/ownTime.ts';
import { eventually } from '../../../support/poll.ts';

const server = usePostgres();

const insert = sql('INSERT INTO passes (job, at) VALUES (@job, @at)');
const select = sql('SELECT job, at FROM passes ORDER BY job');
const selectAt = sql('SELECT at FROM passes WHERE job = @job');
const setAt = sql('UPDATE passes SET at = @at WHERE job = @job');
const add = sql('UPDATE passes SET at = at + @more WHERE job = @job');

// A sequence is of no transaction: everybody sees at once how far it is.
const ring = sql(`SELECT nextval('changes_id_seq')`);
const rung = sql(`SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM changes_id_seq`);
const pause = sql('SELECT count(*) FROM pg_sleep(0.01)');

/** Within a step: until somebody has rung so often. */
function* untilRung(times: number): Step<void> {
  for (let tries = 0; Number(yield* value(rung)) < times; tries += 1) {
    if (tries > 6_000) throw new Error('nobody has rung for a minute');
    yield* one(pause);
  }
}

let url: string;
let run: RunPostgres;
const pools: Pool[] = [];

function another(options: Omit<Parameters<typeof makePool>[0], 'url'> = {}): RunPostgres {
  const pool = makePool({ url, ...options });
  pools.push(pool);

  return makePostgresRunner(pool);
}

beforeEach(async () => {
  url = await server.newCatalogue();
  run = makePostgresRunner(await server.open(url));
});

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

const rows = (): Promise<unknown> => run(() => all(select));
const keep = (job: string, at = 1) => run(() => change(insert, { job, at, beside: 'it' }));

describe('a step in PostgreSQL', () => {
  it('may ask for all numbers from the least or to the greatest', async () => {
    await keep('one', 7);
    const between = sql('SELECT job FROM passes WHERE at >= @from AND at <= @to');
    const found = (from: number, to: number) => run(() => values(between, { from, to }));
    expect(await found(-Infinity, Infinity)).toEqual(['one']);
    expect(await found(8, Infinity)).toEqual([]);
    expect(await found(-Infinity, 6)).toEqual([]);
  });

  it('reads rows and columns as SQLite gives them', async () => {
    expect(await keep('one', 1_796_000_000_123)).toBe(1);
    expect(await keep('other')).toBe(1);
    expect(await rows()).toEqual([
      { job: 'one', at: 1_796_000_000_123 },
      { job: 'other', at: 1 },
    ]);
    expect(await run(() => one(select))).toEqual({ job: 'one', at: 1_796_000_000_123 });
    expect(await run(() => values(select))).toEqual(['one', 'other']);
    expect(await run(() => value(selectAt, { job: 'one' }))).toBe(1_796_000_000_123);
    expect(await run(() => one(selectAt, { job: 'none' }))).toBeUndefined();
    expect(await run(() => value(selectAt, { job: 'none' }))).toBeUndefined();
    const kinds = sql(`
      SELECT EXISTS (SELECT 1 FROM passes) AS isThere, sum(at) AS total, count(*) AS number, NULL AS nothing, '[]' AS list
      FROM passes WHERE at > @least - 1`);
    expect(await run(() => one(kinds, { least: 0 }))).toEqual({
      isThere: 1,
      total: 1_796_000_000_124,
      number: 2,
      nothing: null,
      list: '[]',
    });
  });

  it('takes a parameter that may be null, of a number as of a text', async () => {
    await keep('one', 1_796_000_000_123);
    const chosen = sql('SELECT job FROM passes WHERE (@job IS NULL OR job = @job) AND (@at IS NULL OR at = @at)');
    const found = (job: string | null, at: number | null) => run(() => values(chosen, { job, at }));
    expect(await found(null, null)).toEqual(['one']);
    expect(await found('one', 1_796_000_000_123)).toEqual(['one']);
    expect(await found('one', 1)).toEqual([]);
    expect(await found('other', null)).toEqual([]);
  });

  it('refuses a query that lacks a value', async () => {
    await expect(run(() => change(insert, { job: 'one' }))).rejects.toThrow(TypeError);
    expect(await rows()).toEqual([]);
  });

  it('is one transaction, with all steps within it, or nothing of it is kept', async () => {
    const both = writing(function* (fails: boolean): Step<number> {
      yield* change(insert, { job: 'one', at: 1 });
      const within = writing(function* (): Step<number> {
        return yield* change(insert, { job: 'other', at: 2 });
      });
      const changed = yield* within();
      if (fails) throw new RangeError('of the step');

      return changed;
    });
    await expect(run(() => both(true))).rejects.toThrow(RangeError);
    expect(await rows()).toEqual([]);
    expect(await run(() => both(false))).toBe(1);
    expect(await run(() => values(select))).toEqual(['one', 'other']);
  });

  it('keeps nothing of a transaction of which a part has failed, whether that is caught or not', async () => {
    const failing = writing(function* (): Step<void> {
      yield* change(insert, { job: 'other', at: 1 });
      throw new RangeError('of the part');
    });
    const catching = writing(function* (part: () => Step<unknown>): Step<void> {
      yield* change(insert, { job: 'one', at: 1 });
      try {
        yield* part();
      } catch {
        // It goes on all the same.
      }
    });
    const twice = () => change(insert, { job: 'one', at: 1 });
    for (const part of [failing, twice]) {
      await expect(run(() => catching(part))).rejects.toThrow('a part of the transaction has failed');
      expect(await rows()).toEqual([]);
    }
  });

  it('sees one moment while it reads', async () => {
    await keep('one', 1);
    const outside = another();
    const seen: unknown[] = [];
    let next = Promise.resolve<unknown>(undefined);
    const twice = reading(function* (): Step<void> {
      seen.push(yield* value(selectAt, { job: 'one' }));
      next = outside(() => change(setAt, { job: 'one', at: 2 })).then(() => outside(() => value(ring)));
      yield* untilRung(1);
      seen.push(yield* value(selectAt, { job: 'one' }));
    });
    await run(twice);
    await next;
    expect(seen).toEqual([1, 1]);
    expect(await run(() => value(selectAt, { job: 'one' }))).toBe(2);
  });

  it('changes nothing where it only reads', async () => {
    const wrong = reading(() => change(insert, { job: 'one', at: 1 }));
    await expect(run(wrong)).rejects.toMatchObject({ code: 'catalogue_unusable' });
    expect(await rows()).toEqual([]);
  });

  it('waits for the disk, also where SQLite need not', async () => {
    const setting = sql(`SELECT current_setting('synchronous_commit')`);
    expect(await run(writing(() => value(setting)))).toBe('on');
    expect(await run(relaxed(() => value(setting)))).toBe('on');
  });

  it('is done again, whole, where two have waited for each other', async () => {
    await keep('one', 0);
    await keep('other', 0);
    let tries = 0;
    const move = (from: string, to: string) =>
      writing(
        function* (): Step<void> {
          tries += 1;
          yield* change(add, { job: from, more: -1 });
          yield* value(ring);
          yield* untilRung(2);
          yield* change(add, { job: to, more: 1 });
        },
        () => from,
      );
    await Promise.all([run(move('one', 'other')), run(move('other', 'one'))]);
    expect(tries).toBeGreaterThan(2);
    expect(await rows()).toEqual([
      { job: 'one', at: 0 },
      { job: 'other', at: 0 },
    ]);
  });

  it('fails where a statement takes too long, or PostgreSQL refuses it, without the values of the statement', async () => {
    const hasty = another({ statementTimeoutMs: 100 });
    await expect(hasty(() => one(sql('SELECT count(*) FROM pg_sleep(10)')))).rejects.toMatchObject({
      code: 'catalogue_unusable',
      message: expect.stringContaining('(57014)') as unknown,
    });
    await keep('of Jane Doe');
    const failure: unknown = await keep('of Jane Doe').catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'catalogue_unusable', cause: { code: '23505' } });
    const { cause } = failure as { cause: Error };
    expect(`${JSON.stringify(failure)}${String(failure)}${String(cause)}${JSON.stringify(cause)}`).not.toContain(
      'Jane',
    );
  });

  it('is given up as a whole in time, and nothing of it is kept, nor done later', async () => {
    const pool = makePool({ url });
    pools.push(pool);
    const hasty = makePostgresRunner(pool, 400);
    const napping = sql('SELECT count(*) FROM pg_sleep(0.15)');
    const napped = writing(function* (): Step<void> {
      yield* change(insert, { job: 'given up', at: 1 });
      for (let naps = 0; naps < 4; naps += 1) yield* one(napping);
    });
    const spent = await ownMs(() => expect(hasty(napped)).rejects.toMatchObject({ code: 'catalogue_unusable' }));
    expect(spent).toBeLessThan(3_000);
    await keep('next');
    expect(await run(() => values(select))).toEqual(['next']);
    // The next one has its own time. It needs a new connection in it: where that came too late, it is tried again by another name.
    let tries = 0;
    const inTime = (): string => `in time ${tries}`;
    await eventually(() => {
      tries += 1;

      return hasty(() => change(insert, { job: inTime(), at: 1 }));
    });
    const kept = await run(() => values(select));
    expect(kept).toEqual(expect.arrayContaining([inTime(), 'next']));
    expect(kept).not.toContain('given up');
  });

  it('keeps nobody from writing for long once it was given up, or its process is stopped, however long a statement may take', async () => {
    const statementTimeoutMs = 600_000;
    const pool = makePool({ url, statementTimeoutMs });
    pools.push(pool);
    const hasty = makePostgresRunner(pool, 400);
    const slow = writing(() => one(sql('SELECT count(*) FROM pg_sleep(60)')));
    await expect(hasty(slow)).rejects.toMatchObject({ code: 'catalogue_unusable' });
    await keep('next');
    const limit = sql(`SELECT current_setting('idle_in_transaction_session_timeout')`);
    expect(await another({ statementTimeoutMs })(() => value(limit))).toBe('2s');
  });

  it('keeps others from writing for two seconds where its process stands still within it, and is done again by that one', async () => {
    const stopped = makePool({ url });
    pools.push(stopped);
    const client = await stopped.connect();
    client.on('error', () => undefined);
    // As a process that is frozen between two statements.
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock(x'70726176'::integer, 3)`);
    expect(await ownMs(() => keep('another'))).toBeLessThan(5_000);
    client.release(true);

    let stands = 0;
    const halting = writing(function* (): Step<void> {
      yield* change(insert, { job: 'halting', at: 1 });
      stands += 1;
      if (stands === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      yield* change(insert, { job: 'behind it', at: 2 });
    });
    await run(halting);
    expect(stands).toBe(2);
    expect((await run(() => values(select))).toSorted()).toEqual(['another', 'behind it', 'halting']);
  });

  it.each([
    ['alone', undefined],
    ['about the same call', 'call'],
  ])('keeps others from writing for hardly longer where its process stands still with two, %s', async (_how, about) => {
    const stopped = makePool({ url });
    pools.push(stopped);
    const [first, second] = await Promise.all([stopped.connect(), stopped.connect()]);
    for (const client of [first, second]) client.on('error', () => undefined);
    // As a process that is frozen: PostgreSQL goes on with what it was asked, and is asked for nothing more.
    const beginning = beginningOf({ mode: 'writing', about });
    try {
      await first.query(beginning);
      let isAnswered = false;
      const answered = second.query(beginning).then(
        () => (isAnswered = true),
        () => (isAnswered = true),
      );
      const waiting = sql('SELECT count(*) FROM pg_locks WHERE NOT granted');
      await eventually(async () => isAnswered || (await run(() => value(waiting))) === 1);
      // One after the other they would keep it for four seconds.
      expect(await ownMs(() => run(writing(() => change(insert, { job: 'another', at: 1 }))))).toBeLessThan(3_500);
      await answered;
    } finally {
      for (const client of [first, second]) client.release(true);
    }
  });

  it('is given up in time where PostgreSQL answers nothing, with a connection and without one', async () => {
    await keep('one');
    const pool = makePool({ url, connectTimeoutMs: 300 });
    pools.push(pool);
    const hasty = makePostgresRunner(pool, 400);
    // With the connection, in 400 ms: perhaps not at the first attempt.
    await eventually(() => hasty(() => values(select)));
    server.lab().hang();
    try {
      const spent = await ownMs(async () => {
        for (let tries = 0; tries < 2; tries += 1) {
          await expect(hasty(() => values(select))).rejects.toMatchObject({ code: 'catalogue_unusable' });
        }
      });
      expect(spent).toBeLessThan(4_000);
    } finally {
      server.lab().goOn();
    }
    await eventually(() => hasty(() => values(select)));
  });

  it('fails while PostgreSQL is away, and goes on by new connections once it is back', async () => {
    await keep('one');
    const slow = writing(function* (): Step<void> {
      yield* change(insert, { job: 'lost', at: 1 });
      yield* one(sql('SELECT count(*) FROM pg_sleep(30)'));
    });
    const cut = run(slow).catch((thrown: unknown) => thrown);
    const isUnderWay = sql(
      `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()`,
    );
    await eventually(async () => (await run(() => value(isUnderWay))) === 1);
    await server.lab().stopServer('kill');
    try {
      expect(await cut).toMatchObject({ code: 'catalogue_unusable' });
      await expect(keep('away')).rejects.toMatchObject({ code: 'catalogue_unusable' });
    } finally {
      await server.lab().startServer();
    }
    await eventually(() => keep('back'));
    expect(await run(() => values(select))).toEqual(['back', 'one']);
  });
});
