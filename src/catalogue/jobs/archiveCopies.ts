import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { isErasureUnderWay, moved, type AuditNote, type AuditTrail } from '../retention/auditTrail.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { all, change, sql, value, writing, type Step } from '../sql/step.ts';

const copyRow = row(
  {
    recording: recordingId,
    archive: z.string(),
    state: z.enum(['coming', 'left']),
    lockedUntil: z.number().nullable(),
  },
  { recording: 'recording_id' },
);
/**
 * Something of a recording in another archive than its own. coming: it is being moved there, or that was cut short. left: it was moved
 * from there, or something of it was found there. `lockedUntil`: a lock keeps it there, as was seen last; ms since 1970 UTC.
 */
export type ArchiveCopy = z.output<typeof copyRow>;

const useRow = z.object({ archive: z.string(), recordings: z.number(), bytes: z.number(), newest: z.string() });
/** An archive that recordings lie in: how many, and the newest of them. */
export type ArchiveUse = z.output<typeof useRow>;

const leftRow = z.object({ archive: z.string(), copies: z.number(), lockedUntil: z.number().nullable() });
/** An archive that has, or may have, something of recordings that lie in another: how many, and until when locks keep some of it. */
export type CopiesLeft = z.output<typeof leftRow>;

/** From where to where a recording is moved, as `location` of the stores. */
export type Move = { from: string; to: string };

/** The table `archive_copies`, and the step of a recording from one archive to another: its status stays `archived`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeArchiveCopies(trail: Pick<AuditTrail, 'append' | 'of'>) {
  const isIn = sql(`SELECT 1 FROM recordings WHERE id = @id AND status = 'archived' AND archive = @archive`);
  const upsert = sql(`
    INSERT INTO archive_copies (recording_id, archive, state) VALUES (@id, @archive, @state)
    ON CONFLICT (recording_id, archive) DO UPDATE SET state = excluded.state`);
  const insert = sql(
    `INSERT INTO archive_copies (recording_id, archive, state) VALUES (@id, @archive, 'left') ON CONFLICT DO NOTHING`,
  );
  const remove = sql(`DELETE FROM archive_copies WHERE recording_id = @id AND archive = @archive`);
  const lock = sql(`UPDATE archive_copies SET locked_until = @until WHERE recording_id = @id AND archive = @archive`);
  const relocate = sql(`
    UPDATE recordings SET archive = @to, object_version = @version
    WHERE id = @id AND status = 'archived' AND archive = @from`);
  const selectOf = sql(`SELECT * FROM archive_copies WHERE recording_id = @id ORDER BY archive`);
  const selectIn = sql(`
    SELECT * FROM archive_copies WHERE archive = @archive AND recording_id > @after ORDER BY recording_id LIMIT @limit`);
  const selectUse = sql(`
    SELECT archive, count(*) AS recordings, coalesce(sum(bytes), 0) AS bytes, max(id) AS newest
    FROM recordings INDEXED BY recordings_by_archive WHERE status = 'archived' AND archive IS NOT NULL
    GROUP BY archive ORDER BY archive`);
  const selectLeft = sql(`
    SELECT archive, count(*) AS copies, max(locked_until) AS "lockedUntil" FROM archive_copies
    GROUP BY archive ORDER BY archive`);

  function* refuseMoved(id: RecordingId, from: string): Step<void> {
    if ((yield* value(isIn, { id, archive: from })) !== 1)
      throw new PreavisError('status_conflict', `recording ${id} is not in ${from} any more`);
    if (isErasureUnderWay(yield* trail.of(id))) {
      throw new PreavisError('status_conflict', `recording ${id} is being erased`);
    }
  }
  const begin = writing(function* (id: RecordingId, { from, to }: Move): Step<void> {
    yield* refuseMoved(id, from);
    yield* change(upsert, { id, archive: to, state: 'coming' });
  });
  const finish = writing(function* (
    id: RecordingId,
    { from, to }: Move,
    { version, leaves }: { version: string | null; leaves: boolean },
    note: Omit<AuditNote, 'event'>,
  ): Step<void> {
    yield* refuseMoved(id, from);
    yield* change(relocate, { id, from, to, version });
    yield* change(remove, { id, archive: to });
    if (leaves) yield* change(upsert, { id, archive: from, state: 'left' });
    yield* trail.append(id, { ...note, event: moved });
  });
  const forget = writing(function* (id: RecordingId, archive: string, note?: AuditNote): Step<void> {
    yield* change(remove, { id, archive });
    if (note !== undefined) yield* trail.append(id, note);
  });

  return {
    /** Before the first byte of it is put there: whatever comes, an erasure looks there too. Throws status_conflict. */
    begin,
    /** From now on it lies there. `leaves`: a copy stays where it was. Throws status_conflict. */
    finish,
    /** Something of it was found in that archive, which is not its own. */
    *note(id: RecordingId, archive: string): Step<void> {
      yield* change(insert, { id, archive });
    },
    *noteLock(id: RecordingId, archive: string, until: number | null): Step<void> {
      yield* change(lock, { until, id, archive });
    },
    /** Nothing of it is left there. */
    forget,
    *of(id: RecordingId): Step<ArchiveCopy[]> {
      return z.array(copyRow).parse(yield* all(selectOf, { id }));
    },
    /** In the order of ids, beyond `after`. */
    *listIn(archive: string, after: string, limit: number): Step<ArchiveCopy[]> {
      return z.array(copyRow).parse(yield* all(selectIn, { archive, after, limit }));
    },
    /** In which archives recordings lie. */
    *archiveUse(): Step<ArchiveUse[]> {
      return z.array(useRow).parse(yield* all(selectUse));
    },
    *left(): Step<CopiesLeft[]> {
      return z.array(leftRow).parse(yield* all(selectLeft));
    },
  };
}
