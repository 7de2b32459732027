import { toArchiveError } from '../../../../src/store/s3/errors.ts';

const of = (code: string) => toArchiveError(Object.assign(new Error('refused'), { code }), undefined, 'store:9000');

describe('a connection that does not come about', () => {
  test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])(
    'for a certificate that nobody vouches for (%s) says how to trust its authority',
    (code) => {
      expect(of(code)).toMatchObject({
        code: 'archive_unreachable',
        message: `The certificate of the object store store:9000 is not accepted (${code}).`,
        hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
      });
    },
  );

  test.each(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'for a certificate that is wrong in itself (%s) does not offer to trust anybody',
    (code) => {
      expect(of(code)).toMatchObject({
        message: expect.stringContaining('is not accepted') as string,
        hint: expect.not.stringContaining('NODE_EXTRA_CA_CERTS') as string,
      });
    },
  );

  test.each(['ECONNREFUSED', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'])(
    'for another reason (%s) says nothing of the certificate of the store',
    (code) => {
      expect(of(code)).toMatchObject({
        code: 'archive_unreachable',
        message: `The object store store:9000 does not answer (${code}).`,
      });
    },
  );
});
