import * as z from 'zod';
import type { RecordingId } from '../../core/ids.ts';
import type { AuditNote, AuditTrail } from '../retention/auditTrail.ts';
import { json, row } from '../sqlite/rowForm.ts';
import { versionConflict, type RequireAnnotatable } from './changing.ts';
import { change, one, reading, sql, values, writing, type Step } from '../sql/step.ts';

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
export function makeAnnotations(trail: Pick<AuditTrail, 'append'>, requireAnnotatable: RequireAnnotatable) {
  const select = sql(`SELECT * FROM annotations WHERE recording_id = @recording`);
  const selectTags = sql(`SELECT tag FROM tags WHERE recording_id = @recording ORDER BY tag`);
  const upsert = sql(`
    INSERT INTO annotations (recording_id, call_id, version) VALUES (@recording, @call, @version)
    ON CONFLICT (recording_id) DO UPDATE SET version = excluded.version`);
  const removeTags = sql(`DELETE FROM tags WHERE recording_id = @recording`);
  const insertTag = sql(`INSERT INTO tags (recording_id, tag, call_id) VALUES (@recording, @tag, @call)`);
  const rateRow = sql(`
    UPDATE annotations SET rating = @rating, score = @score, rated_by = @by, rated_at = @at
    WHERE recording_id = @recording`);

  const of = reading(function* (recording: RecordingId): Step<Annotation> {
    const found = annotationRow.optional().parse(yield* one(select, { recording }));
    const tags = strings.parse(yield* values(selectTags, { recording }));
    if (found === undefined) return { version: 0, tags, rating: null };
    const { version, rating, score, ratedBy, ratedAt } = found;
    const isRated = rating !== null && score !== null && ratedBy !== null && ratedAt !== null;

    return { version, tags, rating: isRated ? { criteria: rating, score, by: ratedBy, at: ratedAt } : null };
  });
  /** Says of which call it is. */
  function* advance(recording: RecordingId, { version, note }: Change): Step<string> {
    const { call } = yield* requireAnnotatable(recording);
    if ((yield* of(recording)).version !== version) throw versionConflict();
    yield* change(upsert, { recording, call, version: version + 1 });
    yield* trail.append(recording, note);

    return call;
  }
  const setTags = writing(function* (recording: RecordingId, tags: readonly string[], as: Change): Step<Annotation> {
    const call = yield* advance(recording, as);
    yield* change(removeTags, { recording });
    for (const tag of new Set(tags)) yield* change(insertTag, { recording, tag, call });

    return yield* of(recording);
  });
  const rate = writing(function* (recording: RecordingId, rating: Rating | null, as: Change): Step<Annotation> {
    yield* advance(recording, as);
    const { criteria = null, score = null, by = null, at = null } = rating ?? {};
    yield* change(rateRow, { recording, rating: criteria === null ? null : JSON.stringify(criteria), score, by, at });

    return yield* of(recording);
  });

  return {
    of,
    /** Throws recording_gone, recording_unknown and version_conflict. */
    setTags,
    /** null takes the rating away. Throws recording_gone, recording_unknown and version_conflict. */
    rate,
  };
}
