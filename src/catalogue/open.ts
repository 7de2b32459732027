import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { openSqlite, type Database } from './sqlite/sqlite.ts';
import { errnoOf, PreavisError } from '../core/errors.ts';
import { defineChain } from './sqlite/chain.ts';
import { migrations } from './migrations.ts';

/** Marks a SQLite file as a catalogue of Préavis ("prav" in ASCII). */
const applicationId = 0x70726176;

/** Marks one whose rows live in PostgreSQL since ("pram"). Versions of before the mark take it for a file of another program. */
const movedId = 0x7072616d;

/**
 * How long a step waits for another process's write before it is tried again, ms. SQLite waits with the whole process, so
 * this is short; catalogue.ts tries again in between other work.
 */
const busyTimeoutMs = 100;

/** The same while it is opened, ms: this process does nothing else yet, and another one may be making or migrating it. */
const openingTimeoutMs = 10_000;

type Options = {
  /** Fail when the file does not exist, instead of making an empty catalogue. */
  mustExist?: boolean;
};

function unusable(file: string, cause: unknown): PreavisError {
  const code = errnoOf(cause) ?? 'error';
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return new PreavisError('catalogue_foreign', `${file} is not a SQLite database, or is damaged (${code})`, {
      cause,
    });
  }

  return new PreavisError('catalogue_unusable', `${file} cannot be used (${code})`, {
    cause,
    ...(code.startsWith('SQLITE_BUSY') ? { hint: heldHint } : {}),
  });
}

const heldHint =
  'Another process holds it, as `preavis catalogue move` does while it copies. Wait until that has ended.';

