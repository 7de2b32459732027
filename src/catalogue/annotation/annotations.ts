import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { RecordingId } from '../../core/ids.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import { json, row } from '../sqlite/rowForm.ts';
import { columnsOf } from '../sqlite/sqlite.ts';
import { writing } from '../sqlite/writing.ts';
import { versionConflict, type RequireAnnotatable } from './changing.ts';

/** `points` is the best value of the criterion when it was rated: forms change. */
const ratedCriterion = z.object({ criterion: z.string(), value: z.int(), points: z.int() });
export type RatedCriterion = z.output<typeof ratedCriterion>;

const annotationRow = row({
  version: z.number(),
  rating: json(z.array(ratedCriterion)).nullable(),
  /** From 0 to 100. */
  score: z.number().nullable(),
  /** As the audit trail names them. */
  ratedBy: z.string().nullable(),
  /** ms since 1970 UTC. */
  ratedAt: z.number().nullable(),
});

export type Rating = { criteria: readonly RatedCriterion[]; score: number; by: string; at: number };
/** `version` is 0 before anything was written. */
export type Annotation = { version: number; tags: string[]; rating: Rating | null };

/** Which version whoever changes it has seen, and the line of the audit trail. */
export type Change = { version: number; note: AuditNote };

const strings = z.array(z.string());

/** The tables `annotations` and `tags`: one version counts for both. Triggers remove what is of a recording that is gone. */
export function makeAnnotations(
  database: Database.Database,
  trail: Pick<AuditTrail, 'append'>,
  requireAnnotatable: RequireAnnotatable,
) {
  const prepareColumn = columnsOf(database);
  const select = database.prepare(`SELECT * FROM annotations WHERE recording_id = ?`);
  const selectTags = prepareColumn(`SELECT tag FROM tags WHERE recording_id = ? ORDER BY tag`);
  const upsert = database.prepare(`
    INSERT INTO annotations (recording_id, call_id, version) VALUES (@recording, @call, @version)
    ON CONFLICT (recording_id) DO UPDATE SET version = @version`);
  const removeTags = database.prepare(`DELETE FROM tags WHERE recording_id = ?`);
  const insertTag = database.prepare(`INSERT INTO tags (recording_id, tag, call_id) VALUES (@recording, @tag, @call)`);
  const rateRow = database.prepare(`
    UPDATE annotations SET rating = @rating, score = @score, rated_by = @by, rated_at = @at
    WHERE recording_id = @recording`);

  const of = (recording: RecordingId): Annotation => {
    const found = annotationRow.optional().parse(select.get(recording));
    const tags = strings.parse(selectTags.all(recording));
    if (found === undefined) return { version: 0, tags, rating: null };
    const { version, rating, score, ratedBy, ratedAt } = found;
    const isRated = rating !== null && score !== null && ratedBy !== null && ratedAt !== null;

    return { version, tags, rating: isRated ? { criteria: rating, score, by: ratedBy, at: ratedAt } : null };
  };
  /** Says of which call it is. */
  const advance = (recording: RecordingId, { version, note }: Change): string => {
    const { call } = requireAnnotatable(recording);
    if (of(recording).version !== version) throw versionConflict();
    upsert.run({ recording, call, version: version + 1 });
    trail.append(recording, note);

    return call;
  };
  const setTags = writing(database, (recording: RecordingId, tags: readonly string[], change: Change): Annotation => {
    const call = advance(recording, change);
    removeTags.run(recording);
    for (const tag of new Set(tags)) insertTag.run({ recording, tag, call });

    return of(recording);
  });
  const rate = writing(database, (recording: RecordingId, rating: Rating | null, change: Change): Annotation => {
    advance(recording, change);
    const { criteria = null, score = null, by = null, at = null } = rating ?? {};
    rateRow.run({ recording, rating: criteria === null ? null : JSON.stringify(criteria), score, by, at });

    return of(recording);
  });

  return {
    of,
    /** Throws recording_gone, recording_unknown and version_conflict. */
    setTags,
    /** null takes the rating away. Throws recording_gone, recording_unknown and version_conflict. */
    rate,
  };
}
