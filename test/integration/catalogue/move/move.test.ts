import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { openCatalogue, openPostgresCatalogue, type Catalogue } from '../../../../src/catalogue/catalogue.ts';
import { serveLease } from '../../../../src/catalogue/jobs/leases.ts';
import { migrations } from '../../../../src/catalogue/migrations.ts';
import { moveCatalogue, type Moved, type MoveOptions } from '../../../../src/catalogue/move/move.ts';
import { makePool } from '../../../../src/catalogue/postgres/pool.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import type { CallSearch } from '../../../../src/catalogue/calls/searchConditions.ts';
import { makeCallerHash } from '../../../../src/call/plan/preferences.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { linkOf } from '../../../../src/core/crypto/hashChain.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { thisProcess } from '../../../../src/core/processes.ts';
import { hashKey, numberOf } from '../../../../bench/largeCatalogue.ts';
import { clockAt, saveCall } from '../../../support/catalogue/catalogues.ts';
import { fillEverything } from '../../../support/catalogue/everything.ts';
import { elsewhere, onlyServe } from '../../../support/catalogue/holders.ts';
import { usePostgres } from '../../../support/catalogue/postgres.ts';
import { LabProgram } from '../../../support/labProgram.ts';
import { eventually } from '../../../support/poll.ts';
import { callStart } from '../../../support/call/calls.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const server = usePostgres();
let files = 0;
let filled: string | undefined;

/** A catalogue of its own with everything in it. */
async function aCatalogue(): Promise<string> {
  if (filled === undefined) {
    filled = folder.path('everything.db');
    await fillEverything(filled, (file) => openCatalogue(file, clockAt(callStart)));
  }
  const file = folder.path(`${(files += 1)}.db`);
  copyFileSync(filled, file);

  return file;
}

const move = (file: string, url: string, options: Partial<MoveOptions> = {}): Promise<Moved> =>
  moveCatalogue(
    { file, postgres: { url }, clock: systemClock },
    { dryRun: false, again: false, signal: new AbortController().signal, progress: () => undefined, ...options },
  );

/** All rows, each with the names of its columns, but for what only one of the databases has. */
async function rowsIn(pool: Pool, table: string): Promise<unknown[]> {
  const { rows } = await pool.query<Record<string, unknown>>(`SELECT * FROM ${table}`);

  // In the place of SQLite's rowid.
  return rows.map((row) => sorted(table === 'policies' ? { ...row, number: undefined } : row)).toSorted();
}

function rowsOfFile(file: string): Map<string, unknown[]> {
  const database = openSqlite(file, { readonly: true });
  const tables = database
    .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .pluck()
    .all();
  const all = tables
    .filter((table) => table !== 'log_debt')
    .map((table) => {
      const rows = database.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all();

      return [table, rows.map((row) => sorted(row)).toSorted()] as const;
    });
  database.close();

  return new Map(all);
}

const sorted = (row: Record<string, unknown>): string =>
  JSON.stringify(
    Object.entries(row)
      .filter(([, value]) => value !== undefined)
      .toSorted(),
  );

async function usePool<Result>(url: string, act: (pool: Pool) => Promise<Result>): Promise<Result> {
  // A test may hold a transaction open while a program starts.
  const pool = makePool({ url, statementTimeoutMs: 100_000 });
  try {
    return await act(pool);
  } finally {
    await pool.end();
  }
}

