import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeAuditTrail } from '../../../src/catalogue/retention/auditTrail.ts';
import { makeCalls } from '../../../src/catalogue/calls/calls.ts';
import { onlyHere } from '../../../src/catalogue/here.ts';
import { makeSqliteRunner } from '../../../src/catalogue/sqlite/runner.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { openCatalogue } from '../../../src/catalogue/catalogue.ts';
import { migrations } from '../../../src/catalogue/migrations.ts';
import { openDatabase } from '../../../src/catalogue/open.ts';
import type { Recorder } from '../../../src/call/decide/state.ts';
import { built } from '../../support/built.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, clockAt, saveCall } from '../../support/catalogue/catalogues.ts';
import { countingIds, someFacts, stateAt } from '../../support/call/calls.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
const isRoot = process.getuid?.() === 0;
let files = 0;
const newPath = (): string => folder.path(`${(files += 1)}/catalogue.db`);

/** An ordinary file or database of somebody else. */
async function foreign(make: (file: string) => void | Promise<void>): Promise<string> {
  const file = newPath();
  await mkdir(dirname(file), { recursive: true });
  await make(file);

  return file;
}

function database(file: string, sql: string): void {
  const handle = openSqlite(file);
  handle.exec(sql);
  handle.close();
}

const opened =
  (file: string, options = {}): (() => void) =>
  () => {
    openCatalogue(file, clockAt(callStart), options).close();
  };

/** The code with which it is refused; the file has the same bytes before and after. */
async function refusal(file: string): Promise<string> {
  const before = await readFile(file);
  let code = 'nothing was refused';
  try {
    opened(file)();
  } catch (error) {
    ({ code } = error as { code: string });
  }
  expect((await readFile(file)).equals(before)).toBe(true);

  return code;
}

