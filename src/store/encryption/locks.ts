import { PreavisError } from '../../core/errors.ts';
import { strictest, type Lock, type Protection } from '../objectLock.ts';
import type { ObjectStore, RawStore, StoredObject } from '../store.ts';

/** The names of the key objects that this version needs; none for one that is not encrypted. */
type KeyObjectsOfVersion = (key: string, versionId: string | null, signal: AbortSignal) => Promise<string[]>;

/** Locks of encrypted objects: an object that is kept without its wrapped key is lost, so both are locked, and both are read. */
export function locksWithKeys(
  inner: RawStore,
  keyObjectsOfVersion: KeyObjectsOfVersion,
): Pick<ObjectStore, 'protect' | 'protection'> {
  const neededBy = async (...of: Parameters<KeyObjectsOfVersion>): Promise<StoredObject[]> => {
    const found = await Promise.all((await keyObjectsOfVersion(...of)).map((name) => inner.stat(name)));

    return found.filter((each) => each !== undefined);
  };

  return {
    protect: async (key, versionId, lock, signal) => {
      // What is locked has its key locked already.
      for (const keyObject of await neededBy(key, versionId, signal)) {
        await inner.protect(keyObject.key, keyObject.versionId, lock, signal);
      }
      await inner.protect(key, versionId, lock, signal);
    },
    protection: async (key, versionId, signal): Promise<Protection> => {
      const own = await inner.protection(key, versionId, signal);
      let { lock, longest } = own;
      for (const keyObject of await neededBy(key, versionId, signal)) {
        const other = (await inner.protection(keyObject.key, keyObject.versionId, signal)).lock;
        lock = weaker(lock, other);
        longest = strictest([longest, other]);
      }

      return { ...own, lock, longest };
    },
  };
}

/** An object is kept as long as both are. */
function weaker(one: Lock | undefined, other: Lock | undefined): Lock | undefined {
  if (one === undefined || other === undefined) return undefined;
  const mode = one.mode === 'compliance' ? other.mode : one.mode;

  return { mode, until: Math.min(one.until, other.until) };
}

/** A version that takes the place of a locked one is locked as long. */
export async function keepLock(
  inner: RawStore,
  before: StoredObject,
  now: StoredObject,
  signal: AbortSignal,
): Promise<void> {
  const lock = await lockOf(inner, before, signal);
  if (lock === undefined) return;
  const own = await lockOf(inner, now, signal);
  const wanted = strictest([lock, own]) ?? lock;
  if (own?.mode === wanted.mode && own.until === wanted.until) return;
  await inner.protect(now.key, now.versionId, wanted, signal);
}

async function lockOf(
  inner: RawStore,
  { key, versionId }: StoredObject,
  signal: AbortSignal,
): Promise<Lock | undefined> {
  try {
    return (await inner.protection(key, versionId, signal)).lock;
  } catch (thrown) {
    // Who may not read a lock has set none: what is locked is read back. One that is gone, as a delete marker, has none either.
    if (thrown instanceof PreavisError && /^archive_(denied|object_missing)$/.test(thrown.code)) return undefined;
    throw thrown;
  }
}
