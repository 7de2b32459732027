/**
 * Brings the recordings of an earlier archive into the configured one. For each: the place that it comes to goes into the catalogue, so
 * that an erasure looks there too; WAV and receipt are stored as the configuration says (encrypted, locked), read back whole, and
 * compared with what was recorded; only then the catalogue says that it lies there. What was copied stays where it was, and the
 * catalogue knows it: removeCopies.ts removes it, and retention erases in both places.
 *
 * Killed at any point, it is simply begun anew: what lies in the new archive whole is not sent again. Finishing, sending, fetching
 * and retention may run beside it: a recording whose erasure has begun is left alone, and an erasure waits for one that is just being moved.
 */
import { text } from 'node:stream/consumers';
import type { ArchiveUse } from '../../catalogue/jobs/archiveCopies.ts';
import type { CataloguePart } from '../../catalogue/catalogue.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';
import type { PurposeLock } from '../../config/objectLockModes.ts';
import type { Clock } from '../../core/clock.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { RecordingId } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import { singleFlight } from '../../core/singleFlight.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { recordedDigest, textDigest, type Digest } from '../../store/digest.ts';
import type { EncryptedStore } from '../../store/encryption/store.ts';
import { lockDetail, makeUploadLocks, type UploadLocks } from '../lockUploads.ts';
import { movedSource } from '../../store/verifiedSource.ts';
import { keysOf, type ObjectKeys } from '../../store/objectKeys.ts';
import { overRows, type RowPass, type RowPassOptions } from '../rowPass.ts';
import { storeAndReadBack, type Placement } from '../storeAndVerify.ts';
import { largestReceiptBytes, placeReceipt } from '../storedReceipt.ts';
import { isSameEncryption, type ObjectStore, type StoredObject } from '../../store/store.ts';
import { within } from '../../store/stoppable.ts';

export type MovePorts = {
  catalogue: CataloguePart<{
    recordings: 'archivedIn' | 'find' | 'purposeEnds';
    archiveCopies: 'archiveKeys' | 'begin' | 'finish' | 'note' | 'noteLock' | 'forget' | 'of' | 'listIn';
    file: 'identity';
    auditTrail: 'of' | 'append';
  }>;
  /** Where they lie. undefined: somebody has brought its objects into the new one by other means, and it is not asked. */
  source: EncryptedStore | undefined;
  /** The archive that they lie in, as the catalogue has it. */
  from: string;
  target: EncryptedStore;
  /** The Object Lock that each purpose asks for. */
  locks: ReadonlyMap<string, PurposeLock>;
  clock: Clock;
  log: Logger;
  actor: string;
  atOnce: number;
  /** Time limit of one recording, ms. */
  attemptMs: number;
  /** Whether what its status says that is gone may be removed: the status alone has nothing removed. */
  isRemovalProved: (row: Pick<RecordingRow, 'id' | 'status'>) => Promise<boolean>;
};

export type MoveOptions = RowPassOptions & {
  /** Source and target are one place under two names: nothing is a copy that could be removed. */
  isSamePlace: boolean;
};

export type Moved = {
  moved: number;
  bytes: number;
  /** Their receipts in the earlier archive were not what was stored, or not there: the catalogue's was taken. */
  receiptsMended: RecordingId[];
  /** They lay in the new archive already, and are not encrypted there as what is stored now. */
  otherEncryption: RecordingId[];
  /** They stay where they are. */
  failed: { recording: RecordingId; code: ErrorCode }[];
};

/** For asking both archives whether they work, ms. */
const askLimitMs = 60_000;

/** With these nothing further can be done. */
const fatal: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_bucket_missing',
  'archive_not_mounted',
  'archive_full',
  'catalogue_unusable',
  'internal',
]);
/** With these the archives are asked. */
const doubtful: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_unreachable',
  'archive_denied',
  'archive_failed',
  'encryption_key_unusable',
]);

/** Throws what makes going on of no use; what of single recordings failed is in the result. */
export async function moveRecordings(
  ports: MovePorts,
  options: MoveOptions,
  use: ArchiveUse | undefined,
): Promise<Moved> {
  return new MovePass(ports, options, use?.recordings ?? 0).run();
}

