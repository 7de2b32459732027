import { Secret, TOTP, URI } from 'otpauth';

/** One-time codes by RFC 6238 as telephones make them: SHA-1, six digits, 30 seconds. By `otpauth`. */
const issuer = 'Préavis';
const period = 30;
const digits = 6;
/** A telephone whose clock is as far off as that is believed, in periods. */
const window = 1;

const totp = (secret: string): TOTP =>
  new TOTP({ issuer, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits, period });

/** 160 bits, in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What a telephone reads, as text or from a picture. */
export function totpAddress(secret: string, user: string): string {
  const code = totp(secret);
  code.label = user;

  return URI.stringify(code);
}

/** How many periods a time has, ms. */
export const periodsOf = (ms: number): number => Math.ceil(ms / 1_000 / period);

/**
 * The number of the period whose code this is; undefined for a code that is none of now. Each counts once (RFC 6238, 5.2): its number must be
 * beyond that of the code before.
 *
 * @param at ms since 1970 UTC
 */
export function periodOfCode(secret: string, code: string, at: number): number | undefined {
  if (!new RegExp(`^\\d{${digits}}$`).test(code)) return undefined;
  const delta = totp(secret).validate({ token: code, timestamp: at, window });

  return delta === null ? undefined : Math.floor(at / 1_000 / period) + delta;
}