describe('a new catalogue', () => {
  test('is for its owner only, with the folder and the files beside it, whatever the umask', async () => {
    const file = newPath();
    const before = process.umask(0);
    try {
      await saveCall(open(file));
    } finally {
      process.umask(before);
    }
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
    for (const name of await readdir(dirname(file))) {
      expect([name, (await stat(`${dirname(file)}/${name}`)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  test('has every step of the schema, its own mark, and is written through to the disk', () => {
    const file = newPath();
    const handle = openDatabase(file);
    try {
      const pragma = (name: string): unknown => handle.pragma(name, { simple: true });
      expect(pragma('user_version')).toBe(migrations.length);
      expect(pragma('application_id')).toBe(0x70726176);
      expect(pragma('journal_mode')).toBe('wal');
      expect(pragma('synchronous')).toBe(2);
      expect(pragma('foreign_keys')).toBe(1);
    } finally {
      handle.close();
    }
  });

  test('is written through again after a step that did not wait for the disk, also after one that failed', () => {
    const handle = openDatabase(newPath());
    const run = makeSqliteRunner(handle);
    const calls = makeCalls(
      onlyHere,
      makeAuditTrail(() => 0),
    );
    const facts = someFacts(countingIds(), { sentenceCount: 1 });
    const synchronous = (): unknown => handle.pragma('synchronous', { simple: true });
    try {
      run(calls.save(stateAt('dialling', facts)));
      expect(synchronous()).toBe(2);
      handle.exec('DROP TABLE notices');
      expect(() => {
        run(calls.save(stateAt('dialling', facts)));
      }).toThrow();
      expect(synchronous()).toBe(2);
    } finally {
      handle.close();
    }
  });

  test('waits for the disk for a followed caller once something was recorded of them, and not before', () => {
    const handle = openDatabase(newPath());
    const run = makeSqliteRunner(handle);
    const calls = makeCalls(
      onlyHere,
      makeAuditTrail(() => 0),
    );
    const talking = stateAt('talking', someFacts(countingIds(), { sentenceCount: 1 }));
    if (talking.kind !== 'talking') throw new Error('it is not talking');
    const { facts, told, answer } = talking;
    const following = { kind: 'following', facts, told, answer, untold: false, typed: '' } as const;
    const isRelaxed = (recorder: Recorder): boolean => {
      const orders: string[] = [];
      const exec = handle.exec.bind(handle);
      handle.exec = (sql) => {
        orders.push(sql);
        return exec(sql);
      };
      run(calls.save({ ...following, recorder }));
      handle.exec = exec;
      return orders.includes('PRAGMA synchronous = NORMAL');
    };
    try {
      expect(isRelaxed({ kind: 'none' })).toBe(true);
      expect(isRelaxed({ kind: 'finished', startedAt: callStart, finishedAt: callStart + 1_000 })).toBe(false);
    } finally {
      handle.close();
    }
  });

  test('may begin as an empty file', async () => {
    const file = await foreign((path) => writeFile(path, '', { mode: 0o644 }));
    expect(opened(file)).not.toThrow();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('that a killed process had only begun is made complete', async () => {
    // What is on disk between the first pragma and the first step of the schema.
    const file = await foreign((path) => {
      database(path, 'PRAGMA journal_mode = WAL');
    });
    expect((await stat(file)).size).toBeGreaterThan(0);
    expect(opened(file)).not.toThrow();
    expect(opened(file)).not.toThrow();
  });

  test('is made by one of many that open it at the same time, and all of them can use it', async () => {
    const file = newPath();
    const program = `
      const { openCatalogue } = await import('${built('catalogue/catalogue.ts')}');
      openCatalogue(${JSON.stringify(file)}, { now: () => 1 }).close();`;
    const runs = Array.from({ length: 3 }, () =>
      import('node:child_process').then(
        ({ execFile }) =>
          new Promise<string>((resolve) => {
            execFile(process.execPath, ['--input-type=module', '-e', program], (error, _, stderr) => {
              resolve(error === null ? '' : stderr);
            });
          }),
      ),
    );
    expect(await Promise.all(runs)).toEqual(['', '', '']);
    expect(opened(file, { mustExist: true })).not.toThrow();
  });

  test('waits for another process that is at it', async () => {
    const file = newPath();
    opened(file)();
    database(file, `PRAGMA user_version = ${migrations.length - 1}`);
    const holder = spawn(process.execPath, [
      ...['--input-type=module', '-e'],
      `const { openSqlite } = await import('${built('catalogue/sqlite/sqlite.ts')}');
      const database = openSqlite(${JSON.stringify(file)});
      database.exec('BEGIN IMMEDIATE; PRAGMA user_version = ${migrations.length}');
      console.log('held');
      setTimeout(() => database.exec('COMMIT'), 600);`,
    ]);
    await once(holder.stdout, 'data');
    expect(opened(file)).not.toThrow();
    await once(holder, 'exit');
  });

  test('lets a step that finds it busy be tried again soon', () => {
    const handle = openDatabase(newPath());
    expect(handle.pragma('busy_timeout', { simple: true })).toBe(100);
    handle.close();
  });

  test('is not made for a command that only looks', async () => {
    const file = newPath();
    expect(opened(file, { mustExist: true })).toThrow(expect.objectContaining({ code: 'catalogue_unusable' }) as Error);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('an existing catalogue', () => {
  test('is opened again with what it holds', async () => {
    const file = newPath();
    const { facts } = await saveCall(open(file));
    expect(await open(file).calls.find(facts.id)).toMatchObject({ id: facts.id, result: 'recorded' });
  });

  test('that all users may read is taken from them, with the files beside it; its group keeps what it has', async () => {
    const file = newPath();
    const first = open(file);
    await saveCall(first);
    for (const suffix of ['', '-wal', '-shm']) await chmod(`${file}${suffix}`, 0o666);
    opened(file)();
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(`${file}${suffix}`)).mode & 0o777).toBe(0o660);
  });

  test('of a newer Préavis is refused unchanged', async () => {
    const file = newPath();
    open(file).close();
    database(file, `PRAGMA user_version = ${migrations.length + 1}`);
    expect(await refusal(file)).toBe('catalogue_newer');
  });
});

describe('a file of another program is refused unchanged:', () => {
  test('a database with its own tables', async () => {
    const file = await foreign((path) => {
      database(path, 'CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES (1)');
    });
    expect(await refusal(file)).toBe('catalogue_foreign');
  });

  test('a database with another mark', async () => {
    const file = await foreign((path) => {
      database(path, 'PRAGMA application_id = 7; PRAGMA user_version = 1; CREATE TABLE calls (id TEXT)');
    });
    expect(await refusal(file)).toBe('catalogue_foreign');
  });

  test('a database in WAL mode that is open elsewhere', async () => {
    const file = await foreign((path) => {
      database(path, 'PRAGMA journal_mode = WAL; CREATE TABLE songs (title TEXT)');
    });
    const other = openSqlite(file);
    try {
      other.exec('INSERT INTO songs VALUES (1)');
      expect(await refusal(file)).toBe('catalogue_foreign');
    } finally {
      other.close();
    }
  });

  test('a text', async () => {
    const file = await foreign((path) => writeFile(path, 'The quick brown fox jumps over the lazy dog.\n'.repeat(100)));
    expect(await refusal(file)).toBe('catalogue_foreign');
  });

  test('a few bytes', async () => {
    const file = await foreign((path) => writeFile(path, 'x'));
    expect(await refusal(file)).toBe('catalogue_foreign');
  });

  test('a catalogue whose schema is damaged', async () => {
    const file = newPath();
    open(file).close();
    const bytes = await readFile(file);
    bytes.fill(0xa5, 100, 4_096);
    await writeFile(file, bytes);
    expect(await refusal(file)).toBe('catalogue_foreign');
  });

  test('a catalogue that was cut off', async () => {
    const file = newPath();
    open(file).close();
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, 5_000));
    expect(await refusal(file)).toBe('catalogue_foreign');
  });
});

describe('a place that cannot be used is said to be so:', () => {
  test('a folder in the place of the file', async () => {
    expect(opened(folder.path())).toThrow(expect.objectContaining({ code: 'catalogue_unusable' }) as Error);
    expect((await stat(folder.path())).isDirectory()).toBe(true);
  });

  test('a file in the place of the folder', async () => {
    const file = await foreign((path) => writeFile(path, 'x'));
    expect(opened(`${file}/catalogue.db`)).toThrow(expect.objectContaining({ code: 'catalogue_unusable' }) as Error);
  });

  test('a folder that cannot be written', async () => {
    const file = newPath();
    await mkdir(dirname(file));
    await chmod(dirname(file), 0o500);
    if (isRoot) {
      // root may write anywhere; an ordinary user in a process of its own may not.
      const script = `try { require('fs').writeFileSync(${JSON.stringify(file)}, ''); } catch { process.exitCode = 1; }`;
      expect(spawnSync(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534 }).status).toBe(1);
      return;
    }
    expect(opened(file)).toThrow(expect.objectContaining({ code: 'catalogue_unusable' }) as Error);
  });

  (isRoot ? test : test.skip)('a full disk, and what was there stays as it was', async () => {
    const mount = folder.path('full');
    await mkdir(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      // A container without the right to mount cannot show this case.
      return;
    }
    try {
      const file = `${mount}/catalogue.db`;
      const catalogue = openCatalogue(file, clockAt(callStart));
      const { facts } = await saveCall(catalogue);
      const filler = spawnSync('dd', ['if=/dev/zero', `of=${mount}/filler`, 'bs=1k'], { stdio: 'ignore' });
      expect(filler.status).toBe(1);
      let failure: unknown;
      for (let count = 0; count < 200 && failure === undefined; count += 1) {
        await saveCall(catalogue).catch((error: unknown) => {
          failure = error;
        });
      }
      expect(failure).toMatchObject({ code: 'catalogue_unusable' });
      expect(await catalogue.calls.find(facts.id)).toMatchObject({ id: facts.id });
      catalogue.close();
      await copyFile(file, folder.path('after-full.db'));
      expect(opened(`${mount}/another.db`)).toThrow(expect.objectContaining({ code: 'catalogue_unusable' }) as Error);
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  });
});
