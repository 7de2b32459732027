import * as z from 'zod';
import { keyRewrapped, moved } from '../retention/auditTrail.ts';
import { all, sql, type Step } from '../sql/step.ts';

/** A key that recordings in the archive are encrypted under: how many, and the newest of them. */
const keyRow = z.object({ keyId: z.string(), recordings: z.number(), objectKey: z.string(), newest: z.string() });
export type ArchiveKey = z.output<typeof keyRow>;

/** Which keys the archive needs, as the audit trail has it. */
export function makeArchiveKeys() {
  const select = sql(`
    WITH wrapped AS MATERIALIZED (
      SELECT id, object_key, (
        SELECT json_extract(detail, '$.encryption.keyId') FROM audit
        WHERE recording_id = recordings.id AND (to_status = 'archived' OR event IN (@rewrapped, @moved))
        ORDER BY audit.id DESC LIMIT 1) AS key_id
      FROM recordings WHERE status = 'archived' AND archive = @archive),
    used AS (SELECT key_id, count(*) AS recordings, max(id) AS newest FROM wrapped WHERE key_id IS NOT NULL GROUP BY key_id)
    SELECT used.key_id AS "keyId", used.recordings, wrapped.object_key AS "objectKey", used.newest
    FROM used JOIN wrapped ON wrapped.id = used.newest ORDER BY used.recordings DESC, used.key_id`);

  return {
    /** It looks at every archived recording: for a command, not for a call. */
    *archiveKeys(archive: string): Step<ArchiveKey[]> {
      return z.array(keyRow).parse(yield* all(select, { archive, rewrapped: keyRewrapped, moved }));
    },
  };
}
