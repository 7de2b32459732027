import { newTotpSecret, periodOfCode, totpAddress } from '../../../src/access/totp.ts';
import { isTotpSecret } from '../../../src/config/credentials.ts';

/** `12345678901234567890` in base32: the secret of RFC 6238, appendix B, whose codes end with these six digits. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const vectors: [number, string][] = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
];

describe('a one-time code', () => {
  test.each(vectors)('of %i s is that of RFC 6238', (seconds, code) => {
    expect(periodOfCode(secret, code, seconds * 1_000)).toBe(Math.floor(seconds / 30));
  });

  test('counts for the period before and after its own, and no longer', () => {
    const [[, code] = [0, '']] = vectors.slice(3);
    const at = 1_234_567_890_000;
    const own = Math.floor(at / 30_000);
    expect([-60_000, -30_000, 0, 30_000, 60_000].map((ms) => periodOfCode(secret, code, at + ms))).toEqual([
      undefined,
      own,
      own,
      own,
      undefined,
    ]);
  });

  test.each(['', '28708', '2870822', ' 287082', '287082\n', 'abcdef', '२८७०८२'])('is not %j', (code) => {
    expect(periodOfCode(secret, code, 59_000)).toBeUndefined();
  });
});

test('a new secret is one that the configuration takes, and another each time', () => {
  const [one, other] = [newTotpSecret(), newTotpSecret()];
  expect([isTotpSecret(one), isTotpSecret(other)]).toEqual([true, true]);
  expect(one).not.toBe(other);
});

test('a telephone reads the address of a secret', () => {
  const address = new URL(totpAddress(secret, 'anna'));
  expect(address.protocol).toBe('otpauth:');
  expect(decodeURIComponent(address.pathname)).toContain('Préavis:anna');
  expect(Object.fromEntries(address.searchParams)).toEqual({
    issuer: 'Préavis',
    secret,
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
});
