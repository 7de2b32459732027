import type Database from 'better-sqlite3';
import * as z from 'zod';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { row } from '../sqlite/rowForm.ts';

const sessionRow = row({
  /** Of the word in the cookie, which is nowhere else. */
  sha256: z.string(),
  user: z.string(),
  /** Stands for what they proved who they are with: when that changes, the session counts no more. */
  credential: z.string(),
  /** ms since 1970 UTC. */
  beganAt: z.number(),
  seenAt: z.number(),
  endsAt: z.number(),
});
export type SessionRow = z.output<typeof sessionRow>;
export type NewSession = Omit<SessionRow, 'seenAt'>;

/** The table `sessions`. */
export function makeSessions(database: Database.Database) {
  const insert = database.prepare(`
    INSERT INTO sessions (sha256, user, credential, began_at, seen_at, ends_at)
    VALUES (@sha256, @user, @credential, @beganAt, @beganAt, @endsAt)`);
  const select = database.prepare(`SELECT * FROM sessions WHERE sha256 = ?`);
  const selectAll = database.prepare(
    `SELECT * FROM sessions WHERE @user IS NULL OR user = @user ORDER BY began_at, sha256`,
  );
  const markSeen = database.prepare(`UPDATE sessions SET seen_at = @at WHERE sha256 = @sha256 AND seen_at < @at`);
  const remove = database.prepare(`DELETE FROM sessions WHERE sha256 = ?`);
  const removeOf = database.prepare(`DELETE FROM sessions WHERE user = ?`);
  const sweep = database.prepare(`DELETE FROM sessions WHERE ends_at <= @at OR seen_at <= @idleSince`);

  return {
    begin: (session: NewSession): void => {
      insert.run(session);
    },
    /** Whether or not it has ended. */
    find: (sha256: string): SessionRow | undefined => sessionRow.optional().parse(select.get(sha256)),
    /** Of one user or of all, whether or not they have ended. */
    list: (user?: string): SessionRow[] => z.array(sessionRow).parse(selectAll.all({ user: user ?? null })),
    noteSeen: (sha256: string, at: number): void => {
      // Lost, the session ends earlier.
      relaxedSync(database, () => markSeen.run({ sha256, at }));
    },
    /** false: there was none. */
    end: (sha256: string): boolean => remove.run(sha256).changes > 0,
    /** All of a user; says how many. */
    endAll: (user: string): number => removeOf.run(user).changes,
    /** Removes those that have ended, or were not used since. */
    sweep: (at: number, idleSince: number): number => sweep.run({ at, idleSince }).changes,
  };
}
