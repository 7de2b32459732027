/** The key objects (keyObject.ts) of a store: kept, read, wrapped anew, erased. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PreavisError, type ErrorCode } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import { keepLock } from './locks.ts';
import { dataKeyBytes, type Keyring, type WrappingKey } from './keyWrapping.ts';
import {
  mostKeyObjectBytes,
  parseKeyObject,
  keyObjectOf,
  keyObjectPrefix,
  keyObjectsOf,
  keyObjectText,
  successorOf,
  type WrappedKey,
} from './keyObject.ts';
import type { RawStore, StoredObject } from '../store.ts';

/** Where a wrapped key may lie: under its own name, beside it, or in a version that another one has covered. */
type Place = { place: 'own' | 'successor' | 'earlier'; at: string; versionId: string | null };
type Opened = { place: Place['place']; wrapped: WrappedKey; dataKey: Buffer };

/**
 * `plain`: the object is not encrypted. `from`: the ids of the keys that its data keys are, or were, wrapped with. `locked`: a lock
 * keeps a version that is wrapped with one of them beside the new one.
 */
export type Rewrapped =
  { state: 'plain' | 'current' } | { state: 'rewrapped'; from: ReadonlySet<string>; locked: PreavisError | undefined };

/** With these another place may still give the data key. */
const isOfThisPlace: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'archive_mismatch',
  'encryption_key_missing',
  'encryption_key_unusable',
]);

/** What lies below the key objects of an object that is none of its own. */
const ownPattern = /^[0-9a-f]{32}$/;
const anyPattern = /^[0-9a-f]{32}(\.new)?$/;

