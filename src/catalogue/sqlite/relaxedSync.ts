import type Database from 'better-sqlite3';

/**
 * Runs a step whose commit need not wait for the disk: it survives a killed process like any other, and a power cut only
 * once a later step was written through. For what is done again, or written by the next step, when it is lost.
 */
export function relaxedSync<T>(database: Database.Database, step: () => T): T {
  database.exec('PRAGMA synchronous = NORMAL');
  try {
    return step();
  } finally {
    database.exec('PRAGMA synchronous = FULL');
  }
}
