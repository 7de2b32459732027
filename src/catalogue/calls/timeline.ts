import type Database from 'better-sqlite3';
import * as z from 'zod';
import type { TimelineEntry } from '../../call/watch/timeline.ts';
import type { CallId } from '../../core/ids.ts';
import {
  changeRow,
  saidRow,
  unwatchedRow,
  type ChangeRow,
  type Judgement,
  type SaidRow,
  type UnwatchedRow,
} from '../rows.ts';
import { relaxedSync } from '../sqlite/relaxedSync.ts';
import { writing } from '../sqlite/writing.ts';

/** The tables `said`, `changes` and `unwatched`: what happened in a call that decided nothing, for its receipt; and `watch`. */
// eslint-disable-next-line max-lines-per-function -- A list: each statement beside the method that runs it.
export function makeTimeline(database: Database.Database) {
  const upsertSaid = database.prepare(`
    INSERT INTO said (call_id, playback, kind, prompt, language, text, sha256, length_ms, started_at, finished_at, newcomer)
    VALUES (@callId, @playback, @kind, @prompt, @language, @text, @sha256, @lengthMs, @startedAt, @finishedAt, @newcomer)
    ON CONFLICT (call_id, playback) DO UPDATE SET
      started_at = coalesce(excluded.started_at, started_at), finished_at = excluded.finished_at`);
  // Asked for again after a restart, a pause is none but the one that is known.
  const insertChange = database.prepare(`
    INSERT INTO changes (call_id, change, at, done_at, party, newcomer)
    SELECT @callId, @change, @at, @doneAt, @party, @newcomer
    WHERE (@change NOT IN ('recorderPaused', 'recorderResumed') OR @change <> coalesce(
      (SELECT change FROM changes WHERE call_id = @callId AND change IN ('recorderPaused', 'recorderResumed')
       ORDER BY id DESC LIMIT 1),
      'recorderResumed'))
    AND (@change <> 'pauseBegan' OR 'pauseBegan' <> coalesce(
      (SELECT change FROM changes WHERE call_id = @callId AND change IN ('pauseBegan', 'pauseEnded', 'pauseExpired')
       ORDER BY id DESC LIMIT 1),
      'pauseEnded'))`);
  const selectSaid = database.prepare(`SELECT * FROM said WHERE call_id = ? ORDER BY started_at, playback`);
  const selectChanges = database.prepare(`SELECT * FROM changes WHERE call_id = ? ORDER BY id`);

  const insertUnwatched = database.prepare(`
    INSERT INTO unwatched (call_id, from_at, to_at, heard_again_at, why, bridge, parties)
    VALUES (@callId, @from, @to, @heardAgainAt, @why, @bridge, @parties)
    ON CONFLICT (call_id, from_at, why) DO UPDATE SET
      to_at = excluded.to_at, heard_again_at = excluded.heard_again_at, parties = excluded.parties
    WHERE judged IS NULL`);
  // What a process that has died has begun is over with what its successor has compared.
  const closeOlder = database.prepare(`
    UPDATE unwatched SET to_at = @to, heard_again_at = @heardAgainAt
    WHERE call_id = @callId AND heard_again_at IS NULL AND judged IS NULL`);
  const selectUnwatched = database.prepare(`SELECT * FROM unwatched WHERE call_id = ? ORDER BY from_at, id`);
  const updateJudged = database.prepare(`UPDATE unwatched SET judged = @judged WHERE id = @id AND judged IS NULL`);
  // `ahead_ms`, by which a clock was ahead, is asked for no more.
  const upsertWatch = database.prepare(`INSERT OR REPLACE INTO watch (id, until, ahead_ms) VALUES (1, ?, 0)`);
  const selectWatch = database.prepare(`SELECT until FROM watch`).pluck();
  const judgeUnwatched = writing(database, (judged: readonly { id: number; judged: Judgement }[]): void => {
    for (const each of judged) updateJudged.run(each);
  });

  const keep = (callId: CallId, entry: TimelineEntry): void => {
    if (entry.kind === 'unwatched') {
      const { parties, ...interval } = entry.interval;
      insertUnwatched.run({ callId, ...interval, parties: JSON.stringify(parties) });
      const { to, heardAgainAt } = interval;
      if (heardAgainAt !== null) closeOlder.run({ callId, to, heardAgainAt });
      return;
    }
    if (entry.kind === 'change') {
      const { change, at, doneAt, party, newcomer } = entry;
      insertChange.run({
        callId,
        change,
        at: at ?? null,
        doneAt: doneAt ?? null,
        party: party ?? null,
        newcomer: newcomer ?? null,
      });
      return;
    }
    const { sentence, startedAt, finishedAt, newcomer } = entry;
    const { id: prompt, kind, language, text, sha256, lengthMs } = sentence.prompt;
    upsertSaid.run({
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
  };

  return {
    addToTimeline: (callId: CallId, entry: TimelineEntry): void => {
      // The call's next save writes it through.
      relaxedSync(database, () => {
        keep(callId, entry);
      });
    },
    /** In the order in which they began. */
    said: (id: CallId): SaidRow[] => z.array(saidRow).parse(selectSaid.all(id)),
    /** In the order in which they were seen. */
    changes: (id: CallId): ChangeRow[] => z.array(changeRow).parse(selectChanges.all(id)),
    /** When nobody listened to this call, the first interval first. */
    unwatched: (id: CallId): UnwatchedRow[] => z.array(unwatchedRow).parse(selectUnwatched.all(id)),
    /** What was judged before stands. */
    judgeUnwatched,
    /** Until when the process before, or this one, has seen every event. */
    watchedUntil: (): number | undefined => z.number().optional().parse(selectWatch.get()),
    saveWatchedUntil: (at: number): void => {
      relaxedSync(database, () => upsertWatch.run(at));
    },
  };
}
