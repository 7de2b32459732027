import { keysOf } from '../../store/objectKeys.ts';
import type { Digest } from '../../store/digest.ts';
import type { RecordingRow } from '../../catalogue/rows.ts';

/** What spool, catalogue and archive may say differently, and how that is told; no I/O. reconcile.ts looks and repairs. */

type KindEntry = { repair: boolean; meaning: string; advice: string };

const repaired = (meaning: string, advice: string): KindEntry => ({ repair: true, meaning, advice });
const reported = (meaning: string, advice: string): KindEntry => ({ repair: false, meaning, advice });

/** The one list of findings. `advice` says what a repair does, or what is left to people; docs/operations/reconciliation.md has the table. */
export const discrepancyKinds = {
  unfinished: repaired('its call has ended, its file was not finished', 'finish it'),
  unfinishedFileMissing: reported(
    'its call has ended, and its file is not in the spool',
    'see whether recording.spoolFolder is mounted and right; else find out who removed the file',
  ),
  recordedFileMissing: reported(
    'it waits for the archive, and its file is not in the spool',
    'see whether recording.spoolFolder is mounted and right; else find out who removed the file',
  ),
  recordedFileDiffers: reported(
    'it waits for the archive, and its file is not what was measured (size or SHA-256)',
    'find out who wrote to it; it is kept, and not sent',
  ),
  objectMissing: reported(
    'it is archived, and its WAV is not in the archive',
    'see whether it is the right archive; restore it from a backup, and find out who removed it',
  ),
  objectDiffers: reported(
    'it is archived, and its WAV in the archive is not what was recorded (size or SHA-256)',
    'do not use it; look in the access log of the archive for who changed it',
  ),
  objectCovered: reported(
    'it is archived, and a later version or a delete marker lies over its WAV',
    'the version that was stored is there, and is fetched; find out who wrote over it',
  ),
  receiptMissing: reported(
    'it is archived, and its receipt is not in the archive',
    'find out who removed it; `preavis calls receipt` still prints it',
  ),
  receiptDiffers: reported(
    'it is archived, and its receipt in the archive is not what was stored (size or SHA-256)',
    'find out who changed it; `preavis calls receipt` still prints it',
  ),
  otherArchive: reported(
    'it lies in another archive than the configured one, and was not compared',
    'name that archive in archive.former; preavis archive move brings it into the configured one',
  ),
  localFileLeft: repaired(
    'it is archived and was read back whole, and its file is still in the spool',
    'remove the file',
  ),
  localFileDiffers: reported(
    'it is archived, and a file of its name in the spool is not what was recorded',
    'copy it away if you want to know what it is: the next upload pass removes it',
  ),
  localFileNeeded: reported(
    'it is archived, its file is still in the spool, and the newest object in the archive is not it, whole',
    'keep it until you know what became of the object: it may be the only whole copy',
  ),
  erasureUnfinished: reported(
    'its erasure was begun and not finished',
    'the next retention run finishes it; see why the last one did not',
  ),
  erasedFileLeft: reported(
    'it was erased, and a file of its name is in the spool again',
    'the next upload pass removes it; find out where it came from',
  ),
  erasedObjectLeft: repaired(
    'it was erased, and something of it is in the archive again',
    'erase it again, every version of it; find out where it came from (a backup, a replication)',
  ),
  erasureUnproved: reported(
    'it counts as erased, no certificate says so, and something of it is there',
    'nothing of it is removed; see preavis certificates verify, and find out who changed the catalogue',
  ),
  discardedFileLeft: repaired('it must not be kept, and its file is in the spool', 'remove the file'),
  discardedObjectLeft: reported(
    'it must not be kept, and something of it is in the archive',
    'erase it there, every version of it; find out where it came from',
  ),
  discardUnproved: reported(
    'it counts as discarded, the audit trail does not say so, and something of it is there',
    'nothing of it is removed; see preavis certificates verify, and find out who changed the catalogue',
  ),
  lostFileFound: repaired('it was lost, and its file is in the spool again', 'take it up again'),
  lostObjectFound: repaired(
    'its file is gone, and it lies whole in the archive with its receipt: the catalogue is older than that (a backup)',
    'count it as archived again',
  ),
  failedFileMissing: reported(
    'it holds no usable audio, and what there was of its file is gone',
    'nothing is lost that could be heard; find out who removed the file',
  ),
  fileNotAdopted: repaired(
    'its file is in the spool, and the catalogue does not have it',
    'take it up, or remove it where the caller was not told or did not agree',
  ),
  fileOfNobody: reported(
    'a file in the spool has a name of ours, and no call in the catalogue was to make it',
    'perhaps another Préavis records it now, or the catalogue is older than it (a backup); do not use it, and remove it when you know',
  ),
  unknownObject: reported(
    'the archive has an object that the catalogue does not know',
    'perhaps the catalogue is older than it (a backup), or another Préavis uses this archive; its receipt says until when it may be kept',
  ),
  notComparable: reported('it could not be looked at', 'see the code, and docs/errors.md'),
} as const satisfies Record<string, KindEntry>;

