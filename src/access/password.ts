import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import pLimit from 'p-limit';
import { passwordHashOf, type PasswordHash } from '../config/credentials.ts';

/** N = 2^15, r = 8, p = 3: 32 MiB, and as dear as the others that OWASP lists for scrypt (Password Storage Cheat Sheet, 2025). */
const made = { ln: 15, r: 8, p: 3 } as const;
const saltBytes = 16;
const hashBytes = 32;

/** So that a flood of sign-ins takes neither all memory nor the threads that files are read with: Node has four. */
const atOnce = pLimit(2);

/** Two ways to type one letter are one password (NIST SP 800-63B, 3.1.1.2). */
const asTyped = (password: string): string => password.normalize('NFKC');

function derive(password: string, { ln, r, p, salt }: Omit<PasswordHash, 'hash'>, bytes: number): Promise<Buffer> {
  const N = 2 ** ln;
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p) + 1024 * 1024 };

  return atOnce(
    () =>
      new Promise((resolve, reject) => {
        scrypt(asTyped(password), salt, bytes, options, (error, hash) => {
          if (error === null) resolve(hash);
          else reject(error);
        });
      }),
  );
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** What the configuration keeps of a password. */
export async function hashPassword(password: string, salt: Buffer = randomBytes(saltBytes)): Promise<string> {
  const hash = await derive(password, { ...made, salt }, hashBytes);

  return `$scrypt$ln=${made.ln},r=${made.r},p=${made.p}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Takes as long for somebody who does not exist (`kept` undefined) as for somebody who does.
 *
 * @param like what is kept of somebody else's, made with the same cost
 */
export async function isPassword(password: string, kept: string | undefined, like?: string): Promise<boolean> {
  const known = kept === undefined ? undefined : passwordHashOf(kept);
  if (known === undefined) {
    const { ln, r, p } = (like === undefined ? undefined : passwordHashOf(like)) ?? made;
    await derive(password, { ln, r, p, salt: Buffer.alloc(saltBytes) }, hashBytes);
    return false;
  }
  const hash = await derive(password, known, known.hash.length);

  return timingSafeEqual(hash, known.hash);
}

/** Fewer are guessed by the lists of passwords that circulate. */
const leastCharacters = 12;
const mostCharacters = 256;

/** What is wrong with a password that somebody chose; undefined when nothing is. */
export function passwordFault(password: string): string | undefined {
  const { length } = Array.from(password);
  if (length < leastCharacters) return `needs at least ${leastCharacters} characters`;
  if (length > mostCharacters) return `has more than ${mostCharacters} characters`;

  return new Set(password).size < 5 ? 'has too few different characters' : undefined;
}
