import { text } from 'node:stream/consumers';
import { undefinedIfUnreadable, type Catalogue } from '../catalogue/catalogue.ts';
import type { Clock } from '../core/clock.ts';
import { PreavisError, type ErrorCode } from '../core/errors.ts';
import { failPoint } from '../core/failPoint.ts';
import { timeLimit } from '../core/timeLimit.ts';
import { markerKey } from './catalogueMarker.ts';
import { textDigest } from './digest.ts';
import { lockObject } from './lockStep.ts';
import type { MovePorts } from './move.ts';
import { idOfKey, objectPrefix } from './objectKey.ts';
import { isSame, storeAndReadBack } from './readBack.ts';
import type { Digest, ObjectStore, StoredObject } from './store.ts';

/** What an archive holds beside recordings, certificates and heads: small texts that are never encrypted, and read back whole in their new place. */
const documentPrefixes = ['certificates/'];
const mostDocumentBytes = 1024 * 1024;
const documentLimitMs = 60_000;

export type Documents = {
  /** In the new archive, whole. */
  moved: number;
  /** Keys under which something else lies there, or that are none of ours. */
  left: string[];
};

export async function moveDocuments(
  source: ObjectStore,
  target: ObjectStore,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Documents> {
  const result: Documents = { moved: 0, left: [] };
  const isLocking = await Promise.all(
    [source, target].map(async (store) => (await store.capabilities(timeLimit(documentLimitMs))).objectLock !== 'off'),
  );
  for await (const object of documentsOf(source)) {
    signal.throwIfAborted();
    const isMoved = await moveDocument(object, source, target).catch(refusalOfOne);
    if (isMoved && isLocking.every(Boolean)) await takeLockAlong(object.key, source, target, clock.now());
    if (isMoved) result.moved += 1;
    else result.left.push(object.key);
    failPoint?.('move, certificate read back');
  }

  return result;
}

/** Removes those that the new archive has whole; how many are left. */
export async function removeDocuments(
  source: ObjectStore,
  target: ObjectStore,
  catalogue: Pick<Catalogue, 'identity'>,
  signal: AbortSignal,
): Promise<number> {
  let left = 0;
  const keys: string[] = [];
  for await (const { key } of documentsOf(source)) keys.push(key);
  for (const key of keys) {
    signal.throwIfAborted();
    const limit = timeLimit(documentLimitMs);
    const isThere = await isSameAs(target, key, await source.digest(key, null, limit), limit).catch(refusalOfOne);
    const isGone = isThere && (await source.erase(key).then(() => true, refusalOfOne));
    if (!isGone) left += 1;
  }
  // It is the archive of this catalogue no more.
  if (left === 0) await source.erase(markerKey(await catalogue.identity()));

  return left;
}

async function* documentsOf(source: ObjectStore): AsyncGenerator<StoredObject> {
  for (const prefix of documentPrefixes) yield* source.list(prefix);
}

async function moveDocument({ key, bytes }: StoredObject, source: ObjectStore, target: ObjectStore): Promise<boolean> {
  if (bytes > mostDocumentBytes) return false;
  const limit = timeLimit(documentLimitMs);
  const content = await text(await source.read(key, null, limit));
  const expected = textDigest(content);
  if (await isSameAs(target, key, expected, limit)) return true;
  const put = (): Promise<StoredObject> => target.putText(key, content, 'application/jose', limit);
  await storeAndReadBack(target, { key, expected, put, covers: () => Promise.resolve() }, limit);

  return true;
}

/** Heads of the audit trail are locked; a lock that has ended is none. Throws archive_lock_failed. */
async function takeLockAlong(key: string, source: ObjectStore, target: ObjectStore, at: number): Promise<void> {
  const limit = timeLimit(documentLimitMs);
  const [there, here] = await Promise.all([source, target].map((store) => store.stat(key)));
  if (there === undefined || here === undefined) return;
  const { lock } = await source.protection(key, there.versionId, limit);
  const found = (await target.protection(key, here.versionId, limit)).lock;
  if (lock === undefined || lock.until <= at || (found !== undefined && found.until >= lock.until)) return;
  await lockObject(target, here, lock, Number.POSITIVE_INFINITY, limit);
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
  /** Objects that stay there: of no recording of this catalogue, or of one that must not be kept. */
  unknown: number;
};

/** Looks for what lies in the earlier archive beside what was moved: an upload that was cut short before the change, a backup put back. */
export async function findStrays(
  source: ObjectStore,
  {
    catalogue,
    isErasureProved,
  }: Pick<MovePorts, 'isErasureProved'> & { catalogue: Pick<Catalogue, 'recording' | 'copiesOf' | 'noteCopy'> },
  signal: AbortSignal,
): Promise<Strays> {
  const result: Strays = { found: 0, unknown: 0 };
  const from = source.location;
  for await (const { key } of source.list(objectPrefix)) {
    signal.throwIfAborted();
    const id = idOfKey(key);
    const row = id === undefined ? undefined : await catalogue.recording(id).catch(undefinedIfUnreadable);
    if (row?.status === 'archived' && row.archive === from) continue;
    switch (row?.status) {
      case 'recorded':
      case 'archived':
      case 'failed':
      case 'erased':
        // What its row alone says to be erased may be all that there is of it.
        if (row.status === 'erased' && !(await isErasureProved(row.id))) {
          result.unknown += 1;
          break;
        }
        if ((await catalogue.copiesOf(row.id)).some(({ archive }) => archive === from)) break;
        await catalogue.noteCopy(row.id, from);
        result.found += 1;
        break;
      case undefined:
      case 'recording':
      case 'lost':
      case 'discarded':
        result.unknown += 1;
        break;
    }
  }

  return result;
}
