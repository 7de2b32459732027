import type Database from 'better-sqlite3';
import { z } from 'zod';
import type { Happening } from '../call/ports.ts';
import type { CallId } from '../core/ids.ts';
import { changeRow, saidRow, type ChangeRow, type SaidRow } from './rows.ts';
import { unhurried } from './unhurried.ts';

/** The tables `said` and `changes`: what happened in a call that decided nothing, for its receipt. */
export function makeHappenings(database: Database.Database) {
  const upsertSaid = database.prepare(`
    INSERT INTO said (call_id, playback, kind, prompt, language, text, sha256, length_ms, started_at, finished_at)
    VALUES (@callId, @playback, @kind, @prompt, @language, @text, @sha256, @lengthMs, @startedAt, @finishedAt)
    ON CONFLICT (call_id, playback) DO UPDATE SET
      started_at = coalesce(excluded.started_at, started_at), finished_at = excluded.finished_at`);
  // Asked for again after a restart, a pause is none but the one that is known.
  const insertChange = database.prepare(`
    INSERT INTO changes (call_id, change, at, party) SELECT @callId, @change, @at, @party
    WHERE @change NOT IN ('recorderPaused', 'recorderResumed') OR @change <> coalesce(
      (SELECT change FROM changes WHERE call_id = @callId AND change IN ('recorderPaused', 'recorderResumed')
       ORDER BY id DESC LIMIT 1),
      'recorderResumed')`);
  const selectSaid = database.prepare(`SELECT * FROM said WHERE call_id = ? ORDER BY started_at, playback`);
  const selectChanges = database.prepare(`SELECT * FROM changes WHERE call_id = ? ORDER BY id`);

  const keep = (callId: CallId, happening: Happening): void => {
    if (happening.kind === 'change') {
      const { change, at, party } = happening;
      insertChange.run({ callId, change, at: at ?? null, party: party ?? null });
      return;
    }
    const { sentence, startedAt, finishedAt } = happening;
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
    });
  };

  return {
    keepHappening: (callId: CallId, happening: Happening): void => {
      // The call's next save writes it through.
      unhurried(database, () => {
        keep(callId, happening);
      });
    },
    /** In the order in which they began. */
    said: (id: CallId): SaidRow[] => z.array(saidRow).parse(selectSaid.all(id)),
    /** In the order in which they were seen. */
    changes: (id: CallId): ChangeRow[] => z.array(changeRow).parse(selectChanges.all(id)),
  };
}
