/**
 * Puts an object under a key of ours and believes it only when it was read back whole. What somebody else has put there is
 * never lost for it: it stays as an earlier version, or, where the archive keeps none, the recording waits for a human.
 */
import { failPoint } from '../core/failPoint.ts';
import { PreavisError } from '../core/errors.ts';
import { asUnkept, type ObjectStore, type StoredObject } from '../store/store.ts';
import type { Digest } from '../store/digest.ts';
import { within } from '../store/stoppable.ts';

export type Placement = {
  key: string;
  expected: Digest;
  put: () => Promise<StoredObject>;
  /** Whether what lies there with other bytes is an earlier one of ours, which may be replaced. Default: it is not. */
  mayReplace?: (existing: StoredObject) => Promise<boolean>;
  /** Called before something else is covered; it stays as this version. What it throws keeps that from happening. */
  covers: (version: string) => Promise<void>;
};

/**
 * @throws PreavisError `archive_mismatch`: what was stored is not what was sent; `archive_occupied`: something else lies
 *   there, and would be lost.
 */
export async function storeAndReadBack(
  store: ObjectStore,
  placement: Placement,
  signal: AbortSignal,
): Promise<StoredObject> {
  const { key, expected, mayReplace, covers } = placement;
  const existing = await within(signal, () => store.stat(key));
  if (existing === undefined) return placeInEmpty(store, placement, signal);
  if (await isSame(store, existing, expected, signal)) return existing;
  const isOurs = (await mayReplace?.(existing)) ?? false;
  if (!isOurs) {
    const version = keptVersion(existing);
    if (version === undefined) {
      throw new PreavisError('archive_occupied', 'another object has the key of a recording; it was not overwritten');
    }
    await covers(version);
  }

  return putAndCompare(store, placement, signal);
}

/** Whether the object is whole in the archive, read to its end. */
export async function isSame(
  store: ObjectStore,
  { key, bytes, versionId }: StoredObject,
  expected: Digest,
  signal: AbortSignal,
): Promise<boolean> {
  if (bytes !== expected.bytes) return false;
  try {
    const digest = await store.digest(key, versionId, signal);

    return digest.bytes === expected.bytes && digest.sha256 === expected.sha256;
  } catch (error) {
    // An encrypted object that does not fit its tags holds nothing that could be compared.
    if (error instanceof PreavisError && error.code === 'archive_mismatch') return false;
    throw error;
  }
}

/** The version that stays beneath a new one. One that is named `null` is from before versions were kept, or after. */
function keptVersion({ versionId }: StoredObject): string | undefined {
  return versionId === null || versionId === 'null' ? undefined : versionId;
}

/** Nothing lay there: so what proves wrong is what was just put there, and is taken away, unless older versions lie beneath. */
async function placeInEmpty(store: ObjectStore, placement: Placement, signal: AbortSignal): Promise<StoredObject> {
  try {
    return await putAndCompare(store, placement, signal);
  } catch (error) {
    if (error instanceof PreavisError && error.code === 'archive_mismatch') {
      await within(signal, () => eraseOnly(store, placement.key)).catch((refused: unknown) => {
        if (refused instanceof PreavisError && refused.code === 'archive_locked') throw lockedWrong(error, refused);
        // If it stays, the next attempt finds the key occupied and says so.
      });
    }
    throw error;
  }
}

/** A bucket that locks every object by itself keeps versions, too: the next attempt covers what cannot be taken away. */
function lockedWrong(error: PreavisError, refused: PreavisError): PreavisError {
  const message = `${error.message}; it stays beneath the next attempt, since ${refused.message}`;

  return new PreavisError(error.code, message, { cause: refused });
}

/** What a delete marker covers is somebody's: it stays, and the next attempt covers the wrong version. */
async function eraseOnly(store: ObjectStore, key: string): Promise<void> {
  const [only, ...others] = await store.versions(key);
  if (only !== undefined && others.length === 0) await store.eraseVersion(key, only);
}

async function putAndCompare(
  store: ObjectStore,
  { expected, put }: Placement,
  signal: AbortSignal,
): Promise<StoredObject> {
  try {
    const stored = await put();
    failPoint?.('upload, stored and not read back');
    if (await isSame(store, stored, expected, signal)) return stored;
  } catch (error) {
    throw asUnkept(error);
  }
  throw new PreavisError('archive_mismatch', 'an object that was read back is not what was sent');
}
