import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { HeardSentence } from '../../policy/earlierNotice.ts';
import type { KeptCaller } from '../../call/plan/callerStore.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { callId, row } from '../sqlite/rowForm.ts';
import { columnsOf } from '../sqlite/sqlite.ts';

const callerRow = row({ call: callId, hash: z.string(), sealed: z.string().nullable() }, { call: 'call_id' });

const heardRow = row({ call: callId, sha256: z.string(), finishedAt: z.number() }, { call: 'call_id' });

/** From when on callers of calls without a recording are kept, and until when it is now, ms since 1970 UTC. */
export type CallerTimes = { since: number; at: number };

/** One part of a sweep; `next` is undefined after the last one. */
export type SweptCallers = { removed: number; next: string | undefined };

/**
 * The table `callers`: whose call it was, for requests of persons. A trigger removes the row of a call whose recording is erased
 * or discarded. No number is in it that could be read without the key.
 */
export function makeCallers(database: Database.Database) {
  const prepareColumn = columnsOf(database);
  const insert = database.prepare(
    `INSERT INTO callers (call_id, hash, sealed) VALUES (@call, @hash, @sealed) ON CONFLICT DO NOTHING`,
  );
  const selectOf = database.prepare(
    `SELECT * FROM callers WHERE hash = @hash AND call_id > @after ORDER BY call_id LIMIT @limit`,
  );
  const selectHeard = database.prepare(`
    SELECT notices.call_id, sha256, finished_at FROM callers
    JOIN calls ON calls.id = callers.call_id JOIN notices ON notices.call_id = calls.id
    WHERE hash = @hash AND calls.started_at >= @since AND controller IS @controller AND verdict = 'verified' AND finished_at IS NOT NULL
    ORDER BY callers.call_id DESC, position LIMIT 100`);
  const selectEnd = prepareColumn(
    `SELECT call_id FROM callers WHERE call_id > @after ORDER BY call_id LIMIT 1 OFFSET @limit - 1`,
  );
  const sweep = database.prepare(`
    DELETE FROM callers WHERE call_id > @after AND (@last IS NULL OR call_id <= @last) AND EXISTS (
      SELECT 1 FROM calls LEFT JOIN recordings ON recordings.call_id = calls.id
      WHERE calls.id = callers.call_id AND calls.state IS NULL AND CASE
        WHEN recordings.id IS NULL THEN calls.started_at < @since
        WHEN status = 'lost' THEN calls.started_at < min(@since, @at - 86400000 * recordings.keep_days)
        ELSE status IN ('erased', 'discarded')
      END)`);

  // One step in the index for each key: the point that ends its id comes just before the slash. Hashes without one begin lower.
  const keysIn = (table: string, hash: string): Database.Statement =>
    prepareColumn(`
    WITH RECURSIVE each (key) AS (
      SELECT substr(min(${hash}), 1, 16) FROM ${table} WHERE ${hash} >= 'k' UNION ALL
      SELECT (SELECT substr(min(${hash}), 1, 16) FROM ${table} WHERE ${hash} > each.key || '/')
      FROM each WHERE each.key IS NOT NULL)
    SELECT key FROM each WHERE key IS NOT NULL`);
  const selectKeys = [keysIn('callers', 'hash'), keysIn('preferences', 'caller')];
  const claimCalls = database.prepare(`UPDATE callers SET hash = @hash WHERE hash = @bare`);
  const claimPreference = database.prepare(`UPDATE OR IGNORE preferences SET caller = @hash WHERE caller = @bare`);
  const selectSealed = database.prepare(`
    SELECT * FROM (SELECT * FROM callers ORDER BY call_id DESC LIMIT 1000) WHERE sealed IS NOT NULL LIMIT 1`);

  return {
    /** The ids of all keys that callers, or what they chose, are kept under. */
    hashKeys: (): string[] => [...new Set(selectKeys.flatMap((each) => z.array(z.string()).parse(each.all())))].sort(),
    /** What was kept of a caller before hashes named their key is kept under this hash from now on. */
    claim: (hash: string, bare: string): void => {
      claimCalls.run({ hash, bare });
      claimPreference.run({ hash, bare });
    },
    /** The newest of those whose number is kept, sealed; undefined where none of the last thousand is. */
    newestSealed: (): KeptCaller | undefined => callerRow.optional().parse(selectSealed.get()),
    /** Not waited for by a caller: what a power cut takes of it is not kept. */
    keep: (caller: KeptCaller): void => {
      relaxedSync(database, () => insert.run(caller));
    },
    /** Of one caller, by the keyed hash of the number, in the order of calls, beyond `after`. */
    callsOf: (hash: string, after: string, limit: number): KeptCaller[] =>
      z.array(callerRow).parse(selectOf.all({ hash, after, limit })),
    /** What one caller has heard whole in calls for this company that came since then, ms: the newest hundred sentences. */
    heardBy: (hash: string, since: number, controller: string | null): HeardSentence[] =>
      z.array(heardRow).parse(selectHeard.all({ hash, since, controller })),
    /**
     * Removes, of so many rows beyond `after`, those that nothing is kept for any more: no recording is left, or there was none and
     * the call is from before `since`. One that was lost may be found again until its time is over.
     */
    sweep: ({ since, at }: CallerTimes, after: string, limit: number): SweptCallers => {
      const last = z.string().optional().parse(selectEnd.get({ after, limit }));
      const removed = relaxedSync(database, () => sweep.run({ since, at, after, last: last ?? null })).changes;

      return { removed, next: last };
    },
  };
}
