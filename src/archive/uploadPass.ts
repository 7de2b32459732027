import pLimit from 'p-limit';
import { everyArchive, type Archives } from './archives.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import { undefinedIfUnreadable } from '../catalogue/catalogue.ts';
import { withLease } from '../catalogue/jobs/lease.ts';
import { localLease } from '../catalogue/jobs/leases.ts';
import type { RecordingRow } from '../catalogue/rows.ts';
import type { PurposeLock } from '../config/objectLockModes.ts';
import type { Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import type { StoredObject } from '../store/store.ts';
import type { RecordingId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { backoffMs } from '../core/backoff.ts';
import { singleFlight } from '../core/singleFlight.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { recordedDigest } from '../store/digest.ts';
import { lockDetail, makeUploadLocks, type UploadLocks } from './lockUploads.ts';
import { objectKeys } from '../store/objectKeys.ts';
import { isSame, storeAndReadBack } from './storeAndVerify.ts';
import { placeReceipt } from './storedReceipt.ts';
import { removeSpooled, spooledRecordings, spoolFile } from './finish/spool.ts';
import { within } from '../store/stoppable.ts';

/**
 * Sends finished recordings to the archive, oldest first. For each: store the WAV, read it back whole, store the receipt,
 * read it back, lock both where a purpose asks for it, move the row to `archived`, and only then remove the local file (P4).
 * Killed at any point, the next pass goes on: what is already stored with the right bytes is not sent again, and a local file that was left is removed.
 *
 * A failure is that of the archive or that of one recording. The archive is asked which, with a small object: when it does
 * not take that either, the pass ends and nobody is postponed; else the recording alone waits, ever longer, and holds up no
 * other.
 */
export type UploadPorts = Archives & {
  catalogue: CataloguePart<{
    recordings: 'sendable' | 'move' | 'postpone' | 'find' | 'purposeEnds' | 'waitingHere';
    auditTrail: 'append';
    leases: 'take' | 'renew' | 'release';
    passes: 'noteDone';
  }>;
  spoolFolder: string;
  /** Whose spool it is, where the PBX has a name. */
  pbx?: string | undefined;
  /** The Object Lock that each purpose asks for; one that is not in it asks for none. */
  locks: ReadonlyMap<string, PurposeLock>;
  /** The receipt of a recording, as JSON text. */
  receiptOf: (id: RecordingId) => Promise<string>;
  clock: Clock;
  /** From 0 to 1, for the jitter of waits. */
  random: () => number;
  log: Logger;
  actor: string;
  atOnce: number;
  attemptMs: number;
  /** Whether what its status says that is gone may be removed: the status alone has nothing removed. */
  isRemovalProved: (row: Pick<RecordingRow, 'id' | 'status'>) => Promise<boolean>;
  /** What an alarm was raised for by earlier passes of this process, which is not to be logged again. */
  alreadyLogged: Set<string>;
};

export type UploadResult = {
  sent: number;
  bytes: number;
  /** Still in the spool after this pass. */
  waiting: number;
  /** What kept them there, by error code. */
  failures: Partial<Record<ErrorCode, number>>;
  /** Those of them that wait alone, while the archive works. */
  aside: { recording: RecordingId; error: PreavisError }[];
  /** Something else lay there, and is kept as an earlier version. */
  covered: RecordingId[];
  /** What this pass has seen of the archive as a whole; `unknown` when there was nothing to send. */
  archive: { state: 'working' } | { state: 'unknown' } | { state: 'failing'; error: PreavisError };
};

export type UploadOptions = {
  /** How long to wait for a pass of another process, ms. */
  waitMs: number;
  /** Ends the pass after the attempts under way. */
  signal: AbortSignal;
  /** Also tries those whose next attempt is not due yet. */
  all?: boolean;
  /** Asks the archive whether it works, also when there is nothing to send. */
  ask?: boolean;
  progress?: (done: number) => void;
};

/** Between attempts to store one recording. */
export const uploadWaits = { firstMs: 30_000, longestMs: 15 * 60_000 };
const batch = 1_000;
/** Recordings that a pass names one by one; the others are counted. */
const mostTold = 100;
/** For asking the archive whether it works, ms. */
const askLimitMs = 60_000;
/** A failure that may pass by itself is an alarm when it came so many times in a row. */
const attemptsToAlarm = 3;

/** These are of the archive as a whole, without asking it. */
const ofArchive: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_bucket_missing',
  'archive_not_mounted',
  'archive_full',
]);
/** These are of one recording, without asking the archive. */
const ofRecording: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_occupied',
  'archive_unprotected',
  'archive_lock_failed',
  'spool_unusable',
  'internal',
]);
/** For the metrics: what a recording waits for most often, so that each begins at 0. Others are counted when they come. */
export const uploadFailures = [
  'archive_unreachable',
  'archive_denied',
  'archive_failed',
  'archive_mismatch',
  'archive_occupied',
  'archive_unprotected',
  'archive_lock_failed',
  'spool_unusable',
  'internal',
] as const satisfies readonly ErrorCode[];
/** These do not pass by themselves: the first one is an alarm. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_mismatch',
  'archive_occupied',
  'archive_unprotected',
  'archive_lock_failed',
  'spool_unusable',
]);

/** Throws job_busy, and what the catalogue and the spool folder throw. */
export async function uploadPass(ports: UploadPorts, options: UploadOptions): Promise<UploadResult> {
  return withLease(ports.catalogue, localLease('upload', ports.pbx), options.waitMs, (catalogue) =>
    new UploadPass({ ...ports, catalogue }, options).run(),
  );
}

