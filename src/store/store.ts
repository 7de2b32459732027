/**
 * The archive's port: what Préavis needs of an object store, and nothing more. directory/store.ts and s3/store.ts stand
 * behind it; one contract suite holds for both.
 *
 * An object is complete or absent. "Already gone" is success for `erase`, but a store that is itself missing (no bucket,
 * no folder) is an error in every method: otherwise a wrong setting would look like a finished erasure. `stat` may take some
 * seconds to notice that a bucket that was there is gone.
 */
import type { HeldKeys } from './heldKeys.ts';
import type { Digest } from './digest.ts';
import type { Readable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';
import type { Capabilities, Trial } from './capabilities.ts';
import type { Lifecycle } from './s3/lifecycleRules.ts';
import type { Lock, Protection } from './objectLock.ts';
import type { VerifiedSource } from './verifiedSource.ts';

export type StoredObject = {
  key: string;
  bytes: number;
  /** The store's name for this version, or null where the store keeps none (and in every listing). */
  versionId: string | null;
};

/** Bytes of an object, from the first on; `of` is the length of the whole. */
export type Part = { from: number; bytes: number; of: number };

/** `proved`: that each segment is what was stored, or that the whole is as long as it. */
export type PartRead = { stream: Readable; proved: 'segments' | 'length' };

/** What is encrypted at rest of what is stored from now on: by Préavis under this key, by the store itself, or nothing. */
export type Encryption = { mode: 'client'; keyId: string } | { mode: 'server' } | null;

export function isSameEncryption(one: Encryption, other: Encryption): boolean {
  const keyOf = (each: Encryption): string | undefined => (each?.mode === 'client' ? each.keyId : undefined);

  return one?.mode === other?.mode && keyOf(one) === keyOf(other);
}

export function encryptionInWords(encryption: Encryption): string {
  if (encryption === null) return 'none';
  if (encryption.mode === 'server') return 'by the store';

  return `by Préavis, key ${encryption.keyId}`;
}

/**
 * Every method throws a PreavisError: `archive_unreachable`, `archive_denied`, `archive_bucket_missing`, `archive_full` or
 * `archive_failed`; further codes are named at the method. A signal is the time limit of the whole call; when it fires
 * the call rejects at once with `archive_unreachable` and the signal's reason as cause.
 */
export type ObjectStore = {
  readonly kind: 'directory' | 'minio';
  /** For people; holds no secret. */
  readonly location: string;
  readonly encryption: Encryption;
  /** The same for what is stored under this key: a company of `controllers` may have a key of its own. */
  encryptionFor(key: string): Encryption;
  /** Reaches the store, writes, reads and erases a small object. `create: false` keeps it from making the store itself. */
  check(how?: { create: boolean }): Promise<void>;
  /**
   * Stores a file that holds exactly the expected bytes; what an earlier attempt left is not reused.
   * @throws PreavisError `archive_mismatch` when the file is not what was expected (nothing is stored then),
   *   `spool_unusable` when it cannot be read.
   */
  putFile(
    key: string,
    file: string,
    expected: Digest & { contentType: string },
    signal: AbortSignal,
  ): Promise<StoredObject>;
  putText(key: string, text: string, contentType: string, signal: AbortSignal): Promise<StoredObject>;
  /** The newest version, or undefined when there is none or it is a delete marker. */
  stat(key: string): Promise<StoredObject | undefined>;
  /**
   * This version, or the newest for null. The stream fails with a PreavisError when the store stops sending; the
   * signal ends it too, where it could wait for ever.
   * @throws PreavisError `archive_object_missing`.
   */
  read(key: string, versionId: string | null, signal: AbortSignal): Promise<Readable>;
  /**
   * A part of this version, or of the newest for null: `bytes` from `from` on, both within the object. What Préavis has encrypted is
   * proved to be what was stored, segment by segment; of anything else only the length is, which `of` must be.
   *
   * @param part `of`: how long the whole is, as it was stored
   * @param keys where its data key is held, if it has one and is read in many parts
   * @throws PreavisError `archive_object_missing`; `archive_mismatch` for an object of another length, and for a segment that was changed
   */
  readPart(key: string, versionId: string | null, part: Part, signal: AbortSignal, keys?: HeldKeys): Promise<PartRead>;
  /**
   * Reads the whole object back and hashes it.
   * @throws PreavisError `archive_object_missing`.
   */
  digest(key: string, versionId: string | null, signal: AbortSignal): Promise<Digest>;
  /**
   * How what lies there is encrypted at rest; `encryption` says how it would be stored now. Reads no content.
   * @throws PreavisError `archive_object_missing`.
   */
  encryptionOf(key: string, versionId: string | null, signal: AbortSignal): Promise<Encryption>;
  /** Every version and delete marker that is left under exactly this key; a store without versions has one, `null`. */
  versions(key: string): Promise<string[]>;
  /**
   * Removes all of them and what incomplete uploads left; the number of versions and markers, 0 when already gone.
   * @throws PreavisError `archive_locked` when a lock or a legal hold is on one of them; the others are left then, too.
   */
  erase(key: string): Promise<number>;
  /** Removes one version, as `versions` names it; one that is gone is removed. */
  eraseVersion(key: string, versionId: string): Promise<void>;
  /**
   * Locks this version. A lock of the same mode that is longer, and a stricter one, are refused by the store or stay: read
   * `protection` afterwards.
   * @throws PreavisError `archive_unsupported` where there are no locks, `archive_object_missing`.
   */
  protect(key: string, versionId: string | null, lock: Lock, signal: AbortSignal): Promise<void>;
  /** @throws PreavisError `archive_object_missing`. */
  protection(key: string, versionId: string | null, signal: AbortSignal): Promise<Protection>;
  /** What the store says of itself; reads only. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** What it is found to do, with small objects under `preavis-check/`, which are removed. */
  tryOut(signal: AbortSignal): Promise<Trial>;
  /**
   * The rules by which the store itself removes objects; undefined when there are none.
   * @throws PreavisError `archive_unsupported` where there cannot be any.
   */
  lifecycle(signal: AbortSignal): Promise<Lifecycle | undefined>;
  /** In the place of all rules that are there. Throws as `lifecycle`. */
  setLifecycle(rules: Lifecycle, signal: AbortSignal): Promise<void>;
  /** Objects whose key begins with `prefix`, in the order of their keys. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Keys that begin with this prefix, also those of which only earlier versions or delete markers are left. */
  keysBelow(prefix: string): Promise<string[]>;
};

/** A store itself, as encryption/store.ts needs it to stand before it. Errors as above. */
export type RawStore = ObjectStore & {
  /**
   * Stores what a source gives, exactly so many bytes. It is opened when there is a place to write to, and closed. `sha256` is
   * given only where the source itself makes sure of it.
   * @throws PreavisError also what the source throws; nothing is stored then.
   */
  putSource(
    key: string,
    open: () => Promise<VerifiedSource>,
    expected: { bytes: number; contentType: string; sha256?: string },
    signal: AbortSignal,
  ): Promise<StoredObject>;
  /** The first bytes of an object that is not empty, fewer where it has fewer. @throws PreavisError `archive_object_missing`. */
  readStart(key: string, versionId: string | null, bytes: number, signal: AbortSignal): Promise<Buffer>;
};

/** Longest key and longest part of it between slashes, in characters; S3 allows 1024, file systems 255. */
const longestKey = 800;
const longestSegment = 200;
const segmentPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/**
 * Refuses a key that could leave the store's folder, collide with a temporary file or break a signature: each part
 * between slashes is ASCII letters, digits, `_`, `-`, `.`, and does not begin with a dot.
 * @throws PreavisError `internal`; keys are made by Préavis, never by a caller.
 */
export function assertKey(key: string): void {
  const isSafe =
    key.length <= longestKey &&
    key.split('/').every((segment) => segment.length <= longestSegment && segmentPattern.test(segment));
  if (!isSafe) throw new PreavisError('internal', 'An object key holds a character that is not allowed.');
}

/** The same for the beginning of keys: empty, or as a key that may end in a slash. */
export function assertKeyPrefix(prefix: string): void {
  if (prefix === '') return;
  assertKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
}

/** The bytes of an object; failures as errors of the archive. */
export async function* mapFailures(
  source: AsyncIterable<Buffer>,
  toArchiveError: (error: unknown) => PreavisError,
): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    throw toArchiveError(error);
  }
}

/** For `readPart`: what the store has is not so long as what was stored. */
export function otherLength(found: number, stored: number): PreavisError {
  return new PreavisError('archive_mismatch', `what the archive has is ${found} bytes long, and ${stored} were stored`);
}

/** A failure of storing an object or of reading it back: that what was confirmed is not there is a fault of the archive. */
export function asUnkept(error: unknown): unknown {
  if (!(error instanceof PreavisError && error.code === 'archive_object_missing')) return error;

  return new PreavisError('archive_mismatch', 'the archive has confirmed an object that it does not have', {
    cause: error,
  });
}
