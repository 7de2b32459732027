/** The sidecars (sidecar.ts) of a store: kept, read, wrapped anew, erased. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import { keepLock } from './encryptedLocks.ts';
import { dataKeyBytes, type Keyring, type WrappingKey } from './keyring.ts';
import {
  mostSidecarBytes,
  parseSidecar,
  sidecarOf,
  sidecarPrefix,
  sidecarsOf,
  sidecarText,
  successorOf,
  type WrappedKey,
} from './sidecar.ts';
import type { RawStore, StoredObject } from './store.ts';

/** What lies below the sidecars of an object that is none of its own. */
const ownPattern = /^[0-9a-f]{32}$/;
const anyPattern = /^[0-9a-f]{32}(\.new)?$/;

export function makeWrappedKeys(inner: RawStore, keyring: Keyring) {
  /** Their names, also of those that only earlier versions are left of. */
  const below = async (key: string, pattern: RegExp): Promise<string[]> => {
    const prefix = sidecarsOf(key);

    return (await inner.keysBelow(prefix)).filter((name) => pattern.test(name.slice(prefix.length)));
  };
  const names = (key: string): Promise<string[]> => below(key, ownPattern);
  const allNames = (key: string): Promise<string[]> => below(key, anyPattern);

  const erase = async (key: string): Promise<void> => {
    for (const name of await allNames(key)) await inner.erase(name);
  };

  /** The text of a sidecar; undefined where there is none. */
  const textOf = async (name: string, signal: AbortSignal): Promise<string | undefined> => {
    try {
      return (await collect(await inner.read(name, null, signal), mostSidecarBytes)).toString('utf8');
    } catch (error) {
      if (error instanceof PreavisError && error.code === 'archive_object_missing') return undefined;
      throw error;
    }
  };

  /** The wrapped key under this name, and whether it lies there itself: where it is gone or spoilt, its successor stands for it. */
  const find = async (
    name: string,
    signal: AbortSignal,
  ): Promise<{ wrapped: WrappedKey; place: 'own' | 'successor' } | undefined> => {
    const successor = async () => {
      const text = await textOf(successorOf(name), signal);

      return text === undefined
        ? undefined
        : { wrapped: parseSidecar(successorOf(name), text), place: 'successor' as const };
    };
    const own = await textOf(name, signal);
    if (own === undefined) return successor();
    try {
      return { wrapped: parseSidecar(name, own), place: 'own' };
    } catch (spoilt) {
      const found = await successor();
      if (found === undefined) throw spoilt;
      return found;
    }
  };

  /** Stored, and read back as it was sent. */
  const putProved = async (name: string, text: string, signal: AbortSignal): Promise<StoredObject> => {
    const stored = await inner.putText(name, text, 'application/json', signal);
    if ((await textOf(name, signal)) !== text) {
      throw new PreavisError('archive_mismatch', 'a wrapped key that was read back is not what was sent');
    }

    return stored;
  };

  /** Whether what is stored under this name replaces what is there, as no version of that is kept. */
  const isReplaced = async (name: string): Promise<boolean> => {
    const found = await inner.stat(name);

    return found !== undefined && (found.versionId === null || found.versionId === 'null');
  };

  const put = (key: string, wrapped: WrappedKey, signal: AbortSignal): Promise<StoredObject> =>
    inner.putText(sidecarOf(key, wrapped.dataKeyId), sidecarText(key, wrapped), 'application/json', signal);

  /**
   * The same data key under another, proved and read back. Where no version of the earlier one is kept, it is proved beside it first: at any
   * moment one that was read back is there (P4).
   */
  const renew = async (
    key: string,
    wrapped: WrappedKey,
    wrapping: WrappingKey,
    signal: AbortSignal,
  ): Promise<StoredObject> => {
    const dataKey = await unwrapWith(keyring, wrapped, signal);
    const renewed = { ...wrapped, keyId: wrapping.id, wrapped: await wrapping.wrap(dataKey, signal) };
    if (!(await wrapping.unwrap(renewed.wrapped, signal)).equals(dataKey)) throw doesNotGiveBack(wrapping);
    const name = sidecarOf(key, wrapped.dataKeyId);
    const text = sidecarText(key, renewed);
    if (!(await isReplaced(name))) return putProved(name, text, signal);
    await putProved(successorOf(name), text, signal);
    failPoint?.('rewrap, successor read back');

    return takeSuccessor(name, text, signal);
  };

  const takeSuccessor = async (name: string, text: string, signal: AbortSignal): Promise<StoredObject> => {
    const stored = await putProved(name, text, signal);
    failPoint?.('rewrap, wrapped key replaced');
    await inner.erase(successorOf(name));

    return stored;
  };

  /** Earlier versions of a sidecar, wrapped as they were before: the newest is locked as long, then they go. */
  const dropEarlier = async (newest: StoredObject | undefined, signal: AbortSignal): Promise<void> => {
    if (newest === undefined) return;
    const kept = newest.versionId ?? 'null';
    const versions = await inner.versions(newest.key);
    // A store that does not name what it has just stored keeps all of them.
    const earlier = versions.includes(kept) ? versions.filter((version) => version !== kept) : [];
    for (const versionId of earlier) await keepLock(inner, { ...newest, versionId }, newest, signal);
    for (const versionId of earlier) await inner.eraseVersion(newest.key, versionId);
  };

  return {
    /**
     * Makes a data key for one attempt to store this object, and keeps it wrapped; `forget` takes it back where certainly nothing
     * was stored.
     */
    make: async (key: string, wrapping: WrappingKey, signal: AbortSignal) => {
      const dataKey = randomBytes(dataKeyBytes);
      const dataKeyId = randomBytes(16).toString('hex');
      await put(key, { dataKeyId, keyId: wrapping.id, wrapped: await wrapping.wrap(dataKey, signal) }, signal);

      return {
        dataKey,
        dataKeyId,
        forget: async (): Promise<void> => {
          await inner.erase(sidecarOf(key, dataKeyId));
        },
      };
    },
    /** @throws PreavisError `encryption_key_missing`, `archive_mismatch`. */
    dataKey: async (key: string, dataKeyId: string, signal: AbortSignal): Promise<Buffer> => {
      const found = await find(sidecarOf(key, dataKeyId), signal);
      if (found === undefined) throw withoutWrappedKey();

      return unwrapWith(keyring, found.wrapped, signal);
    },
    /**
     * Wraps those of an object anew that are not under this key; the ids of the keys that they were, or are, under. All are tried,
     * and then the first failure is thrown, but for a key that is configured no more and that the newest version does not need:
     * it was left by an attempt that was given up, and `used` says which is needed. `locked`: all are under this key now, and a lock
     * keeps an earlier version of one.
     */
    rewrap: async (
      key: string,
      wrapping: WrappingKey,
      { dryRun, used }: { dryRun: boolean; used: () => Promise<string | undefined> },
      signal: AbortSignal,
    ): Promise<'none' | 'current' | { from: Set<string>; locked: PreavisError | undefined }> => {
      const from = new Set<string>();
      const failures: unknown[] = [];
      let locked: PreavisError | undefined;
      let [found, isChanged] = [false, false];
      const one = async (name: string): Promise<void> => {
        const kept = await find(name, signal);
        if (kept === undefined) return;
        found = true;
        const { wrapped, place } = kept;
        const isCurrent = place === 'own' && wrapped.keyId === wrapping.id;
        const hasSuccessor = (await inner.stat(successorOf(name))) !== undefined;
        if (isCurrent && !hasSuccessor && (await inner.versions(name)).length <= 1) return;
        if (!isCurrent && keyring.find(wrapped.keyId) === undefined && (await used()) !== wrapped.dataKeyId) return;
        if (!isCurrent) from.add(wrapped.keyId);
        isChanged = true;
        if (dryRun) return;
        if (place === 'successor') await takeSuccessor(name, sidecarText(key, wrapped), signal);
        else if (isCurrent && hasSuccessor) await inner.erase(successorOf(name));
        const isRenewed = wrapped.keyId !== wrapping.id;
        const newest = isRenewed ? await renew(key, wrapped, wrapping, signal) : await inner.stat(name);
        await dropEarlier(newest, signal).catch((error: unknown) => {
          if (!(error instanceof PreavisError && error.code === 'archive_locked')) throw error;
          locked = error;
        });
      };
      const own = (await allNames(key)).map((name) => name.replace(/\.new$/, ''));
      for (const name of new Set(own)) {
        await one(name).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
      if (!found) return 'none';

      return isChanged ? { from, locked } : 'current';
    },
    names,
    versions: async (key: string): Promise<string[]> =>
      (await Promise.all((await allNames(key)).map((name) => inner.versions(name)))).flat(),
    erase,
  };
}

export function withoutWrappedKey(): PreavisError {
  return new PreavisError('encryption_key_missing', 'the wrapped key of an encrypted object is not in the archive', {
    hint: `Restore ${sidecarPrefix} of the archive from a backup; without it nobody can read the object. If nothing is missing there, the object was changed.`,
  });
}

export function doesNotGiveBack({ id }: WrappingKey): PreavisError {
  return new PreavisError('encryption_key_unusable', `the key ${id} does not give back what it has wrapped`);
}

async function unwrapWith(keyring: Keyring, { keyId, wrapped }: WrappedKey, signal: AbortSignal): Promise<Buffer> {
  const key = keyring.find(keyId);
  if (key === undefined) {
    throw new PreavisError('encryption_key_missing', `an object needs the key ${keyId}, which is not configured`);
  }

  return key.unwrap(wrapped, signal);
}

async function collect(source: Readable, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) throw new PreavisError('archive_mismatch', 'the wrapped key of an object is too long');
  }

  return Buffer.concat(chunks);
}