class UploadPass {
  readonly #ports: UploadPorts;
  readonly #options: UploadOptions;
  readonly #result: UploadResult = {
    sent: 0,
    bytes: 0,
    waiting: 0,
    failures: {},
    aside: [],
    covered: [],
    archive: { state: 'unknown' },
  };
  #done = 0;
  /** What broke in Préavis itself: nothing more is begun, and it is thrown once nothing is under way. */
  #broken: PreavisError | undefined;
  /** Whether the archive has locks to give, asked at most once. */
  readonly #locks: UploadLocks;
  /** Attempts that fail at the same time ask once. */
  readonly #ask = singleFlight(() => this.#askArchive());

  constructor(ports: UploadPorts, options: UploadOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#locks = makeUploadLocks(ports);
  }

  async run(): Promise<UploadResult> {
    const { catalogue, clock, atOnce } = this.#ports;
    const at = this.#options.all === true ? Number.MAX_SAFE_INTEGER : clock.now();
    const limit = pLimit(atOnce);
    for (let after = ''; ;) {
      const rows = await catalogue.recordings.sendable(at, after, batch);
      await Promise.all(rows.map((row) => limit(() => this.#attempt(row))));
      after = rows.at(-1)?.id ?? after;
      if (rows.length < batch || this.#isOver()) break;
    }
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#options.ask === true && this.#result.archive.state === 'unknown' && !this.#isOver()) await this.#ask();
    if (!this.#isOver()) await removeLeftovers(this.#ports, this.#options.signal);
    this.#result.waiting = (await catalogue.recordings.waitingHere()).reduce((sum, { count }) => sum + count, 0);
    if (!this.#isOver()) await catalogue.passes.noteDone('upload', clock.now());

    return this.#result;
  }

  #isOver(): boolean {
    return this.#options.signal.aborted || this.#broken !== undefined || this.#result.archive.state === 'failing';
  }

  async #attempt(row: RecordingRow): Promise<void> {
    if (this.#isOver()) return;
    try {
      const bytes = await archiveOne(row, this.#ports, this.#locks, this.#result.covered, this.#options.signal);
      this.#result.sent += 1;
      this.#result.bytes += bytes;
      if (this.#result.archive.state === 'unknown') this.#result.archive = { state: 'working' };
    } catch (thrown) {
      await this.#failed(row, asPreavisError(thrown)).catch((error: unknown) => {
        this.#broken ??= asPreavisError(error);
      });
    }
    this.#options.progress?.((this.#done += 1));
  }

  async #failed(row: RecordingRow, error: PreavisError): Promise<void> {
    await undoIfErased(row, this.#ports);
    // Cut short by the end of this process: that says nothing of the archive.
    if (this.#options.signal.aborted) return;
    const { failures } = this.#result;
    failures[error.code] = (failures[error.code] ?? 0) + 1;
    if (error.code === 'status_conflict') return;
    if (ofArchive.has(error.code)) this.#result.archive = { state: 'failing', error };
    else if (!ofRecording.has(error.code)) await this.#ask();
    if (this.#isOver()) return;
    if (this.#result.aside.length < mostTold) this.#result.aside.push({ recording: row.id, error });
    await setAside(row, error, this.#ports);
  }

  async #askArchive(): Promise<void> {
    const { signal } = this.#options;
    try {
      const limit = AbortSignal.any([signal, timeLimit(askLimitMs)]);
      await within(limit, () => this.#ports.store.check({ create: false }));
      if (this.#result.archive.state === 'unknown') this.#result.archive = { state: 'working' };
    } catch (thrown) {
      if (!signal.aborted) this.#result.archive = { state: 'failing', error: asPreavisError(thrown) };
    }
  }
}

/** A crash between `archived` and the removal leaves a WAV that the archive already holds, which is read back again before it goes. */
async function removeLeftovers(ports: UploadPorts, stop: AbortSignal): Promise<void> {
  const { catalogue, spoolFolder, log } = ports;
  for (const id of await spooledRecordings(spoolFolder)) {
    if (stop.aborted) return;
    const row = await catalogue.recordings.find(id).catch(undefinedIfUnreadable);
    if (row?.status !== 'archived' && row?.status !== 'erased' && row?.status !== 'discarded') continue;
    // What could not be removed is not read back for it again and again.
    if (ports.alreadyLogged.has(`left ${id}`)) continue;
    if (row.status === 'archived' && !(await isStillArchived(row, ports, stop))) continue;
    const { status } = row;
    if (status !== 'archived' && !(await ports.isRemovalProved(row))) {
      logOnce(ports, `unproved ${id}`, () => {
        log.error(
          { recording: id },
          status === 'erased'
            ? 'local file kept: no certificate for erased recording'
            : 'local file kept: no audit entry for discarded recording',
        );
      });
      continue;
    }
    try {
      await removeSpooled(spoolFolder, id);
    } catch (thrown) {
      const { code } = asPreavisError(thrown);
      logOnce(ports, `left ${id}`, () => {
        log.error({ recording: id, status: row.status, code, err: thrown }, 'local file not deleted');
      });
      continue;
    }
    log.info({ recording: id, status: row.status }, 'local file deleted');
  }
}

/** False, with an alarm, where that cannot be seen: no other upload waits for it. */
async function isStillArchived(row: RecordingRow, ports: UploadPorts, stop: AbortSignal): Promise<boolean> {
  const { attemptMs, log } = ports;
  const { id, objectKey, bytes, sha256, archive } = row;
  const store = everyArchive(ports).find(({ location }) => location === archive);
  const signal = AbortSignal.any([stop, timeLimit(attemptMs)]);
  let code: ErrorCode | undefined;
  try {
    if (objectKey !== null && store !== undefined && bytes !== null && sha256 !== null) {
      const stored = await within(signal, () => store.stat(objectKey));
      if (stored !== undefined && (await isSame(store, stored, { bytes, sha256 }, signal))) return true;
    }
  } catch (thrown) {
    if (stop.aborted) return false;
    ({ code } = asPreavisError(thrown));
  }
  logOnce(ports, `left ${id} ${code ?? ''}`, () => {
    log.error({ recording: id, code }, 'archived recording not verified; local file kept');
  });

  return false;
}

function logOnce({ alreadyLogged }: UploadPorts, what: string, log: () => void): void {
  if (alreadyLogged.has(what)) return;
  alreadyLogged.add(what);
  log();
}

async function archiveOne(
  row: RecordingRow,
  ports: UploadPorts,
  locks: UploadLocks,
  covered: RecordingId[],
  stop: AbortSignal,
): Promise<number> {
  const { catalogue, store, spoolFolder, actor, attemptMs } = ports;
  const expected = recordedDigest(row);
  const { bytes, sha256 } = expected;
  const keys = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt, row.controller);
  const signal = AbortSignal.any([stop, timeLimit(attemptMs)]);

  const lock = await locks.wanted(row, signal);
  failPoint?.('upload, before the WAV');
  const covers = (key: string) => async (version: string) => {
    await noteCovered(row.id, key, version, ports);
    covered.push(row.id);
  };
  const wav = { ...expected, contentType: 'audio/wav' };
  const stored = await storeAndReadBack(
    store,
    {
      key: keys.wav,
      expected,
      put: () => store.putFile(keys.wav, spoolFile(spoolFolder, row.id), wav, signal),
      covers: covers(keys.wav),
    },
    signal,
  );
  failPoint?.('upload, WAV read back');

  const { receipt, storedReceipt } = await storeReceipt(row, { key: keys.receipt, sha256 }, ports, covers, signal);
  failPoint?.('upload, receipt read back');
  if (lock !== undefined) await locks.set(row, lock, [stored, storedReceipt], signal);
  failPoint?.('upload, locked');

  const place = {
    ...{ archive: store.location, objectKey: keys.wav, objectVersion: stored.versionId, receiptKey: keys.receipt },
    ...{ receipt, failure: null },
  };
  const detail = {
    ...{ bytes, sha256, version: stored.versionId, encryption: store.encryptionFor(keys.wav) },
    ...(lock === undefined ? {} : { lock: lockDetail(lock) }),
  };
  await catalogue.recordings.move(row.id, 'recorded', 'archived', place, {
    event: 'stored and read back',
    actor,
    detail,
  });
  failPoint?.('upload, archived');
  // One that stays is tried again, and logged, at the end of the pass: the recording is in the archive all the same.
  await removeSpooled(spoolFolder, row.id).catch(() => undefined);
  failPoint?.('upload, local file removed');
  ports.log.info({ recording: row.id, bytes }, 'recording archived');

  return bytes;
}

async function storeReceipt(
  row: RecordingRow,
  { key, sha256 }: { key: string; sha256: string },
  ports: UploadPorts,
  covers: (key: string) => (version: string) => Promise<void>,
  signal: AbortSignal,
): Promise<{ receipt: string; storedReceipt: StoredObject }> {
  const { catalogue, store } = ports;
  const receipt = await ports.receiptOf(row.id);
  // Where another process was faster, its receipt lies there, of what was then; one that was made since is not the same.
  if ((await catalogue.recordings.find(row.id))?.status !== 'recorded') {
    throw new PreavisError('status_conflict', `recording ${row.id} is no longer recorded`);
  }
  const storedReceipt = await placeReceipt(
    { id: row.id, sha256, receipt },
    { store, key, covers: covers(key) },
    signal,
  );

  return { receipt, storedReceipt };
}

/** Before it is covered, so that it is known whatever comes after; once for each version and process. */
async function noteCovered(id: RecordingId, key: string, version: string, ports: UploadPorts): Promise<void> {
  const { catalogue, log, actor, alreadyLogged } = ports;
  if (alreadyLogged.has(`covered ${key} ${version}`)) return;
  await catalogue.auditTrail.append(id, { event: 'something else covered', actor, detail: { key, version } });
  alreadyLogged.add(`covered ${key} ${version}`);
  log.error({ recording: id }, 'foreign object found under recording key; kept as earlier version');
}

/** Retention may have erased a recording while it was being sent: then nothing of it may stay in the archive. */
async function undoIfErased(row: RecordingRow, ports: UploadPorts): Promise<void> {
  const { catalogue, store, log } = ports;
  try {
    const now = await catalogue.recordings.find(row.id);
    if (now?.status !== 'erased' || !(await ports.isRemovalProved(now))) return;
    const keys = objectKeys(row.id, row.startedAt ?? row.noticeFinishedAt, row.controller);
    await store.erase(keys.wav);
    await store.erase(keys.receipt);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    log.error({ recording: row.id, code: error.code, err: error }, 'erased recording may remain in archive');
  }
}

/** The recording waits in the spool for as long as it takes. It is logged at most twice: that it waits, and that this lasts. */
async function setAside(row: RecordingRow, error: PreavisError, ports: UploadPorts): Promise<void> {
  const { catalogue, log, clock, random, spoolFolder } = ports;
  const { code } = error;
  await catalogue.recordings.postpone(
    row.id,
    Math.round(clock.now() + backoffMs(row.attempts, random(), uploadWaits)),
    code,
  );
  const about = { recording: row.id, code, attempts: row.attempts + 1, err: error };
  if (lasting.has(code)) {
    // In each process: a command tells it on its terminal, where nobody may look.
    if (ports.alreadyLogged.has(`aside ${row.id} ${code}`)) return;
    ports.alreadyLogged.add(`aside ${row.id} ${code}`);
    // A vanished file may also be that of a folder that is not mounted.
    const isGone = !(await spooledRecordings(spoolFolder)).includes(row.id);
    if (isGone) log.error(about, 'recording file missing');
    else log.error(about, 'recording not archived: intervention required; will retry');
  } else if (row.attempts + 1 === attemptsToAlarm) {
    log.error(about, 'recording upload failed repeatedly; will retry');
  } else if (row.attempts === 0) {
    log.warn(about, 'recording upload failed; will retry');
  } else {
    log.debug(about, 'recording upload still failing');
  }
}
