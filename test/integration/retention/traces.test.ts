import { join } from 'node:path';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import type { CallId } from '../../../src/core/ids.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs } from '../../support/catalogue/catalogues.ts';
import { number, subjectStage, type SubjectStage } from '../../support/evidence/subjects.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let places = 0;
let set: SubjectStage;

beforeEach(async () => {
  set = await subjectStage(folder.path(`${(places += 1)}`), open);
});

const signal = new AbortController().signal;

/** A pass so many days after the calls, that believes its clock. */
async function passAfter(days: number): Promise<void> {
  set.clock.at = callStart + days * dayMs;
  await set.catalogue.passes.note('retention', set.clock.now());
  await retentionPass(set, { dryRun: false, waitMs: 0, signal });
}

function asked<T>(ask: (database: ReturnType<typeof openSqlite>) => T): T {
  const database = openSqlite(join(set.at, 'catalogue.db'));
  try {
    return ask(database);
  } finally {
    database.close();
  }
}

/** Every table that has rows of calls. */
const tablesOfCalls = (): string[] =>
  asked((database) =>
    database
      .prepare(`SELECT name FROM sqlite_master WHERE sql LIKE '%REFERENCES calls (id)%' ORDER BY name`)
      .pluck()
      .all(),
  ) as string[];

/** How many rows of a call each table has. */
const rowsOf = (call: CallId): Record<string, number> =>
  asked((database) =>
    Object.fromEntries(
      [...tablesOfCalls(), 'calls'].map((table) => {
        const column = table === 'calls' ? 'id' : 'call_id';
        const count = database.prepare(`SELECT count(*) FROM ${table} WHERE ${column} = ?`).pluck().get(call);

        return [table, count as number];
      }),
    ),
  );

const sum = (rows: Record<string, number>): number => Object.values(rows).reduce((total, each) => total + each, 0);

/** A row in each table, as a call has that was told, held and not watched. */
function fill(call: CallId): void {
  asked((database) => {
    const sentence = `'p', 'fr', 'x', 'y', 1`;
    database.exec(`
      INSERT INTO notices (call_id, position, prompt, language, text, sha256, length_ms, verdict) VALUES ('${call}', 99, ${sentence}, 'verified');
      INSERT INTO said (call_id, playback, kind, prompt, language, text, sha256, length_ms) VALUES ('${call}', 'b', 'paused', ${sentence});
      INSERT INTO changes (call_id, change) VALUES ('${call}', 'held');
      INSERT INTO extensions (call_id, extension) VALUES ('${call}', '101');
      INSERT INTO dialled (call_id, number) VALUES ('${call}', '+3225550100');
      INSERT INTO unwatched (call_id, from_at, why, bridge, parties) VALUES ('${call}', 1, 'away', 'b', '[]');`);
  });
}

describe('the trace of a call', () => {
  test('without a recording ends with privacy.traceDays, in every table', async () => {
    const call = await set.calledOnly(number);
    fill(call);
    await passAfter(89);
    expect(Object.entries(rowsOf(call)).filter(([, rows]) => rows === 0)).toEqual([['recordings', 0]]);
    await passAfter(394);
    expect(rowsOf(call)).toMatchObject({ calls: 1, said: 1, callers: 0, extensions: 0 });
    await passAfter(396);
    expect(sum(rowsOf(call))).toBe(0);
    expect(await set.catalogue.calls.find(call)).toBeUndefined();
  });

  test('of a recorded call stays, erased or not', async () => {
    const erased = await set.called(number);
    const kept = await set.called(number, { purposes: ['orders'] });
    for (const { call } of [erased, kept]) fill(call);
    await passAfter(396);
    expect((await set.catalogue.recordings.find(erased.id))?.status).toBe('erased');
    expect(rowsOf(erased.call)).toMatchObject({ calls: 1, recordings: 1, said: 1, unwatched: 1, callers: 0 });
    expect(rowsOf(kept.call)).toMatchObject({ calls: 1, recordings: 1, said: 1, unwatched: 1, callers: 1 });
  });

  test('stays while its notice counts for a later call that is kept', async () => {
    const earlier = await set.calledOnly(number);
    const later = await set.called(number, { purposes: ['orders'] });
    asked((database) => database.prepare('UPDATE calls SET earlier_call = ? WHERE id = ?').run(earlier, later.call));
    await passAfter(400);
    expect(rowsOf(earlier)).toMatchObject({ calls: 1 });
  });

  test('stays while the call goes on', async () => {
    const call = await set.calledOnly(number);
    asked((database) => database.prepare(`UPDATE calls SET state = '{}' WHERE id = ?`).run(call));
    await passAfter(400);
    expect(rowsOf(call)).toMatchObject({ calls: 1 });
  });

  test('is swept in parts, each call once', async () => {
    const calls = [];
    for (let each = 0; each < 5; each += 1) calls.push(await set.calledOnly(number));
    const since = callStart + 10 * dayMs;
    let [removed, after, parts]: [number, string | undefined, number] = [0, '', 0];
    while (after !== undefined) {
      const part: { removed: number; next: string | undefined } = await set.catalogue.traces.sweep(since, after, 2);
      [removed, after, parts] = [removed + part.removed, part.next, parts + 1];
    }
    expect([removed, parts]).toEqual([5, 3]);
    for (const call of calls) expect(sum(rowsOf(call))).toBe(0);
  });

  test('is out of the write-ahead log once that was emptied', async () => {
    await set.calledOnly(number);
    asked((database) => database.exec('DELETE FROM callers'));
    const before = asked((database) => database.prepare('SELECT erased FROM log_debt').pluck().get()) as number;
    await set.catalogue.traces.sweep(callStart + 10 * dayMs, '', 10);
    expect(asked((database) => database.prepare('SELECT erased FROM log_debt').pluck().get())).toBeGreaterThan(before);
  });
});
