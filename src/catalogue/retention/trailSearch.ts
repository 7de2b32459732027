import * as z from 'zod';
import { callId, json, row } from '../sqlite/rowForm.ts';
import { lineColumns, lineNames } from './auditTrail.ts';
import { all, one, sql, type Step } from '../sql/step.ts';

/** The audit trail as a whole, for who looks at what others did. */

const readLine = row(
  {
    /** Its number, in the order of the chain. */
    line: z.number(),
    ...lineColumns,
    /** That the recording is of; null as well where nothing is left of it. */
    call: callId.nullable(),
    detail: json(z.record(z.string(), z.unknown())),
  },
  { line: 'id', ...lineNames, call: 'call_id' },
);
type ReadLine = z.output<typeof readLine>;

const trailPlace = row({ at: z.number(), line: z.number() }, { line: 'id' });
/** A place in the trail by time: of two lines of one moment the later one has the higher number. */
export type TrailPlace = z.output<typeof trailPlace>;

/** `from` and `to` (excluded): ms since 1970 UTC. `about`: those that tell of a recording, or of none. */
export type TrailSearch = {
  from?: number | undefined;
  to?: number | undefined;
  event?: string | undefined;
  /** Whole; a name without a kind is that of a user, too: `anna` finds `user:anna`, and the account `anna` of a shell. */
  actor?: string | undefined;
  about?: 'recordings' | 'others' | undefined;
};

/** So many lines are looked at for one answer: where hardly any fits, it is short, and comes as soon. */
const usuallyLookedAt = 5_000;

/** @param mostLookedAt lines, for one answer */
export function makeTrailSearch(mostLookedAt = usuallyLookedAt) {
  // A clock may have been set back: by their numbers lines are not in the order of their times.
  const within = `at >= @from AND at <= @at AND (at < @at OR id < @line) ORDER BY at DESC, id DESC`;
  const selectLast = sql(
    `SELECT at, id FROM audit INDEXED BY audit_by_time WHERE ${within} LIMIT 1 OFFSET ${mostLookedAt - 1}`,
  );
  const selectFound = sql(`
    SELECT found.*, call_id FROM (
      SELECT * FROM (SELECT * FROM audit INDEXED BY audit_by_time WHERE ${within} LIMIT ${mostLookedAt}) AS looked
      WHERE (@event IS NULL OR event = @event) AND (@actor IS NULL OR actor IN (@actor, @user))
        AND (@hasRecording IS NULL OR @hasRecording = CASE WHEN recording_id IS NULL THEN 0 ELSE 1 END)
      ORDER BY at DESC, id DESC LIMIT @limit) AS found
    LEFT JOIN recordings ON recordings.id = found.recording_id ORDER BY found.at DESC, found.id DESC`);

  return {
    /**
     * Lines that fit, the newest first, of the next few thousand behind a place.
     *
     * @returns `next`: where to go on; undefined: there are no more
     */
    *search(
      { from = 0, to = Number.MAX_SAFE_INTEGER, event, actor, about }: TrailSearch,
      behind: TrailPlace | undefined,
      limit: number,
    ): Step<{ lines: ReadLine[]; next: TrailPlace | undefined }> {
      // One bound above: with a second one SQLite may seek to that, and pass over all earlier pages each time.
      const first = { at: to - 1, line: Number.MAX_SAFE_INTEGER };
      const place = behind !== undefined && behind.at < to ? behind : first;
      const bounds = { from, ...place };
      const fits = {
        event: event ?? null,
        actor: actor ?? null,
        user: actor === undefined || actor.includes(':') ? null : `user:${actor}`,
        hasRecording: about === undefined ? null : Number(about === 'recordings'),
      };
      const lines = z.array(readLine).parse(yield* all(selectFound, { ...bounds, ...fits, limit }));
      const last = lines.at(-1);
      if (lines.length === limit && last !== undefined) return { lines, next: { at: last.at, line: last.line } };

      return { lines, next: trailPlace.optional().parse(yield* one(selectLast, bounds)) };
    },
  };
}
