/** A catalogue with very many rows, written past Préavis in one transaction: what years of calls leave. */
import { openCatalogue } from '../src/catalogue/catalogue.ts';
import { openSqlite } from '../src/catalogue/sqlite/sqlite.ts';
import { systemClock } from '../src/core/clock.ts';
import type { RecordingId } from '../src/core/ids.ts';

const dayMs = 86_400_000;

/** The n-th id: rising with n. */
export function idOf(number: number): RecordingId {
  return `01K${String(number).padStart(23, '0')}` as RecordingId;
}

/** The object key of the n-th recording, without its ending. */
export function keyOf(number: number): string {
  return `recordings/2025/01/01/${idOf(number)}`;
}

export type ManyRows = { rows: number; due: number; now: number; archive: string };

/** `due` of the recordings, spread evenly over all of them, are over since a day; the others are kept for a year. */
export function isDue(number: number, { rows, due }: Pick<ManyRows, 'rows' | 'due'>): boolean {
  return due > 0 && number % Math.floor(rows / due) === 0;
}

export function makeManyRows(file: string, options: ManyRows): void {
  const { rows, now, archive } = options;
  openCatalogue(file, systemClock).close();
  const database = openSqlite(file);
  const policy = { purposes: { training: { justification: 'bench', legalBasis: 'bench', keepDays: 28 } } };
  database.prepare(`INSERT INTO policies VALUES ('bench', ?)`).run(JSON.stringify(policy));
  const call = database.prepare(`
    INSERT INTO calls (id, started_at, ended_at, policy_version, asterisk_version, asterisk_node, line, purposes, languages,
      language_reason, phase, result, witness)
    VALUES (?, ?, ?, 'bench', '22.5.2', 'node', 'default', '["training"]', '["fr"]', 'line', 'ended', 'recorded', 'unavailable')`);
  const recording = database.prepare(`
    INSERT INTO recordings (id, call_id, status, notice_finished_at, started_at, finished_at, keep_days, keep_until, bytes,
      duration_ms, sha256, archive, object_key, receipt_key)
    VALUES (@id, @id, 'archived', @at, @at, @at, 28, @until, 1000, 1000, @sha256, @archive, @wav, @receipt)`);
  const end = database.prepare(`INSERT INTO recording_purposes VALUES (?, 'training', ?)`);
  database.transaction(() => {
    for (let number = 1; number <= rows; number += 1) {
      const id = idOf(number);
      const at = now - 60 * dayMs;
      const until = isDue(number, options) ? now - dayMs : now + 365 * dayMs;
      call.run(id, at, at);
      const key = keyOf(number);
      recording.run({ id, at, until, sha256: 'a'.repeat(64), archive, wav: `${key}.wav`, receipt: `${key}.json` });
      end.run(id, until);
    }
  })();
  database.exec('ANALYZE');
  database.close();
}
