import { PreavisError } from '../core/errors.ts';
import type { Lock, Protection } from './objectLock.ts';
import { sidecarOf } from './sidecar.ts';
import type { ObjectStore, RawStore, StoredObject } from './store.ts';

/** Locks of encrypted objects: an object that is kept without its wrapped key is lost, so both are locked, and both are read. */
export function locksWithKeys(inner: RawStore): Pick<ObjectStore, 'protect' | 'protection'> {
  return {
    protect: async (key, versionId, lock, signal) => {
      // What is locked has its key locked already.
      const sidecar = await inner.stat(sidecarOf(key));
      if (sidecar !== undefined) await inner.protect(sidecar.key, sidecar.versionId, lock, signal);
      await inner.protect(key, versionId, lock, signal);
    },
    protection: async (key, versionId, signal): Promise<Protection> => {
      const own = await inner.protection(key, versionId, signal);
      const sidecar = await inner.stat(sidecarOf(key));
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
  before: StoredObject | undefined,
  now: StoredObject | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (before === undefined || now === undefined) return;
  const { lock } = await inner.protection(before.key, before.versionId, signal).catch((thrown: unknown) => {
    // Who may not read a lock has set none: what is locked is read back. One that is gone has none either.
    const isNone = thrown instanceof PreavisError && /^archive_(denied|object_missing)$/.test(thrown.code);
    if (isNone) return { lock: undefined };
    throw thrown;
  });
  if (lock !== undefined) await inner.protect(now.key, now.versionId, lock, signal);
}