/** @param act what is done while this is locked; the function that it is given throws unless somebody waits for the lock */
async function whileLocked<Result>(
  url: string,
  locking: string,
  act: (expectWaiting: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  return usePool(url, async (pool) => {
    const client = await pool.connect();
    try {
      // However long a program needs meanwhile: the pool ends what stands idle in a transaction for two seconds.
      await client.query(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; ${locking}`);
      const result = await act(async () => {
        const { rows } = await client.query(`SELECT 1 FROM pg_locks WHERE NOT granted`);
        expect(rows).toHaveLength(1);
      });
      await client.query('ROLLBACK');

      return result;
    } finally {
      client.release();
    }
  });
}

async function withMoved<Result>(url: string, act: (catalogue: Catalogue) => Promise<Result>): Promise<Result> {
  const catalogue = await openPostgresCatalogue({ url, connections: 2 }, clockAt(callStart));
  try {
    return await act(catalogue);
  } finally {
    catalogue.close();
  }
}

/** What people and passes read. */
async function readings(catalogue: Catalogue): Promise<unknown> {
  const page = async (search: CallSearch) => {
    const { ids } = await catalogue.search.calls(search, callStart, undefined, 200);

    return await catalogue.listings.of(ids, 'user:anna');
  };

  return {
    identity: await catalogue.file.identity(),
    head: await catalogue.auditTrail.head(),
    lines: await catalogue.auditTrail.lines(0, 1_000, 1_000),
    statuses: await catalogue.auditTrail.statusesOtherwise(1_000),
    promised: await catalogue.figures.promised(callStart),
    due: await catalogue.figures.dueAttempts(Number.MAX_SAFE_INTEGER, 'x', { keepUntil: -1, id: '' }, 100),
    open: await catalogue.journal.open(),
    all: await page({}),
    ofLine: await page({ lines: ['line-3'], result: 'recorded' }),
    ofCaller: await page({ caller: makeCallerHash(hashKey, 'BE')(numberOf(5)) ?? '' }),
  };
}

async function readingsOfFile(file: string): Promise<unknown> {
  const catalogue = openCatalogue(file, clockAt(callStart));
  try {
    return await readings(catalogue);
  } finally {
    catalogue.close();
  }
}

const failure = (code: string, message: string | RegExp): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string });

function changeFile(file: string, sql: string): void {
  const database = openSqlite(file);
  database.exec(sql);
  database.close();
}

const countOf = (url: string, table: string): Promise<number> =>
  usePool(url, async (pool) => {
    const { rows } = await pool.query<{ count: number }>(`SELECT count(*) FROM ${table}`);

    return rows[0]?.count ?? NaN;
  });

/** Copies rows until it is enough, and ends there. */
async function begin(file: string, url: string, isEnough: (done: number, total: number) => boolean): Promise<void> {
  const stop = new AbortController();
  const progress = (done: number, total: number): void => {
    if (isEnough(done, total)) stop.abort(new PreavisError('interrupted', 'enough'));
  };
  await expect(move(file, url, { signal: stop.signal, progress, rowsAtOnce: 7 })).rejects.toEqual(
    failure('interrupted', 'enough'),
  );
}

const beginMove = (file: string, url: string) => begin(file, url, (done) => done > 20);
/** Everything is copied, and of the half that is compared there is the first batch. */
const copyAll = (file: string, url: string) => begin(file, url, (done, total) => done > total / 2);

describe('a catalogue that was moved to PostgreSQL', () => {
  it('has every row of every table there, and reads as before', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const before = await readingsOfFile(file);
    const rows = rowsOfFile(file);
    expect([...rows].filter(([, each]) => each.length === 0)).toEqual([]);
    const steps: number[] = [];
    const moved = await move(file, url, {
      progress: (done, total) => {
        steps.push(done / total);
      },
    });
    expect(moved).toMatchObject({
      kind: 'moved',
      tables: expect.arrayContaining([{ table: 'calls', rows: 63 }]) as unknown,
      trail: { broken: 0, removed: 0, head: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
    expect([steps.at(-1), steps.toSorted()]).toEqual([1, steps]);
    await usePool(url, async (pool) => {
      for (const [table, expected] of rows) {
        expect([table, await rowsIn(pool, table)]).toEqual([table, expected]);
      }
    });
    expect(await withMoved(url, readings)).toEqual(before);
  });

  it('goes on behind the last number, policy and link of before', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    // The last ones were removed: their numbers were given all the same.
    changeFile(
      file,
      `INSERT INTO deliveries (number, id, endpoint, at, event, recording_id, body)
         SELECT 1000000000000, 'last', 'one', 1, 'e', id, '{}' FROM recordings LIMIT 1;
       DELETE FROM deliveries WHERE number = 1000000000000;`,
    );
    await move(file, url);
    await usePool(url, async (pool) => {
      const idOf = async (sql: string): Promise<number> => (await pool.query<{ id: number }>(sql)).rows[0]?.id ?? NaN;
      const delivery = `INSERT INTO deliveries (id, endpoint, at, event, recording_id, body)
        SELECT 'new', 'one', 1, 'e', id, '{}' FROM recordings LIMIT 1 RETURNING number AS id`;
      expect(await idOf(delivery)).toBe(1_000_000_000_001);
      for (const [table, values] of [
        ['changes', `(call_id, change) SELECT id, 'held' FROM calls LIMIT 1`],
        [
          'unwatched',
          `(call_id, from_at, why, bridge, parties) SELECT id, 1, 'process_ended', 'b', '[]' FROM calls LIMIT 1`,
        ],
        ['sign_in_failures', `(at, "user", address) VALUES (1, 'u', 'a')`],
      ] as const) {
        const last = await idOf(`SELECT max(id) AS id FROM ${table}`);
        expect([table, await idOf(`INSERT INTO ${table} ${values} RETURNING id`)]).toEqual([table, last + 1]);
      }
      const policy = await idOf('SELECT max(number) AS id FROM policies');
      expect(await idOf(`INSERT INTO policies (version, content) VALUES ('new', '{}') RETURNING number AS id`)).toBe(
        policy + 1,
      );
    });
    await withMoved(url, async (catalogue) => {
      const head = await catalogue.auditTrail.head();
      await catalogue.auditTrail.append(null, { event: 'after the move', actor: 'test' });
      const [line] = await catalogue.auditTrail.lines((head?.id ?? 0) + 1, 10_000, 10);
      expect(line?.chain).toBe(linkOf(head?.chain ?? '', line?.digest ?? ''));
    });
    await expect(
      usePool(url, (pool) =>
        pool.query(`INSERT INTO audit (at, recording_id, event, actor) VALUES (1, 'none', 'e', 'a')`),
      ),
    ).rejects.toMatchObject({ message: 'no such recording' });
  });

  it('is not opened in the file any more, by any version, and is not moved twice', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const { identity } = (await move(file, url)) as { identity: string };
    await expect(readingsOfFile(file)).rejects.toMatchObject({
      code: 'catalogue_moved',
      hint: expect.stringContaining('catalogue.store') as unknown,
    });
    // Earlier versions ask for this mark of SQLite files.
    const database = openSqlite(file, { readonly: true });
    expect(database.pragma('application_id', { simple: true })).not.toBe(0x70726176);
    database.close();
    const calls = await countOf(url, 'calls');
    expect(await move(file, url)).toEqual({ kind: 'before', identity });
    expect(await move(file, url, { dryRun: true })).toEqual({ kind: 'before', identity });
    expect(await countOf(url, 'calls')).toBe(calls);
    await expect(move(file, await server.newDatabase())).rejects.toEqual(
      failure('catalogue_moved', 'another database'),
    );
  });

  it('keeps lines of the audit trail that were changed before, and says how many', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    changeFile(
      file,
      `DROP TRIGGER audit_is_append_only_1; DROP TRIGGER audit_names_recordings;
       UPDATE audit SET actor = 'forger' WHERE id = 9;
       UPDATE audit SET recording_id = 'none' WHERE id = 12;`,
    );
    const lines = rowsOfFile(file).get('audit');
    expect(await move(file, url)).toMatchObject({ kind: 'moved', trail: { lines: lines?.length, broken: 2 } });
    await usePool(url, async (pool) => {
      expect(await rowsIn(pool, 'audit')).toEqual(lines);
    });
  });
});

describe('a move that was killed', () => {
  /** Kills the program where it waits for what is locked here. */
  const killedAt = (locking: string, file: string, url: string): Promise<void> =>
    whileLocked(url, locking, async (expectWaiting) => {
      const program = new LabProgram('test/support/catalogue/moveProgram.ts', file, url);
      try {
        await eventually(
          async () => {
            expect([program.child.exitCode, program.errors]).toEqual([null, '']);
            await expectWaiting();
          },
          { withinMs: 60_000 },
        );
      } finally {
        program.child.kill('SIGKILL');
        await program.exited;
      }
    });

  it('leaves one live catalogue or none at any moment, and goes on until everything is there', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const before = await readingsOfFile(file);
    const rows = rowsOfFile(file);
    const isLive = () => readingsOfFile(file).then(() => true);
    const unfinished = failure('catalogue_moving', 'not done');
    await beginMove(file, url);
    // The program stops in the middle of these tables: at a row of a batch that is not the first.
    await usePool(url, (pool) =>
      pool.query(`
        CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_advisory_xact_lock(99, TG_ARGV[0]::integer); RETURN NEW; END $$;
        CREATE TRIGGER stop BEFORE INSERT ON recordings FOR EACH ROW WHEN (NEW.id LIKE '%20') EXECUTE FUNCTION stop(1);
        CREATE TRIGGER stop BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.id = 30) EXECUTE FUNCTION stop(2)`),
    );
    const copied: number[] = [];
    for (const place of [1, 2]) {
      await killedAt(`SELECT pg_advisory_xact_lock(99, ${place})`, file, url);
      await expect(withMoved(url, readings)).rejects.toEqual(unfinished);
      expect(await isLive()).toBe(true);
      copied.push(await countOf(url, 'recordings'), await countOf(url, 'audit'));
    }
    const [recordings = 0, none, all, lines = 0] = copied;
    expect([recordings % 7, none, all]).toEqual([0, 0, rows.get('recordings')?.length]);
    expect(lines % 7).toBe(0);
    expect([recordings > 0, lines > 0, lines < 30]).toEqual([true, true, true]);
    await usePool(url, (pool) => pool.query(`DROP FUNCTION stop() CASCADE`));
    // Then while it compares: everything is copied.
    await copyAll(file, url);
    await killedAt('LOCK TABLE notices IN ACCESS EXCLUSIVE MODE', file, url);
    await expect(withMoved(url, readings)).rejects.toEqual(unfinished);
    expect(await isLive()).toBe(true);
    // And between the mark of the file and the end of the move.
    await killedAt('LOCK TABLE audit IN SHARE MODE', file, url);
    await expect(withMoved(url, readings)).rejects.toEqual(unfinished);
    await expect(readingsOfFile(file)).rejects.toEqual(failure('catalogue_moved', 'moved to PostgreSQL'));
    expect(await move(file, url)).toMatchObject({ kind: 'before' });
    await usePool(url, async (pool) => {
      for (const [table, expected] of rows) expect([table, await rowsIn(pool, table)]).toEqual([table, expected]);
    });
    expect(await withMoved(url, readings)).toEqual(before);
  });

  it('has a way out where the database has lost the last rows behind the mark of the file, and only when it is told that no other has them', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const before = await readingsOfFile(file);
    await copyAll(file, url);
    await killedAt('LOCK TABLE audit IN SHARE MODE', file, url);
    await usePool(url, (pool) => pool.query('DELETE FROM dialled WHERE call_id = (SELECT min(call_id) FROM dialled)'));
    await expect(move(file, url)).rejects.toMatchObject({
      code: 'catalogue_moved',
      hint: expect.stringContaining('catalogue move --again') as unknown,
    });
    expect(await move(file, url, { dryRun: true })).toMatchObject({ kind: 'couldEnd' });
    // A database that is empty may be another one than that with its rows.
    const other = await server.newDatabase();
    for (const dryRun of [true, false]) {
      await expect(move(file, other, { dryRun, again: true })).rejects.toEqual(
        failure('catalogue_moved', 'another database'),
      );
    }
    expect(await move(file, url, { again: true })).toMatchObject({ kind: 'moved', trail: { broken: 0 } });
    expect(await withMoved(url, readings)).toEqual(before);
    await expect(readingsOfFile(file)).rejects.toEqual(failure('catalogue_moved', 'moved to PostgreSQL'));
    expect(await move(file, url, { again: true })).toMatchObject({ kind: 'before' });
  });

  it('finds what has changed in the file since, and copies anew when it is told to', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    await beginMove(file, url);
    const catalogue = openCatalogue(file, clockAt(callStart));
    const ended = (await catalogue.search.calls({ recorded: true }, callStart, undefined, 200)).ids.at(-1);
    await saveCall(catalogue, { until: 'ended' });
    catalogue.close();
    changeFile(file, `UPDATE calls SET keep_days = 1 WHERE id = '${ended ?? ''}'`);
    await expect(move(file, url)).rejects.toEqual(failure('move_differs', 'the table calls'));
    const before = await readingsOfFile(file);
    await move(file, url, { again: true });
    expect(await withMoved(url, readings)).toEqual(before);
  });

  it.each([
    [
      'a changed row',
      `UPDATE callers SET hash = hash || ' ' WHERE call_id = (SELECT max(call_id) FROM callers)`,
      'callers has other rows',
    ],
    [
      'a missing row',
      `DELETE FROM dialled WHERE call_id = (SELECT min(call_id) FROM dialled)`,
      'dialled has fewer rows',
    ],
    ['a row more', `INSERT INTO preferences VALUES ('zzz', 'fr', 1)`, 'preferences has rows that SQLite has not'],
    [
      'a text that became none',
      `UPDATE calls SET line = NULL WHERE id = (SELECT max(id) FROM calls)`,
      'calls has other rows',
    ],
  ])('finds %s in PostgreSQL before it ends', async (_, sql, message) => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    await copyAll(file, url);
    await usePool(url, (pool) => pool.query(sql));
    await expect(move(file, url)).rejects.toEqual(failure('move_differs', message));
    await expect(readingsOfFile(file)).resolves.toBeDefined();
  });
});

describe('a move', () => {
  it('keeps the sign that stands for bytes that are no text, where it is one of the text', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    changeFile(file, `UPDATE holds SET author = 'a' || char(65533) || 'b'`);
    expect(await move(file, url)).toMatchObject({ kind: 'moved' });
  });

  it('says what it would do, and does nothing, when it is tried', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const catalogue = openCatalogue(file, systemClock);
    try {
      const tried = await move(file, url, { dryRun: true });
      expect(tried).toMatchObject({
        kind: 'could',
        users: [],
        tables: expect.arrayContaining([{ table: 'calls', rows: 63 }]) as unknown,
      });
      await catalogue.leases.take(serveLease(onlyServe), elsewhere('another', 7));
    } finally {
      catalogue.close();
    }
    expect(await move(file, url, { dryRun: true })).toMatchObject({ users: ['serve, by process 7 on another'] });
    const { rows } = await usePool(url, (pool) => pool.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'preavis'`));
    expect(rows).toEqual([]);
    expect(await readingsOfFile(file)).toBeDefined();
  });

  it('names a process that only has the file open when it is tried', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const program = `const file = new (await import('better-sqlite3')).default(${JSON.stringify(file)});
      file.pragma('journal_mode = WAL');
      file.prepare('SELECT count(*) FROM calls').get();
      process.stdout.write('open');
      process.stdin.resume().on('end', () => { file.close(); });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'pipe' });
    try {
      await once(child.stdout, 'data');
      expect(await move(file, url, { dryRun: true })).toMatchObject({
        kind: 'could',
        users: [`process ${child.pid ?? ''}, which has the file open`],
      });
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
    expect(await move(file, url, { dryRun: true })).toMatchObject({ users: [] });
  });

  it('says how many lines were removed from the end of the audit trail before it', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    changeFile(
      file,
      `DROP TRIGGER audit_is_append_only_2; DELETE FROM audit WHERE id > (SELECT max(id) - 3 FROM audit)`,
    );
    expect(await move(file, url)).toMatchObject({ kind: 'moved', trail: { broken: 0, removed: 3 } });
  });

  it('refuses a catalogue that a process has open, or works with from another machine', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    const catalogue = openCatalogue(file, systemClock);
    try {
      await catalogue.leases.noteServing(onlyServe, thisProcess());
      await expect(move(file, url)).rejects.toEqual(failure('catalogue_in_use', 'has .* open'));
      await catalogue.leases.take('retention', elsewhere('another', 7));
    } finally {
      catalogue.close();
    }
    await expect(move(file, url)).rejects.toEqual(failure('catalogue_in_use', 'retention, by process 7 on another'));
    await expect(usePool(url, (pool) => pool.query('SELECT 1 FROM identity'))).rejects.toMatchObject({ code: '42P01' });
  });

  it('keeps others from the file while it copies, and from the database', async () => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    await beginMove(file, url);
    let moving: Promise<unknown> | undefined;
    // The move waits in the middle of its copying for as long as the others take.
    const [ofFile, ofDatabase] = await whileLocked(url, 'LOCK TABLE audit IN SHARE MODE', async (expectWaiting) => {
      moving = move(file, url, { rowsAtOnce: 7 });
      // Where something fails before it is awaited, that is what is told.
      moving.catch(() => undefined);
      await Promise.race([eventually(expectWaiting), moving]);
      const program = `new (await import('better-sqlite3')).default(${JSON.stringify(file)}, { timeout: 1 }).pragma('user_version')`;
      const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
      const thrown = await withMoved(url, readings).catch((each: unknown) => each);
      await expectWaiting();

      return [stderr, thrown];
    });
    expect(await moving).toMatchObject({ kind: 'moved' });
    expect(ofFile).toMatch('SQLITE_BUSY');
    expect(ofDatabase).toEqual(failure('catalogue_moving', 'not done'));
  });

  const damage = async (url: string, sql: string) => {
    await openPostgresCatalogue({ url }, systemClock).then((catalogue) => {
      catalogue.close();
    });
    await usePool(url, (pool) => pool.query(sql));
  };
  it.each<[string, string, (file: string, url: string) => unknown, string | RegExp]>([
    ['a database with a catalogue', 'move_refused', (_, url) => damage(url, 'SELECT 1'), 'another catalogue'],
    [
      'a database with tables of another program',
      'catalogue_foreign',
      (_, url) => usePool(url, (pool) => pool.query('CREATE SCHEMA preavis; CREATE TABLE preavis.theirs (id bigint)')),
      'another program',
    ],
    [
      'a database with the unfinished move of another catalogue',
      'move_refused',
      async (file, url) => {
        await beginMove(file, url);
        changeFile(file, `UPDATE identity SET id = '0123456789abcdef'`);
      },
      'the move of another catalogue',
    ],
    [
      'a catalogue of an earlier version',
      'move_refused',
      (file) => {
        changeFile(file, `PRAGMA user_version = ${migrations.length - 1}`);
      },
      'schema',
    ],
    [
      'a catalogue of a later version',
      'catalogue_newer',
      (file) => {
        changeFile(file, `PRAGMA user_version = ${migrations.length + 1}`);
      },
      'schema',
    ],
    [
      'a database where a move of another version has begun',
      'move_refused',
      async (file, url) => {
        await beginMove(file, url);
        await usePool(url, (pool) => pool.query('UPDATE schema_form SET steps = steps - 1'));
      },
      'begun with schema',
    ],
    [
      'a table that somebody has changed by hand',
      'move_refused',
      (file) => {
        changeFile(file, 'ALTER TABLE calls ADD COLUMN ours TEXT');
      },
      /calls\.ours/,
    ],
    [
      'rows that name others that are gone',
      'move_refused',
      (file) => {
        changeFile(
          file,
          `PRAGMA foreign_keys = OFF; DELETE FROM recordings WHERE id = (SELECT min(recording_id) FROM holds)`,
        );
      },
      'holds',
    ],
    [
      'a text that PostgreSQL cannot keep',
      'move_refused',
      (file) => {
        changeFile(file, `UPDATE holds SET author = 'a' || char(0) || 'b'`);
      },
      /holds\.author has a NUL/,
    ],
    [
      'bytes that are no text',
      'move_refused',
      (file) => {
        changeFile(file, `UPDATE holds SET author = CAST(x'61ff62' AS TEXT)`);
      },
      /holds\.author is not in UTF-8/,
    ],
    [
      'a file that is no catalogue',
      'catalogue_foreign',
      (file) => {
        changeFile(file, 'PRAGMA application_id = 7');
      },
      'another program',
    ],
  ])('refuses %s (%s), and leaves it as it is', async (_, code, make, message) => {
    const [file, url] = [await aCatalogue(), await server.newDatabase()];
    await make(file, url);
    const rows = rowsOfFile(file);
    // Who tries it is told before the service is stopped for it.
    for (const dryRun of [true, false]) {
      await expect(move(file, url, { dryRun })).rejects.toEqual(failure(code, message));
    }
    expect(rowsOfFile(file)).toEqual(rows);
    const database = openSqlite(file, { readonly: true });
    expect(database.pragma('application_id', { simple: true })).not.toBe(0x7072616d);
    database.close();
  });
});
