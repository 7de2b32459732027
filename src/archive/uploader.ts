import pLimit from 'p-limit';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/lease.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { RecordingId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { textDigest } from './digest.ts';
import { objectKeys } from './objectKey.ts';
import { removeSpooled, spooledRecordings, spoolFile } from './spool.ts';
import type { Digest, ObjectStore, StoredObject } from './store.ts';

/**
 * Sends finished recordings to the archive, oldest first. For each: store the WAV, read it back whole, store the receipt,
 * read it back, move the row to `archived`, and only then remove the local file (P4). Killed at any point, the next pass
 * goes on: what is already stored with the right bytes is not sent again, and a local file that was left is removed.
 */
export type UploadPorts = {
  catalogue: Pick<Catalogue, 'sendable' | 'move' | 'postpone' | 'recording' | 'counts' | 'takeLease' | 'releaseLease'>;
  store: ObjectStore;
  spoolFolder: string;
  /** The receipt of a recording, as JSON text. */
  receiptOf: (id: RecordingId) => Promise<string>;
  clock: Clock;
  /** From 0 to 1, for the jitter of waits. */
  random: () => number;
  log: Logger;
  actor: string;
  atOnce: number;
  attemptMs: number;
};

export type UploadResult = {
  sent: number;
  bytes: number;
  /** Still in the spool after this pass. */
  waiting: number;
  /** What kept them there, by error code. */
  failures: Partial<Record<ErrorCode, number>>;
};

export type UploadOptions = {
  /** How long to wait for a pass of another process, ms. */
  waitMs: number;
  /** Ends the pass after the attempts under way. */
  signal: AbortSignal;
  /** Also tries those whose next attempt is not due yet. */
  all?: boolean;
  progress?: (done: number) => void;
};

const firstWaitMs = 30_000;
const longestWaitMs = 15 * 60_000;
const batch = 1_000;

/** Wait before the next attempt, ms: doubling from 30 s to 15 min, with a jitter of up to a quarter. */
export function retryWaitMs(attempts: number, random: number): number {
  return Math.min(firstWaitMs * 2 ** attempts, longestWaitMs) * (1 + random / 4);
}

/** With these the archive as a whole does not work: one attempt is enough. */
export const hopeless: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_unreachable',
  'archive_denied',
  'archive_bucket_missing',
  'archive_not_mounted',
]);

export async function uploadPass(ports: UploadPorts, options: UploadOptions): Promise<UploadResult> {
  return withLease(ports.catalogue, 'upload', options.waitMs, async () => {
    await removeLeftovers(ports, options.signal);
    const at = options.all === true ? Number.MAX_SAFE_INTEGER : ports.clock.now();
    const result: UploadResult = { sent: 0, bytes: 0, waiting: 0, failures: {} };
    const limit = pLimit(ports.atOnce);
    let stoppedBy: ErrorCode | undefined;
    let done = 0;
    let after = '';
    const attempt = async (row: RecordingRow): Promise<void> => {
      if (options.signal.aborted || stoppedBy !== undefined) return;
      try {
        const bytes = await archiveOne(row, ports, options.signal);
        result.sent += 1;
        result.bytes += bytes;
      } catch (thrown) {
        const error = asPreavisError(thrown);
        await undoIfErased(row, ports);
        if (hopeless.has(error.code)) stoppedBy = error.code;
        result.failures[error.code] = (result.failures[error.code] ?? 0) + 1;
        await setAside(row, error, ports);
      }
      options.progress?.((done += 1));
    };
    for (;;) {
      const rows = await ports.catalogue.sendable(at, after, batch);
      await Promise.all(rows.map((row) => limit(() => attempt(row))));
      after = rows.at(-1)?.id ?? after;
      if (rows.length < batch || options.signal.aborted || stoppedBy !== undefined) break;
    }
    result.waiting = (await ports.catalogue.counts()).recorded ?? 0;

    return result;
  });
}

/** A crash between `archived` and the removal leaves a WAV that the archive already holds, which is read back again before it goes. */
async function removeLeftovers(ports: UploadPorts, stop: AbortSignal): Promise<void> {
  const { catalogue, spoolFolder, log } = ports;
  for (const id of await spooledRecordings(spoolFolder)) {
    const row = await catalogue.recording(id);
    if (row?.status !== 'archived' && row?.status !== 'erased' && row?.status !== 'discarded') continue;
    if (row.status === 'archived' && !(await isStillArchived(row, ports, stop))) continue;
    await removeSpooled(spoolFolder, id);
    log.info({ recording: id, status: row.status }, 'removed a local file that was to be gone');
  }
}

