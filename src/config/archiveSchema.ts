import * as z from 'zod';
import { encryptionKeyFault, encryptionKeyOf, keyIdPattern } from './encryptionKey.ts';
import { key, port, seconds, section } from './field.ts';

const encryptionKey = z.string().refine((text) => encryptionKeyOf(text) !== undefined, encryptionKeyFault);
const keyId = z.string().regex(keyIdPattern, 'is not the id of a key');

/** The part `archive` of the configuration. */
export const archive = section({
  store: key(z.enum(['directory', 'minio']).default('directory'), 'Where finished recordings are kept.'),
  directory: section({
    folder: key(
      z.string().min(1).default('/var/lib/preavis/archive'),
      'Folder of the directory store, for example a mounted NAS.',
    ),
  }),
  minio: section({
    endPoint: key(
      z
        .string()
        .min(1)
        .regex(/^[^/\s]+$/, 'is a host name or an address alone: https or http is said by useTls, the port by port')
        .default('127.0.0.1'),
      'Host name or address of MinIO or another S3 store.',
    ),
    port: key(port.default(9000), 'Its port.'),
    useTls: key(z.boolean().default(true), 'Whether to speak HTTPS to it.'),
    accessKey: key(z.string().min(1).optional(), 'Access key.', { secret: true }),
    secretKey: key(z.string().min(1).optional(), 'Secret key; better given by the environment or a file.', {
      secret: true,
    }),
    secretKeyFile: key(z.string().min(1).optional(), 'File that holds the secret key in its first line.'),
    region: key(z.string().min(1).default('us-east-1'), 'Region that signatures name.'),
    bucket: key(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not a bucket name')
        .default('preavis'),
      'Bucket; it must exist.',
    ),
    prefix: key(
      z
        .string()
        .regex(/^([A-Za-z0-9._-]+\/)*$/, 'is not empty and does not end in /')
        .default(''),
      'Put before every object key, ending in /.',
    ),
    lifecycleMarginDays: key(
      z.int().min(1).max(3_653).default(30),
      'How much later than the longest keepDays the lifecycle rule of the bucket (`preavis archive lifecycle`) lets objects expire.',
      { unit: 'days' },
    ),
  }),
  encryption: section({
    mode: key(
      z.enum(['none', 'server', 'client']).default('none'),
      'Who encrypts what is archived: nobody, the object store (SSE-S3), or Préavis before it leaves this machine (docs/encryption.md).',
    ),
    key: key(
      encryptionKey.optional(),
      'Key that wraps the keys of recordings (mode client), 32 random bytes in base64 or hexadecimal; better given by the environment or a file.',
      { secret: true },
    ),
    keyFile: key(z.string().min(1).optional(), 'File that holds it in its first line.'),
    oldKeys: key(
      z.array(encryptionKey).min(1).optional(),
      'Earlier such keys, with which is only read; better given by files.',
      { secret: true },
    ),
    oldKeyFiles: key(z.array(z.string().min(1)).default([]), 'Files that hold one of them each, in the first line.'),
    kmsCommand: key(
      z.array(z.string().min(1)).min(1).optional(),
      'Program and arguments that wrap and unwrap keys by a KMS, in the place of key; run without a shell.',
    ),
    keyId: key(keyId.optional(), 'The id of the key in the KMS; without kmsCommand the id follows from the key.'),
    oldKeyIds: key(z.array(keyId).default([]), 'Ids of earlier keys in the KMS, with which is only read.'),
    kmsSeconds: key(seconds(1, 20).default(10), 'Time limit of one call of kmsCommand.', { unit: 's' }),
  }),
  former: key(
    z.array(z.string().min(1)).default([]),
    'Configuration files of earlier archives, as they were; only the part archive is read. Recordings there are fetched and erased there, and `preavis archive move` moves them here. Paths are relative to this file; the environment does not count for them.',
  ),
  uploadsAtOnce: key(
    z.int().min(1).max(32).default(4),
    'How many recordings are sent at the same time; to a folder two at most, unless UV_THREADPOOL_SIZE of the environment is above 4.',
  ),
  attemptSeconds: key(seconds(1, 86_400).default(900), 'Time limit of one attempt to store one recording.', {
    unit: 's',
  }),
});
