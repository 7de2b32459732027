import * as z from 'zod';
import { copyGivenUp, copyRemoved, moved } from '../catalogue/retention/auditTrail.ts';
import type { CataloguePart } from '../catalogue/catalogue.ts';
import type { AuditRow, RecordingRow } from '../catalogue/rows.ts';
import { lockModes, type PurposeLock } from '../config/objectLockModes.ts';
import { dayMs, isoTime, type Clock } from '../core/clock.ts';
import { asPreavisError, PreavisError } from '../core/errors.ts';
import type { Capabilities } from '../store/capabilities.ts';
import { isLockedAs, lockFor, type Lock } from '../store/objectLock.ts';
import type { ObjectStore, StoredObject } from '../store/store.ts';
import { within } from '../store/stoppable.ts';

/**
 * Locks what an upload has stored, as its purposes ask. A recording counts as archived only once its lock was read back: what
 * cannot be locked waits, with its local file.
 */
export type UploadLocks = {
  /**
   * The lock of this recording, or undefined when none of its purposes asks for one.
   * @throws PreavisError `archive_unprotected` when one asks and the archive has none to give: nothing is stored then.
   */
  wanted(row: RecordingRow, signal: AbortSignal): Promise<Lock | undefined>;
  /** @throws PreavisError `archive_lock_failed`. */
  set(row: RecordingRow, lock: Lock, objects: readonly StoredObject[], signal: AbortSignal): Promise<void>;
};

export type UploadLocksPorts = {
  catalogue: CataloguePart<{ recordings: 'purposeEnds' | 'find' }>;
  store: ObjectStore;
  locks: ReadonlyMap<string, PurposeLock>;
  clock: Clock;
};

/** For one pass: the archive is asked once, and by the next pass again, since somebody may have mended it. */
export function makeUploadLocks({ catalogue, store, locks, clock }: UploadLocksPorts): UploadLocks {
  const isAsked = [...locks.values()].some((mode) => mode !== 'none');
  let asking: Promise<Capabilities> | undefined;
  const capabilities = (signal: AbortSignal): Promise<Capabilities> => {
    asking ??= within(signal, () => store.capabilities(signal)).catch((error: unknown) => {
      asking = undefined;
      throw error;
    });

    return asking;
  };

  return {
    wanted: async (row, signal) => {
      if (!isAsked) return undefined;
      const lock = lockFor(await catalogue.recordings.purposeEnds(row.id), locks, clock.now());
      // What a wrong clock has put far away, nobody could take back.
      if (lock !== undefined && lock.until > clock.now() + (row.keepDays + 1) * dayMs) {
        throw lockFailed(`its end (${isoTime(lock.until)}) is further away than it is to be kept`, undefined);
      }
      if (lock !== undefined && (await capabilities(signal)).objectLock === 'off') {
        throw new PreavisError('archive_unprotected', `${store.location} has no Object Lock; nothing was stored there`);
      }

      return lock;
    },
    set: async (row, lock, objects, signal) => {
      // While it was sent it may have been erased, or its time shortened: a lock could not be taken back.
      const now = await catalogue.recordings.find(row.id);
      const wanted = lockFor(await catalogue.recordings.purposeEnds(row.id), locks, clock.now());
      if (now?.status !== row.status || wanted?.until !== lock.until) {
        throw new PreavisError('status_conflict', `recording ${row.id} has changed while it was sent`);
      }
      for (const object of objects) await lockObject(store, object, lock, row.keepUntil ?? lock.until, signal);
    },
  };
}

/**
 * Locks an object, and reads that back.
 *
 * @param longest no lock may end later, ms since 1970 UTC
 * @throws PreavisError `archive_lock_failed`, and what says that the archive is away
 */
export async function lockObject(
  store: ObjectStore,
  { key, versionId }: Pick<StoredObject, 'key' | 'versionId'>,
  lock: Lock,
  longest: number,
  signal: AbortSignal,
): Promise<void> {
  let refused: PreavisError | undefined;
  try {
    await within(signal, () => store.protect(key, versionId, lock, signal));
  } catch (thrown) {
    // A lock that is there already, longer or stricter, makes a store refuse; what counts is what is read back.
    refused = asPreavisError(thrown);
    if (refused.wholeArchive === 'away') throw refused;
  }
  try {
    const { lock: found } = await within(signal, () => store.protection(key, versionId, signal));
    if (isLockedAs(found, lock, longest)) return;
    const has = found === undefined ? 'no lock' : `${found.mode} until ${isoTime(found.until)}`;
    throw lockFailed(`an object was to be locked (${lock.mode} until ${isoTime(lock.until)}) and has ${has}`, refused);
  } catch (thrown) {
    const error = asPreavisError(thrown);
    if (error.wholeArchive === 'away' || error.code === 'archive_lock_failed') throw error;
    throw lockFailed('the lock of an object cannot be read back', error);
  }
}

function lockFailed(message: string, cause: PreavisError | undefined): PreavisError {
  const why = cause === undefined ? '' : ` (${cause.code}: ${cause.message})`;

  return new PreavisError('archive_lock_failed', `${message}${why}`, { cause });
}

/** For the audit trail. */
export function lockDetail({ mode, until }: Lock): { mode: string; until: string } {
  return { mode, until: isoTime(until) };
}

const noted = z.object({ lock: z.object({ mode: z.enum(lockModes), until: z.iso.datetime() }) });

/** The lock that a recording was archived with, or moved, by its audit trail: what somebody else did to it since is not known there. */
export function lockNoted(steps: readonly AuditRow[]): Lock | undefined {
  const found = noted.safeParse(steps.findLast(({ event, to }) => to === 'archived' || event === moved)?.detail).data
    ?.lock;

  return found && { mode: found.mode, until: Date.parse(found.until) };
}

const movedFrom = z.object({ from: z.string(), oldCopy: z.literal(true) });

/** The same, of where it lies and of each earlier archive that has an old copy of it still: each may keep it. */
export function locksNoted(steps: readonly AuditRow[]): Lock[] {
  const old = new Map<unknown, Lock>();
  for (const [index, { event, detail }] of steps.entries()) {
    if (event === copyRemoved || event === copyGivenUp) old.delete(detail['archive']);
    if (event !== moved) continue;
    const before = lockNoted(steps.slice(0, index));
    const left = movedFrom.safeParse(detail).data;
    if (before !== undefined && left !== undefined) old.set(left.from, before);
  }
  const here = lockNoted(steps);

  return [...(here === undefined ? [] : [here]), ...old.values()];
}
