import { PreavisError } from '../core/errors.ts';
import type { Lock, Protection } from './objectLock.ts';
import type { ObjectStore, RawStore, StoredObject } from './store.ts';

/** The name of the sidecar that has the key of this version; undefined for one that is not encrypted. */
type SidecarOfVersion = (key: string, versionId: string | null, signal: AbortSignal) => Promise<string | undefined>;

/** Locks of encrypted objects: an object that is kept without its wrapped key is lost, so both are locked, and both are read. */
export function locksWithKeys(
  inner: RawStore,
  sidecarOfVersion: SidecarOfVersion,
): Pick<ObjectStore, 'protect' | 'protection'> {
  const sidecarOf: (...of: Parameters<SidecarOfVersion>) => Promise<StoredObject | undefined> = async (...of) => {
    const name = await sidecarOfVersion(...of);

    return name === undefined ? undefined : inner.stat(name);
  };

  return {
    protect: async (key, versionId, lock, signal) => {
      // What is locked has its key locked already.
      const sidecar = await sidecarOf(key, versionId, signal);
      if (sidecar !== undefined) await inner.protect(sidecar.key, sidecar.versionId, lock, signal);
      await inner.protect(key, versionId, lock, signal);
    },
    protection: async (key, versionId, signal): Promise<Protection> => {
      const own = await inner.protection(key, versionId, signal);
      const sidecar = await sidecarOf(key, versionId, signal);
      if (sidecar === undefined) return own;
      const { lock } = await inner.protection(sidecar.key, sidecar.versionId, signal);

      return { ...own, lock: weaker(own.lock, lock) };
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
  if (own === undefined || own.until < lock.until) await inner.protect(now.key, now.versionId, lock, signal);
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