/** A catalogue that another process is making at this moment, or was when it was killed, has no table yet. */
function isEmpty(database: Database): boolean {
  // SQLite takes any file of a few bytes for an empty database; a begun one has its first page.
  if (database.pragma('page_count', { simple: true }) === 0) return false;
  return database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

/** undefined: it was written by a version in which catalogues had none. */
function identityIn(database: Database): string | undefined {
  const hasOne = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'identity'`).get() !== undefined;

  return hasOne ? String(database.prepare('SELECT id FROM identity').pluck().get()) : undefined;
}

/** Looks at an existing file without changing a byte of it. Throws catalogue_foreign or catalogue_newer. */
function inspect(file: string): { version: number; isMoved: boolean; identity: string | undefined } {
  const database = openSqlite(file, { readonly: true, fileMustExist: true });
  try {
    // In one transaction: another process may be making it.
    const look = database.transaction(() => {
      const id = database.pragma('application_id', { simple: true });
      const version = Number(database.pragma('user_version', { simple: true }));

      const isMoved = id === movedId;
      const isOurs = isMoved || id === applicationId || (id === 0 && version === 0 && isEmpty(database));

      return { version, isMoved, isOurs, identity: isOurs ? identityIn(database) : undefined };
    });
    const { version, isMoved, isOurs, identity } = look();
    if (!isOurs) {
      throw new PreavisError('catalogue_foreign', `${file} is a database of another program`);
    }
    if (version > migrations.length) {
      throw new PreavisError(
        'catalogue_newer',
        `${file} has schema ${version}; this version of Préavis knows ${migrations.length}`,
      );
    }

    return { version, isMoved, identity };
  } finally {
    database.close();
  }
}

/** What belongs to the file: others on the machine have no business in any of them; its group may, if so it was made. */
const companions = ['', '-wal', '-shm'];

/** Whether there is something in the file; if not, opening it makes a new catalogue. Throws catalogue_unusable. */
export function isCatalogueBegun(file: string): boolean {
  try {
    return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
  } catch (cause) {
    throw unusable(file, cause);
  }
}

/**
 * The catalogue in the file, of whatever version, unless it was moved to PostgreSQL: its identity, where it has one. What cannot be read is
 * none.
 */
export function unmovedCatalogue(file: string): { identity: string | undefined } | undefined {
  if (!isCatalogueBegun(file)) return undefined;
  try {
    const { isMoved, identity } = inspect(file);

    return isMoved ? undefined : { identity };
  } catch (thrown) {
    return thrown instanceof PreavisError && thrown.code === 'catalogue_newer' ? { identity: undefined } : undefined;
  }
}

/** Takes the file from all others, where it was made or restored by another program. */
function closeToOthers(file: string): void {
  for (const name of companions.map((suffix) => `${file}${suffix}`)) {
    const mode = statSync(name, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o007) === 0) continue;
    try {
      chmodSync(name, mode & 0o770);
    } catch (cause) {
      // Of another owner: whoever may write in it all the same has been given it.
      if (errnoOf(cause) !== 'EPERM') throw cause;
    }
  }
}

/** Takes the write lock only where there is something to do: commands and passes run beside a busy serve. */
function migrate(database: Database): void {
  if (Number(database.pragma('user_version', { simple: true })) === migrations.length) return;
  const step = database.transaction((index: number, sql: string) => {
    if (Number(database.pragma('user_version', { simple: true })) !== index) return;
    database.exec(sql);
    database.pragma(`user_version = ${index + 1}`);
    database.pragma(`application_id = ${applicationId}`);
  });
  for (const [index, sql] of migrations.entries()) step.immediate(index, sql);
}

/**
 * Opens the catalogue, making or migrating it as needed. Commits are on disk when they return (synchronous=FULL), but for
 * those of steps that are relaxed (sql/step.ts).
 * Throws catalogue_unusable, catalogue_foreign, catalogue_newer or catalogue_moved; the file is unchanged then.
 */
export function openDatabase(file: string, { mustExist = false }: Options = {}): Database {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) {
      throw new PreavisError('catalogue_unusable', `${file} is not an ordinary file`);
    }
    if (found !== undefined && found.size > 0) {
      // Two catalogues of the same recordings would each erase what the other one keeps.
      if (inspect(file).isMoved) {
        throw new PreavisError('catalogue_moved', `the catalogue ${file} was moved to PostgreSQL`);
      }
      closeToOthers(file);
    } else {
      if (mustExist) throw new PreavisError('catalogue_unusable', `${file} does not exist`);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      closeSync(openSync(file, 'a', 0o600));
      chmodSync(file, 0o600);
    }
    const database = openSqlite(file, { timeout: openingTimeoutMs });
    try {
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      database.pragma('foreign_keys = ON');
      // What is deleted must not stay legible in free pages of the file.
      database.pragma('secure_delete = ON');
      migrate(database);
      defineChain(database);
      database.pragma(`busy_timeout = ${busyTimeoutMs}`);
    } catch (cause) {
      database.close();
      throw cause;
    }

    return database;
  } catch (cause) {
    throw cause instanceof PreavisError ? cause : unusable(file, cause);
  }
}

/** A catalogue that is to be moved, or was: `mark` says so, once and for all. */
export type Leaving = { readonly database: Database; readonly isMoved: boolean; mark(): void };

/**
 * Opens a catalogue that is to be moved to another database. Nothing of it is made or migrated.
 *
 * @param isAlone no other process can open the file until it is closed, or this process has died
 * @throws PreavisError as openDatabase does, but not catalogue_moved; `catalogue_in_use` where another process has it open
 */
export function openLeaving(file: string, isAlone: boolean): Leaving {
  try {
    if (!isCatalogueBegun(file)) throw new PreavisError('catalogue_unusable', `${file} does not exist`);
    const { version, isMoved } = inspect(file);
    if (version < migrations.length) {
      throw new PreavisError(
        'move_refused',
        `${file} has schema ${version}, and this version of Préavis moves schema ${migrations.length} alone`,
        { hint: 'Run `preavis recordings list --limit 1` once with this version, which brings the file up to date.' },
      );
    }
    const database = openSqlite(file, { readonly: !isAlone, fileMustExist: true, timeout: busyTimeoutMs });
    try {
      if (isAlone) holdAlone(database, file);
    } catch (cause) {
      database.close();
      throw cause;
    }

    return {
      database,
      isMoved,
      mark: () => {
        database.pragma(`application_id = ${movedId}`);
        // Whoever looks at the file alone, without its log, sees it too.
        database.pragma('wal_checkpoint(TRUNCATE)');
      },
    };
  } catch (cause) {
    throw cause instanceof PreavisError ? cause : unusable(file, cause);
  }
}

/** With the log: SQLite gives the lock to nobody as long as any other process has the file open. */
function holdAlone(database: Database, file: string): void {
  database.pragma('locking_mode = EXCLUSIVE');
  try {
    database.pragma('synchronous = FULL');
    database.pragma('journal_mode = WAL');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
  } catch (cause) {
    if (!(errnoOf(cause) ?? '').startsWith('SQLITE_BUSY')) throw cause;
    throw new PreavisError('catalogue_in_use', `another process has ${file} open`, { cause });
  }
}
