import type { LockMode } from '../config/objectLockModes.ts';
import { counted } from '../core/text/counted.ts';

/** What a store can do, as it says and as it was tried; what cannot be seen is `unknown`, and nothing is taken for granted. */

/** As the store says. */
export type Capabilities = {
  /** Whether what is overwritten or deleted stays as an earlier version. */
  versioning: 'on' | 'suspended' | 'off' | 'unknown';
  /** Whether single objects can be locked. */
  objectLock: 'on' | 'off' | 'unknown';
  /** The lock that every new object gets by itself. */
  defaultRetention: 'none' | 'unknown' | { mode: LockMode; days: number };
  /** Rules of the bucket that expire objects. */
  lifecycle: 'rules' | 'none' | 'unsupported' | 'unknown';
  /** What the store encrypts new objects with by itself. */
  encryption: 'sse-s3' | 'sse-kms' | 'none' | 'unknown';
};

export type Answer = 'yes' | 'no' | 'unknown';

/** As it was tried with small objects, which are removed again. */
export type Trial = {
  put: Answer;
  get: Answer;
  list: Answer;
  listVersions: Answer;
  /** Whether it is told of uploads in parts that were not completed. */
  listUploads: Answer;
  delete: Answer;
  putRetention: Answer;
  getRetention: Answer;
  /** Whether a lock that was set keeps an object from being deleted. */
  lockHolds: Answer;
  /** Whether this account may delete in spite of a governance lock. */
  bypassGovernance: Answer;
  /** The strongest checksum by which the store refuses bytes that were changed on their way. */
  checksum: 'sha256' | 'md5' | 'none' | 'unknown';
};

export const nothingTried: Trial = {
  put: 'unknown',
  get: 'unknown',
  list: 'unknown',
  listVersions: 'unknown',
  listUploads: 'unknown',
  delete: 'unknown',
  putRetention: 'unknown',
  getRetention: 'unknown',
  lockHolds: 'unknown',
  bypassGovernance: 'unknown',
  checksum: 'unknown',
};

/** In few words, for a line of `check` and of the log. */
export function capabilityFacts(capabilities: Capabilities, trial: Trial): Record<string, string> {
  const { defaultRetention, ...said } = capabilities;
  const retention =
    typeof defaultRetention === 'string'
      ? defaultRetention
      : `${defaultRetention.mode}, ${counted(defaultRetention.days, 'day')}`;

  return { ...said, defaultRetention: retention, ...trial };
}
