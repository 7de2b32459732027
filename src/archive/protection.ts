import type { PurposeConfig } from '../config/purposeSchema.ts';
import { counted } from '../core/text/counted.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Capabilities, Trial } from '../store/capabilities.ts';
import type { Encryption } from '../store/store.ts';

/** What the purposes ask of the archive, against what it can do: Préavis claims no protection that the store lacks. */

/** refusal: serve does not start with it. fault: something is wrong now. warning: for people to judge. */
export type ProtectionProblem = {
  severity: 'refusal' | 'fault' | 'warning';
  code: ErrorCode;
  problem: string;
  hint: string;
};

export type AskingPurposes = Readonly<Record<string, Pick<PurposeConfig, 'lock' | 'kind' | 'consent' | 'keepDays'>>>;

export type SeenArchive = {
  kind: 'directory' | 'minio';
  /** Of a store with buckets, for the commands that are named. */
  bucket: string;
  /** Whatever the bucket does by itself. */
  encrypted: Encryption;
  capabilities: Capabilities;
  trial: Trial;
};

export function asksForLock(purposes: AskingPurposes): boolean {
  return Object.values(purposes).some(({ lock }) => lock !== 'none');
}

const named = (ids: readonly string[]): string => ids.join(', ');
const asking = (ids: readonly string[]): string => `${named(ids)} ${ids.length === 1 ? 'asks' : 'ask'}`;

function withLock(purposes: AskingPurposes, modes: readonly string[]): string[] {
  return Object.entries(purposes).flatMap(([id, { lock }]) => (modes.includes(lock) ? [id] : []));
}

/** How a bucket comes to have it: in most stores only when it is made. */
function bucketHint({ kind, bucket }: SeenArchive): string {
  if (kind === 'directory')
    return 'Use archive.store: minio with such a bucket, or set the lock of the purpose to none.';

  return (
    `Make a bucket with it: mc mb --with-lock store/${bucket}-locked (AWS: aws s3api create-bucket --object-lock-enabled-for-bucket). ` +
    'Then name it in archive.minio.bucket. Or set the lock of the purpose to none.'
  );
}

function lockProblems(purposes: AskingPurposes, archive: SeenArchive): ProtectionProblem[] {
  const ids = withLock(purposes, ['governance', 'compliance']);
  if (ids.length === 0) return [];
  const { capabilities, trial, bucket } = archive;
  const refusal = (problem: string, hint: string): ProtectionProblem[] => [
    { severity: 'refusal', code: 'archive_unprotected', problem, hint },
  ];
  if (capabilities.objectLock === 'off') {
    const what = archive.kind === 'directory' ? 'a folder has none' : `the bucket ${bucket} has none`;

    return refusal(`${asking(ids)} for an Object Lock, and ${what}`, bucketHint(archive));
  }
  if (trial.lockHolds === 'no') {
    return refusal(
      `${asking(ids)} for an Object Lock, and the store deleted an object that was locked`,
      'Use a store whose Object Lock holds, or set the lock of the purpose to none.',
    );
  }
  const missing = [
    ...(trial.putRetention === 'no' ? ['s3:PutObjectRetention'] : []),
    ...(trial.getRetention === 'no' ? ['s3:GetObjectRetention'] : []),
  ];
  if (missing.length > 0) {
    return refusal(
      `${asking(ids)} for an Object Lock, and this account may not set it and read it back (${named(missing)})`,
      'Allow it in the policy of this account: config/bucket-policy.json has all that Préavis needs.',
    );
  }

  return [...unseenLock(ids, archive), ...bypassable(purposes, archive), ...unerasable(purposes)];
}

function unseenLock(ids: readonly string[], { capabilities, trial }: SeenArchive): ProtectionProblem[] {
  if (capabilities.objectLock === 'on' || trial.lockHolds === 'yes') return [];

  return [
    {
      severity: 'warning',
      code: 'archive_unprotected',
      problem: `it is not known whether the bucket has the Object Lock that ${asking(ids)} for; each recording will show it`,
      hint: 'Allow s3:GetBucketObjectLockConfiguration (config/bucket-policy.json).',
    },
  ];
}

