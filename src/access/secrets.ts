import { randomBytes } from 'node:crypto';
import { sha256Of } from '../core/crypto/sha256.ts';

/** Random words of 256 bits, of which only the SHA-256 is kept: nobody finds them by trying. */

const randomWord = (): string => randomBytes(32).toString('base64url');

/** Secret scanners find it by its beginning. */
const tokenBegin = 'prv_';

export type NewSecret = { secret: string; sha256: string };

export function newToken(): NewSecret {
  const secret = `${tokenBegin}${randomWord()}`;

  return { secret, sha256: sha256Of(secret) };
}

/** What the cookie of a session holds. */
export function newSessionSecret(): NewSecret {
  const secret = randomWord();

  return { secret, sha256: sha256Of(secret) };
}

/** Without those that look alike. */
const letters = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
const codeLetters = 12;

/** A code that signs somebody in once, to be read and typed: 58 bits, for some minutes. */
export function newSignInCode(): NewSecret {
  const bytes: number[] = [];
  // What would favour the first letters is thrown away.
  while (bytes.length < codeLetters)
    bytes.push(...randomBytes(codeLetters).filter((byte) => byte < letters.length * 8));
  const secret = bytes
    .slice(0, codeLetters)
    .map((byte) => letters[byte % letters.length] ?? '')
    .join('')
    .replace(/(.{4})(?=.)/g, '$1-');

  return { secret, sha256: sha256OfCode(secret) };
}

/** As it was typed: small letters, and with or without the hyphens. */
export function sha256OfCode(code: string): string {
  return sha256Of(code.toUpperCase().replaceAll(/[^A-Z0-9]/g, ''));
}