export type DiscrepancyKind = keyof typeof discrepancyKinds;

/** Where it was found: the recording's file in the spool, or its WAV or receipt in the archive. */
type Place = 'spool' | 'wav' | 'receipt';

/** Bytes and SHA-256; undefined where they were not looked for. */
export type Measured = { bytes: number | undefined; sha256: string | undefined };

export type Found = { kind: DiscrepancyKind; place: Place };

/**
 * An object as it was found. Of one that is `covered` by a later version the size is not known without reading it.
 * Bytes and SHA-256 are undefined where they were not asked for.
 */
export type ObjectFacts =
  { state: 'missing' } | { state: 'there' | 'covered'; bytes: number | undefined; sha256: string | undefined };

export type RecordingFacts = {
  row: Pick<RecordingRow, 'status' | 'bytes' | 'sha256' | 'finishedAt' | 'startedAt' | 'noticeFinishedAt'>;
  /** ms since 1970 UTC. */
  now: number;
  /** Whether the call has ended; only of status `recording`. */
  callEnded: boolean;
  /** Its file in the spool; the digest is undefined where nothing is compared with it. */
  file: { writtenAt: number; digest: Measured | undefined } | undefined;
  /** Whether the row names another archive than the configured one. */
  elsewhere: boolean;
  /** undefined where they were not looked for. */
  wav: ObjectFacts | undefined;
  receipt: ObjectFacts | undefined;
  /** What the receipt must be; undefined where the catalogue does not have it. */
  receiptDigest: Digest | undefined;
  /** Whether WAV and receipt lie whole in the archive; looked for only where the file of `recording` or `lost` is missing. */
  isInArchive: boolean;
  /** Of status `erased`, whether a certificate says so, of `discarded`, the audit trail. */
  isRemovalProved: boolean;
  /** When the audit trail says that an erasure was begun last, ms since 1970 UTC; undefined where it does not. */
  erasureBegun: number | undefined;
};

/** A running serve finishes, and erases one recording, within seconds; what is older than this is stuck, ms. */
const stuckMs = 60_000;

/** What spool and archive have of a recording that its row does not say, or the other way round. */
export function compare(facts: RecordingFacts): Found[] {
  const { row, file } = facts;
  switch (row.status) {
    case 'recording':
      return ofUnfinished(facts);
    case 'recorded':
      return unlessErasing(facts, ofRecorded(facts));
    case 'archived':
      return unlessErasing(facts, ofArchived(facts));
    case 'erased':
    case 'discarded':
      return ofGone(facts, leftKinds[row.status]);
    case 'lost':
      if (file !== undefined) return [{ kind: 'lostFileFound', place: 'spool' }];
      return facts.isInArchive ? [{ kind: 'lostObjectFound', place: 'wav' }] : [];
    case 'failed':
      return unlessErasing(facts, file === undefined ? [{ kind: 'failedFileMissing', place: 'spool' }] : []);
  }
}

function ofUnfinished({ row, now, callEnded, file, isInArchive }: RecordingFacts): Found[] {
  if (!callEnded) return [];
  const since = file?.writtenAt ?? row.finishedAt ?? row.startedAt ?? row.noticeFinishedAt;
  // What seems to be written in the future was written before the clock was put back.
  if (Math.abs(now - since) < stuckMs) return [];

  if (file === undefined && isInArchive) return [{ kind: 'lostObjectFound', place: 'wav' }];

  return [{ kind: file === undefined ? 'unfinishedFileMissing' : 'unfinished', place: 'spool' }];
}

