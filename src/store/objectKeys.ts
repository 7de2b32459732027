import type { RecordingRow } from '../catalogue/rows.ts';
import { isoTime } from '../core/clock.ts';
import { isUlid, type RecordingId } from '../core/ids.ts';
import { PreavisError } from '../core/errors.ts';

export type ObjectKeys = {
  /** The recording. */
  wav: string;
  /** The proof that belongs to it. */
  receipt: string;
};

/**
 * Where a recording and its receipt lie in the archive. The day is in UTC. A key holds the day and an id without meaning,
 * no personal data (P7): keys appear in access logs that erasure does not reach.
 * @param startedAtMs start of the recording, milliseconds since 1970 UTC
 * @throws PreavisError `internal` for an id that is not one of ours or a time outside the years 1970 to 9999.
 */
export function objectKeys(recordingId: RecordingId, startedAtMs: number): ObjectKeys {
  if (!isUlid(recordingId)) throw new PreavisError('internal', 'A recording id is not a ULID.');
  if (!Number.isFinite(startedAtMs) || startedAtMs < 0 || startedAtMs > Date.UTC(9999, 11, 31)) {
    throw new PreavisError('internal', 'The start of a recording is not a time in milliseconds.');
  }
  const [year = '', month = '', day = ''] = isoTime(startedAtMs).slice(0, 10).split('-');
  const base = `recordings/${year}/${month}/${day}/${recordingId}`;
  return { wav: `${base}.wav`, receipt: `${base}.json` };
}

/** Where all objects of recordings lie. */
export const objectPrefix = 'recordings/';

const keyPattern = /^recordings\/\d{4}\/\d{2}\/\d{2}\/(?<id>[^/]+)\.(?:wav|json)$/;

/** The id in the key of a recording's object; undefined for a key that is not of our making. */
export function idOfKey(key: string): RecordingId | undefined {
  const id = keyPattern.exec(key)?.groups?.['id'];

  return id !== undefined && isUlid(id) ? (id as RecordingId) : undefined;
}

/** Where a recording lies in the archive, or would. */
export function keysOf(
  row: Pick<RecordingRow, 'id' | 'startedAt' | 'noticeFinishedAt' | 'objectKey' | 'receiptKey'>,
): ObjectKeys {
  const computed = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt);

  return { wav: row.objectKey ?? computed.wav, receipt: row.receiptKey ?? computed.receipt };
}
