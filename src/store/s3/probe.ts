/**
 * Asks an S3 store what its bucket can do, and tries what it does not tell. A store that does not know a question, or does not
 * let us ask it, is none the worse for it: the answer is `unknown`, or `no`.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Client } from 'minio';
import { PreavisError } from '../../core/errors.ts';
import { nothingTried, type Answer, type Capabilities, type Trial } from '../capabilities.ts';
import type { Lifecycle } from './lifecycleRules.ts';
import { wholeSecond, type Lock } from '../objectLock.ts';
import { codeOf, missingCodes } from './errors.ts';
import { versionIdOf, versionOf } from './listing.ts';
import { readProtection, setLock } from './locks.ts';
import { numberOf, textOf } from './xml.ts';

type Refusal = 'absent' | 'unsupported' | 'denied' | 'unclear';
type Reply<T> = { kind: 'given'; value: T } | { kind: Refusal };

const absent = new Set([
  'ObjectLockConfigurationNotFoundError',
  'NoSuchObjectLockConfiguration',
  'NoSuchLifecycleConfiguration',
  'ServerSideEncryptionConfigurationNotFoundError',
]);
/** The last is our own for what a store has not (setLock). */
const unsupported = new Set(['NotImplemented', 'MethodNotAllowed', 'XNotImplemented', 'archive_unsupported']);
/** A matter of the right to this one question. What is wrong with key, secret or clock is an error of the whole archive. */
const denied = new Set(['AccessDenied', 'AllAccessDisabled', 'Forbidden', 'UnauthorizedAccess']);
/** Questions that a store answers so are answered: it is there, and does not understand them. */
const unclear = new Set(['InvalidRequest', 'InvalidArgument', 'MalformedXML', 'BadRequest', 'InvalidBucketState']);

/** undefined for what is no answer to this question: an outage, a wrong key, no such bucket. */
function refusalOf(error: unknown): Refusal | undefined {
  const code = codeOf(error) ?? '';
  if (absent.has(code)) return 'absent';
  if (unsupported.has(code)) return 'unsupported';
  if (denied.has(code)) return 'denied';

  return unclear.has(code) ? 'unclear' : undefined;
}

async function ask<T>(question: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { kind: 'given', value: await question() };
  } catch (error) {
    const kind = refusalOf(error);
    if (kind === undefined) throw error;

    return { kind };
  }
}

/** What the bucket says about itself under this name, as XML. */
async function bucketDocument(client: Client, bucket: string, query: string): Promise<IncomingMessage> {
  return client.makeRequestAsync({ method: 'GET', bucketName: bucket, query });
}

const documentOf = (client: Client, bucket: string, query: string): Promise<Reply<string>> =>
  ask(async () => text(await bucketDocument(client, bucket, query)));

function versioningOf(reply: Reply<string>): Capabilities['versioning'] {
  if (reply.kind !== 'given') return reply.kind === 'unsupported' ? 'off' : 'unknown';
  const status = textOf(reply.value, 'Status');

  return status === 'Enabled' ? 'on' : status === 'Suspended' ? 'suspended' : 'off';
}

function objectLockOf(reply: Reply<string>): Pick<Capabilities, 'objectLock' | 'defaultRetention'> {
  switch (reply.kind) {
    case 'absent':
    case 'unsupported':
      return { objectLock: 'off', defaultRetention: 'none' };
    case 'denied':
    case 'unclear':
      return { objectLock: 'unknown', defaultRetention: 'unknown' };
    case 'given':
  }
  const objectLock = textOf(reply.value, 'ObjectLockEnabled') === 'Enabled' ? 'on' : 'off';
  const mode = textOf(reply.value, 'Mode');
  const years = numberOf(reply.value, 'Years');
  const days = numberOf(reply.value, 'Days') ?? (years === undefined ? undefined : years * 365);
  if (mode === undefined || days === undefined) return { objectLock, defaultRetention: 'none' };

  return { objectLock, defaultRetention: { mode: mode === 'COMPLIANCE' ? 'compliance' : 'governance', days } };
}

