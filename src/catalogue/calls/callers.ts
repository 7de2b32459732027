import * as z from 'zod';
import type { HeardSentence } from '../../policy/earlierNotice.ts';
import type { KeptCaller } from '../../call/plan/callerStore.ts';
import { callId, row } from '../sqlite/rowForm.ts';
import { makeSweepPersons } from './sweepPersons.ts';
import { all, change, one, relaxed, sql, values, writing, type Statement, type Step } from '../sql/step.ts';

const callerRow = row({ call: callId, hash: z.string(), sealed: z.string().nullable() }, { call: 'call_id' });

const heardRow = row({ call: callId, sha256: z.string(), finishedAt: z.number() }, { call: 'call_id' });

/**
 * The table `callers`: whose call it was, for requests of persons. A trigger removes the row of a call whose recording is erased
 * or discarded. No number is in it that could be read without the key.
 */
export function makeCallers() {
  const insert = sql(
    `INSERT INTO callers (call_id, hash, sealed) VALUES (@call, @hash, @sealed) ON CONFLICT DO NOTHING`,
  );
  const selectOf = sql(`SELECT * FROM callers WHERE hash = @hash AND call_id > @after ORDER BY call_id LIMIT @limit`);
  const selectHeard = sql(`
    SELECT notices.call_id, sha256, finished_at FROM callers
    JOIN calls ON calls.id = callers.call_id JOIN notices ON notices.call_id = calls.id
    WHERE hash = @hash AND calls.started_at >= @since AND controller IS NOT DISTINCT FROM @controller AND verdict = 'verified' AND finished_at IS NOT NULL
    ORDER BY callers.call_id DESC, position LIMIT 100`);

  // One step in the index for each key: the point that ends its id comes just before the slash. Hashes without one begin lower.
  const keysIn = (table: string, hash: string): Statement =>
    sql(`
    WITH RECURSIVE each (key) AS (
      SELECT substr(min(${hash}), 1, 16) FROM ${table} WHERE ${hash} >= 'k' UNION ALL
      SELECT (SELECT substr(min(${hash}), 1, 16) FROM ${table} WHERE ${hash} > each.key || '/')
      FROM each WHERE each.key IS NOT NULL)
    SELECT key FROM each WHERE key IS NOT NULL`);
  const selectKeys = [keysIn('callers', 'hash'), keysIn('preferences', 'caller')];
  const claimCalls = sql(`UPDATE callers SET hash = @hash WHERE hash = @bare`);
  const claimPreference = sql(`
    UPDATE preferences SET caller = @hash
    WHERE caller = @bare AND NOT EXISTS (SELECT 1 FROM preferences WHERE caller = @hash)`);
  const selectSealed = sql(`
    SELECT * FROM (SELECT * FROM callers ORDER BY call_id DESC LIMIT 1000) AS newest WHERE sealed IS NOT NULL LIMIT 1`);

  return {
    /** The ids of all keys that callers, or what they chose, are kept under. */
    *hashKeys(): Step<string[]> {
      const keys = new Set<string>();
      for (const select of selectKeys)
        for (const key of z.array(z.string()).parse(yield* values(select))) keys.add(key);

      return [...keys].sort();
    },
    /** What was kept of a caller before hashes named their key is kept under this hash from now on. */
    claim: writing(function* (hash: string, bare: string): Step<void> {
      yield* change(claimCalls, { hash, bare });
      yield* change(claimPreference, { hash, bare });
    }),
    /** The newest of those whose number is kept, sealed; undefined where none of the last thousand is. */
    *newestSealed(): Step<KeptCaller | undefined> {
      return callerRow.optional().parse(yield* one(selectSealed));
    },
    /** Not waited for by a caller: what a power cut takes of it is not kept. */
    keep: relaxed(function* (caller: KeptCaller): Step<void> {
      yield* change(insert, caller);
    }),
    /** Of one caller, by the keyed hash of the number, in the order of calls, beyond `after`. */
    *callsOf(hash: string, after: string, limit: number): Step<KeptCaller[]> {
      return z.array(callerRow).parse(yield* all(selectOf, { hash, after, limit }));
    },
    /** What one caller has heard whole in calls for this company that came since then, ms: the newest hundred sentences. */
    *heardBy(hash: string, since: number, controller: string | null): Step<HeardSentence[]> {
      return z.array(heardRow).parse(yield* all(selectHeard, { hash, since, controller }));
    },
    sweep: makeSweepPersons('callers'),
  };
}
