/**
 * Stands before a store and encrypts what goes in (format.ts), each object under a data key of its own; that lies wrapped in
 * a key object (keyObject.ts). All others see plaintext: its length, its SHA-256, its bytes, and no key objects.
 *
 * Without a current key it stores as the store does, and still reads and erases what was encrypted before. An object from
 * before encryption has no header, and is given out as it is.
 *
 * The key object is written first and erased last, so that no object is ever without its key: a lock may keep the object.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { asPreavisError, PreavisError, type ErrorCode } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { catalogueMarkerPrefix } from '../catalogueMarker.ts';
import { locksWithKeys } from './locks.ts';
import { openVerified, type VerifiedSource } from '../verifiedSource.ts';
import { dataKeyBytes, type Keyring, type WrappingKey } from './keyWrapping.ts';
import {
  decodeHeader,
  headerBytes,
  decryptSegments,
  plainLength,
  encryptedLength,
  segmentsOf,
  tagBytes,
  usualSegmentBytes,
  type SegmentKey,
  type EncryptedHeader,
} from './format.ts';
import { bytesSource, encryptedSource } from './source.ts';
import { isKeyObject, objectOf, keyObjectOf, keyObjectPrefix, keyObjectsOf } from './keyObject.ts';
import type { Encryption, ObjectStore, Part, PartRead, RawStore, StoredObject } from '../store.ts';
import { digestOf } from '../digest.ts';
import type { HeldKeys } from '../heldKeys.ts';
import { within } from '../stoppable.ts';
import { doesNotGiveBack, makeWrappedKeys, withoutWrappedKey, type Rewrapped } from './keyStorage.ts';

export type EncryptedStore = ObjectStore &
  Pick<RawStore, 'putSource'> & {
    /** Wraps and unwraps a key that is thrown away, with each key that wraps. @throws PreavisError `encryption_key_unusable`. */
    tryKey(signal: AbortSignal): Promise<void>;
    /** The same for each by itself, by their ids: that of one company may fail, and those of others work. Never rejects for a key. */
    tryKeys(signal: AbortSignal): Promise<readonly TriedKey[]>;
    /**
     * Wraps the data keys of one object under the current key; the object stays as it is.
     * @throws PreavisError `internal` without a current key, and as `read` does.
     */
    rewrap(key: string, how: { dryRun: boolean }, signal: AbortSignal): Promise<Rewrapped>;
  };

/** `fault`: `encryption_key_unusable` or what the key program made of it; undefined where it works. */
type TriedKey = { id: string; fault: PreavisError | undefined };

type Content = { open: () => Promise<VerifiedSource>; bytes: number; contentType: string };

/** For calls without a signal: the steps between the store's own, ms. */
const stepLimitMs = 60_000;
/** After these it is certain that nothing was stored. */
const nothingStored: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['archive_mismatch', 'spool_unusable']);

/** Before the versions of wrapped keys, which are told where no object is left. */
const keyMark = 'key ';

const codeIn = (error: unknown): ErrorCode | undefined => (error instanceof PreavisError ? error.code : undefined);