class MovePass {
  readonly #ports: MovePorts;
  readonly #options: MoveOptions;
  readonly #locks: UploadLocks;
  readonly #total: number;
  readonly #result: Moved = { moved: 0, bytes: 0, receiptsMended: [], otherEncryption: [], failed: [] };
  /** Attempts that fail at the same time ask once. */
  readonly #ask = singleFlight(() => this.#askArchives());

  constructor(ports: MovePorts, options: MoveOptions, total: number) {
    this.#ports = ports;
    this.#options = options;
    this.#total = total;
    this.#locks = makeUploadLocks({ ...ports, store: ports.target });
  }

  async run(): Promise<Moved> {
    const { catalogue, from, atOnce } = this.#ports;
    const pass: RowPass<RecordingRow> = {
      page: (after, most) => catalogue.recordings.archivedIn(from, after, most),
      idOf: ({ id }) => id,
      attempt: (row) => this.#attempt(row),
      failed: (row, error) => this.#failed(row, error),
      atOnce,
      total: this.#total,
    };
    await overRows(pass, this.#options);

    return this.#result;
  }

  async #attempt(row: RecordingRow): Promise<void> {
    await this.#moveOne(row);
    this.#result.moved += 1;
    this.#result.bytes += row.bytes ?? 0;
  }

  async #failed(row: RecordingRow, error: PreavisError): Promise<PreavisError | undefined> {
    if (fatal.has(error.code)) return error;
    // It was erased, or its erasure has begun: it is retention's.
    if (error.code === 'status_conflict') return undefined;
    const fault = doubtful.has(error.code) ? await this.#ask() : undefined;
    const about = { recording: row.id, code: error.code, err: error };
    this.#ports.log.warn(about, 'recording not moved to other archive');
    this.#result.failed.push({ recording: row.id, code: error.code });

