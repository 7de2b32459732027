/**
 * An archive in a bucket of MinIO or any other S3 store, by the `minio` client.
 */
import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import { counted } from '../../core/text/counted.ts';
import { PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import { spokenBy, type Spoken } from '../../core/crypto/tlsProbe.ts';
import { digestOf, textDigest, type Digest } from '../digest.ts';
import { openVerified } from '../verifiedSource.ts';
import { codeOf, mayBeTlsMismatch, missingCodes, tlsMismatch, toArchiveError } from './errors.ts';
import { listNames, listVersions, versionOf } from './listing.ts';
import { lockedBy, readProtection, setLock, whyRefused, type VersionPlace } from './locks.ts';
import { askCapabilities, askObjectLock, readLifecycle, tryOut, writeLifecycle } from './probe.ts';
import { makeTransport } from './transport.ts';
import { eraseRounds, isEncryptedByStore, makeS3Upload } from './upload.ts';
import {
  assertKey,
  assertKeyPrefix,
  asUnkept,
  mapFailures,
  type Encryption,
  otherLength,
  type RawStore,
  type StoredObject,
} from '../store.ts';
import { stoppedBy, within } from '../stoppable.ts';

export type MinioStoreOptions = {
  /** Host name or address, without scheme and port. */
  endPoint: string;
  port: number;
  useTls: boolean;
  accessKey: string;
  secretKey: string;
  region: string;
  bucket: string;
  /** Put before every key, so that a bucket can be shared. */
  prefix?: string;
  /** Objects above it are sent in parts of it; also the memory that one upload takes. Default 16 MiB, least 5 MiB. */
  partSizeBytes?: number;
  /** Whether the server is asked to encrypt what it keeps (SSE-S3), and must say that it has. Default: it is not. */
  serverSideEncryption?: boolean;
  /** How long the server may be silent within a request, milliseconds. Default 30 s. */
  idleTimeoutMs?: number;
  /** ms since 1970 UTC, for locks. Default: this machine's clock. */
  now?: () => number;
};

const mebibyte = 1024 * 1024;
const defaultPartSizeBytes = 16 * mebibyte;
const defaultIdleTimeoutMs = 30_000;
const checkLimitMs = 60_000;
const pageSize = 1_000;
/** So long a bucket that was there is believed to be there still; a request that needs it says at once that it is not. */
const bucketKnownMs = 10_000;
/** How long what the server speaks is not asked again, when requests fail. */
const spokenKnownMs = 60_000;

// eslint-disable-next-line max-lines-per-function -- The methods of one store, each short.
export function makeMinioStore(options: MinioStoreOptions): RawStore {
  const { bucket } = options;
  const scheme = options.useTls ? 'https' : 'http';
  const address = `${options.endPoint}:${options.port}`;
  const prefix = options.prefix === undefined || options.prefix === '' ? '' : `${options.prefix.replace(/\/$/, '')}/`;
  assertKeyPrefix(prefix);
  const partSizeBytes = options.partSizeBytes ?? defaultPartSizeBytes;
  const now = options.now ?? (() => Date.now());
  const isEncrypting = options.serverSideEncryption ?? false;
  const encryption: Encryption = isEncrypting ? { mode: 'server' } : null;
  const agent = new (options.useTls ? https : http).Agent({ keepAlive: true });

  const nameOf = (key: string): string => {
    assertKey(key);
    return prefix + key;
  };

  /** `onStatus` gets what the library does not tell: the status of each answer. */
  const makeClient = (signal: AbortSignal | undefined, onStatus: (status: number) => void): Client =>
    new Client({
      endPoint: options.endPoint,
      port: options.port,
      useSSL: options.useTls,
      accessKey: options.accessKey,
      secretKey: options.secretKey,
      region: options.region,
      // The bucket in the path, and not in the host name.
      pathStyle: true,
      partSize: partSizeBytes,
      transportAgent: agent,
      transport: makeTransport({
        useTls: options.useTls,
        idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
        signal,
        onStatus,
      }),
      // The caller retries, with a limit and without writing to the console.
      retryOptions: { disableRetry: true },
    });

  let spokenAskedAt = Number.NEGATIVE_INFINITY;
  let spoken: Promise<Spoken | undefined> = Promise.resolve(undefined);
  const askMismatch = async (): Promise<PreavisError | undefined> => {
    if (performance.now() - spokenAskedAt > spokenKnownMs) {
      spokenAskedAt = performance.now();
      spoken = spokenBy(options.endPoint, options.port);
    }

    return tlsMismatch(await spoken, options.useTls, address);
  };

  const call = async <T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    let lastStatus: number | undefined;
    const client = makeClient(signal, (status) => {
      lastStatus = status;
    });
    const mapped = async (): Promise<T> => {
      try {
        return await work(client);
      } catch (error) {
        if (signal?.aborted === true) throw stoppedBy(signal);
        const mismatch = mayBeTlsMismatch(error, lastStatus) ? await askMismatch() : undefined;
        throw mismatch ?? toArchiveError(error, lastStatus, address);
      }
    };
    return signal ? within(signal, mapped) : mapped();
  };

  let bucketSeenAt = Number.NEGATIVE_INFINITY;
  const assertBucket = async (client: Client): Promise<void> => {
    if (!(await client.bucketExists(bucket))) {
      throw new PreavisError('archive_bucket_missing', `The bucket ${bucket} does not exist.`);
    }
    bucketSeenAt = performance.now();
  };

  const statWith = async (client: Client, key: string): Promise<StoredObject | undefined> => {
    try {
      const found = await client.statObject(bucket, nameOf(key));
      return { key, bytes: found.size, versionId: found.versionId ?? null };
    } catch (error) {
      if (!missingCodes.has(codeOf(error) ?? '')) throw error;
      // A HEAD request cannot say which is missing, the object or the bucket; "already gone" must not hide the latter.
      if (performance.now() - bucketSeenAt > bucketKnownMs) await assertBucket(client);
      return undefined;
    }
  };

  const { putBuffer, putParts, removeIncompleteUploads } = makeS3Upload({
    bucket,
    nameOf,
    partSizeBytes,
    useTls: options.useTls,
    isEncrypting,
    call,
  });

  /** So that of several versions none is erased when one of them cannot be. */
  const refuseLocked = async (client: Client, key: string, versionIds: readonly string[]): Promise<void> => {
    if ((await askObjectLock(client, bucket)) === 'off') return;
    for (const versionId of versionIds) {
      const locked = await lockedBy(client, { bucket, name: nameOf(key), versionId }, now()).catch(() => undefined);
      if (locked !== undefined) throw locked;
    }
  };

  const removeVersion = async (client: Client, place: VersionPlace & { versionId: string }): Promise<void> => {
    try {
      await client.removeObject(place.bucket, place.name, { versionId: place.versionId });
    } catch (refusal) {
      throw await whyRefused(client, place, refusal, now());
    }
  };

  const store: RawStore = {
    kind: 'minio',
    location: `${scheme}://${address}/${bucket}/${prefix}`,
    encryption,
    encryptionFor: () => encryption,

    check: async () => {
      const signal = timeLimit(checkLimitMs);
      await call(assertBucket, signal).catch(async (error: unknown) => {
        // The answer to a HEAD has no text; that to a listing says whether it is the key, the secret, the clock or the rights.
        if (error instanceof PreavisError && error.code === 'archive_denied') {
          await store.list('preavis-check/')[Symbol.asyncIterator]().next();
        }
        throw error;
      });
      const key = `preavis-check/${randomUUID()}.txt`;
      const text = 'Written by preavis check; safe to delete.\n';
      const { versionId } = await store.putText(key, text, 'text/plain', signal).catch((error: unknown) => {
        throw asUnkept(error);
      });
      let back: Digest;
      try {
        back = await store.digest(key, versionId, signal);
      } catch (error) {
        // So that an archive that cannot be read does not fill with these; the failure to be told is the first one.
        await call((client) => client.removeObject(bucket, nameOf(key), versionOf(versionId)), signal).catch(
          () => undefined,
        );
        throw asUnkept(error);
      }
      // In a bucket that locks every object by itself it stays, small as it is, until that lock ends.
      await within(signal, () => store.erase(key)).catch((error: unknown) => {
        if (!(error instanceof PreavisError && error.code === 'archive_locked')) throw error;
      });
      if (back.sha256 !== textDigest(text).sha256) {
        throw new PreavisError(
          'archive_mismatch',
          `The object store gave ${back.bytes} bytes back, and not what was sent.`,
        );
      }
    },

    putFile: (key, file, expected, signal) =>
      store.putSource(key, () => openVerified(file, expected), expected, signal),

    putSource: (key, openSource, expected, signal) =>
      call(async (client) => {
        assertKey(key);
        const source = await openSource();
        try {
          if (expected.bytes > partSizeBytes) return await putParts(client, key, source, expected, signal);
          const content = await source.next(Buffer.allocUnsafe(Math.max(expected.bytes, 1)));
          return await putBuffer(client, key, content, expected);
        } finally {
          await source.close();
        }
      }, signal),

    putText: (key, text, contentType, signal) =>
      call((client) => putBuffer(client, key, Buffer.from(text, 'utf8'), { contentType }), signal),

    stat: (key) => call((client) => statWith(client, key)),

    read: (key, versionId, signal) =>
      call(async (client) => {
        const answer = await client.getObject(bucket, nameOf(key), versionOf(versionId));
        return Readable.from(
          mapFailures(answer, (error) => toArchiveError(error, undefined, address)),
          { objectMode: false },
        );
      }, signal),

    readPart: (key, versionId, { from, bytes, of }, signal) =>
      call(async (client) => {
        const answer = await client.getPartialObject(bucket, nameOf(key), from, bytes, versionOf(versionId));
        const found = lengthOfWhole(answer);
        if (found !== of) {
          answer.destroy();
          throw found === undefined
            ? new PreavisError('archive_failed', 'The object store does not give a part of an object.')
            : otherLength(found, of);
        }
        const stream = Readable.from(
          mapFailures(answer, (error) => toArchiveError(error, undefined, address)),
          { objectMode: false },
        );

        return { stream, proved: 'length' };
      }, signal),

    digest: (key, versionId, signal) =>
      call(async (client) => digestOf(await client.getObject(bucket, nameOf(key), versionOf(versionId))), signal),

    encryptionOf: (key, versionId, signal) =>
      call(async (client) => {
        const found = await client.statObject(bucket, nameOf(key), versionOf(versionId));
        return isEncryptedByStore(found) ? { mode: 'server' } : null;
      }, signal),

    versions: (key) => call((client) => listVersions(client, bucket, nameOf(key))),
    readStart: (key, versionId, bytes, signal) =>
      call(
        async (client) => buffer(await client.getPartialObject(bucket, nameOf(key), 0, bytes, versionOf(versionId))),
        signal,
      ),

    keysBelow: async (keyPrefix) => {
      assertKeyPrefix(keyPrefix);
      const names = await call((client) => listNames(client, bucket, prefix + keyPrefix));

      return names.map((name) => name.slice(prefix.length));
    },

    eraseVersion: (key, versionId) => call((client) => removeVersion(client, { bucket, name: nameOf(key), versionId })),

    erase: (key) =>
      call(async (client) => {
        await removeIncompleteUploads(client, key);
        let removed = 0;
        let left = await listVersions(client, bucket, nameOf(key));
        for (let round = 0; left.length > 0; round += 1) {
          if (round === eraseRounds) {
            const what = counted(left.length, 'version that it said was erased', 'versions that it said were erased');
            throw new PreavisError('archive_failed', `The object store still lists ${what}.`);
          }
          if (left.length > 1) await refuseLocked(client, key, left);
          for (const versionId of left) {
            await removeVersion(client, { bucket, name: nameOf(key), versionId });
            removed += 1;
          }
          left = await listVersions(client, bucket, nameOf(key));
        }
        return removed;
      }),

    protect: (key, versionId, lock, signal) =>
      call((client) => setLock(client, { bucket, name: nameOf(key), versionId }, lock), signal),

    protection: (key, versionId, signal) =>
      call((client) => readProtection(client, { bucket, name: nameOf(key), versionId }), signal),

    capabilities: (signal) => call((client) => askCapabilities(client, bucket), signal),

    tryOut: (signal) =>
      call(async (client) => {
        const objectLock = await askObjectLock(client, bucket);
        return tryOut({ client, bucket, prefix: `${prefix}preavis-check/`, now }, objectLock);
      }, signal),

    lifecycle: (signal) => call((client) => readLifecycle(client, bucket), signal),

    setLifecycle: (rules, signal) => call((client) => writeLifecycle(client, bucket, rules), signal),

    list: async function* (keyPrefix) {
      assertKeyPrefix(keyPrefix);
      let marker = '';
      for (;;) {
        const page = await call((client) =>
          client.listObjectsQuery(bucket, prefix + keyPrefix, marker, { Delimiter: '', MaxKeys: pageSize }),
        );
        for (const { name = '', size = 0 } of page.objects) {
          marker = name;
          yield { key: name.slice(prefix.length), bytes: size, versionId: null };
        }
        if (!page.isTruncated || page.objects.length === 0) return;
      }
    },
  };
  return store;
}

/** As an answer to a part says it (RFC 9110, 14.4): behind the slash. */
function lengthOfWhole(answer: Readable): number | undefined {
  const range = 'headers' in answer ? (answer as IncomingMessage).headers['content-range'] : undefined;
  const [, length] = /^bytes \d+-\d+\/(\d+)$/.exec(range ?? '') ?? [];

  return length === undefined ? undefined : Number(length);
}
