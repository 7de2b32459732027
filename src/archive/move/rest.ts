import { text } from 'node:stream/consumers';
import { undefinedIfUnreadable, type CataloguePart } from '../../catalogue/catalogue.ts';
import type { Clock } from '../../core/clock.ts';
import { PreavisError, type ErrorCode } from '../../core/errors.ts';
import { failPoint } from '../../core/failPoint.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { markerKey } from '../../store/catalogueMarker.ts';
import { textDigest } from '../../store/digest.ts';
import { lockObject } from '../lockUploads.ts';
import type { MovePorts } from './move.ts';
import { idOfKey, objectPrefix } from '../../store/objectKeys.ts';
import { isLockedAs, strictest, type Lock } from '../../store/objectLock.ts';
import { isSame, storeAndReadBack } from '../storeAndVerify.ts';
import type { ObjectStore, StoredObject } from '../../store/store.ts';
import type { Digest } from '../../store/digest.ts';

/** What an archive holds beside recordings, certificates and heads: small texts that are never encrypted, and read back whole in their new place. */
const documentPrefix = 'certificates/';
const mostDocumentBytes = 1024 * 1024;
const documentLimitMs = 60_000;

export type Documents = {
  /** In the new archive, whole. */
  moved: number;
  /** Keys under which something else lies there, or that are none of ours. */
  left: string[];
};

/** Heads of the audit trail: also those that lie below a delete marker, or below what somebody has written over them, prove something. */
export type HeadMover = {
  isHeadKey: (key: string) => boolean;
  /** Also those of which only earlier versions are left. */
  keys: (store: ObjectStore) => Promise<string[]>;
  /** False where no head lies there. Throws archive_lock_failed: a later pass of retention locks it then. */
  move: (key: string, source: Place, target: Place) => Promise<boolean>;
  isIn: (store: ObjectStore, key: string) => Promise<boolean>;
};

/** An archive, and whether it can lock. */
export type Place = { store: ObjectStore; locks: boolean };

type RestPorts = { clock: Clock; heads: HeadMover };

export async function moveDocuments(
  source: ObjectStore,
  target: ObjectStore,
  { clock, heads, signal }: RestPorts & { signal: AbortSignal },
): Promise<Documents> {
  const result: Documents = { moved: 0, left: [] };
  const [from, to] = [await placeOf(source), await placeOf(target)];
  const move = async (key: string, moveIt: () => Promise<boolean>): Promise<void> => {
    signal.throwIfAborted();
    if (await moveIt().catch(refusalOfOne)) result.moved += 1;
    else result.left.push(key);
    failPoint?.('move, certificate read back');
  };
  for await (const object of certificatesOf(source, heads)) {
    await move(object.key, () => moveDocument(object, from, to, clock));
  }
  for (const key of await heads.keys(source)) await move(key, () => heads.move(key, from, to));

  return result;
}

async function placeOf(store: ObjectStore): Promise<Place> {
  return { store, locks: (await store.capabilities(timeLimit(documentLimitMs))).objectLock !== 'off' };
}

/** Removes those that the new archive has whole; how many are left. */
export async function removeDocuments(
  source: ObjectStore,
  target: ObjectStore,
  { catalogue, heads }: Omit<RestPorts, 'clock'> & { catalogue: CataloguePart<{ file: 'identity' }> },
  signal: AbortSignal,
): Promise<number> {
  let left = 0;
  const remove = async (key: string, isThere: () => Promise<boolean>): Promise<void> => {
    signal.throwIfAborted();
    const isGone = (await isThere().catch(refusalOfOne)) && (await source.erase(key).then(() => true, refusalOfOne));
    if (!isGone) left += 1;
  };
  const keys: string[] = [];
  for await (const { key } of certificatesOf(source, heads)) keys.push(key);
  for (const key of keys) {
    const limit = timeLimit(documentLimitMs);
    await remove(key, async () => isSameAs(target, key, await source.digest(key, null, limit), limit));
  }
  for (const key of await heads.keys(source)) await remove(key, () => heads.isIn(target, key));
  // It is the archive of this catalogue no more.
  if (left === 0) await source.erase(markerKey(await catalogue.file.identity()));

  return left;
}

async function* certificatesOf(source: ObjectStore, { isHeadKey }: HeadMover): AsyncGenerator<StoredObject> {
  for await (const object of source.list(documentPrefix)) if (!isHeadKey(object.key)) yield object;
}

