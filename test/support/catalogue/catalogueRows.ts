import { encodeTime } from 'ulid';
import { openSqlite, type Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import { migrations } from '../../../src/catalogue/migrations.ts';
import type { RecordingId } from '../../../src/core/ids.ts';

/** Rows written straight into a catalogue, as a call would have left them. */

export const dayMs = 86_400_000;
export const callEnd = Date.UTC(2026, 7, 24, 10);

/** The n-th id: rising with n, and of the time of the calls. */
export function idOf(number: number): RecordingId {
  return `${encodeTime(callEnd - 60_000)}${String(number).padStart(16, '0')}` as RecordingId;
}

/** A catalogue of an earlier schema: only the first `steps` migrations. */
export function oldCatalogue(file: string, steps: number): Database {
  const database = openSqlite(file);
  // Nothing waits for the disk but what is tested.
  database.pragma('synchronous = OFF');
  for (const sql of migrations.slice(0, steps)) database.exec(sql);
  database.pragma(`user_version = ${steps}`);
  database.pragma('application_id = 0x70726176');

  return database;
}

export type RowOptions = {
  number: number;
  purposes?: readonly string[];
  policy?: string;
  status?: string;
  keepDays?: number;
  keepUntil?: number | null;
};

const literal = (value: string | number | null): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
const listed = (values: readonly (string | number | null)[]): string => values.map(literal).join(', ');

/** As SQL of both databases, as the rows of calls are below. */
export function policySql(version: string, keepDays: Record<string, number>): string {
  const purposes = Object.fromEntries(
    Object.entries(keepDays).map(([id, days]) => [
      id,
      { justification: `why ${id}`, legalBasis: 'law', keepDays: days },
    ]),
  );

  return `INSERT INTO policies (version, content) VALUES (${listed([version, JSON.stringify({ purposes })])});`;
}

/** A call that has ended and its recording, with the same number as id. */
export function recordingSql(options: RowOptions): string {
  const {
    number,
    purposes = ['training', 'agreement'],
    policy = 'one',
    status = 'recording',
    keepDays = 395,
    keepUntil = null,
  } = options;
  const id = idOf(number);
  const call = [id, callEnd - 60_000, callEnd, policy, '22.5.2', 'node', 'default', JSON.stringify(purposes)];
  const recording = [id, id, status, callEnd - 40_000, callEnd - 30_000, callEnd, keepDays, keepUntil];

  return `
    INSERT INTO calls (id, started_at, ended_at, policy_version, asterisk_version, asterisk_node, line, purposes,
      languages, language_reason, phase, result)
    VALUES (${listed(call)}, '["fr"]', 'line', 'ended', 'recorded');
    INSERT INTO recordings (id, call_id, status, notice_finished_at, started_at, finished_at, keep_days, keep_until)
    VALUES (${listed(recording)});`;
}

export function insertPolicy(database: Database, ...policy: Parameters<typeof policySql>): void {
  database.exec(policySql(...policy));
}

export function insertRecording(database: Database, options: RowOptions): RecordingId {
  database.exec(recordingSql(options));

  return idOf(options.number);
}
