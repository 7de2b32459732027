import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { HeardSentence } from '../../policy/earlierNotice.ts';
import type { KeptCaller } from '../../call/plan/callerStore.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { callId, row } from '../sqlite/rowForm.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import { makeSweepPersons } from './sweepPersons.ts';

const callerRow = row({ call: callId, hash: z.string(), sealed: z.string().nullable() }, { call: 'call_id' });

const heardRow = row({ call: callId, sha256: z.string(), finishedAt: z.number() }, { call: 'call_id' });

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
    sweep: makeSweepPersons(database, 'callers'),
  };
}
