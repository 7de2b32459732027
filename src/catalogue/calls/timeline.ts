import * as z from 'zod';
import type { TimelineEntry } from '../../call/watch/timeline.ts';
import type { ServeName } from '../jobs/leases.ts';
import type { CallId, HappeningId } from '../../core/ids.ts';
import {
  changeRow,
  saidRow,
  unwatchedRow,
  type ChangeRow,
  type Judgement,
  type SaidRow,
  type UnwatchedRow,
} from '../rows.ts';
import type { Here } from '../here.ts';
import { all, change, relaxed, sql, value, writing, type Step } from '../sql/step.ts';

/** The name in `watches` of a serve. */
export const watchedBy = ({ pbx = '', application }: ServeName): string => `${pbx}:${application}`;

/** The tables `said`, `changes` and `unwatched`: what happened in a call that decided nothing, for its receipt; and `watches`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeTimeline(here: Here) {
  const upsertSaid = sql(`
    INSERT INTO said (call_id, playback, kind, prompt, language, text, sha256, length_ms, started_at, finished_at, newcomer)
    VALUES (@callId, @playback, @kind, @prompt, @language, @text, @sha256, @lengthMs, @startedAt, @finishedAt, @newcomer)
    ON CONFLICT (call_id, playback) DO UPDATE SET
      started_at = coalesce(excluded.started_at, said.started_at), finished_at = excluded.finished_at`);
  // Asked for again after a restart, a pause is none but the one that is known.
  // Where the answer of PostgreSQL to a commit was lost, it is asked again for what it may have.
  const insertChange = sql(`
    INSERT INTO changes (call_id, change, at, done_at, party, newcomer, happening)
    SELECT @callId, @change, @at, @doneAt, @party, @newcomer, @happening
    WHERE (@change NOT IN ('recorderPaused', 'recorderResumed') OR @change <> coalesce(
      (SELECT change FROM changes WHERE call_id = @callId AND change IN ('recorderPaused', 'recorderResumed')
       ORDER BY id DESC LIMIT 1),
      'recorderResumed'))
    AND (@change <> 'pauseBegan' OR 'pauseBegan' <> coalesce(
      (SELECT change FROM changes WHERE call_id = @callId AND change IN ('pauseBegan', 'pauseEnded', 'pauseExpired')
       ORDER BY id DESC LIMIT 1),
      'pauseEnded'))
    ON CONFLICT (happening) WHERE happening IS NOT NULL DO NOTHING`);
  const selectSaid = sql(`SELECT * FROM said WHERE call_id = @id ORDER BY started_at NULLS FIRST, playback`);
  const selectChanges = sql(`SELECT * FROM changes WHERE call_id = @id ORDER BY id`);

  const insertUnwatched = sql(`
    INSERT INTO unwatched (call_id, from_at, to_at, heard_again_at, why, bridge, parties)
    VALUES (@callId, @from, @to, @heardAgainAt, @why, @bridge, @parties)
    ON CONFLICT (call_id, from_at, why) DO UPDATE SET
      to_at = excluded.to_at, heard_again_at = excluded.heard_again_at, parties = excluded.parties
    WHERE unwatched.judged IS NULL`);
  // What a process that has died has begun is over with what its successor has compared.
  const closeOlder = sql(`
    UPDATE unwatched SET to_at = @to, heard_again_at = @heardAgainAt
    WHERE call_id = @callId AND heard_again_at IS NULL AND judged IS NULL`);
  const selectUnwatched = sql(`SELECT * FROM unwatched WHERE call_id = @id ORDER BY from_at, id`);
  const updateJudged = sql(`UPDATE unwatched SET judged = @judged WHERE id = @id AND judged IS NULL`);
  const upsertWatch = sql(`
    INSERT INTO watches (serve, until) VALUES (@serve, @at) ON CONFLICT (serve) DO UPDATE SET until = excluded.until`);
  // `watch` has that of the only serve of an earlier release.
  const selectWatch = sql(`
    SELECT coalesce((SELECT until FROM watches WHERE serve = @serve), (SELECT until FROM watch)) AS until
    WHERE EXISTS (SELECT 1 FROM watches WHERE serve = @serve) OR EXISTS (SELECT 1 FROM watch)`);
  const own = watchedBy(here);
  const judgeUnwatched = writing(function* (judged: readonly { id: number; judged: Judgement }[]): Step<void> {
    for (const each of judged) yield* change(updateJudged, each);
  });

  const timelineOf = (callId: CallId): string => callId;
  // The call's next save writes it through.
  const addToTimeline = relaxed(function* (callId: CallId, entry: TimelineEntry, happening?: HappeningId): Step<void> {
    if (entry.kind === 'unwatched') {
      const { parties, ...interval } = entry.interval;
      yield* change(insertUnwatched, { callId, ...interval, parties: JSON.stringify(parties) });
      const { to, heardAgainAt } = interval;
      if (heardAgainAt !== null) yield* change(closeOlder, { callId, to, heardAgainAt });
      return;
    }
    if (entry.kind === 'change') {
      const { at, doneAt, party, newcomer } = entry;
      yield* change(insertChange, {
        callId,
        change: entry.change,
        at: at ?? null,
        doneAt: doneAt ?? null,
        party: party ?? null,
        newcomer: newcomer ?? null,
        happening: happening ?? null,
      });
      return;
    }
    const { sentence, startedAt, finishedAt, newcomer } = entry;
    const { id: prompt, kind, language, text, sha256, lengthMs } = sentence.prompt;
    yield* change(upsertSaid, {
      callId,
      playback: sentence.playbackId,
      kind,
      prompt,
      language,
      text,
      sha256,
      lengthMs,
      startedAt: startedAt ?? null,
      finishedAt: finishedAt ?? null,
      newcomer: newcomer ?? null,
    });
  }, timelineOf);

  return {
    addToTimeline,
    /** In the order in which they began. */
    *said(id: CallId): Step<SaidRow[]> {
      return z.array(saidRow).parse(yield* all(selectSaid, { id }));
    },
    /** In the order in which they were seen. */
    *changes(id: CallId): Step<ChangeRow[]> {
      return z.array(changeRow).parse(yield* all(selectChanges, { id }));
    },
    /** When nobody listened to this call, the first interval first. */
    *unwatched(id: CallId): Step<UnwatchedRow[]> {
      return z.array(unwatchedRow).parse(yield* all(selectUnwatched, { id }));
    },
    /** What was judged before stands. */
    judgeUnwatched,
    /**
     * Until when the process before, or this one, has seen every event.
     *
     * @param serve by watchedBy; of the other one of two workers, while that one's calls are had here
     */
    *watchedUntil(serve = own): Step<number | undefined> {
      return z
        .number()
        .optional()
        .parse(yield* value(selectWatch, { serve }));
    },
    saveWatchedUntil: relaxed(function* (at: number, serve = own): Step<void> {
      yield* change(upsertWatch, { serve, at });
    }),
  };
}
