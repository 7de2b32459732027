import * as z from 'zod';
import { one, sql, value, type Step } from './sql/step.ts';

const longestRow = z.object({ looked: z.number(), last: z.string().nullable(), days: z.number().nullable() });

/** How long what is kept is kept at most: a rule of the archive that removes by itself must come later. */
export function makeStorageLimits() {
  // The archive counts from when a recording was stored, which is after its end.
  const selectLongest = sql(`
    SELECT count(*) AS looked, max(id) AS last,
      max(CASE WHEN kept_days > keep_days THEN kept_days ELSE keep_days END)
        FILTER (WHERE status IN ('recording', 'recorded', 'archived')) AS days
    FROM (
      SELECT id, status, keep_days,
        (keep_until - coalesce(kept_from, finished_at, started_at, notice_finished_at) + 86399999) / 86400000 AS kept_days
      FROM recordings WHERE id > @after ORDER BY id LIMIT @limit) AS part`);
  const beyond = sql(`
    SELECT count(DISTINCT recordings.id) FROM holds CROSS JOIN recordings ON recordings.id = holds.recording_id
    WHERE released_at IS NULL AND status IN ('recording', 'recorded', 'archived')
      AND expires_at > coalesce(kept_from, finished_at, started_at, notice_finished_at) + @days * 86400000`);

  return {
    /**
     * The longest that any of so many recordings beyond `after` is kept after its end, days; 0 when there is none. `next` is undefined
     * after the last part.
     */
    *longestKeptDays(after: string, limit: number): Step<{ days: number; next: string | undefined }> {
      const { looked, last, days } = longestRow.parse(yield* one(selectLongest, { after, limit }));

      return { days: days ?? 0, next: looked < limit ? undefined : (last ?? undefined) };
    },
    /** How many recordings have a hold that may last longer than so many days after their end. */
    *heldBeyond(days: number): Step<number> {
      return z.number().parse(yield* value(beyond, { days }));
    },
  };
}
