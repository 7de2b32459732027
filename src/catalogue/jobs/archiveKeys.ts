import type Database from 'better-sqlite3';
import * as z from 'zod';
import { keyRewrapped, moved } from '../retention/auditTrail.ts';

/** A key that recordings in the archive are encrypted under: how many, and the newest of them. */
const keyRow = z.object({ keyId: z.string(), recordings: z.number(), objectKey: z.string(), newest: z.string() });
export type ArchiveKey = z.output<typeof keyRow>;

/** Which keys the archive needs, as the audit trail has it. */
export function makeArchiveKeys(database: Database.Database) {
  const select = database.prepare(`
    WITH wrapped AS MATERIALIZED (
      SELECT id, object_key, (
        SELECT json_extract(detail, '$.encryption.keyId') FROM audit
        WHERE recording_id = recordings.id AND (to_status = 'archived' OR event IN (@rewrapped, @moved))
        ORDER BY audit.id DESC LIMIT 1) AS keyId
      FROM recordings WHERE status = 'archived' AND archive = @archive)
    SELECT keyId, count(*) AS recordings, object_key AS objectKey, max(id) AS newest FROM wrapped
    WHERE keyId IS NOT NULL GROUP BY keyId ORDER BY recordings DESC, keyId`);

  return {
    /** It looks at every archived recording: for a command, not for a call. */
    archiveKeys: (archive: string): ArchiveKey[] =>
      z.array(keyRow).parse(select.all({ archive, rewrapped: keyRewrapped, moved })),
  };
}