function ofRecorded({ row, file }: RecordingFacts): Found[] {
  if (file === undefined) return [{ kind: 'recordedFileMissing', place: 'spool' }];

  return differs(file.digest, row) ? [{ kind: 'recordedFileDiffers', place: 'spool' }] : [];
}

function ofArchived(facts: RecordingFacts): Found[] {
  const { row, file, wav, receipt, receiptDigest, elsewhere } = facts;
  const found: Found[] = [];
  if (elsewhere) found.push({ kind: 'otherArchive', place: 'wav' });
  if (wav?.state === 'missing') found.push({ kind: 'objectMissing', place: 'wav' });
  else if (differs(wav, row)) found.push({ kind: 'objectDiffers', place: 'wav' });
  else if (wav?.state === 'covered') found.push({ kind: 'objectCovered', place: 'wav' });
  if (receipt?.state === 'missing') found.push({ kind: 'receiptMissing', place: 'receipt' });
  else if (receiptDigest !== undefined && differs(receipt, receiptDigest)) {
    found.push({ kind: 'receiptDiffers', place: 'receipt' });
  }
  if (file === undefined) return found;
  const isProved = wav?.state === 'there' && isWhole({ bytes: wav.bytes, sha256: wav.sha256 }, row);
  const kind = !isWhole(file.digest, row) ? 'localFileDiffers' : isProved ? 'localFileLeft' : 'localFileNeeded';

  return [...found, { kind, place: 'spool' }];
}

/** What is there of a recording whose status says that it is gone. */
const leftKinds = {
  erased: { file: 'erasedFileLeft', object: 'erasedObjectLeft', unproved: 'erasureUnproved' },
  discarded: { file: 'discardedFileLeft', object: 'discardedObjectLeft', unproved: 'discardUnproved' },
} as const;

function ofGone(
  { file, wav, receipt, isRemovalProved }: RecordingFacts,
  kinds: (typeof leftKinds)['erased' | 'discarded'],
): Found[] {
  const found: Found[] = [];
  const object = isRemovalProved ? kinds.object : kinds.unproved;
  if (file !== undefined) found.push({ kind: isRemovalProved ? kinds.file : kinds.unproved, place: 'spool' });
  if (isThere(wav)) found.push({ kind: object, place: 'wav' });
  if (isThere(receipt)) found.push({ kind: object, place: 'receipt' });

  return found;
}

/** Retention removes one thing after another: what it has begun with is its own to finish, and may be finished in a moment. */
function unlessErasing({ erasureBegun, now }: RecordingFacts, found: Found[]): Found[] {
  const [first] = found;
  if (first === undefined || erasureBegun === undefined) return found;
  if (Math.abs(now - erasureBegun) < stuckMs) return [];

  return [{ kind: 'erasureUnfinished', place: first.place }];
}

type MeasuredRow = { bytes: number | null; sha256: string | null };

const isThere = (object: ObjectFacts | undefined): boolean => object !== undefined && object.state !== 'missing';

/** Only what is known on both sides is the same: what was not read proves nothing. */
function isWhole(found: Measured | undefined, { bytes, sha256 }: MeasuredRow): boolean {
  return found !== undefined && bytes !== null && sha256 !== null && found.bytes === bytes && found.sha256 === sha256;
}

/** What was not read is not held against it. */
function differs(found: ObjectFacts | Measured | undefined, { bytes, sha256 }: MeasuredRow): boolean {
  if (found === undefined || ('state' in found && found.state === 'missing')) return false;
  if (found.bytes !== undefined && found.bytes !== bytes) return true;

  return found.sha256 !== undefined && found.sha256 !== sha256;
}

/** What an object in the archive is that should not be there; undefined for one that may. `row` is that of the id in its key. */
export function compareObject(
  key: string,
  row: (Parameters<typeof keysOf>[0] & Pick<RecordingRow, 'status'>) | undefined,
  isRemovalProved: boolean,
): DiscrepancyKind | undefined {
  switch (row?.status) {
    case 'erased':
    case 'discarded':
      return isRemovalProved ? leftKinds[row.status].object : leftKinds[row.status].unproved;
    case 'recorded':
    case 'archived': {
      const { wav, receipt } = keysOf(row);

      return key === wav || key === receipt ? undefined : 'unknownObject';
    }
    case undefined:
    case 'recording':
    case 'lost':
    case 'failed':
      return 'unknownObject';
  }
}