function lifecycleOf({ kind }: Reply<string>): Capabilities['lifecycle'] {
  if (kind === 'given') return 'rules';
  if (kind === 'absent') return 'none';

  return kind === 'unsupported' ? 'unsupported' : 'unknown';
}

function encryptionOf(reply: Reply<string>): Capabilities['encryption'] {
  if (reply.kind === 'absent') return 'none';
  const algorithm = reply.kind === 'given' ? textOf(reply.value, 'SSEAlgorithm') : undefined;
  if (algorithm === 'AES256') return 'sse-s3';

  return algorithm?.startsWith('aws:kms') === true ? 'sse-kms' : 'unknown';
}

/** Reads only. */
export async function askCapabilities(client: Client, bucket: string): Promise<Capabilities> {
  const document = (query: string): Promise<Reply<string>> => documentOf(client, bucket, query);
  const [versioning, lock, lifecycle, encryption] = await Promise.all([
    document('versioning'),
    document('object-lock'),
    document('lifecycle'),
    document('encryption'),
  ]);

  return {
    versioning: versioningOf(versioning),
    ...objectLockOf(lock),
    lifecycle: lifecycleOf(lifecycle),
    encryption: encryptionOf(encryption),
  };
}

/** Whether the bucket can have locked objects; `unknown` where we may not ask. */
export async function askObjectLock(client: Client, bucket: string): Promise<Capabilities['objectLock']> {
  return objectLockOf(await documentOf(client, bucket, 'object-lock')).objectLock;
}

/** Where it is tried: every name that is made begins with `prefix`, and `now` gives ms since 1970 UTC. */
export type TrialGround = { client: Client; bucket: string; prefix: string; now: () => number };

/** How long the lock of a trial lasts, ms: where it cannot be lifted, what was locked stays until a later trial. */
const trialLockMs = 10_000;
/** How far the clock of the store may be ahead, ms. */
const clockSkewMs = 5_000;
/** Trials of others that are under way are left alone, ms. */
const oldMs = 60_000;
const trialPattern = /trial-(?<at>\d{13})-[0-9a-f-]{36}$/;
const trialText = 'Written by preavis check; safe to delete.\n';

const answerOf = (reply: Reply<unknown>): Answer =>
  reply.kind === 'given' ? 'yes' : reply.kind === 'denied' || reply.kind === 'unsupported' ? 'no' : 'unknown';

/**
 * Writes small objects and removes them; what a lock keeps for some seconds the next trial removes. A right that is missing keeps
 * nothing from being tried but what needs it.
 */
export async function tryOut(ground: TrialGround, objectLock: Capabilities['objectLock']): Promise<Trial> {
  const { client, bucket } = ground;
  await removeOldTrials(ground);
  const [plain, locked] = [newName(ground), newName(ground)];
  const put = await ask(() => client.putObject(bucket, plain, trialText));
  if (put.kind !== 'given') return { ...nothingTried, put: answerOf(put), ...(await tryAbsent(ground, plain)) };
  const versionId = put.value.versionId;
  const get = await ask(async () => text(await client.getObject(bucket, plain, versionOf(versionId))));
  const listings = await tryListings(ground, plain);
  const removal = await ask(() => client.removeObject(bucket, plain, exactly(versionId)));
  // One that the bucket has locked by itself says nothing of the right to delete.
  const isHeld = removal.kind !== 'given' && (await isLocked(ground, plain, versionId));
  const mayDelete = isHeld ? 'unknown' : answerOf(removal);

  return {
    put: 'yes',
    get: answerOf(get),
    ...listings,
    delete: mayDelete,
    ...(objectLock === 'off' ? unlockable : await tryLock(ground, locked, mayDelete === 'yes')),
    checksum: await tryChecksums(ground),
  };
}

type Listings = 'list' | 'listVersions' | 'listUploads';

