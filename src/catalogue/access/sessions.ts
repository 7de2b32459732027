import * as z from 'zod';
import { row } from '../sqlite/rowForm.ts';
import { all, change, one, relaxed, sql, type Step } from '../sql/step.ts';

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
export function makeSessions() {
  const insert = sql(`
    INSERT INTO sessions (sha256, "user", credential, began_at, seen_at, ends_at)
    VALUES (@sha256, @user, @credential, @beganAt, @beganAt, @endsAt)`);
  const select = sql(`SELECT * FROM sessions WHERE sha256 = @sha256`);
  const selectAll = sql(`SELECT * FROM sessions WHERE @user IS NULL OR "user" = @user ORDER BY began_at, sha256`);
  const markSeen = sql(`UPDATE sessions SET seen_at = @at WHERE sha256 = @sha256 AND seen_at < @at`);
  const remove = sql(`DELETE FROM sessions WHERE sha256 = @sha256`);
  const removeOf = sql(`DELETE FROM sessions WHERE "user" = @user`);
  const sweep = sql(`DELETE FROM sessions WHERE ends_at <= @at OR seen_at <= @idleSince OR began_at > @aheadSince`);

  return {
    *begin(session: NewSession): Step<void> {
      yield* change(insert, session);
    },
    /** Whether or not it has ended. */
    *find(sha256: string): Step<SessionRow | undefined> {
      return sessionRow.optional().parse(yield* one(select, { sha256 }));
    },
    /** Of one user or of all, whether or not they have ended. */
    *list(user?: string): Step<SessionRow[]> {
      return z.array(sessionRow).parse(yield* all(selectAll, { user: user ?? null }));
    },
    /** Lost, the session ends earlier. */
    noteSeen: relaxed(function* (sha256: string, at: number): Step<void> {
      yield* change(markSeen, { sha256, at });
    }),
    /** false: there was none. */
    *end(sha256: string): Step<boolean> {
      return (yield* change(remove, { sha256 })) > 0;
    },
    /** All of a user; says how many. */
    *endAll(user: string): Step<number> {
      return yield* change(removeOf, { user });
    },
    /** Removes those that have ended, were not used since, or began after `aheadSince`: before the clock was set back. */
    *sweep(at: number, idleSince: number, aheadSince: number): Step<number> {
      return yield* change(sweep, { at, idleSince, aheadSince });
    },
  };
}
