/**
 * Removes what recordings that were moved have left in the earlier archive. Before each is removed, what the new archive has is read back
 * whole once more. What a lock keeps there stays, and the catalogue knows until when; retention erases it with the recording.
 */
import { copyGivenUp, copyRemoved, isErasureUnderWay } from '../../catalogue/retention/auditTrail.ts';
import type { ArchiveCopy } from '../../catalogue/jobs/archiveCopies.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';
import { counted } from '../../core/text/counted.ts';
import { asPreavisError, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import type { RecordingId } from '../../core/ids.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { textDigest } from '../../store/digest.ts';
import type { MovePorts } from './move.ts';
import { keysOf } from '../../store/objectKeys.ts';
import { endsPass, overRows, type RowPass, type RowPassOptions } from '../rowPass.ts';
import { isSame } from '../storeAndVerify.ts';
import type { ObjectStore } from '../../store/store.ts';

export type Removed = {
  removed: number;
  /** Locks keep them there: until when at the latest, ms since 1970 UTC; null where nobody can say (a legal hold). */
  locked: { recording: RecordingId; until: number | null }[];
  /** Of recordings that are not archived yet: they are removed once those are. */
  waiting: number;
  failed: { recording: RecordingId; code: ErrorCode }[];
};

export type RemoveOptions = RowPassOptions & { total: number };

const batch = 500;

export async function removeCopies(ports: MovePorts, source: ObjectStore, options: RemoveOptions): Promise<Removed> {
  const { catalogue, atOnce } = ports;
  const { signal, total } = options;
  const result: Removed = { removed: 0, locked: [], waiting: 0, failed: [] };
  const pass: RowPass<ArchiveCopy> = {
    page: (after, most) => catalogue.archiveCopies.listIn(source.location, after, most),
    idOf: ({ recording }) => recording,
    attempt: (copy) => removeOne(copy, source, ports, signal, result),
    failed: ({ recording }, error) => {
      if (endsPass(error) || error.code === 'internal') return error;
      result.failed.push({ recording, code: error.code });

      return undefined;
    },
    atOnce,
    total,
  };
  await overRows(pass, options);

  return result;
}

async function removeOne(
  { recording }: ArchiveCopy,
  source: ObjectStore,
  ports: MovePorts,
  stop: AbortSignal,
  result: Removed,
): Promise<void> {
  const { catalogue, actor, attemptMs } = ports;
  const signal = AbortSignal.any([stop, timeLimit(attemptMs)]);
  const row = await catalogue.recordings.find(recording);
  if (row === undefined) throw new PreavisError('internal', 'a recording is not in the catalogue any more');
  if (row.status !== 'archived' && row.status !== 'erased' && row.status !== 'failed') {
    result.waiting += 1;
    return;
  }
  if (row.status === 'erased' && !(await ports.isRemovalProved(row))) {
    throw new PreavisError(
      'certificate_invalid',
      'its row says that it was erased, and there is no certificate of that',
    );
  }
  if (row.status === 'archived' && !(await isKeptElsewhere(row, source, ports, signal))) return;
  failPoint?.('move, new copy read again');
  const keys = Object.values(keysOf(row));
  let versions = 0;
  try {
    for (const key of keys) {
      versions += (await source.versions(key)).length;
      await source.erase(key);
      failPoint?.('move, old object erased');
    }
  } catch (thrown) {
    if (asPreavisError(thrown).code !== 'archive_locked') throw thrown;
    const until = await lockedUntil(source, keys, signal);
    await catalogue.archiveCopies.noteLock(recording, source.location, until);
    result.locked.push({ recording, until });
    return;
  }
  for (const key of keys) {
    const left = await source.versions(key);
    if (left.length > 0)
      throw new PreavisError(
        'archive_failed',
        `${counted(left.length, 'version is', 'versions are')} left of an old copy`,
      );
  }
  const note = { event: copyRemoved, actor, detail: { archive: source.location, versions } };
  await catalogue.archiveCopies.forget(recording, source.location, note);
  failPoint?.('move, old copy forgotten');
  result.removed += 1;
}

/** The archive that had them is gone, as the operator says: nothing can be removed there, and nothing waits for it any more. */
export async function giveUpCopies({ catalogue, from, actor }: MovePorts): Promise<number> {
  let given = 0;
  for (;;) {
    const copies = await catalogue.archiveCopies.listIn(from, '', batch);
    for (const { recording } of copies) {
      await catalogue.archiveCopies.forget(recording, from, { event: copyGivenUp, actor, detail: { archive: from } });
    }
    given += copies.length;
    if (copies.length < batch) return given;
  }
}

/** Read whole in the archive that the catalogue names. False where retention has it in hand. Throws what is wrong with it there. */
async function isKeptElsewhere(
  row: RecordingRow,
  source: ObjectStore,
  { catalogue, target }: MovePorts,
  signal: AbortSignal,
): Promise<boolean> {
  const { bytes, sha256, objectVersion: versionId, receipt } = row;
  if (row.archive !== target.location || row.archive === source.location || bytes === null || sha256 === null) {
    throw new PreavisError('archive_changed', `it lies in ${row.archive ?? 'an archive that is not known'}`);
  }
  const keys = keysOf(row);
  try {
    const isWhole = await isSame(target, { key: keys.wav, bytes, versionId }, { bytes, sha256 }, signal);
    const stored = await target.stat(keys.receipt);
    const hasReceipt =
      stored !== undefined && (receipt === null || (await isSame(target, stored, textDigest(receipt), signal)));
    if (isWhole && hasReceipt) return true;
    throw new PreavisError(
      'recording_altered',
      'what the new archive has is not what was recorded; the old copy stays',
    );
  } catch (thrown) {
    const now = await catalogue.recordings.find(row.id);
    if (now?.status !== 'archived' || isErasureUnderWay(await catalogue.auditTrail.of(row.id))) return false;
    throw thrown;
  }
}

/** The latest end of what keeps them, null for a legal hold or where it is not to be seen. */
async function lockedUntil(store: ObjectStore, keys: readonly string[], signal: AbortSignal): Promise<number | null> {
  let until: number | null = null;
  for (const key of keys) {
    const found = await store.stat(key);
    if (found === undefined) continue;
    const { longest, legalHold } = await store.protection(key, found.versionId, signal);
    if (legalHold === 'on') return null;
    until = Math.max(until ?? 0, longest?.until ?? 0);
  }

  return until === 0 ? null : until;
}
