/** Steps, which are generators of queries, as SQLite carries them out. */
import { errnoOf } from '../../../../src/core/errors.ts';
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
import { makeSqliteRunner } from '../../../../src/catalogue/sqlite/runner.ts';
import { openSqlite, type Database } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const opened: Database[] = [];
let files = 0;

afterEach(() => {
  for (const database of opened.splice(0)) database.close();
});

function openAgain(file: string): Database {
  const database = openSqlite(file, { timeout: 0 });
  opened.push(database);

  return database;
}

function stage() {
  const file = folder.path(`${(files += 1)}.db`);
  const database = openAgain(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE words (word TEXT PRIMARY KEY, length INTEGER NOT NULL) STRICT');
  const run = makeSqliteRunner(database);
  const other = openAgain(file);
  const kept = (): unknown[] => other.prepare('SELECT word FROM words ORDER BY word').pluck().all();

  return { database, run, other, kept, synchronous: () => database.pragma('synchronous', { simple: true }) };
}

/** The texts that are prepared in it from now on. */
function preparedIn(database: ReturnType<typeof stage>['database']): readonly string[] {
  const prepared: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = (text: string) => {
    prepared.push(text);

    return prepare(text);
  };

  return prepared;
}

const insert = sql('INSERT INTO words (word, length) VALUES (@word, @length)');
const select = sql('SELECT word, length FROM words WHERE length >= @least ORDER BY word');
const selectAll = sql('SELECT word, length FROM words ORDER BY word');
const lengthen = sql('UPDATE words SET length = length + 1 WHERE length >= @least');
const remove = sql('DELETE FROM words WHERE word = @word RETURNING length');

function* add(...words: string[]): Step<number> {
  let added = 0;
  for (const word of words) added += yield* change(insert, { word, length: word.length });

  return added;
}

describe('a query of a step', () => {
  test('gives rows, their first column, or how many rows were changed', () => {
    const { run } = stage();
    expect(run(add('line', 'call', 'notice'))).toBe(3);
    expect(run(all(select, { least: 5 }))).toEqual([{ word: 'notice', length: 6 }]);
    expect(run(all(selectAll))).toHaveLength(3);
    expect(run(one(selectAll))).toEqual({ word: 'call', length: 4 });
    expect(run(one(select, { least: 7 }))).toBeUndefined();
    expect(run(values(select, { least: 4 }))).toEqual(['call', 'line', 'notice']);
    expect(run(value(select, { least: 4 }))).toBe('call');
    expect(run(value(select, { least: 7 }))).toBeUndefined();
    expect(run(change(lengthen, { least: 4 }))).toBe(3);
    expect(run(value(remove, { word: 'notice' }))).toBe(7);
  });

  test('takes what it needs of the values that are given, and fails where one is missing', () => {
    const { run } = stage();
    run(add('line'));
    expect(run(values(select, { least: 4, most: 9, companies: [] }))).toEqual(['line']);
    expect(() => run(values(select, { most: 9 }))).toThrow('least');
  });

  test('has its text prepared once, whoever made the statement', () => {
    const { database, run } = stage();
    const prepared = preparedIn(database);
    for (const word of ['line', 'call']) run(one(sql('SELECT length FROM words WHERE word = @word'), { word }));
    expect(prepared).toEqual(['SELECT length FROM words WHERE word = @word']);
  });

  test('may be made anew each time, and the texts of long ago are forgotten', () => {
    const { database, run } = stage();
    const prepared = preparedIn(database);
    for (let number = 0; number <= 1_001; number += 1) expect(run(value(sql(`SELECT ${number}`)))).toBe(number);
    expect(run(value(sql('SELECT 0')))).toBe(0);
    expect(prepared.filter((text) => text === 'SELECT 0')).toHaveLength(2);
  });

  test('does no more of a step whose transaction SQLite has ended', () => {
    const { run, kept } = stage();
    const insertOrEnd = sql('INSERT OR ROLLBACK INTO words (word, length) VALUES (@word, 1)');
    const step = writing(function* (): Step<void> {
      yield* add('line');
      try {
        yield* change(insertOrEnd, { word: 'line' });
      } catch {
        yield* add('call');
      }
    });
    expect(() => {
      run(step());
    }).toThrow('SQLite has ended the transaction');
    expect(kept()).toEqual([]);
    run(writing(add)('bridge'));
    expect(kept()).toEqual(['bridge']);
  });

  test('throws into its step, which may go on', () => {
    const { run, kept } = stage();
    const addOnce = function* (word: string): Step<boolean> {
      try {
        yield* add(word);

        return true;
      } catch (thrown) {
        expect(errnoOf(thrown)).toBe('SQLITE_CONSTRAINT_PRIMARYKEY');

        return false;
      }
    };
    expect([run(addOnce('line')), run(addOnce('line'))]).toEqual([true, false]);
    expect(kept()).toEqual(['line']);
  });
});

describe('a transaction', () => {
  test('begins and ends within the call, and nobody sees a part of it', () => {
    const { database, run, kept } = stage();
    const step = writing(function* (): Step<unknown[]> {
      yield* add('line');
      expect(database.inTransaction).toBe(true);

      return kept();
    });
    expect(run(step())).toEqual([]);
    expect(database.inTransaction).toBe(false);
    expect(kept()).toEqual(['line']);
  });

  test('that writes has the lock before its first query', () => {
    const { run, other } = stage();
    const step = writing(function* (): Step<number> {
      expect(() => other.exec('BEGIN IMMEDIATE')).toThrow('locked');

      return yield* add('line');
    });
    expect(run(step())).toBe(1);
    other.exec('BEGIN IMMEDIATE');
    expect(() => run(step())).toThrow('locked');
    other.exec('ROLLBACK');
    expect(run(writing(add)('call'))).toBe(1);
  });

  test('that reads sees one moment, and keeps nobody from writing', () => {
    const { run, other } = stage();
    const step = reading(function* (): Step<unknown[]> {
      const before = yield* values(selectAll);
      other.exec(`INSERT INTO words VALUES ('line', 4)`);

      return [before, yield* values(selectAll)];
    });
    expect(run(step())).toEqual([[], []]);
    expect(run(values(selectAll))).toEqual(['line']);
  });

  test('is taken back whole by an error of the step, or of a query', () => {
    const { database, run, kept } = stage();
    const refuse = writing(function* (): Step<void> {
      yield* add('line');
      throw new TypeError('no more');
    });
    expect(() => {
      run(refuse());
    }).toThrow('no more');
    expect(() => run(writing(add)('call', 'call'))).toThrow('UNIQUE');
    expect(database.inTransaction).toBe(false);
    expect(kept()).toEqual([]);
  });

  test('within another one is a part of it', () => {
    const { run, kept } = stage();
    const addWord = writing(add);
    const step = writing(function* (isRefused: boolean): Step<void> {
      yield* addWord('line');
      expect(kept()).toEqual([]);
      if (isRefused) throw new TypeError('no more');
      yield* addWord('call');
    });
    expect(() => {
      run(step(true));
    }).toThrow('no more');
    expect(kept()).toEqual([]);
    run(step(false));
    expect(kept()).toEqual(['call', 'line']);
  });

  test('is taken back when a part of it has failed, even where the step went on', () => {
    const { run, kept } = stage();
    const step = writing(function* (): Step<void> {
      try {
        yield* writing(add)('line', 'line');
      } catch {
        yield* add('call');
      }
    });
    expect(() => {
      run(step());
    }).toThrow('a part of the transaction has failed');
    expect(kept()).toEqual([]);
    expect(run(writing(add)('notice'))).toBe(1);
  });

  test('that is relaxed does not wait for the disk, and what follows does again', () => {
    const { run, synchronous, kept } = stage();
    const full = 2;
    const normal = 1;
    const look = function* (word: string): Step<unknown> {
      yield* add(word);

      return synchronous();
    };
    expect(run(relaxed(look)('line'))).toBe(normal);
    expect(synchronous()).toBe(full);
    expect(run(writing(look)('call'))).toBe(full);
    expect(() => run(relaxed(look)('call'))).toThrow('UNIQUE');
    expect(synchronous()).toBe(full);
    expect(kept()).toEqual(['call', 'line']);
  });

  test('that is relaxed waits for the disk within one that does', () => {
    const { run, synchronous } = stage();
    const look = relaxed(function* (word: string): Step<unknown> {
      yield* add(word);

      return synchronous();
    });
    const step = writing(function* (): Step<unknown> {
      return yield* look('line');
    });
    expect(run(step())).toBe(2);
  });
});