/** Each is a right of its own, and so each is asked for. */
async function tryListings({ client, bucket }: TrialGround, name: string): Promise<Pick<Trial, Listings>> {
  const list = (IncludeVersion: boolean): Promise<Reply<unknown>> =>
    ask(() => client.listObjectsQuery(bucket, name, '', { Delimiter: '', MaxKeys: 1, IncludeVersion }));

  return {
    list: answerOf(await list(false)),
    listVersions: answerOf(await list(true)),
    listUploads: answerOf(await ask(() => client.listIncompleteUploadsQuery(bucket, name, '', '', ''))),
  };
}

/** Where nothing may be stored: who may ask is told of what is not there that it is not there. */
async function tryAbsent(ground: TrialGround, name: string): Promise<Partial<Trial>> {
  const { client, bucket } = ground;
  const listings = await tryListings(ground, name);
  const answerTo = async (question: () => Promise<unknown>): Promise<Answer> => {
    const reply = await ask(() =>
      question().catch((error: unknown) => {
        if (!missingCodes.has(codeOf(error) ?? '')) throw error;
      }),
    );

    // Who may not list is refused what is not there, whatever else they may.
    return reply.kind === 'denied' && listings.list !== 'yes' ? 'unknown' : answerOf(reply);
  };

  return {
    ...listings,
    get: await answerTo(async () => text(await client.getObject(bucket, name))),
    delete: await answerTo(() => client.removeObject(bucket, name, exactly(null))),
    getRetention: await answerTo(() => readProtection(client, { bucket, name, versionId: null })),
  };
}

const unlockable = {
  putRetention: 'unknown',
  getRetention: 'unknown',
  lockHolds: 'unknown',
  bypassGovernance: 'unknown',
} as const satisfies Partial<Trial>;

/** A deletion that names no version leaves a delete marker where versions were kept once. */
const exactly = (versionId: string | null): { versionId: string } => ({ versionId: versionId ?? 'null' });

function newName({ prefix, now }: TrialGround): string {
  return `${prefix}trial-${now()}-${randomUUID()}`;
}

async function isLocked({ client, bucket }: TrialGround, name: string, versionId: string | null): Promise<boolean> {
  const found = await ask(() => readProtection(client, { bucket, name, versionId }));

  return found.kind === 'given' && (found.value.lock !== undefined || found.value.legalHold === 'on');
}

/**
 * A short governance lock, by which an account without the right to bypass it cannot delete. That a deletion is refused says
 * nothing where this account may delete nothing at all.
 */
async function tryLock(ground: TrialGround, name: string, mayDelete: boolean): Promise<Omit<Trial, TriedWithout>> {
  const { client, bucket, now } = ground;
  const { versionId } = await client.putObject(bucket, name, trialText);
  const at = { bucket, name, versionId };
  const before = await ask(() => readProtection(client, at));
  const own = before.kind === 'given' ? before.value.lock : undefined;
  const from = Math.max(now(), own?.until ?? 0);
  // Where the bucket has locked it already, a lock can only become longer.
  const lock: Lock = { mode: own?.mode ?? 'governance', until: wholeSecond(from + trialLockMs) };
  const set = await ask(() => setLock(client, at, lock));
  const read = await ask(() => readProtection(client, at));
  const plainly = await ask(() => client.removeObject(bucket, name, exactly(versionId)));
  // A slow answer may come when the lock is over, by the clock of the store: it says nothing then.
  const isLate = now() >= lock.until - clockSkewMs;
  const answers = { putRetention: answerOf(set), getRetention: answerOf(read) };
  if (set.kind !== 'given') return { ...unlockable, ...answers };
  if (plainly.kind === 'given') {
    return { ...answers, lockHolds: isLate ? 'unknown' : 'no', bypassGovernance: 'unknown' };
  }
  const lockHolds = mayDelete ? 'yes' : 'unknown';
  if (lock.mode === 'compliance') return { ...answers, lockHolds, bypassGovernance: 'unknown' };
  const bypass = await ask(() => client.removeObject(bucket, name, { ...exactly(versionId), governanceBypass: true }));
  if (bypass.kind === 'given') return { ...answers, lockHolds, bypassGovernance: 'yes' };

  return { ...answers, lockHolds, bypassGovernance: mayDelete ? 'no' : 'unknown' };
}

