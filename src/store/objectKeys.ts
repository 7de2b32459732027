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

const controllerPattern = '[a-z][a-z0-9-]{0,39}';
const isController = new RegExp(`^${controllerPattern}$`);

/**
 * Where a recording and its receipt lie in the archive. The day is in UTC. A key holds the day and an id without meaning,
 * and before them the name of the company whose recording it is, where it is one of `controllers`; no personal data (P7): keys appear in
 * access logs that erasure does not reach.
 * @param startedAtMs start of the recording, milliseconds since 1970 UTC
 * @throws PreavisError `internal` for an id or a name that is not one of ours, or a time outside the years 1970 to 9999.
 */
export function objectKeys(
  recordingId: RecordingId,
  startedAtMs: number,
  controller: string | null = null,
): ObjectKeys {
  if (!isUlid(recordingId)) throw new PreavisError('internal', 'A recording id is not a ULID.');
  if (!Number.isFinite(startedAtMs) || startedAtMs < 0 || startedAtMs > Date.UTC(9999, 11, 31)) {
    throw new PreavisError('internal', 'The start of a recording is not a time in milliseconds.');
  }
  if (controller !== null && !isController.test(controller)) {
    throw new PreavisError('internal', 'The name of a controller is not one of ours.');
  }
  const [year = '', month = '', day = ''] = isoTime(startedAtMs).slice(0, 10).split('-');
  const folder = controller === null ? objectPrefix : prefixOf(controller);
  const base = `${folder}${year}/${month}/${day}/${recordingId}`;
  return { wav: `${base}.wav`, receipt: `${base}.json` };
}

/** Where all objects of recordings lie. */
export const objectPrefix = 'recordings/';

/** Where those of one of `controllers` lie: a name begins with a letter, and a year does not. */
export const prefixOf = (controller: string): string => `${objectPrefix}${controller}/`;

const keyPattern = new RegExp(
  `^${objectPrefix}(?:${controllerPattern}/)?\\d{4}/\\d{2}/\\d{2}/(?<id>[^/]+)\\.(?:wav|json)$`,
);

/** The id in the key of a recording's object; undefined for a key that is not of our making. */
export function idOfKey(key: string): RecordingId | undefined {
  const id = keyPattern.exec(key)?.groups?.['id'];

  return id !== undefined && isUlid(id) ? (id as RecordingId) : undefined;
}

/** Where a recording lies in the archive, or would. */
export function keysOf(
  row: Pick<RecordingRow, 'id' | 'controller' | 'startedAt' | 'noticeFinishedAt' | 'objectKey' | 'receiptKey'>,
): ObjectKeys {
  const computed = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt, row.controller);

  return { wav: row.objectKey ?? computed.wav, receipt: row.receiptKey ?? computed.receipt };
}
