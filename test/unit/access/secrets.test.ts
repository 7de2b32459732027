import { newSessionSecret, newSignInCode, newToken, sha256OfCode } from '../../../src/access/secrets.ts';
import { sha256Of } from '../../../src/core/crypto/sha256.ts';

test('a token and a session have 256 random bits, and their SHA-256 is that of the whole', () => {
  const token = newToken();
  expect(token.secret).toMatch(/^prv_[A-Za-z0-9_-]{43}$/);
  expect(token.sha256).toBe(sha256Of(token.secret));
  const session = newSessionSecret();
  expect(session.secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(session.sha256).toBe(sha256Of(session.secret));
  expect(new Set([token.secret, session.secret, newToken().secret, newSessionSecret().secret]).size).toBe(4);
});

test('a code has twelve letters that nobody mistakes for others', () => {
  const codes = Array.from({ length: 200 }, () => newSignInCode().secret);
  for (const code of codes) expect(code).toMatch(/^[A-HJKMNP-TV-Z2-9]{4}(-[A-HJKMNP-TV-Z2-9]{4}){2}$/);
  expect(new Set(codes).size).toBe(200);
  expect(new Set(codes.join('').replaceAll('-', '')).size).toBe(30);
});

test('a code is known however it was typed', () => {
  const { secret, sha256 } = newSignInCode();
  for (const typed of [secret, secret.toLowerCase(), secret.replaceAll('-', ''), ` ${secret.replaceAll('-', ' ')} `]) {
    expect(sha256OfCode(typed)).toBe(sha256);
  }
  expect(sha256OfCode(`${secret}A`)).not.toBe(sha256);
});