type TriedWithout = 'put' | 'get' | Listings | 'delete' | 'checksum';

const checksumCodes = new Set(['BadDigest', 'InvalidDigest', 'XAmzContentChecksumMismatch', 'InvalidChecksum']);

/** Sends bytes with the checksum of others. */
async function tryChecksums(ground: TrialGround): Promise<Trial['checksum']> {
  const wrong = (algorithm: string): string => createHash(algorithm).update('other bytes').digest('base64');
  const sha256 = await isRefused(ground, { 'x-amz-checksum-sha256': wrong('sha256') });
  if (sha256 === 'yes') return 'sha256';
  const md5 = await isRefused(ground, { 'Content-MD5': wrong('md5') });
  if (md5 === 'yes') return 'md5';

  return md5 === 'no' && sha256 === 'no' ? 'none' : 'unknown';
}

async function isRefused(ground: TrialGround, headers: Record<string, string>): Promise<Answer> {
  const { client, bucket } = ground;
  const name = newName(ground);
  try {
    const answer = await client.makeRequestAsync(
      { method: 'PUT', bucketName: bucket, objectName: name, headers },
      trialText,
    );
    answer.resume();
    const version = answer.headers['x-amz-version-id'];
    await ask(() => client.removeObject(bucket, name, exactly(typeof version === 'string' ? version : null)));

    return 'no';
  } catch (error) {
    if (checksumCodes.has(codeOf(error) ?? '')) return 'yes';
    if (refusalOf(error) !== undefined) return 'unknown';
    throw error;
  }
}

/** Those whose lock is over by now; what cannot be removed stays. */
async function removeOldTrials({ client, bucket, prefix, now }: TrialGround): Promise<void> {
  const page = await ask(() =>
    client.listObjectsQuery(bucket, prefix, '', { Delimiter: '', MaxKeys: 1_000, IncludeVersion: true }),
  );
  if (page.kind !== 'given') return;
  for (const object of page.value.objects) {
    const { name = '' } = object;
    const at = Number(trialPattern.exec(name)?.groups?.['at']);
    if (!(now() - at > oldMs)) continue;
    await ask(() => client.removeObject(bucket, name, { versionId: versionIdOf(object) }));
  }
}

const minimumHeader = 'x-amz-transition-default-minimum-object-size';

/** Throws archive_unsupported where the store has no such rules. */
export async function readLifecycle(client: Client, bucket: string): Promise<Lifecycle | undefined> {
  const reply = await ask(async (): Promise<Lifecycle> => {
    const answer = await bucketDocument(client, bucket, 'lifecycle');
    const minimum = answer.headers[minimumHeader];

    return { xml: await text(answer), transitionMinimum: typeof minimum === 'string' ? minimum : undefined };
  });
  switch (reply.kind) {
    case 'given':
      return reply.value;
    case 'absent':
      return undefined;
    case 'denied':
      throw new PreavisError('archive_denied', 'The object store does not show its lifecycle rules.');
    case 'unsupported':
    case 'unclear':
      throw new PreavisError('archive_unsupported', 'The object store has no lifecycle rules.');
  }
}

export async function writeLifecycle(
  client: Client,
  bucket: string,
  { xml, transitionMinimum }: Lifecycle,
): Promise<void> {
  const headers = {
    'Content-MD5': createHash('md5').update(xml).digest('base64'),
    ...(transitionMinimum === undefined ? {} : { [minimumHeader]: transitionMinimum }),
  };
  await client.makeRequestAsyncOmit({ method: 'PUT', bucketName: bucket, query: 'lifecycle', headers }, xml);
}
