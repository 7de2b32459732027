import * as z from 'zod';
import { PreavisError } from '../../core/errors.ts';
import type { CommentId, RecordingId } from '../../core/ids.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import { recordingId, row } from '../sqlite/rowForm.ts';
import type { Change } from './annotations.ts';
import { versionConflict, type RequireAnnotatable } from './changing.ts';
import { all, change, one, sql, value, writing, type Step } from '../sql/step.ts';

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
export function makeComments(trail: Pick<AuditTrail, 'append'>, requireAnnotatable: RequireAnnotatable) {
  const selectOf = sql(`SELECT * FROM comments WHERE recording_id = @recording ORDER BY at_ms NULLS FIRST, id`);
  const count = sql(`SELECT count(*) FROM comments WHERE recording_id = @recording`);
  const select = sql(`SELECT * FROM comments WHERE id = @id AND recording_id = @recording`);
  const insert = sql(`
    INSERT INTO comments (id, recording_id, at_ms, text, author, written_at, version)
    VALUES (@id, @recording, @atMs, @text, @author, @writtenAt, 1)`);
  const update = sql(`
    UPDATE comments SET text = @text, at_ms = @atMs, changed_at = @changedAt, version = version + 1 WHERE id = @id`);
  const remove = sql(`DELETE FROM comments WHERE id = @id`);

  function* find(recording: RecordingId, id: string): Step<CommentRow> {
    const found = commentRow.optional().parse(yield* one(select, { id, recording }));
    if (found === undefined) throw new PreavisError('comment_unknown', 'the recording has no comment with this id');

    return found;
  }
  /** The comment, if it is still what whoever changes it has seen. */
  function* seen(recording: RecordingId, id: string, { version, note }: Change): Step<CommentRow> {
    yield* requireAnnotatable(recording);
    const found = yield* find(recording, id);
    if (found.version !== version) throw versionConflict();
    yield* trail.append(recording, note);

    return found;
  }
  const add = writing(function* (comment: NewComment, note: AuditNote): Step<CommentRow> {
    const { recording, id } = comment;
    yield* requireAnnotatable(recording);
    if (z.number().parse(yield* value(count, { recording })) >= mostComments) {
      throw new PreavisError('request_too_large', `a recording has at most ${mostComments} comments`);
    }
    yield* change(insert, comment);
    yield* trail.append(recording, note);

    return yield* find(recording, id);
  });
  const rewrite = writing(function* (
    recording: RecordingId,
    id: string,
    given: Pick<CommentRow, 'text' | 'atMs' | 'changedAt'>,
    as: Change,
  ): Step<CommentRow> {
    yield* seen(recording, id, as);
    yield* change(update, { id, ...given });

    return yield* find(recording, id);
  });

  return {
    /** In the order of their places; those about the whole come first. */
    *of(recording: RecordingId): Step<CommentRow[]> {
      return z.array(commentRow).parse(yield* all(selectOf, { recording }));
    },
    /** Throws comment_unknown. */
    find,
    /** Throws recording_gone, recording_unknown, and request_too_large where there are too many. */
    add,
    /** Throws recording_gone, comment_unknown and version_conflict. */
    change: rewrite,
    /** Throws recording_gone, comment_unknown and version_conflict. */
    remove: writing(function* (recording: RecordingId, id: string, as: Change): Step<void> {
      yield* seen(recording, id, as);
      yield* change(remove, { id });
    }),
  };
}