/** False, with an alarm, where that cannot be seen: no other upload waits for it. */
async function isStillArchived(row: RecordingRow, ports: UploadPorts, stop: AbortSignal): Promise<boolean> {
  const { store, attemptMs, log } = ports;
  const { id, objectKey, bytes, sha256, archive } = row;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(attemptMs)]);
  let code: ErrorCode | undefined;
  try {
    const stored = objectKey === null || archive !== store.location ? undefined : await store.stat(objectKey);
    const expected = bytes === null || sha256 === null ? undefined : { bytes, sha256 };
    if (stored !== undefined && objectKey !== null && expected !== undefined) {
      if (await isSame(store, objectKey, stored, expected, signal)) return true;
    }
  } catch (thrown) {
    stop.throwIfAborted();
    ({ code } = asPreavisError(thrown));
  }
  log.error({ recording: id, code }, 'the archive does not show an archived recording whole; its local file is kept');

  return false;
}

async function archiveOne(row: RecordingRow, ports: UploadPorts, stop: AbortSignal): Promise<number> {
  const { catalogue, store, spoolFolder, actor, attemptMs } = ports;
  const { bytes, sha256 } = row;
  if (bytes === null || sha256 === null) throw new PreavisError('internal', 'a finished recording has no digest');
  const keys = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt);
  const signal = AbortSignal.any([stop, AbortSignal.timeout(attemptMs)]);

  const put = (): Promise<StoredObject> =>
    store.putFile(keys.wav, spoolFile(spoolFolder, row.id), { bytes, sha256, contentType: 'audio/wav' }, signal);
  failPoint?.('upload, before the WAV');
  const stored = await storeAndReadBack(store, keys.wav, { bytes, sha256 }, put, signal);
  failPoint?.('upload, WAV read back');

  const receipt = await ports.receiptOf(row.id);
  const digest = textDigest(receipt);
  const putReceipt = (): Promise<StoredObject> => store.putText(keys.receipt, receipt, 'application/json', signal);
  await storeAndReadBack(store, keys.receipt, digest, putReceipt, signal);
  failPoint?.('upload, receipt read back');

  await catalogue.move(
    row.id,
    'recorded',
    'archived',
    {
      archive: store.location,
      objectKey: keys.wav,
      objectVersion: stored.versionId,
      receiptKey: keys.receipt,
      receipt,
    },
    { event: 'stored and read back', actor, detail: { bytes, sha256, version: stored.versionId } },
  );
  failPoint?.('upload, archived');
  await removeSpooled(spoolFolder, row.id);
  failPoint?.('upload, local file removed');
  ports.log.info({ recording: row.id, bytes }, 'recording archived');

  return bytes;
}

/** Retention may have erased a recording while it was being sent: then nothing of it may stay in the archive. */
async function undoIfErased(row: RecordingRow, { catalogue, store, log }: UploadPorts): Promise<void> {
  try {
    if ((await catalogue.recording(row.id))?.status !== 'erased') return;
    const keys = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt);
    await store.erase(keys.wav);
    await store.erase(keys.receipt);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    log.error({ recording: row.id, code: error.code, err: error }, 'an erased recording may be left in the archive');
  }
}

async function storeAndReadBack(
  store: ObjectStore,
  key: string,
  expected: Digest,
  put: () => Promise<StoredObject>,
  signal: AbortSignal,
): Promise<StoredObject> {
  const existing = await store.stat(key);
  if (existing !== undefined && (await isSame(store, key, existing, expected, signal))) return existing;
  const stored = await put();
  failPoint?.('upload, stored and not read back');
  if (!(await isSame(store, key, stored, expected, signal))) {
    throw new PreavisError('archive_mismatch', 'an object that was read back is not what was sent');
  }

  return stored;
}

async function isSame(
  store: ObjectStore,
  key: string,
  stored: StoredObject,
  expected: Digest,
  signal: AbortSignal,
): Promise<boolean> {
  if (stored.bytes !== expected.bytes) return false;
  const digest = await store.digest(key, stored.versionId, signal);

  return digest.bytes === expected.bytes && digest.sha256 === expected.sha256;
}

/** The recording waits in the spool for as long as it takes. */
async function setAside(row: RecordingRow, error: PreavisError, ports: UploadPorts): Promise<void> {
  const { catalogue, log, clock, random, spoolFolder } = ports;
  if (error.code === 'status_conflict') return;
  // The archive as a whole is away: the next pass tries every recording again.
  if (hopeless.has(error.code)) {
    log.warn({ recording: row.id, code: error.code, err: error }, 'the archive does not work; recordings wait');
    return;
  }
  if (!(await spooledRecordings(spoolFolder)).includes(row.id)) {
    // It may be a folder that is not mounted: the recording waits, and the alarm is raised at each attempt.
    log.error({ recording: row.id }, 'the file of a recording has vanished');
  }
  await catalogue.postpone(row.id, Math.round(clock.now() + retryWaitMs(row.attempts, random())));
  log.warn({ recording: row.id, code: error.code, err: error }, 'a recording could not be archived and waits');
}