// eslint-disable-next-line max-lines-per-function -- The methods of one store, each short.
export function makeEncryptedStore(
  inner: RawStore,
  keyring: Keyring,
  { segmentBytes = usualSegmentBytes }: { segmentBytes?: number } = {},
): EncryptedStore {
  const { current } = keyring;
  const wrappedKeys = makeWrappedKeys(inner, keyring);

  const putEncrypted = async (
    key: string,
    content: Content,
    wrapping: WrappingKey,
    signal: AbortSignal,
  ): Promise<StoredObject> => {
    const { dataKey, dataKeyId, forget } = await wrappedKeys.make(key, wrapping, signal);
    const segmentKey: SegmentKey = { dataKey, dataKeyId, segmentBytes, object: key };
    try {
      const stored = await inner.putSource(
        key,
        async () => encryptedSource(await content.open(), content.bytes, segmentKey),
        { bytes: encryptedLength(content.bytes, segmentBytes), contentType: 'application/octet-stream' },
        signal,
      );

      return { ...stored, bytes: content.bytes };
    } catch (error) {
      // After a cut connection the object may yet appear, and needs its key.
      if (nothingStored.has(codeIn(error) ?? 'internal')) {
        const left = await inner.versions(key).catch(() => undefined);
        if (left?.length === 0) await forget().catch(() => undefined);
      }
      throw error;
    }
  };

  const encryptionBy = (wrapping: WrappingKey | undefined): Encryption =>
    wrapping === undefined ? inner.encryption : { mode: 'client', keyId: wrapping.id };

  const read = async (key: string, versionId: string | null, signal: AbortSignal): Promise<Readable> => {
    refuseKeyObject(key);
    const source = await inner.read(key, versionId, signal);
    try {
      const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const start = await takeStart(chunks);
      const header = decodeHeader(start);
      const rest = withStart(header === undefined ? start : start.subarray(headerBytes), chunks);
      const plain =
        header === undefined
          ? rest
          : decryptSegments(
              { ...header, object: key, dataKey: await wrappedKeys.dataKey(key, header.dataKeyId, signal) },
              rest,
            );
      // One that nobody begins to read would not end what it reads from.
      return Readable.from(plain, { objectMode: false }).once('close', () => source.destroy());
    } catch (error) {
      source.destroy();
      throw error;
    }
  };

  const readPart = async (
    key: string,
    versionId: string | null,
    part: Part,
    signal: AbortSignal,
    keys?: HeldKeys,
  ): Promise<PartRead> => {
    refuseKeyObject(key);
    const header = decodeHeader(await inner.readStart(key, versionId, headerBytes, signal));
    if (header === undefined) return inner.readPart(key, versionId, part, signal);
    const { segmentBytes, dataKeyId } = header;
    const segments = segmentsOf(part, segmentBytes);
    const unwrap = (): Promise<Buffer> => wrappedKeys.dataKey(key, dataKeyId, signal);
    const dataKey = await (keys === undefined ? unwrap() : keys.of(`${dataKeyId} ${key}`, unwrap));
    const { from, bytes } = segments;
    const of = encryptedLength(part.of, segmentBytes);
    const { stream: source } = await inner.readPart(key, versionId, { from, bytes, of }, signal);
    const plain = decryptSegments({ ...header, object: key, dataKey }, source, segments);
    const wanted = cutOut(plain, part.from - segments.first * segmentBytes, part.bytes);

    const stream = Readable.from(wanted, { objectMode: false }).once('close', () => source.destroy());

    return { stream, proved: 'segments' };
  };

  /** The header of an object; undefined for one that is not encrypted. */
  const headerOf = async (
    key: string,
    found: StoredObject | undefined,
    signal: AbortSignal,
  ): Promise<EncryptedHeader | undefined> =>
    found === undefined || found.bytes < headerBytes + tagBytes
      ? undefined
      : decodeHeader(await inner.readStart(key, found.versionId, headerBytes, signal));

  const stat = async (key: string): Promise<StoredObject | undefined> => {
    refuseKeyObject(key);
    const found = await inner.stat(key);
    try {
      const header = await headerOf(key, found, timeLimit(stepLimitMs));
      if (found === undefined || header === undefined) return found;

      return { ...found, bytes: plainLength(found.bytes, header.segmentBytes) };
    } catch (error) {
      // What cannot be read has the length that the store says; `read` says what is wrong with it.
      if (codeIn(error) === 'archive_mismatch' || codeIn(error) === 'archive_denied') return found;
      if (codeIn(error) === 'archive_object_missing') return undefined;
      throw error;
    }
  };

  const tryOne = async (wrapping: WrappingKey, signal: AbortSignal): Promise<void> => {
    const dataKey = randomBytes(dataKeyBytes);
    const back = await wrapping.unwrap(await wrapping.wrap(dataKey, signal), signal);
    if (!back.equals(dataKey)) throw doesNotGiveBack(wrapping);
  };

  const currentKeys = current === undefined ? [] : [current, ...keyring.own];

  const tryKey = async (signal: AbortSignal): Promise<void> => {
    for (const each of currentKeys) await tryOne(each, signal);
  };

  const tryKeys: EncryptedStore['tryKeys'] = async (signal) => {
    const tried: TriedKey[] = [];
    for (const each of currentKeys) {
      const fault = await tryOne(each, signal).then(
        () => undefined,
        (thrown: unknown) => asPreavisError(thrown),
      );
      signal.throwIfAborted();
      tried.push({ id: each.id, fault });
    }

    return tried;
  };

  const rewrap: EncryptedStore['rewrap'] = async (key, { dryRun }, signal) => {
    const wrapping = keyring.currentFor(key);
    if (wrapping === undefined) throw new PreavisError('internal', 'there is no key to wrap with');
    const used = async (): Promise<string | undefined> =>
      (await headerOf(key, await inner.stat(key), signal))?.dataKeyId;
    const found = await wrappedKeys.rewrap(key, wrapping, { dryRun, used }, signal);
    if (found.state === 'plain' && (await used()) !== undefined) throw withoutWrappedKey();
    // Retention may have erased the object since its key objects were read: then they must not come back.
    if (found.state === 'rewrapped' && !dryRun && (await inner.versions(key)).length === 0) {
      await wrappedKeys.erase(key);
    }

    return found;
  };

  return {
    kind: inner.kind,
    location: inner.location,
    encryption: encryptionBy(current),
    encryptionFor: (key) => encryptionBy(keyring.currentFor(key)),
    tryKey,
    tryKeys,
    rewrap: (key, how, signal) => within(signal, () => rewrap(key, how, signal)),

    check: async (how) => {
      await inner.check(how);
      // Without the key of one company the archive still works for the others.
      if (current !== undefined) await tryOne(current, timeLimit(stepLimitMs));
    },

    putFile: (key, file, expected, signal) =>
      within(signal, async () => {
        refuseKeyObject(key);
        const wrapping = keyring.currentFor(key);
        if (wrapping === undefined) return inner.putFile(key, file, expected, signal);

        return putEncrypted(key, { ...expected, open: () => openVerified(file, expected) }, wrapping, signal);
      }),

    putSource: (key, open, { bytes, contentType }, signal) =>
      within(signal, async () => {
        refuseKeyObject(key);
        const wrapping = keyring.currentFor(key);
        if (wrapping === undefined) return inner.putSource(key, open, { bytes, contentType }, signal);

        return putEncrypted(key, { open, bytes, contentType }, wrapping, signal);
      }),

    putText: (key, text, contentType, signal) =>
      within(signal, async () => {
        refuseKeyObject(key);
        const wrapping = keyring.currentFor(key);
        if (wrapping === undefined || isClear(key)) return inner.putText(key, text, contentType, signal);
        const bytes = Buffer.from(text, 'utf8');
        const open = (): Promise<VerifiedSource> => Promise.resolve(bytesSource(bytes));

        return putEncrypted(key, { open, bytes: bytes.length, contentType }, wrapping, signal);
      }),

    stat,

    read: (key, versionId, signal) => within(signal, () => read(key, versionId, signal)),

    readPart: (key, versionId, part, signal, keys) =>
      within(signal, () => readPart(key, versionId, part, signal, keys)),

    digest: (key, versionId, signal) => within(signal, async () => digestOf(await read(key, versionId, signal))),

    encryptionOf: (key, versionId, signal) =>
      within(signal, async () => {
        refuseKeyObject(key);
        const header = decodeHeader(await inner.readStart(key, versionId, headerBytes, signal));
        if (header === undefined) return inner.encryptionOf(key, versionId, signal);

        return { mode: 'client', keyId: await wrappedKeys.keyOf(key, header.dataKeyId, signal) };
      }),

    versions: async (key) => {
      refuseKeyObject(key);
      const own = await inner.versions(key);
      if (own.length > 0) return own;

      return (await wrappedKeys.versions(key)).map((version) => keyMark + version);
    },

    erase: async (key) => {
      refuseKeyObject(key);
      // The object first: what a lock keeps must keep its key.
      const removed = await inner.erase(key);
      await wrappedKeys.erase(key);
      // An attempt to store it, or to wrap its key anew, may have come in between.
      await wrappedKeys.erase(key);

      return removed;
    },

    ...locksWithKeys(inner, async (key, versionId, signal) => {
      try {
        const header = decodeHeader(await inner.readStart(key, versionId, headerBytes, signal));

        return header === undefined ? [] : [keyObjectOf(key, header.dataKeyId)];
      } catch (error) {
        // Which of them it needs cannot be seen.
        if (codeIn(error) === 'archive_object_missing' || signal.aborted) throw error;
        return wrappedKeys.names(key);
      }
    }),
    eraseVersion: async (key, versionId) => {
      refuseKeyObject(key);
      if (!versionId.startsWith(keyMark)) await inner.eraseVersion(key, versionId);
    },
    capabilities: (signal) => inner.capabilities(signal),
    tryOut: (signal) => inner.tryOut(signal),
    lifecycle: (signal) => inner.lifecycle(signal),
    setLifecycle: (rules, signal) => inner.setLifecycle(rules, signal),
    keysBelow: (prefix) => inner.keysBelow(prefix),

    list: async function* (prefix) {
      const keyObjects = inner.list(keyObjectPrefix + prefix)[Symbol.asyncIterator]();
      let keyObject = await keyObjects.next();
      // Of objects that come later, although their key objects come before: `a-b` is behind `a`, and `a-b/` before `a/`.
      const ahead = new Set<string>();
      for await (const object of inner.list(prefix)) {
        if (isKeyObject(object.key)) continue;
        const own = keyObjectsOf(object.key);
        for (; keyObject.done !== true && keyObject.value.key < own; keyObject = await keyObjects.next()) {
          if (objectOf(keyObject.value.key) > object.key) ahead.add(objectOf(keyObject.value.key));
        }
        const isNext = keyObject.done !== true && objectOf(keyObject.value.key) === object.key;
        const isEncrypted = ahead.delete(object.key) || isNext;
        yield isEncrypted ? { ...object, bytes: listedLength(object.bytes, segmentBytes) } : object;
      }
    },
  };
}

/** Certificates of erasure, and heads of the audit trail below them, are signed and name nobody; what proves an erasure must not need a key that may be gone. */
function isClear(key: string): boolean {
  return key.startsWith('certificates/') || key.startsWith(catalogueMarkerPrefix);
}

/** As for a key that leads out of the store: keys are made by Préavis. */
function refuseKeyObject(key: string): void {
  if (isKeyObject(key)) throw new PreavisError('internal', 'An object key is one of a wrapped key.');
}

function listedLength(bytes: number, segmentBytes: number): number {
  try {
    return plainLength(bytes, segmentBytes);
  } catch {
    return bytes;
  }
}

/** The first bytes, at least those of a header where there are so many. */
async function takeStart(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let start = Buffer.alloc(0);
  while (start.length < headerBytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }

  return start;
}

async function* withStart(start: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

/** So many bytes behind the first ones, which are left out. */
async function* cutOut(chunks: AsyncIterable<Buffer>, leftOut: number, bytes: number): AsyncGenerator<Buffer> {
  let [before, wanted] = [leftOut, bytes];
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.min(before, chunk.length), Math.min(before + wanted, chunk.length));
    before = Math.max(0, before - chunk.length);
    wanted -= part.length;
    if (part.length > 0) yield part;
  }
}
