/**
 * How an object comes into a bucket, by the `minio` client.
 *
 * The client's own upload of a stream is not used. It resumes what an earlier attempt left and so can drop parts, takes a
 * source that ended early for complete, and leaves a promise pending for ever when the source fails. Here the pieces are
 * read and checked first, and the calls of a multipart upload are made one by one.
 */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { BucketItemStat, Client } from 'minio';
import { PreavisError } from '../../core/errors.ts';
import { timeLimit } from '../../core/timeLimit.ts';
import type { VerifiedSource } from '../verifiedSource.ts';
import { codeOf, encryptionRefusal } from './errors.ts';
import { isSameKey, versionOf } from './listing.ts';
import type { StoredObject } from '../store.ts';
import { stoppedBy } from '../stoppable.ts';

export type S3UploadOptions = {
  bucket: string;
  /** The name in the bucket of a key. */
  nameOf: (key: string) => string;
  partSizeBytes: number;
  useTls: boolean;
  /** Whether the server is asked to encrypt, and must say that it has (SSE-S3). */
  isEncrypting: boolean;
  /** Makes requests within a limit of their own. */
  call: (work: (client: Client) => Promise<void>, signal: AbortSignal) => Promise<void>;
};

const mostParts = 10_000;
/** For removing the parts of a failed upload; its own limit has run out by then. */
const cleanUpLimitMs = 10_000;
/** SSE-S3: the server makes, keeps and rotates the keys. */
const encryptionHeader = 'x-amz-server-side-encryption';
const encryptionAsked = 'AES256';
/** Rounds of looking and erasing until nothing may be left; one is enough unless somebody writes meanwhile. */
export const eraseRounds = 4;

const md5 = (content: Buffer): string => createHash('md5').update(content).digest('base64');

/** Whether the store says that it has encrypted this object, by whatever key of its own. */
export function isEncryptedByStore({ metaData }: BucketItemStat): boolean {
  return ![undefined, ''].includes(metaData[encryptionHeader] as string | undefined);
}

