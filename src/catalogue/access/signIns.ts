import * as z from 'zod';
import { row } from '../sqlite/rowForm.ts';
import { countedMs, isLockedOut, waitAfter, type LockOutLimits } from './lockOut.ts';
import { change, one, sql, value, writing, type Step } from '../sql/step.ts';

const failuresHere = row({ count: z.number(), lastAt: z.number() });

/**
 * Who tries to sign in, and where: parts of hashes of the name and of the address, never what was typed. A place that is known, such as a browser
 * somebody has signed in with, begins with `knownPlace`.
 */
export type Attempt = { user: string; place: string };

/** No digit of a hash. */
export const knownPlace = 'k';

/** `waitMs`: how long the next attempt at this place waits, should this one fail; 0: it does not. */
export type Begun = { kind: 'begun'; id: number; waitMs: number } | { kind: 'lockedOut' };

/** The tables `sign_in_failures`, `sign_in_codes` and `one_time_codes`. */
export function makeSignIns() {
  const forget = sql(`DELETE FROM sign_in_failures WHERE at <= @at`);
  const selectHere = sql(
    `SELECT count(*) AS count, coalesce(max(at), 0) AS last_at FROM sign_in_failures WHERE "user" = @user AND address = @place AND at > @since`,
  );
  const countOfUser = sql(
    `SELECT count(*) FROM sign_in_failures WHERE "user" = @user AND at > @since AND address NOT LIKE '${knownPlace}%'`,
  );
  const countOfAddress = sql(`SELECT count(*) FROM sign_in_failures WHERE address = @place AND at > @since`);
  const insert = sql(`INSERT INTO sign_in_failures (at, "user", address) VALUES (@at, @user, @place) RETURNING id`);
  const removeHere = sql(`DELETE FROM sign_in_failures WHERE "user" = @user AND address = @place`);
  const remove = sql(`DELETE FROM sign_in_failures WHERE id = @id`);
  const upsertPeriod = sql(`
    INSERT INTO one_time_codes ("user", period) VALUES (@user, @period)
    ON CONFLICT ("user") DO UPDATE SET period = excluded.period WHERE excluded.period > one_time_codes.period`);
  const insertCode = sql(`INSERT INTO sign_in_codes (sha256, "user", ends_at) VALUES (@sha256, @user, @endsAt)`);
  const takeCode = sql(`DELETE FROM sign_in_codes WHERE sha256 = @sha256 AND ends_at > @at RETURNING "user"`);
  const forgetCodes = sql(`DELETE FROM sign_in_codes WHERE ends_at <= @at`);
  const count = z.number();

  const begin = writing(function* ({ user, place }: Attempt, limits: LockOutLimits, at: number): Step<Begun> {
    yield* change(forget, { at: at - countedMs });
    const since = at - limits.firstWaitMs;
    const before = {
      here: failuresHere.parse(yield* one(selectHere, { user, place, since: at - countedMs })),
      ofName: count.parse(yield* value(countOfUser, { user, since })),
      ofAddress: count.parse(yield* value(countOfAddress, { place, since })),
    };
    if (isLockedOut(before, limits, at)) return { kind: 'lockedOut' };
    const id = z.number().parse(yield* value(insert, { at, user, place }));

    return { kind: 'begun', id, waitMs: waitAfter(before.here.count + 1, limits) };
  });

  return {
    /** Counts as a failure until it succeeds: otherwise as many could be tried at once as somebody likes. */
    begin,
    /** The failures under this name at this place are forgotten. Those of others there are not, nor what others tried elsewhere. */
    *succeed({ user, place }: Attempt): Step<void> {
      yield* change(removeHere, { user, place });
    },
    /** It came to nothing for which nobody is to blame. */
    *abandon(id: number): Step<void> {
      yield* change(remove, { id });
    },
    /** false: a code of this period or of a later one was used before. */
    *usePeriod(user: string, period: number): Step<boolean> {
      return (yield* change(upsertPeriod, { user, period })) > 0;
    },
    *offerCode(code: { sha256: string; user: string; endsAt: number }): Step<void> {
      yield* change(insertCode, code);
    },
    /** Who it signs in; undefined where it is none, has ended, or was used. */
    *useCode(sha256: string, at: number): Step<string | undefined> {
      return z
        .string()
        .optional()
        .parse(yield* value(takeCode, { sha256, at }));
    },
    /** Removes what is older, and codes that have ended. */
    sweep: writing(function* (at: number, before: number): Step<void> {
      yield* change(forget, { at: before });
      yield* change(forgetCodes, { at });
    }),
  };
}
