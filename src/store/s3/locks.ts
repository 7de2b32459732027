/** Object Lock of single versions in an S3 store. */
import { LEGAL_HOLD_STATUS, RETENTION_MODES, type Client } from 'minio';
import { isoTime } from '../../core/clock.ts';
import { PreavisError } from '../../core/errors.ts';
import { wholeSecond, type Lock, type Protection } from '../objectLock.ts';
import { codeOf } from './errors.ts';
import { versionOf } from './listing.ts';

export type VersionPlace = { bucket: string; name: string; versionId: string | null };

/** What stores answer when nothing of the kind is on the object, or cannot be: no lock in the bucket, a delete marker. */
const unlocked = new Set([
  'ObjectLockConfigurationNotFoundError',
  'NoSuchObjectLockConfiguration',
  'InvalidRequest',
  'MethodNotAllowed',
  'NotImplemented',
]);
const deniedCodes = new Set(['AccessDenied', 'Forbidden']);

/** Throws archive_unsupported where the bucket takes no locks. */
export async function setLock(client: Client, { bucket, name, versionId }: VersionPlace, lock: Lock): Promise<void> {
  if (versionId === null) {
    throw new PreavisError('archive_unsupported', 'The bucket keeps no versions, and so has no Object Lock.');
  }
  try {
    await client.putObjectRetention(bucket, name, {
      mode: lock.mode === 'compliance' ? RETENTION_MODES.COMPLIANCE : RETENTION_MODES.GOVERNANCE,
      retainUntilDate: isoTime(lock.until),
      versionId,
    });
  } catch (cause) {
    const code = codeOf(cause) ?? '';
    if (!unlocked.has(code)) throw cause;
    throw new PreavisError('archive_unsupported', `The bucket takes no Object Lock (${code}).`, { cause });
  }
}

export async function readProtection(client: Client, place: VersionPlace): Promise<Protection> {
  const [lock, legalHold] = await Promise.all([readLock(client, place), readLegalHold(client, place)]);

  return { lock, longest: lock, legalHold };
}

async function readLock(client: Client, { bucket, name, versionId }: VersionPlace): Promise<Lock | undefined> {
  try {
    const found = await client.getObjectRetention(bucket, name, ofVersion(versionId));
    const until = Date.parse(String(found?.retainUntilDate));
    if (Number.isNaN(until)) return undefined;

    // The client's type has the mode as one of an enumeration whose values are these words.
    return { mode: String(found?.mode) === 'COMPLIANCE' ? 'compliance' : 'governance', until: wholeSecond(until) };
  } catch (error) {
    if (unlocked.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function readLegalHold(
  client: Client,
  { bucket, name, versionId }: VersionPlace,
): Promise<Protection['legalHold']> {
  try {
    const found: unknown = await client.getObjectLegalHold(bucket, name, ofVersion(versionId));
    const status = typeof found === 'object' && found !== null && 'Status' in found ? found.Status : undefined;

    return status === LEGAL_HOLD_STATUS.ENABLED ? 'on' : 'off';
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (unlocked.has(code)) return 'off';
    if (deniedCodes.has(code)) return 'unknown';
    throw error;
  }
}

/** The client's types want a version; it takes none for the newest. */
const ofVersion = (versionId: string | null) => versionOf(versionId) as { versionId: string };

/** Between our clock and the store's; signatures are refused beyond it. */
const clocksDifferMs = 15 * 60_000;
/** With which stores refuse to delete what is locked: AWS and Ceph the first, MinIO the second. */
const refusals = new Set(['AccessDenied', 'InvalidRequest', 'ObjectLocked', 'MethodNotAllowed']);

/** archive_locked where a lock or a legal hold is on this version at that time (ms since 1970 UTC); else undefined. */
export async function lockedBy(client: Client, place: VersionPlace, at: number): Promise<PreavisError | undefined> {
  const { lock, legalHold } = await readProtection(client, place);
  if (legalHold === 'on') {
    return new PreavisError('archive_locked', 'a legal hold is on an object that must be erased');
  }
  if (lock === undefined || lock.until <= at) return undefined;

  return new PreavisError(
    'archive_locked',
    `an Object Lock (${lock.mode}) is on an object that must be erased, until ${isoTime(lock.until)}`,
  );
}

/** Why a deletion was refused: archive_locked, or the refusal itself. */
export async function whyRefused(client: Client, place: VersionPlace, refusal: unknown, now: number): Promise<unknown> {
  if (!refusals.has(codeOf(refusal) ?? '')) return refusal;
  const locked = await lockedBy(client, place, now - clocksDifferMs).catch(() => undefined);

  return locked ?? refusal;
}