// eslint-disable-next-line max-lines-per-function -- The steps of one upload, each short, share its options.
export function makeS3Upload({ bucket, nameOf, partSizeBytes, useTls, isEncrypting, call }: S3UploadOptions) {
  const headersOf = (contentType: string): Record<string, string> => ({
    'Content-Type': contentType,
    ...(isEncrypting ? { [encryptionHeader]: encryptionAsked } : {}),
  });

  /**
   * The client's own upload of a buffer makes SHA-256 and MD5 of it, also where the first is known and the second not sent. By one of
   * them the store checks the bytes: by the signature of the request, or, under TLS, where the client signs without them, by MD5.
   */
  const putBuffer = async (
    client: Client,
    key: string,
    content: Buffer,
    { contentType, sha256 }: { contentType: string; sha256?: string },
  ): Promise<StoredObject> => {
    const checked = useTls ? { 'Content-MD5': md5(content) } : {};
    const headers = { ...headersOf(contentType), ...checked, 'Content-Length': content.length };
    const request = { method: 'PUT', bucketName: bucket, objectName: nameOf(key), headers };
    const signed = useTls ? '' : (sha256 ?? createHash('sha256').update(content).digest('hex'));
    const answer = await asked(() => client.makeRequestStreamAsync(request, content, signed, [200], ''));
    await buffer(answer);
    const version = answer.headers['x-amz-version-id'];
    const isNamed = typeof version === 'string' && version !== '';
    const object = { key, bytes: content.length, versionId: isNamed ? version : null };
    if (isEncrypting) await assertEncrypted(client, object, await statOf(client, object));
    return object;
  };

  /** A request that asks for encryption; a store that cannot says so. */
  const asked = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      throw isEncrypting ? (encryptionRefusal(error) ?? error) : error;
    }
  };

  const statOf = (client: Client, { key, versionId }: StoredObject): Promise<BucketItemStat> =>
    client.statObject(bucket, nameOf(key), versionOf(versionId));

  /** A store that does not know the header may pass over it: what then lies there is not what was asked for, and goes. */
  const assertEncrypted = async (client: Client, object: StoredObject, found: BucketItemStat): Promise<void> => {
    if (found.metaData[encryptionHeader] === encryptionAsked) return;
    const { key, versionId } = object;
    await client.removeObject(bucket, nameOf(key), versionOf(versionId));
    throw new PreavisError(
      'encryption_not_offered',
      'The object store was asked to encrypt an object, and does not say that it has; the object was removed.',
    );
  };

  /**
   * What earlier attempts left under exactly this key. Of all keys that begin with it the key itself is listed first, so
   * the first page is enough, again and again until none is left.
   */
  const removeIncompleteUploads = async (client: Client, key: string): Promise<void> => {
    const name = nameOf(key);
    const aborted = new Set<string>();
    for (let idle = 0; idle < eraseRounds;) {
      const { uploads } = await client.listIncompleteUploadsQuery(bucket, name, '', '', '');
      const own = uploads.filter((upload) => isSameKey(upload.key, name));
      if (own.length === 0) return;
      if (own.every(({ uploadId }) => aborted.has(uploadId))) idle += 1;
      for (const { uploadId } of own) {
        await abortUpload(client, name, uploadId);
        aborted.add(uploadId);
      }
    }
    throw new PreavisError('archive_failed', 'The object store still lists uploads that it said were removed.');
  };

  const abortUpload = async (client: Client, name: string, uploadId: string): Promise<void> => {
    try {
      await client.abortMultipartUpload(bucket, name, uploadId);
    } catch (error) {
      if (codeOf(error) !== 'NoSuchUpload') throw error;
    }
  };

  const putParts = async (
    client: Client,
    key: string,
    source: VerifiedSource,
    expected: { bytes: number; contentType: string },
    signal: AbortSignal,
  ): Promise<StoredObject> => {
    const name = nameOf(key);
    await removeIncompleteUploads(client, key);
    const uploadId = await asked(() =>
      client.initiateNewMultipartUpload(bucket, name, headersOf(expected.contentType)),
    );
    try {
      const part = Buffer.allocUnsafe(Math.max(partSizeBytes, Math.ceil(expected.bytes / mostParts)));
      const parts: { part: number; etag: string }[] = [];
      for (let sent = 0; sent < expected.bytes;) {
        const piece = await source.next(part);
        const { etag } = await client.uploadPart(
          {
            bucketName: bucket,
            objectName: name,
            uploadID: uploadId,
            partNumber: parts.length + 1,
            headers: { 'Content-MD5': md5(piece) },
          },
          piece,
        );
        parts.push({ part: parts.length + 1, etag });
        sent += piece.length;
      }
      if (signal.aborted) throw stoppedBy(signal);
      const completed = await client.completeMultipartUpload(bucket, name, uploadId, parts);
      return await assertStored(client, key, expected.bytes, completed.versionId);
    } catch (error) {
      await call((cleaner) => abortUpload(cleaner, name, uploadId), timeLimit(cleanUpLimitMs)).catch(
        // The store keeps the parts for now: the next attempt, `erase` or the bucket's lifecycle rule removes them.
        () => undefined,
      );
      throw error;
    }
  };

  /** The parts were each acknowledged; the store must have put all of them together. */
  const assertStored = async (
    client: Client,
    key: string,
    bytes: number,
    versionId: string | null,
  ): Promise<StoredObject> => {
    const found = await statOf(client, { key, bytes, versionId });
    if (found.size !== bytes) {
      throw new PreavisError('archive_mismatch', `The object store holds ${found.size} of ${bytes} bytes.`);
    }
    const object = { key, bytes, versionId: versionId ?? found.versionId ?? null };
    if (isEncrypting) await assertEncrypted(client, object, found);
    return object;
  };

  return { putBuffer, putParts, removeIncompleteUploads };
}
