import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Short texts that only who has the key can read: AES-256-GCM under a key that HKDF (SHA-256) makes of the secret, each with a
 * random nonce. A ciphertext belongs to its place: elsewhere it cannot be decrypted.
 */
export type FieldCipher = {
  /** @param place where it is kept, such as the id of a row. */
  encrypt(text: string, place: string): string;
  /** undefined when it was encrypted with another key, for another place, or was changed. */
  decrypt(ciphertext: string, place: string): string | undefined;
};

const algorithm = 'aes-256-gcm';
/** Before the ciphertext: another form gets another number. */
const form = '1.';
const nonceBytes = 12;
const tagBytes = 16;
/** Texts are filled up to a multiple of this, so that their length does not tell them apart. */
const blockBytes = 24;

/** @param use what the key is for: what is encrypted for one use cannot be decrypted for another. */
export function makeFieldCipher(secret: string, use: string): FieldCipher {
  const key = Buffer.from(hkdfSync('sha256', secret, '', use, 32));

  return {
    encrypt: (text, place) => {
      const bytes = Buffer.byteLength(text);
      const filled = text + '\0'.repeat(Math.ceil((bytes + 1) / blockBytes) * blockBytes - bytes);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(place));
      const ciphertext = Buffer.concat([nonce, cipher.update(filled, 'utf8'), cipher.final(), cipher.getAuthTag()]);

      return form + ciphertext.toString('base64url');
    },
    decrypt: (ciphertext, place) => {
      const bytes = Buffer.from(ciphertext.slice(form.length), 'base64url');
      if (!ciphertext.startsWith(form) || bytes.length < nonceBytes + tagBytes) return undefined;
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
          .setAAD(Buffer.from(place))
          .setAuthTag(bytes.subarray(-tagBytes));
        const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');

        return text.replace(/\0+$/, '');
      } catch {
        return undefined;
      }
    },
  };
}
