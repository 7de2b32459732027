import * as z from 'zod';
import { change, sql, value, writing, type Step } from '../sql/step.ts';

/** The table `preferences`. `caller` is a keyed hash of the number, never the number. */
export function makePreferences(now: () => number) {
  const select = sql(`SELECT language FROM preferences WHERE caller = @caller AND expires_at > @at`);
  const upsert = sql(`
    INSERT INTO preferences (caller, language, expires_at) VALUES (@caller, @language, @expiresAt)
    ON CONFLICT (caller) DO UPDATE SET language = excluded.language, expires_at = excluded.expires_at`);
  const sweep = sql(`DELETE FROM preferences WHERE expires_at <= @at`);

  return {
    *find(caller: string): Step<string | undefined> {
      return z
        .string()
        .optional()
        .parse(yield* value(select, { caller, at: now() }));
    },
    /** Removes those that have expired; says how many. */
    *sweep(): Step<number> {
      return yield* change(sweep, { at: now() });
    },
    /** Expired ones of others go with it. */
    set: writing(function* (caller: string, language: string, expiresAt: number): Step<void> {
      yield* change(sweep, { at: now() });
      yield* change(upsert, { caller, language, expiresAt });
    }),
  };
}
