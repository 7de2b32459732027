import type Database from 'better-sqlite3';
import * as z from 'zod';
import { columnsOf } from '../sqlite/sqlite.ts';
import { writing } from '../sqlite/writing.ts';

/** Who tries to sign in: parts of hashes of the name and of the address, never what was typed. */
export type Attempt = { user: string; address: string };
export type AttemptLimits = {
  /** ms since 1970 UTC. */
  at: number;
  /** Failures up to then do not count any more. */
  since: number;
  failures: number;
  addressFailures: number;
};

/** `last`: it is the failure that locks the name out, should it fail. */
export type Begun = { kind: 'begun'; id: number; isLast: boolean } | { kind: 'lockedOut' };

/** The tables `sign_in_failures`, `sign_in_codes` and `one_time_codes`. */
export function makeSignIns(database: Database.Database) {
  const prepareColumn = columnsOf(database);
  const forget = database.prepare(`DELETE FROM sign_in_failures WHERE at <= ?`);
  const countOfUser = prepareColumn(`SELECT count(*) FROM sign_in_failures WHERE user = ? AND at > ?`);
  const countOfAddress = prepareColumn(`SELECT count(*) FROM sign_in_failures WHERE address = ? AND at > ?`);
  const insert = database.prepare(`INSERT INTO sign_in_failures (at, user, address) VALUES (@at, @user, @address)`);
  const removeOfUser = database.prepare(`DELETE FROM sign_in_failures WHERE user = ?`);
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

  const begin = writing(
    database,
    ({ user, address }: Attempt, { at, since, failures, addressFailures }: AttemptLimits): Begun => {
      forget.run(since);
      const ofUser = count.parse(countOfUser.get(user, since));
      const ofAddress = count.parse(countOfAddress.get(address, since));
      if (ofUser >= failures || ofAddress >= addressFailures) return { kind: 'lockedOut' };
      const id = Number(insert.run({ at, user, address }).lastInsertRowid);

      return { kind: 'begun', id, isLast: ofUser === failures - 1 };
    },
  );

  return {
    /** Counts as a failure until it succeeds: otherwise as many could be tried at once as somebody likes. */
    begin,
    /** The failures under this name are forgotten. Those of others from the same address are not. */
    succeed: (user: string): void => {
      removeOfUser.run(user);
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
