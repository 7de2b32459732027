import type Database from 'better-sqlite3';
import * as z from 'zod';

/** The table `preferences`. `caller` is a keyed hash of the number, never the number. */
export function makePreferences(database: Database.Database, now: () => number) {
  const select = database.prepare(`SELECT language FROM preferences WHERE caller = ? AND expires_at > ?`).pluck();
  const upsert = database.prepare(`INSERT OR REPLACE INTO preferences (caller, language, expires_at) VALUES (?, ?, ?)`);
  const sweep = database.prepare(`DELETE FROM preferences WHERE expires_at <= ?`);

  return {
    find: (caller: string): string | undefined => z.string().optional().parse(select.get(caller, now())),
    /** Removes those that have expired; says how many. */
    sweep: (): number => sweep.run(now()).changes,
    /** Expired ones of others go with it. */
    set: (caller: string, language: string, expiresAt: number): void => {
      sweep.run(now());
      upsert.run(caller, language, expiresAt);
    },
  };
}
