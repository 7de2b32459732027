/** What is kept of a password: scrypt (RFC 7914), written as `$scrypt$ln=15,r=8,p=3$SALT$HASH`, both in base64 without `=`. */
export type PasswordHash = {
  /** The logarithm of the cost N, to the base of 2. */
  ln: number;
  r: number;
  p: number;
  salt: Buffer;
  hash: Buffer;
};

export const passwordHashFault = 'is not what `preavis users hash` prints';

/** The least and the most that a sign-in may cost: 16 MiB, and 256 MiB for a second or more. */
const leastLn = 14;
const mostLn = 18;
const mostP = 16;

/** undefined for a text that is none, or one that protects less than what `preavis users hash` makes is meant to. */
export function passwordHashOf(text: string): PasswordHash | undefined {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=8,p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43,86})$/.exec(text);
  if (parts === null) return undefined;
  const [, ln = '', p = '', salt = '', hash = ''] = parts;
  const [cost, parallel] = [Number(ln), Number(p)];
  if (cost < leastLn || cost > mostLn || parallel < 1 || parallel > mostP) return undefined;

  return { ln: cost, r: 8, p: parallel, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

export const totpSecretFault = 'is not what `preavis users totp` prints: 32 letters and digits of base32 or more';

/** 160 bits, as RFC 4226 recommends, or more. */
export function isTotpSecret(text: string): boolean {
  return /^[A-Z2-7]{32,128}$/.test(text);
}
