import type Database from 'better-sqlite3';
import * as z from 'zod';
import { row } from '../sqlite/rowForm.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import { writing } from '../sqlite/writing.ts';
import { countedMs, isLockedOut, waitAfter, type LockOutLimits } from './lockOut.ts';

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
export function makeSignIns(database: Database.Database) {
  const prepareColumn = columnsOf(database);
  const forget = database.prepare(`DELETE FROM sign_in_failures WHERE at <= ?`);
  const selectHere = database.prepare(
    `SELECT count(*) AS count, ifnull(max(at), 0) AS last_at FROM sign_in_failures WHERE user = ? AND address = ? AND at > ?`,
  );
  const countOfUser = prepareColumn(
    `SELECT count(*) FROM sign_in_failures WHERE user = ? AND at > ? AND address NOT LIKE '${knownPlace}%'`,
  );
  const countOfAddress = prepareColumn(`SELECT count(*) FROM sign_in_failures WHERE address = ? AND at > ?`);
  const insert = database.prepare(`INSERT INTO sign_in_failures (at, user, address) VALUES (@at, @user, @place)`);
  const removeHere = database.prepare(`DELETE FROM sign_in_failures WHERE user = ? AND address = ?`);
  const remove = database.prepare(`DELETE FROM sign_in_failures WHERE id = ?`);
  const upsertPeriod = database.prepare(`
    INSERT INTO one_time_codes (user, period) VALUES (@user, @period)
    ON CONFLICT (user) DO UPDATE SET period = excluded.period WHERE excluded.period > period`);
  const insertCode = database.prepare(
    `INSERT INTO sign_in_codes (sha256, user, ends_at) VALUES (@sha256, @user, @endsAt)`,
  );
  const takeCode = prepareColumn(`DELETE FROM sign_in_codes WHERE sha256 = @sha256 AND ends_at > @at RETURNING user`);
  const forgetCodes = database.prepare(`DELETE FROM sign_in_codes WHERE ends_at <= ?`);
  const count = z.number();

  const begin = writing(database, ({ user, place }: Attempt, limits: LockOutLimits, at: number): Begun => {
    forget.run(at - countedMs);
    const since = at - limits.firstWaitMs;
    const before = {
      here: failuresHere.parse(selectHere.get(user, place, at - countedMs)),
      ofName: count.parse(countOfUser.get(user, since)),
      ofAddress: count.parse(countOfAddress.get(place, since)),
    };
    if (isLockedOut(before, limits, at)) return { kind: 'lockedOut' };
    const id = Number(insert.run({ at, user, place }).lastInsertRowid);

    return { kind: 'begun', id, waitMs: waitAfter(before.here.count + 1, limits) };
  });

  return {
    /** Counts as a failure until it succeeds: otherwise as many could be tried at once as somebody likes. */
    begin,
    /** The failures under this name at this place are forgotten. Those of others there are not, nor what others tried elsewhere. */
    succeed: ({ user, place }: Attempt): void => {
      removeHere.run(user, place);
    },
    /** It came to nothing for which nobody is to blame. */
    abandon: (id: number): void => {
      remove.run(id);
    },
    /** false: a code of this period or of a later one was used before. */
    usePeriod: (user: string, period: number): boolean => upsertPeriod.run({ user, period }).changes > 0,
    offerCode: (code: { sha256: string; user: string; endsAt: number }): void => {
      insertCode.run(code);
    },
    /** Who it signs in; undefined where it is none, has ended, or was used. */
    useCode: (sha256: string, at: number): string | undefined =>
      z.string().optional().parse(takeCode.get({ sha256, at })),
    /** Removes what is older, and codes that have ended. */
    sweep: (at: number, before: number): void => {
      forget.run(before);
      forgetCodes.run(at);
    },
  };
}