// eslint-disable-next-line max-lines-per-function -- The methods of one object, each short.
export function makeWrappedKeys(inner: RawStore, keyring: Keyring) {
  /** Their names, also of those that only earlier versions are left of. */
  const below = async (key: string, pattern: RegExp): Promise<string[]> => {
    const prefix = keyObjectsOf(key);

    return (await inner.keysBelow(prefix)).filter((name) => pattern.test(name.slice(prefix.length)));
  };
  const names = (key: string): Promise<string[]> => below(key, ownPattern);
  const allNames = (key: string): Promise<string[]> => below(key, anyPattern);

  const erase = async (key: string): Promise<void> => {
    for (const name of await allNames(key)) await inner.erase(name);
  };

  /** The text of a version of a key object, of the newest for null; undefined where there is none. */
  const textOf = async (name: string, versionId: string | null, signal: AbortSignal): Promise<string | undefined> => {
    try {
      return (await collect(await inner.read(name, versionId, signal), mostKeyObjectBytes)).toString('utf8');
    } catch (error) {
      if (hasCode(error, 'archive_object_missing')) return undefined;
      throw error;
    }
  };

  /**
   * The data key from each place where it can be had: under its own name, from the successor, from earlier versions. What lies in a
   * place counts only when it was unwrapped, since a wrapped key with one other character still has the form of one.
   *
   * @throws PreavisError what the first place says, where there is something and none of it gives the data key.
   */
  const openedOf = async function* (name: string, signal: AbortSignal): AsyncGenerator<Opened> {
    let [isOpened, failure]: [boolean, PreavisError | undefined] = [false, undefined];
    for await (const { place, at, versionId } of placesOf(name)) {
      try {
        const text = await textOf(at, versionId, signal);
        if (text === undefined) continue;
        const wrapped = parseKeyObject(at, text);
        yield { place, wrapped, dataKey: await unwrapWith(keyring, wrapped, signal) };
        isOpened = true;
      } catch (error) {
        // Several stores refuse to read a version that only says that the object was removed.
        const isMarker = place === 'earlier' && hasCode(error, 'archive_failed');
        if (!isMarker && !(error instanceof PreavisError && isOfThisPlace.has(error.code))) throw error;
        if (!isMarker) failure ??= error;
      }
    }
    if (!isOpened && failure !== undefined) throw failure;
  };

  const placesOf = async function* (name: string): AsyncGenerator<Place> {
    yield { place: 'own', at: name, versionId: null };
    yield { place: 'successor', at: successorOf(name), versionId: null };
    const versions = await inner.versions(name);
    if (versions.length > 1) for (const versionId of versions) yield { place: 'earlier', at: name, versionId };
  };

  /** @throws PreavisError `archive_mismatch` where two places give different data keys: then none of them may go. */
  const agreed = async (name: string, signal: AbortSignal): Promise<Opened | undefined> => {
    let first: Opened | undefined;
    for await (const opened of openedOf(name, signal)) {
      first ??= opened;
      if (!opened.dataKey.equals(first.dataKey)) {
        throw new PreavisError('archive_mismatch', 'two wrapped keys of an object give different data keys');
      }
    }

    return first;
  };

  /** Whether it lies under this key alone. It is not unwrapped, since nothing is to be erased then. */
  const isSettled = async (name: string, wrapping: WrappingKey, signal: AbortSignal): Promise<boolean> => {
    if ((await inner.versions(name)).length > 1 || (await inner.stat(successorOf(name))) !== undefined) return false;
    const text = await textOf(name, null, signal);

    return text !== undefined && parseKeyObject(name, text).keyId === wrapping.id;
  };

  /** Stored, and read back as it was sent. */
  const putProved = async (name: string, text: string, signal: AbortSignal): Promise<StoredObject> => {
    const stored = await inner.putText(name, text, 'application/json', signal);
    if ((await textOf(name, null, signal)) !== text) {
      throw new PreavisError('archive_mismatch', 'a wrapped key that was read back is not what was sent');
    }

    return stored;
  };

  /** Whether what is stored under this name replaces what is there, as no version of that is kept. */
  const isReplaced = async (name: string): Promise<boolean> => {
    const found = await inner.stat(name);

    return found !== undefined && (found.versionId === null || found.versionId === 'null');
  };

  /**
   * The same data key under another, proved and read back. Where no version of the earlier one is kept, it is proved beside it first: at any
   * moment one that was read back is there (P4).
   */
  const renew = async (
    key: string,
    { wrapped, dataKey }: Opened,
    wrapping: WrappingKey,
    signal: AbortSignal,
  ): Promise<StoredObject> => {
    const renewed = { ...wrapped, keyId: wrapping.id, wrapped: await wrapping.wrap(dataKey, signal) };
    if (!(await wrapping.unwrap(renewed.wrapped, signal)).equals(dataKey)) throw doesNotGiveBack(wrapping);
    const name = keyObjectOf(key, wrapped.dataKeyId);
    const text = keyObjectText(key, renewed);
    if (!(await isReplaced(name))) return putProved(name, text, signal);
    await putProved(successorOf(name), text, signal);
    failPoint?.('rewrap, successor read back');
    const stored = await putProved(name, text, signal);
    failPoint?.('rewrap, wrapped key replaced');

    return stored;
  };

  /**
   * Under its own name, under this key: what lies there already was unwrapped, and what is put there was unwrapped and is read back.
   * So nothing else that holds it is needed any more.
   */
  const settle = async (
    key: string,
    name: string,
    opened: Opened,
    wrapping: WrappingKey,
    signal: AbortSignal,
  ): Promise<void> => {
    const { wrapped, place } = opened;
    // Under its own name first: it would be covered by its own successor.
    const putBack = place === 'own' ? undefined : await putProved(name, keyObjectText(key, wrapped), signal);
    const isCurrent = wrapped.keyId === wrapping.id;
    const newest = isCurrent ? (putBack ?? (await inner.stat(name))) : await renew(key, opened, wrapping, signal);
    await inner.erase(successorOf(name));
    await dropEarlier(newest, signal);
  };

  /** Earlier versions of a key object, wrapped as they were before: the newest is locked as long, then they go. */
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
      const name = keyObjectOf(key, dataKeyId);
      const wrapped = { dataKeyId, keyId: wrapping.id, wrapped: await wrapping.wrap(dataKey, signal) };
      await inner.putText(name, keyObjectText(key, wrapped), 'application/json', signal);

      return {
        dataKey,
        dataKeyId,
        forget: async (): Promise<void> => {
          await inner.erase(keyObjectOf(key, dataKeyId));
        },
      };
    },
    /** @throws PreavisError `encryption_key_missing`, `archive_mismatch`. */
    dataKey: async (key: string, dataKeyId: string, signal: AbortSignal): Promise<Buffer> => {
      for await (const { dataKey } of openedOf(keyObjectOf(key, dataKeyId), signal)) return dataKey;
      throw withoutWrappedKey();
    },
    /** The id of the key that a data key is wrapped with. Throws as `dataKey`. */
    keyOf: async (key: string, dataKeyId: string, signal: AbortSignal): Promise<string> => {
      for await (const { wrapped } of openedOf(keyObjectOf(key, dataKeyId), signal)) return wrapped.keyId;
      throw withoutWrappedKey();
    },
    /**
     * Wraps those of an object anew that are not under this key. All are tried, and then the first failure is thrown, but for a key that
     * is configured no more and that the newest version does not need: it was left by an attempt that was given up, and `used` says which
     * is needed.
     */
    rewrap: async (
      key: string,
      wrapping: WrappingKey,
      { dryRun, used }: { dryRun: boolean; used: () => Promise<string | undefined> },
      signal: AbortSignal,
    ): Promise<Rewrapped> => {
      const from = new Set<string>();
      const failures: unknown[] = [];
      let locked: PreavisError | undefined;
      let [found, isChanged] = [false, false];
      const one = async (name: string): Promise<void> => {
        if (await isSettled(name, wrapping, signal)) {
          found = true;
          return;
        }
        const opened = await agreed(name, signal).catch(async (error: unknown) => {
          found = true;
          const isLeft = hasCode(error, 'encryption_key_missing') && !name.endsWith(`/${(await used()) ?? ''}`);
          if (!isLeft) throw error;
        });
        if (opened === undefined) return;
        [found, isChanged] = [true, true];
        if (opened.place !== 'own' || opened.wrapped.keyId !== wrapping.id) from.add(opened.wrapped.keyId);
        if (dryRun) return;
        await settle(key, name, opened, wrapping, signal).catch((error: unknown) => {
          if (!hasCode(error, 'archive_locked')) throw error;
          locked = error;
        });
      };
      const own = (await allNames(key)).map((name) => name.replace(/\.new$/, ''));
      for (const name of new Set(own)) {
        await one(name).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
      if (isChanged) return { state: 'rewrapped', from, locked };

      return { state: found ? 'current' : 'plain' };
    },
    names,
    versions: async (key: string): Promise<string[]> =>
      (await Promise.all((await allNames(key)).map((name) => inner.versions(name)))).flat(),
    erase,
  };
}

export function withoutWrappedKey(): PreavisError {
  return new PreavisError('encryption_key_missing', 'the wrapped key of an encrypted object is not in the archive', {
    hint: `Restore ${keyObjectPrefix} of the archive from a backup; without it nobody can read the object. If nothing is missing there, the object was changed.`,
  });
}

export function doesNotGiveBack({ id }: WrappingKey): PreavisError {
  return new PreavisError('encryption_key_unusable', `the key ${id} does not give back what it has wrapped`);
}

function hasCode(error: unknown, code: ErrorCode): error is PreavisError {
  return error instanceof PreavisError && error.code === code;
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
