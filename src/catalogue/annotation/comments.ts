import type Database from 'better-sqlite3';
import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { CommentId, RecordingId } from '../../core/ids.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import { writing } from '../sqlite/writing.ts';
import type { Change } from './annotations.ts';
import { versionConflict, type RequireAnnotatable } from './changing.ts';

const commentRow = row(
  {
    id: z.string().transform((id) => id as CommentId),
    recording: recordingId,
    /** From the beginning of the recording, ms; null: it is about the whole. */
    atMs: z.number().nullable(),
    /** In words of people: it may name some, and goes nowhere else. */
    text: z.string(),
    /** As the audit trail names them. */
    author: z.string(),
    /** ms since 1970 UTC. */
    writtenAt: z.number(),
    changedAt: z.number().nullable(),
    version: z.number(),
  },
  { recording: 'recording_id' },
);
export type CommentRow = z.output<typeof commentRow>;
export type NewComment = Pick<CommentRow, 'id' | 'recording' | 'atMs' | 'text' | 'author' | 'writtenAt'>;

/** Of one recording: more is a mistake of a program. */
const mostComments = 500;

/** The table `comments`. A trigger removes those of a recording that is gone. */
export function makeComments(
  database: Database.Database,
  trail: Pick<AuditTrail, 'append'>,
  requireAnnotatable: RequireAnnotatable,
) {
  const selectOf = database.prepare(`SELECT * FROM comments WHERE recording_id = ? ORDER BY at_ms, id`);
  const count = columnsOf(database)(`SELECT count(*) FROM comments WHERE recording_id = ?`);
  const select = database.prepare(`SELECT * FROM comments WHERE id = ? AND recording_id = ?`);
  const insert = database.prepare(`
    INSERT INTO comments (id, recording_id, at_ms, text, author, written_at, version)
    VALUES (@id, @recording, @atMs, @text, @author, @writtenAt, 1)`);
  const update = database.prepare(`
    UPDATE comments SET text = @text, at_ms = @atMs, changed_at = @changedAt, version = version + 1 WHERE id = @id`);
  const remove = database.prepare(`DELETE FROM comments WHERE id = ?`);

  const find = (recording: RecordingId, id: string): CommentRow => {
    const found = commentRow.optional().parse(select.get(id, recording));
    if (found === undefined) throw new PreavisError('comment_unknown', 'the recording has no comment with this id');

    return found;
  };
  /** The comment, if it is still what whoever changes it has seen. */
  const seen = (recording: RecordingId, id: string, { version, note }: Change): CommentRow => {
    requireAnnotatable(recording);
    const found = find(recording, id);
    if (found.version !== version) throw versionConflict();
    trail.append(recording, note);

    return found;
  };
  const add = writing(database, (comment: NewComment, note: AuditNote): CommentRow => {
    const { recording, id } = comment;
    requireAnnotatable(recording);
    if (z.number().parse(count.get(recording)) >= mostComments) {
      throw new PreavisError('request_too_large', `a recording has at most ${mostComments} comments`);
    }
    insert.run(comment);
    trail.append(recording, note);

    return find(recording, id);
  });
  const change = writing(
    database,
    (
      recording: RecordingId,
      id: string,
      given: Pick<CommentRow, 'text' | 'atMs' | 'changedAt'>,
      change: Change,
    ): CommentRow => {
      seen(recording, id, change);
      update.run({ id, ...given });

      return find(recording, id);
    },
  );

  return {
    /** In the order of their places; those about the whole come first. */
    of: (recording: RecordingId): CommentRow[] => z.array(commentRow).parse(selectOf.all(recording)),
    /** Throws comment_unknown. */
    find,
    /** Throws recording_gone, recording_unknown, and request_too_large where there are too many. */
    add,
    /** Throws recording_gone, comment_unknown and version_conflict. */
    change,
    /** Throws recording_gone, comment_unknown and version_conflict. */
    remove: writing(database, (recording: RecordingId, id: string, change: Change): void => {
      seen(recording, id, change);
      remove.run(id);
    }),
  };
}