    return fault;
  }

  /** What keeps either archive from working at all. */
  async #askArchives(): Promise<PreavisError | undefined> {
    const { source, target } = this.#ports;
    try {
      await within(timeLimit(askLimitMs), () => target.check({ create: false }));
      await source?.list('')[Symbol.asyncIterator]().next();
      return undefined;
    } catch (thrown) {
      return asPreavisError(thrown);
    }
  }

  async #moveOne(row: RecordingRow): Promise<void> {
    const { catalogue, source, from, target, actor, attemptMs } = this.#ports;
    const { id } = row;
    const expected = recordedDigest(row);
    const keys = keysOf(row);
    const signal = AbortSignal.any([this.#options.signal, timeLimit(attemptMs)]);
    const to = target.location;
    const lock = await this.#locks.wanted(row, signal);
    await catalogue.archiveCopies.begin(id, { from, to });
    failPoint?.('move, intent kept');
    try {
      const stored = await this.#placeWav(row, keys.wav, expected, signal);
      failPoint?.('move, WAV read back');
      const receipt = await this.#receiptOf(row, keys, signal);
      const storedReceipt = await placeReceipt(
        { id, sha256: expected.sha256, receipt: receipt.text },
        { store: target, key: keys.receipt, covers: this.#covers(id, keys.receipt) },
        signal,
      );
      failPoint?.('move, receipt read back');
      if (lock !== undefined) await this.#locks.set(row, lock, [stored, storedReceipt], signal);
      failPoint?.('move, locked');
      const leaves = source !== undefined && !this.#options.isSamePlace;
      const encryption = await target.encryptionOf(keys.wav, stored.versionId, signal);
      const how = { version: stored.versionId, leaves };
      const detail = {
        ...{ from, to, ...expected, version: stored.versionId, encryption, oldCopy: leaves },
        ...(lock === undefined ? {} : { lock: lockDetail(lock) }),
        ...(receipt.isMended ? { receipt: 'taken from the catalogue' } : {}),
      };
      await catalogue.archiveCopies.finish(id, { from, to }, how, { actor, detail });
      failPoint?.('move, in the new archive');
      if (receipt.isMended) this.#result.receiptsMended.push(id);
      const wanted = target.encryptionFor(keys.wav);
      if (wanted !== null && !isSameEncryption(encryption, wanted)) {
        this.#result.otherEncryption.push(id);
      }
    } catch (thrown) {
      await this.#undo(id, keys, asPreavisError(thrown)).catch(() => undefined);
      throw thrown;
    }
  }

  #covers(id: RecordingId, key: string): Placement['covers'] {
    const { catalogue, actor } = this.#ports;

    return (version) =>
      catalogue.auditTrail.append(id, { event: 'something else covered', actor, detail: { key, version } });
  }

  /** What the earlier archive has, or does not have, is told as that, and not as what the new one has done. */
  async #placeWav(row: RecordingRow, key: string, expected: Digest, signal: AbortSignal): Promise<StoredObject> {
    const put = (): Promise<StoredObject> => this.#putWav(row, key, expected, signal);
    try {
      return await storeAndReadBack(
        this.#ports.target,
        { key, expected, put, covers: this.#covers(row.id, key) },
        signal,
      );
    } catch (thrown) {
      throw thrown instanceof SourceFault ? thrown.error : thrown;
    }
  }

  async #putWav(row: RecordingRow, key: string, expected: Digest, signal: AbortSignal): Promise<StoredObject> {
    const { source, target } = this.#ports;
    if (source === undefined) {
      throw new SourceFault(new PreavisError('archive_object_missing', 'the new archive does not have it'));
    }
    const stream = await source.read(key, row.objectVersion, signal).catch((thrown: unknown) => {
      throw new SourceFault(asPreavisError(thrown));
    });
    let fault: PreavisError | undefined;
    const plain = movedSource(stream, expected);
    const next = (buffer: Buffer): Promise<Buffer> =>
      plain.next(buffer).catch((thrown: unknown) => {
        fault = alteredThere(asPreavisError(thrown));
        throw thrown;
      });
    try {
      const open = (): Promise<typeof plain> => Promise.resolve({ next, close: () => plain.close() });
      return await target.putSource(key, open, { bytes: expected.bytes, contentType: 'audio/wav' }, signal);
    } catch (thrown) {
      throw fault === undefined ? thrown : new SourceFault(fault);
    } finally {
      stream.destroy();
    }
  }

  /** The catalogue has it byte for byte; what lies in the archive may have been changed. */
  async #receiptOf(
    { receipt }: RecordingRow,
    { receipt: key }: ObjectKeys,
    signal: AbortSignal,
  ): Promise<{ text: string; isMended: boolean }> {
    const { source, target } = this.#ports;
    const store = source ?? target;
    const there = await within(signal, () => store.stat(key));
    if (receipt === null) {
      if (there === undefined || there.bytes > largestReceiptBytes) {
        throw new PreavisError('archive_object_missing', 'neither the catalogue nor the archive has its receipt');
      }
      return { text: await text(await store.read(key, there.versionId, signal)), isMended: false };
    }
    const expected = textDigest(receipt);
    const isSame =
      there?.bytes === expected.bytes &&
      (await store.digest(key, there.versionId, signal).catch(() => undefined))?.sha256 === expected.sha256;

    return { text: receipt, isMended: source !== undefined && !isSame };
  }

  /**
   * An erasure that has begun waits for this: nothing of it may stay where it was being brought. Of any other failure what was stored
   * is left to the next attempt, and the catalogue knows it; where nothing was, there is nothing to know.
   */
  async #undo(id: RecordingId, keys: ObjectKeys, { code }: PreavisError): Promise<void> {
    const { catalogue, target } = this.#ports;
    const isHere = (await catalogue.recordings.find(id))?.archive === target.location;
    if (isHere || fatal.has(code)) return;
    if (code === 'status_conflict') {
      await target.erase(keys.wav);
      await target.erase(keys.receipt);
    }
    if (await hasNothing(target, Object.values(keys))) await catalogue.archiveCopies.forget(id, target.location);
  }
}

/** Of the archive that is moved from, so that it is not taken for one of the new archive. */
class SourceFault extends Error {
  readonly error: PreavisError;

  constructor(error: PreavisError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}

/** What does not fit its tags, or its digest, was changed there. */
function alteredThere(error: PreavisError): PreavisError {
  if (error.code !== 'archive_mismatch') return error;

  return new PreavisError('recording_altered', 'what the earlier archive has is not what was recorded', {
    cause: error,
  });
}

async function hasNothing(store: ObjectStore, keys: readonly string[]): Promise<boolean> {
  for (const key of keys) if ((await store.versions(key)).length > 0) return false;

  return true;
}
