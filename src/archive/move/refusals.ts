import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import type { ArchiveUse } from '../../catalogue/jobs/archiveCopies.ts';
import { undefinedIfUnreadable, type CataloguePart } from '../../catalogue/catalogue.ts';
import { errnoOf, PreavisError } from '../../core/errors.ts';
import type { RecordingId } from '../../core/ids.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { catalogueMarkerPrefix, markerKey } from '../../store/catalogueMarker.ts';
import type { EncryptedStore } from '../../store/encryption/store.ts';
import { idOfKey, objectPrefix } from '../../store/objectKeys.ts';
import type { ObjectStore, StoredObject } from '../../store/store.ts';
import { within } from '../../store/stoppable.ts';

/** What keeps recordings from being moved at all, seen before the first one is. */

/** Objects of the new archive that are looked at for whose it is. */
const mostLookedAt = 1_000;
const stepLimitMs = 60_000;
const mebibyte = 1024 * 1024;

type Refusals = {
  catalogue: CataloguePart<{ recordings: 'find'; archiveCopies: 'archiveKeys'; file: 'identity' }>;
  from: string;
  /** undefined: it is gone. */
  source: EncryptedStore | undefined;
  target: EncryptedStore;
  /** How much lies in the earlier archive; undefined where the catalogue knows of nothing there. */
  use: ArchiveUse | undefined;
  /** The operator wants it though it takes encryption away. */
  decrypt: boolean;
};

/**
 * Reads only. Throws usage, archive_foreign, encryption_ends, archive_full, and what the stores throw.
 */
export async function refuseMove({ catalogue, from, source, target, use, decrypt }: Refusals): Promise<void> {
  if (from === target.location) {
    throw new PreavisError('usage', 'the earlier archive and the configured one are the same');
  }
  // What was brought by other means is not asked for in the earlier one.
  if (source !== undefined && isNested(from, target.location)) {
    throw new PreavisError('usage', `one of the archives lies in the other: ${from} and ${target.location}`, {
      hint: 'Give the new archive a folder, or a prefix, of its own: whoever deletes the outer one would lose the other.',
    });
  }
  await refuseForeign(catalogue, target);
  if (
    !decrypt &&
    target.encryption?.mode !== 'client' &&
    (await catalogue.archiveCopies.archiveKeys(from)).length > 0
  ) {
    throw new PreavisError('encryption_ends', `what Préavis has encrypted in ${from} would not be encrypted any more`);
  }
  await refuseFull(target, use);
}

/** By the locations of the stores: prefixes of a bucket end in a slash, folders do not. */
function isNested(one: string, other: string): boolean {
  const [inner, outer] = [one, other].map((each) => (each.endsWith('/') ? each : `${each}/`)).sort(byLength);

  return inner !== undefined && outer !== undefined && inner.startsWith(outer);
}

const byLength = (a: string, b: string): number => b.length - a.length;

/** Another catalogue's retention would not know what is put there, and its reconciliation would call it foreign. */
async function refuseForeign(
  catalogue: CataloguePart<{ recordings: 'find'; file: 'identity' }>,
  target: EncryptedStore,
): Promise<void> {
  const own = markerKey(await catalogue.file.identity());
  let isMarked = false;
  for await (const { key } of objectsOf(target, catalogueMarkerPrefix)) {
    if (key === own) return;
    isMarked = true;
  }
  let looked = 0;
  for await (const { key } of objectsOf(target, objectPrefix)) {
    const id = idOfKey(key);
    if (id === undefined) continue;
    if (await isKnown(catalogue, id)) return;
    looked += 1;
    if (looked === mostLookedAt) break;
  }
  if (!isMarked && looked === 0) return;
  throw new PreavisError('archive_foreign', `${target.location} is the archive of another catalogue`);
}

/** Also where its row cannot be read. */
async function isKnown(catalogue: CataloguePart<{ recordings: 'find' }>, id: RecordingId): Promise<boolean> {
  try {
    return (await catalogue.recordings.find(id)) !== undefined;
  } catch (thrown) {
    undefinedIfUnreadable(thrown);
    return true;
  }
}

/** A folder, or a mark in it, that is made at the first use is not there yet. */
async function* objectsOf(target: ObjectStore, prefix: string): AsyncGenerator<StoredObject> {
  try {
    yield* target.list(prefix);
  } catch (thrown) {
    if (!(target.kind === 'directory' && thrown instanceof PreavisError && thrown.code === 'archive_bucket_missing'))
      throw thrown;
  }
}

/** Only of a folder it can be seen. */
async function refuseFull(target: ObjectStore, use: ArchiveUse | undefined): Promise<void> {
  if (target.kind !== 'directory' || use === undefined) return;
  const disk = await statfs(target.location).catch((thrown: unknown) => {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  });
  if (disk === undefined) return;
  const free = disk.bavail * disk.bsize;
  if (free >= use.bytes) return;
  const [wanted, has] = [use.bytes, free].map((bytes) => `${Math.ceil(bytes / mebibyte)} MiB`);
  throw new PreavisError('archive_full', `${target.location} has ${has} free, and ${wanted} are to be moved there`);
}

/**
 * Whether both are one place under two names: another address of a bucket, another mount of a folder. What was put into one is seen in
 * the other then. Nothing there is a copy, and removing it would lose the recording.
 */
export async function isSamePlace(source: ObjectStore, target: ObjectStore): Promise<boolean> {
  const limit = timeLimit(stepLimitMs);
  const key = `preavis-check/${randomUUID()}.txt`;
  await target.putText(key, 'Written by preavis archive move; safe to delete.\n', 'text/plain', limit);
  try {
    return (await within(limit, () => source.stat(key))) !== undefined;
  } finally {
    // In a bucket that locks every object by itself it stays, small as it is, until that lock ends.
    await target.erase(key).catch(() => undefined);
  }
}
