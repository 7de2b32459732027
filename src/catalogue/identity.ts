import type Database from 'better-sqlite3';
import * as z from 'zod';

/** What tells this catalogue, and the processes that work on it one after another, from any other. */
export function makeIdentity(database: Database.Database) {
  const select = database.prepare('SELECT id FROM identity').pluck();

  return {
    identity: (): string =>
      z
        .string()
        .regex(/^[0-9a-f]{16}$/)
        .parse(select.get()),
  };
}