async function moveDocument(
  { key, bytes }: StoredObject,
  source: Place,
  target: Place,
  clock: Clock,
): Promise<boolean> {
  if (bytes > mostDocumentBytes) return false;
  const content = await text(await source.store.read(key, null, timeLimit(documentLimitMs)));
  const here = await placeDocument(target.store, key, content);
  await lockAsThere(source, null, target, here, { at: clock.now(), wanted: undefined });

  return true;
}

/** Read back whole. Throws archive_occupied where something else lies there that would be lost. */
export async function placeDocument(target: ObjectStore, key: string, content: string): Promise<StoredObject> {
  const limit = timeLimit(documentLimitMs);
  const put = (): Promise<StoredObject> => target.putText(key, content, 'application/jose', limit);
  const placement = { key, expected: textDigest(content), put, covers: () => Promise.resolve() };

  return storeAndReadBack(target, placement, limit);
}

/**
 * As it is in the earlier archive, where both can lock, and as it is `wanted` at least. A lock that has ended is none.
 *
 * @param how `at`: now, ms since 1970 UTC
 * @throws PreavisError `archive_lock_failed`
 */
export async function lockAsThere(
  source: Place,
  version: string | null,
  target: Place,
  { key, versionId }: StoredObject,
  { at, wanted }: { at: number; wanted: Lock | undefined },
): Promise<void> {
  if (!target.locks) return;
  const limit = timeLimit(documentLimitMs);
  const there = source.locks ? (await source.store.protection(key, version, limit)).lock : undefined;
  const lock = strictest([wanted, there].filter((each) => each !== undefined && each.until > at));
  if (lock === undefined) return;
  const found = (await target.store.protection(key, versionId, limit)).lock;
  if (isLockedAs(found, lock, Number.POSITIVE_INFINITY)) return;
  await lockObject(target.store, { key, versionId }, lock, Number.POSITIVE_INFINITY, limit);
}

async function isSameAs(store: ObjectStore, key: string, expected: Digest, signal: AbortSignal): Promise<boolean> {
  const found = await store.stat(key);

  return found !== undefined && (await isSame(store, found, expected, signal));
}

/** A key that is none of ours, something else in its place, one that cannot be read, or a lock: the others go on. */
const ofOne: ReadonlySet<string> = new Set<ErrorCode>([
  'internal',
  'archive_occupied',
  'archive_object_missing',
  'archive_mismatch',
  'archive_locked',
]);

function refusalOfOne(thrown: unknown): false {
  if (thrown instanceof PreavisError && ofOne.has(thrown.code)) return false;
  throw thrown;
}

export type Strays = {
  /** Of recordings that this catalogue knows: from now on it knows that something of them is there. */
  found: number;
  /** Objects that stay there, of recordings that the catalogue has not, or has lost, the end of: reconciling may find them whole. */
  unsettled: number;
  /** Objects that stay there: of no recording of this catalogue, or of one that must not be kept. */
  unknown: number;
};

/** Looks for what lies in the earlier archive beside what was moved: an upload that was cut short before the change, a backup put back. */
export async function findStrays(
  source: ObjectStore,
  {
    catalogue,
    isRemovalProved,
  }: Pick<MovePorts, 'isRemovalProved'> & {
    catalogue: CataloguePart<{ recordings: 'find'; archiveCopies: 'of' | 'note' }>;
  },
  signal: AbortSignal,
): Promise<Strays> {
  const result: Strays = { found: 0, unsettled: 0, unknown: 0 };
  const from = source.location;
  for await (const { key } of source.list(objectPrefix)) {
    signal.throwIfAborted();
    const id = idOfKey(key);
    const row = id === undefined ? undefined : await catalogue.recordings.find(id).catch(undefinedIfUnreadable);
    if (row?.status === 'archived' && row.archive === from) continue;
    switch (row?.status) {
      case 'recorded':
      case 'archived':
      case 'failed':
      case 'erased':
        // What its row alone says to be erased may be all that there is of it.
        if (row.status === 'erased' && !(await isRemovalProved(row))) {
          result.unknown += 1;
          break;
        }
        if ((await catalogue.archiveCopies.of(row.id)).some(({ archive }) => archive === from)) break;
        await catalogue.archiveCopies.note(row.id, from);
        result.found += 1;
        break;
      case 'recording':
      case 'lost':
        result.unsettled += 1;
        break;
      case undefined:
      case 'discarded':
        result.unknown += 1;
        break;
    }
  }

  return result;
}
