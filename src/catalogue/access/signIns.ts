import * as z from 'zod';
import { movedByItselfMs } from '../../core/clock.ts';
import { row } from '../sqlite/rowForm.ts';
import { countedMs, isLockedOut, waitAfter, type LockOutLimits } from './lockOut.ts';
import { change, one, sql, value, writing, type Step } from '../sql/step.ts';

const failuresHere = row({ count: z.number(), lastAt: z.number() });

/**
 * Who tries to sign in, and where: parts of hashes of the name and of the address, never what was typed. A place that is known, such as a browser
 * somebody has signed in with, begins with `knownPlace`.
 */
export type Attempt = { user: string; place: string };

/** A code signs in for so long at most, ms. */
export const longestCodeMs = 3_600_000;

/** No digit of a hash. */
export const knownPlace = 'k';

/** `waitMs`: how long the next attempt at this place waits, should this one fail; 0: it does not. */
export type Begun = { kind: 'begun'; id: number; waitMs: number } | { kind: 'lockedOut' };

/** The tables `sign_in_failures`, `sign_in_codes` and `one_time_codes`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeSignIns() {
  const forget = sql(`DELETE FROM sign_in_failures WHERE at <= @at`);
  // Made before the clock was set back: it counts as one of now, and so for no longer than any other.
  const bringBack = sql(`UPDATE sign_in_failures SET at = @at WHERE at > @at`);
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
    ON CONFLICT ("user") DO UPDATE SET period = excluded.period WHERE excluded.period > one_time_codes.period
      OR one_time_codes.period - excluded.period > @most`);
  const insertCode = sql(`INSERT INTO sign_in_codes (sha256, "user", ends_at) VALUES (@sha256, @user, @endsAt)`);
  const takeCode = sql(
    `DELETE FROM sign_in_codes WHERE sha256 = @sha256 AND ends_at > @at AND ends_at <= @last RETURNING "user"`,
  );
  const forgetCodes = sql(`DELETE FROM sign_in_codes WHERE ends_at <= @at OR ends_at > @last`);
  const count = z.number();

  const begin = writing(function* ({ user, place }: Attempt, limits: LockOutLimits, at: number): Step<Begun> {
    yield* change(forget, { at: at - countedMs });
    yield* change(bringBack, { at });
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
    /**
     * false: a code of this period or of a later one was used before.
     *
     * @param most so many periods later at most: one beyond was used before the clock was set back, and keeps nobody out
     */
    *usePeriod(user: string, period: number, most: number): Step<boolean> {
      return (yield* change(upsertPeriod, { user, period, most })) > 0;
    },
    *offerCode(code: { sha256: string; user: string; endsAt: number }): Step<void> {
      yield* change(insertCode, code);
    },
    /** Who it signs in; undefined where it is none, has ended, was used, or was made before the clock was set back. */
    *useCode(sha256: string, at: number): Step<string | undefined> {
      return z
        .string()
        .optional()
        .parse(yield* value(takeCode, { sha256, at, last: at + longestCodeMs + movedByItselfMs }));
    },
    /** Removes what is older, and codes that have ended. */
    sweep: writing(function* (at: number, before: number): Step<void> {
      yield* change(forget, { at: before });
      yield* change(bringBack, { at });
      yield* change(forgetCodes, { at, last: at + longestCodeMs + movedByItselfMs });
    }),
  };
}
