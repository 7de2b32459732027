import type DatabaseConstructor from 'better-sqlite3';
import { PreavisError } from '../../core/errors.ts';

/**
 * SQLite, by the release of better-sqlite3 that this Node can run. Release 12 aborts the process on Node 24.19 and later, at
 * any collection of garbage (its base class, Node's ObjectWrap, asserts there since); release 13 needs Node 22 and crashes
 * on 20. Their interfaces are the same. Both are installed, 12 only where it can be.
 */
const node = Number.parseInt(process.versions.node, 10);
const packageName = node >= 22 ? 'better-sqlite3-13' : 'better-sqlite3';

let Constructor: typeof DatabaseConstructor | undefined;
let failure: unknown;
try {
  ({ default: Constructor } = (await import(packageName)) as { default: typeof DatabaseConstructor });
} catch (cause) {
  failure = cause;
}

export type Database = DatabaseConstructor.Database;

/** Opens a database as better-sqlite3 does. Throws catalogue_unusable when that package was not installed. */
export function openSqlite(file: string, options: DatabaseConstructor.Options = {}): Database {
  if (Constructor === undefined) {
    throw new PreavisError('catalogue_unusable', `the package ${packageName} is not installed for Node ${node}`, {
      cause: failure,
      hint: 'Install python3, make and g++ and run npm ci again, or use Node 22 or later.',
    });
  }

  return new Constructor(file, options);
}
