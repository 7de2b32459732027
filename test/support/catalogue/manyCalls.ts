import type { Pool } from 'pg';

/** A call each 20 s, of which most have a recording: rows as bench/largeCatalogue.ts makes them, put into PostgreSQL by itself. */
export async function fillWithCalls(pool: Pool, calls: number): Promise<void> {
  // Rows that fit together by themselves: neither references nor triggers are asked.
  await pool.query(`SET LOCAL session_replication_role = replica;
    INSERT INTO policies (version, content) VALUES ('one', '{"purposes":{}}');
    INSERT INTO calls (id, started_at, ended_at, policy_version, asterisk_version, asterisk_node, line, purposes, languages,
        language_reason, phase, result, reason, recording_id, keep_days, direction, controller, pbx)
      SELECT ${idOf}, ${at}, ${at} + 60000, 'one', '22.5.2', 'node', CASE WHEN n % 97 = 0 THEN 'rare' ELSE 'line-' || n % 7 END,
        (ARRAY['["training"]', '["agreement"]', '["training","agreement"]', '["obligation"]'])[1 + n % 4],
        (ARRAY['["fr"]', '["nl"]', '["de"]', '["en"]', '["fr","nl"]'])[1 + n % 5], 'line', 'ended',
        CASE WHEN n % 100 < 83 THEN 'recorded' WHEN n % 100 < 93 THEN 'unrecorded' ELSE 'notConnected' END,
        CASE WHEN n % 100 BETWEEN 83 AND 92 THEN (ARRAY['refused', 'no_consent', 'notice_failed'])[1 + n % 3] END, ${idOf}, 393,
        CASE WHEN n % 50 = 0 THEN 'outgoing' ELSE 'incoming' END, CASE WHEN n % 40 = 0 THEN 'acme' END,
        CASE WHEN n % 4 <> 0 THEN 'north' END
      FROM ${numbers(calls)};
    INSERT INTO notices (call_id, position, prompt, language, text, sha256, length_ms, started_at, finished_at, verdict)
      SELECT id, 0, 'whole', 'fr', 'This call may be recorded.', repeat('f', 64), 4000, started_at, started_at + 5000, 'verified' FROM calls;
    INSERT INTO callers SELECT id, 'k0.' || abs(hashtext(id)) % 20000, NULL FROM calls;
    INSERT INTO extensions SELECT id, (100 + abs(hashtext(id)) % 400)::text FROM calls;
    INSERT INTO dialled SELECT id, '+3225550' || (100 + abs(hashtext(id)) % 300) FROM calls WHERE direction = 'incoming';
    INSERT INTO recordings (id, call_id, status, notice_finished_at, started_at, finished_at, keep_days, keep_until, bytes, duration_ms,
        sha256, flags, archive, receipt, controller)
      SELECT id, id, CASE WHEN abs(hashtext(id)) % 5000 = 0 THEN 'failed' WHEN abs(hashtext(id)) % 4 = 0 THEN 'erased' ELSE 'archived' END,
        started_at + 5000, started_at + 6000, ended_at, 393, started_at + 393 * 86400000::bigint, 960044, 60000, repeat('f', 64),
        CASE WHEN abs(hashtext(id)) % 300 = 0 THEN '["silent"]' ELSE '[]' END, '/archive', repeat('r', 300), controller
      FROM calls WHERE result = 'recorded';
    INSERT INTO recording_purposes SELECT recordings.id, json_each.value, started_at + 28 * 86400000::bigint
      FROM recordings CROSS JOIN json_each('["training","agreement"]');
    INSERT INTO holds (id, recording_id, call_id, ground, reason, author, set_at, review_at, expires_at)
      SELECT id, id, id, 'dispute', 'claim', 'user', started_at, started_at, started_at + 3650 * 86400000::bigint
      FROM recordings WHERE abs(hashtext(id)) % 3000 = 1;
    INSERT INTO changes (call_id, change, at) SELECT id, 'exemplaryMarked', started_at FROM recordings WHERE abs(hashtext(id)) % 1000 = 2;
    INSERT INTO changes (call_id, change, at) SELECT id, 'held', started_at FROM recordings;
    INSERT INTO tags SELECT id, CASE WHEN abs(hashtext(id)) % 500 = 3 THEN 'vip' ELSE 'complaint' END, call_id
      FROM recordings WHERE abs(hashtext(id)) % 10 = 3;
    INSERT INTO annotations SELECT id, call_id, 1, '[]', abs(hashtext(id)) % 101, 'user:anna', 1 FROM recordings WHERE abs(hashtext(id)) % 9 = 0;
    INSERT INTO collected (recording_id, collection, call_id, position, added_by, added_at)
      SELECT id, 'exemplary', call_id, abs(hashtext(id)), 'user:anna', 1 FROM recordings WHERE abs(hashtext(id)) % 500 = 4;
    INSERT INTO audit (id, at, recording_id, event, from_status, to_status, actor, chain)
      SELECT row_number() OVER (ORDER BY id), started_at, id, 'archived', 'recorded', 'archived', 'serve', repeat('c', 64) FROM recordings;`);
  await pool.query('VACUUM (ANALYZE)');
}

const numbers = (calls: number): string => `generate_series(0, ${calls - 1}) AS each (n)`;
/** As long as an id, and in the order of time. */
const idOf = `'01K' || lpad(n::text, 23, '0')`;
/** The first of them began then, ms since 1970 UTC. */
export const firstOfMany = Date.UTC(2026, 0, 1);
const at = `${firstOfMany} + n * 20000::bigint`;