function bypassable(purposes: AskingPurposes, { trial }: SeenArchive): ProtectionProblem[] {
  const ids = withLock(purposes, ['governance']);
  if (ids.length === 0 || trial.bypassGovernance !== 'yes') return [];

  return [
    {
      severity: 'warning',
      code: 'archive_unprotected',
      problem: `the governance lock of ${named(ids)} has no effect on the account of Préavis: it may bypass the lock`,
      hint: 'Take s3:BypassGovernanceRetention from it: an account of its own with config/bucket-policy.json has no such right.',
    },
  ];
}

/** Locked is locked, also for the caller who takes a consent back or objects. */
function unerasable(purposes: AskingPurposes): ProtectionProblem[] {
  return Object.entries(purposes).flatMap(([id, { lock, kind, consent }]): ProtectionProblem[] =>
    lock === 'none' || (kind !== 'training' && consent === 'announce')
      ? []
      : [
          {
            severity: 'warning',
            code: 'archive_locked',
            problem: `${id} has a lock, so its recordings cannot be erased on request before their end (GDPR art. 17)`,
            hint: 'Ask counsel: a lock is for what the law requires to be kept, not for what a caller may object to.',
          },
        ],
  );
}

function retentionProblems(purposes: AskingPurposes, { capabilities, bucket }: SeenArchive): ProtectionProblem[] {
  const { defaultRetention } = capabilities;
  if (typeof defaultRetention === 'string') return [];
  const { mode, days } = defaultRetention;
  // The lock begins with the upload, after the end of the recording: as many days are too many already.
  const shorter = Object.entries(purposes).flatMap(([id, { keepDays }]) => (keepDays <= days ? [id] : []));
  if (shorter.length === 0) return [];

  return [
    {
      severity: 'fault',
      code: 'archive_retention_too_long',
      problem: `the bucket locks every object for ${counted(days, 'day')} (${mode}): recordings of ${named(shorter)} cannot be erased when due`,
      hint:
        `Remove it: mc retention clear --default store/${bucket} (AWS: aws s3api put-object-lock-configuration). ` +
        'Préavis sets a lock itself where a purpose requires one.',
    },
  ];
}

export function protectionProblems(purposes: AskingPurposes, archive: SeenArchive): ProtectionProblem[] {
  return [...lockProblems(purposes, archive), ...retentionProblems(purposes, archive)];
}

/** What the store lacks though nobody asks for it, each with the command that changes it. */
export function protectionNotes({ kind, bucket, encrypted, capabilities, trial }: SeenArchive): string[] {
  if (kind === 'directory') return ['a folder keeps no versions and has no locks: who may write to it may change all'];
  const { versioning, objectLock, encryption, lifecycle } = capabilities;
  const bucketOfAws = `--bucket ${bucket}`;

  return [
    ...(versioning === 'off' || versioning === 'suspended'
      ? [
          `no versions: what is overwritten is lost. mc version enable store/${bucket} ` +
            `(AWS: aws s3api put-bucket-versioning ${bucketOfAws} --versioning-configuration Status=Enabled)`,
        ]
      : []),
    ...(objectLock === 'off'
      ? [`no Object Lock: who has a key may delete. A new bucket may have it: mc mb --with-lock store/NAME`]
      : []),
    ...(encryption === 'none' && encrypted === null
      ? [
          `not encrypted by the store: mc encrypt set sse-s3 store/${bucket} (AWS: aws s3api put-bucket-encryption ${bucketOfAws})`,
        ]
      : []),
    ...(lifecycle === 'none' ? ['no lifecycle rule as a second net: preavis archive lifecycle --apply'] : []),
    ...(trial.checksum === 'none'
      ? ['it stores bytes that were changed on their way; Préavis reads each object back']
      : []),
  ];
}
