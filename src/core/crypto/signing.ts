import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signPlain,
  verify as verifyPlain,
} from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  calculateJwkThumbprint,
  CompactSign,
  compactVerify,
  decodeProtectedHeader,
  exportJWK,
  importJWK,
  importPKCS8,
  type JWK,
} from 'jose';
import { errnoOf, PreavisError } from '../errors.ts';
import { readIfPresent, writeNew } from '../files.ts';

/** Signatures of certificates and evidence: Ed25519 (RFC 8032) in JWS of the compact form (RFC 7515, RFC 8037), by `jose`. */
export type Signer = {
  /** The thumbprint of the public key (RFC 7638). */
  readonly kid: string;
  readonly publicKey: JWK;
  /** @param typ says what is signed, so that one kind of document cannot be passed off as another. */
  sign(payload: unknown, typ: string): Promise<string>;
  /** The plain Ed25519 signature of the bytes, 64 bytes, as `openssl pkeyutl -verify -rawin` takes it. */
  signBytes(bytes: Uint8Array): Buffer;
};

const algorithm = 'EdDSA';

/** Makes the file when there is none; two processes that do so at once end with one key. */
async function keyText(file: string, mayMake: () => Promise<boolean>): Promise<string> {
  const found = await readIfPresent(file);
  if (found !== undefined) return found.toString('utf8');
  if (!(await mayMake())) {
    throw new PreavisError('signing_key_unusable', `the signing key ${file} is not there any more`, {
      hint: 'Restore it from its copy. If it is lost, put its kid into evidence.trustedKeys: then a new one is made.',
    });
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeNew(file, text);
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    return (await readIfPresent(file))?.toString('utf8') ?? '';
  }
  return text;
}

function publicPart({ kty, crv, x }: JWK): JWK {
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) throw new Error('it is not an Ed25519 key');

  return { kty, crv, x };
}

/**
 * The key that signs, made at its first use: PKCS #8 in PEM, for its owner only.
 *
 * @param mayMake whether a new one may be made where there is none
 * @throws PreavisError `signing_key_unusable`.
 */
export async function openSigner(
  file: string,
  mayMake: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<Signer> {
  try {
    const text = await keyText(file, mayMake);
    if (((await stat(file)).mode & 0o007) !== 0) {
      throw new PreavisError('signing_key_unusable', `every user can open the file ${file}`, {
        hint: `Run: chmod o= ${file}. If others have seen it, move it away: a new one is made.`,
      });
    }
    const key = await importPKCS8(text, algorithm, { extractable: true });
    const publicKey = publicPart(await exportJWK(key));
    const kid = await calculateJwkThumbprint(publicKey);
    const plainKey = createPrivateKey(text);

    return {
      kid,
      publicKey,
      signBytes: (bytes) => signPlain(null, bytes, plainKey),
      sign: (payload, typ) =>
        new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
          .setProtectedHeader({ alg: algorithm, typ, kid, jwk: publicKey })
          .sign(key),
    };
  } catch (cause) {
    if (cause instanceof PreavisError) throw cause;
    const why = errnoOf(cause) ?? 'it is not an Ed25519 key in PEM';
    throw new PreavisError('signing_key_unusable', `the signing key ${file} cannot be used (${why})`, { cause });
  }
}

export type Signed = { payload: unknown; kid: string; publicKey: JWK };

/**
 * Verifies a signature against the key that it carries; whether that key is to be trusted is the caller's to say, by `kid`.
 * @throws PreavisError `signature_invalid`.
 */
export async function verifySigned(jws: string, typ: string): Promise<Signed> {
  try {
    // The last character of a part has bits that no decoder looks at: only one spelling counts.
    if (!jws.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)) {
      throw new Error('it is not spelled as it was made');
    }
    const header = decodeProtectedHeader(jws);
    if (header.alg !== algorithm || header.typ !== typ || header.jwk === undefined) {
      throw new Error('its header is not ours');
    }
    const kid = await calculateJwkThumbprint(header.jwk);
    if (header.kid !== kid) throw new Error('its kid is not that of its key');
    const { payload } = await compactVerify(jws, await importJWK(header.jwk, algorithm), { algorithms: [algorithm] });

    return { payload: JSON.parse(new TextDecoder().decode(payload)) as unknown, kid, publicKey: header.jwk };
  } catch (cause) {
    throw new PreavisError('signature_invalid', 'a signature does not fit what it signs', { cause });
  }
}

const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether it may be a JWS in its compact form: told without an error, whose making takes longer than all the rest of reading a line. */
export const isCompactJws = (text: string): boolean => compactForm.test(text);

/** Proves nothing: `verifySigned` does. */
function headerOf(jws: string): { typ?: string; kid?: string } | undefined {
  if (!isCompactJws(jws)) return undefined;
  try {
    return decodeProtectedHeader(jws);
  } catch {
    return undefined;
  }
}

/** What kind of document was signed, as its header says it; undefined for what is no JWS. */
export const typeOfSigned = (jws: string): string | undefined => headerOf(jws)?.typ;

/**
 * The key that it says it was signed with; undefined for what is no JWS. What names no key of ours need not be verified, which takes a
 * hundred times longer.
 */
export const claimedKid = (jws: string): string | undefined => headerOf(jws)?.kid;

/** The public key as `openssl` reads it: SubjectPublicKeyInfo in PEM. */
export function pemOf(publicKey: JWK): string {
  return createPublicKey({ key: publicKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
}

/**
 * A public key from PEM, and its kid.
 * @throws PreavisError `signature_invalid`: it is not an Ed25519 key.
 */
export async function publicKeyOf(pem: string): Promise<{ kid: string; publicKey: JWK }> {
  try {
    const publicKey = publicPart(createPublicKey(pem).export({ format: 'jwk' }));

    return { kid: await calculateJwkThumbprint(publicKey), publicKey };
  } catch (cause) {
    throw new PreavisError('signature_invalid', 'a public key is not one of Ed25519 in PEM', { cause });
  }
}

/** Whether a plain signature fits. */
export function bytesVerified(bytes: Uint8Array, signature: Uint8Array, publicKey: JWK): boolean {
  return verifyPlain(null, bytes, createPublicKey({ key: publicKey, format: 'jwk' }), signature);
}
