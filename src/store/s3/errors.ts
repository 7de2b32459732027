/** What S3 stores and the network answer, as errors of the archive. */
import { PreavisError } from '../../core/errors.ts';
import type { Spoken } from '../../core/crypto/tlsProbe.ts';

const deniedCodes = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'AccountProblem',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);
/** Of Ceph and MinIO; Ceph answers its own with status 403, as if it were a matter of rights. */
const fullCodes = new Set(['QuotaExceeded', 'XMinioAdminBucketQuotaExceeded', 'XMinioStorageFull']);
export const missingCodes = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound']);
/** Errno and the codes of node:tls and of the HTTP parser are written in capitals; those of S3 never are. */
const networkCode = /^[A-Z][A-Z0-9_]*$/;
/** Node does not accept the server's certificate, since it does not know who signed it. */
const unknownSigner = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
/** The same for what is in the certificate itself. */
const wrongCertificate = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function certificateRefusal(code: string, address: string, cause: unknown): PreavisError | undefined {
  const isUnknown = unknownSigner.has(code);
  if (!isUnknown && !wrongCertificate.has(code)) return undefined;
  const hint = isUnknown
    ? 'If an authority of your own signed it, give its certificate to Préavis: NODE_EXTRA_CA_CERTS=/etc/preavis/ca.pem.'
    : "Renew it, or correct archive.minio.endPoint or this machine's clock.";
  const message = `The certificate of the object store ${address} is not accepted (${code}).`;

  return new PreavisError('archive_unreachable', message, { cause, hint });
}

/** The code of S3 or of the network that an error carries. An error inside an answer with status 200 is a bare record. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const code: unknown = 'code' in error ? error.code : 'Code' in error ? error.Code : undefined;
  return typeof code === 'string' && code !== '' ? code : undefined;
}

/** What stores answer that know no encryption, or have no KMS for it: Ceph the first, MinIO the second. */
const unencryptedCodes = new Set(['InvalidArgument', 'NotImplemented', 'InvalidRequest', 'KMSNotConfigured']);

/** The answer to a request that asks for encryption, where it is a no. */
export function encryptionRefusal(error: unknown): PreavisError | undefined {
  const code = codeOf(error);
  if (code === undefined || !unencryptedCodes.has(code)) return undefined;
  return new PreavisError('encryption_not_offered', `The object store refuses to encrypt (${code}).`, { cause: error });
}

/** What a request fails with, among other reasons, where one side speaks TLS and the other does not. */
const mismatchCodes = new Set(['ECONNRESET', 'EPROTO', 'HPE_INVALID_CONSTANT', 'ERR_SSL_WRONG_VERSION_NUMBER']);

/** Whether it is worth asking the server what it speaks: a request broke off, or HTTP 400 without a word of S3 came. */
export const mayBeTlsMismatch = (error: unknown, status: number | undefined): boolean =>
  mismatchCodes.has(codeOf(error) ?? '') || (status === 400 && codeOf(error) === undefined);

/** The error of a server that speaks something else than archive.minio.useTls says; undefined where it does not. */
export function tlsMismatch(spoken: Spoken | undefined, useTls: boolean, address: string): PreavisError | undefined {
  if (spoken === undefined || (spoken === 'tls') === useTls) return undefined;
  const [speaks, key] = useTls ? ['HTTP without TLS', 'true'] : ['TLS', 'false'];

  return new PreavisError(
    'archive_unreachable',
    `The object store ${address} speaks ${speaks}, and archive.minio.useTls is ${key}.`,
    {
      hint: useTls
        ? 'Switch TLS on there, or correct archive.minio.port. Where nobody else can listen: archive.minio.useTls: false.'
        : 'Set archive.minio.useTls: true, or correct archive.minio.port.',
    },
  );
}

/** A failed request as an error of the archive; `status` is that of the answer, if there was one. */
export function toArchiveError(error: unknown, status: number | undefined, address: string): PreavisError {
  if (error instanceof PreavisError) return error;
  const code = codeOf(error);
  const cause = error;
  if (code !== undefined && networkCode.test(code)) {
    const refusal = certificateRefusal(code, address, cause);
    if (refusal !== undefined) return refusal;
    return new PreavisError('archive_unreachable', `The object store ${address} does not answer (${code}).`, { cause });
  }
  if (code === 'NoSuchBucket') {
    return new PreavisError('archive_bucket_missing', 'The bucket does not exist.', { cause });
  }
  if ((code !== undefined && fullCodes.has(code)) || status === 507) {
    return new PreavisError('archive_full', `The object store has no room (${code ?? 'HTTP 507'}).`, { cause });
  }
  if (code === 'RequestTimeTooSkewed') {
    return new PreavisError('archive_denied', "This machine's clock differs too much from the object store's.", {
      cause,
      hint: 'Set the clocks by NTP.',
    });
  }
  if ((code !== undefined && deniedCodes.has(code)) || status === 401 || status === 403) {
    return new PreavisError('archive_denied', `The object store refused (${code ?? status ?? 'unknown'}).`, { cause });
  }
  if (code !== undefined && missingCodes.has(code)) {
    return new PreavisError('archive_object_missing', 'The object store has no object under this key.', { cause });
  }
  const reason = code ?? (status === undefined ? 'no S3 answer' : `HTTP ${status}`);
  return new PreavisError('archive_failed', `The object store answered with an error (${reason}).`, { cause });
}
