/** The sidecars (sidecar.ts) of a store: kept, read, wrapped anew, erased. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';
import { keepLock } from './encryptedLocks.ts';
import { dataKeyBytes, type Keyring, type WrappingKey } from './keyring.ts';
import { mostSidecarBytes, parseSidecar, sidecarOf, sidecarPrefix, sidecarsOf, sidecarText } from './sidecar.ts';
import type { WrappedKey } from './sidecar.ts';
import type { RawStore, StoredObject } from './store.ts';

/** From so many on, those of objects that never came to be are looked for. */
const manyKeys = 8;

export type WrappedKeys = ReturnType<typeof makeWrappedKeys>;

export function makeWrappedKeys(inner: RawStore, keyring: Keyring) {
  /** Their names, also of those that only earlier versions are left of. */
  const names = (key: string): Promise<string[]> => inner.keysBelow(sidecarsOf(key));

  const erase = async (key: string): Promise<void> => {
    for (const name of await names(key)) await inner.erase(name);
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

  const put = (key: string, wrapped: WrappedKey, signal: AbortSignal): Promise<StoredObject> =>
    inner.putText(sidecarOf(key, wrapped.dataKeyId), sidecarText(key, wrapped), 'application/json', signal);

  /** Those of attempts that came to nothing, where they pile up; what a lock keeps stays. */
  const sweep = async (key: string): Promise<void> => {
    if ((await names(key)).length < manyKeys || (await inner.versions(key)).length > 0) return;
    await erase(key).catch((error: unknown) => {
      if (!(error instanceof PreavisError && error.code === 'archive_locked')) throw error;
    });
  };

  /** The same data key under another, proved and read back. */
  const renew = async (
    key: string,
    wrapped: WrappedKey,
    wrapping: WrappingKey,
    signal: AbortSignal,
  ): Promise<StoredObject> => {
    const dataKey = await unwrapWith(keyring, wrapped, signal);
    const renewed = { ...wrapped, keyId: wrapping.id, wrapped: await wrapping.wrap(dataKey, signal) };
    if (!(await wrapping.unwrap(renewed.wrapped, signal)).equals(dataKey)) throw doesNotGiveBack(wrapping);
    const stored = await put(key, renewed, signal);
    if ((await textOf(stored.key, signal)) !== sidecarText(key, renewed)) {
      throw new PreavisError('archive_mismatch', 'a wrapped key that was read back is not what was sent');
    }

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
      await sweep(key);
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
      const name = sidecarOf(key, dataKeyId);
      const text = await textOf(name, signal);
      if (text === undefined) throw (await names(key)).length === 0 ? withoutWrappedKey() : ofAnotherObject();

      return unwrapWith(keyring, parseSidecar(name, text), signal);
    },
    /** Wraps those of an object anew that are not under this key; the ids of the keys that they were, or are, under. */
    rewrap: async (
      key: string,
      wrapping: WrappingKey,
      { dryRun }: { dryRun: boolean },
      signal: AbortSignal,
    ): Promise<'none' | 'current' | Set<string>> => {
      const from = new Set<string>();
      let [found, hasEarlier] = [false, false];
      for (const name of await names(key)) {
        const text = await textOf(name, signal);
        if (text === undefined) continue;
        found = true;
        const wrapped = parseSidecar(name, text);
        const isCurrent = wrapped.keyId === wrapping.id;
        if (!isCurrent) from.add(wrapped.keyId);
        if (isCurrent && (await inner.versions(name)).length <= 1) continue;
        hasEarlier = true;
        if (dryRun) continue;
        await dropEarlier(isCurrent ? await inner.stat(name) : await renew(key, wrapped, wrapping, signal), signal);
      }
      if (!found) return 'none';

      return hasEarlier ? from : 'current';
    },
    names,
    versions: async (key: string): Promise<string[]> =>
      (await Promise.all((await names(key)).map((name) => inner.versions(name)))).flat(),
    erase,
  };
}

export function withoutWrappedKey(): PreavisError {
  return new PreavisError('encryption_key_missing', 'the wrapped key of an encrypted object is not in the archive', {
    hint: `Restore ${sidecarPrefix} of the archive from a backup; without it nobody can read the object.`,
  });
}

function ofAnotherObject(): PreavisError {
  return new PreavisError('archive_mismatch', 'the wrapped keys of an encrypted object are those of another one', {
    hint: 'One of the two was swapped or replaced in the archive. Look in its access log for who did it.',
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
