/**
 * The form of an encrypted object, version 1; docs/encryption.md has it for other programs. A header of 32 bytes, then the
 * plaintext in segments, each encrypted with AES-256-GCM with a tag of its own. Its nonce is its number and whether it is the last,
 * and each tag also covers the header and the object's key in the archive: so what is cut off, moved, swapped or changed is
 * found before a byte of that segment is given out.
 *
 * A data key is for one object and no other, so no nonce comes twice under it.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { PreavisError } from '../../core/errors.ts';

export type EncryptedHeader = {
  /** Of the data key, 32 hexadecimal digits: under it the key object has the data key, wrapped. */
  dataKeyId: string;
  /** Length of the plaintext of each segment but the last, bytes. */
  segmentBytes: number;
};

/** What one object is encrypted and decrypted with. */
export type SegmentKey = EncryptedHeader & {
  dataKey: Buffer;
  /** The object's key in the archive. */
  object: string;
};

/** `PREAVIS` and the version. */
const magic = Buffer.from('PREAVIS\x01', 'latin1');
export const headerBytes = 32;
export const tagBytes = 16;
export const usualSegmentBytes = 64 * 1024;
/** What a header may name: a reader holds one segment in memory. */
const leastSegmentBytes = 16;
const mostSegmentBytes = 1024 * 1024;
const segmentAt = 8;
const reservedAt = 12;
const dataKeyIdAt = 16;
const nonceBytes = 12;
const cipher = 'aes-256-gcm';

/** With the code that it has for everybody who reads an object back: it is not what was stored. */
function altered(what: string): PreavisError {
  return new PreavisError('archive_mismatch', `an encrypted object is not what was stored: ${what}`, {
    hint: 'It was changed, cut off or moved in the archive. Look in its access log for who did it.',
  });
}

export function encodeHeader({ dataKeyId, segmentBytes }: EncryptedHeader): Buffer {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt32BE(segmentBytes, segmentAt);
  Buffer.from(dataKeyId, 'hex').copy(header, dataKeyIdAt);

  return header;
}

/**
 * The header of an encrypted object; undefined for an object that is not encrypted.
 *
 * @param start the first bytes of the object, all 32 where it has so many
 * @throws PreavisError `archive_mismatch` for an encrypted object that has no whole header of this version.
 */
export function decodeHeader(start: Buffer): EncryptedHeader | undefined {
  // The version counts as a part of the name for what is written, not for what is recognised.
  const name = magic.subarray(0, -1);
  if (start.length === 0 || !start.subarray(0, name.length).equals(name.subarray(0, start.length))) return undefined;
  if (start.length < headerBytes) throw altered('it is cut off');
  const header = start.subarray(0, headerBytes);
  if (!header.subarray(0, magic.length).equals(magic)) {
    throw altered(`its form has the version ${header[magic.length - 1] ?? 0}, which this Préavis does not know`);
  }
  const segmentBytes = header.readUInt32BE(segmentAt);
  const isKnown = segmentBytes >= leastSegmentBytes && segmentBytes <= mostSegmentBytes;
  if (!isKnown || header.readUInt32BE(reservedAt) !== 0) throw altered('its header has another form');

  return { dataKeyId: header.toString('hex', dataKeyIdAt), segmentBytes };
}

/** Length of the encrypted object, bytes. */
export function encryptedLength(plainBytes: number, segmentBytes: number): number {
  return headerBytes + plainBytes + tagBytes * Math.max(1, Math.ceil(plainBytes / segmentBytes));
}

/**
 * Length of what is in an encrypted object, bytes.
 * @throws PreavisError `archive_mismatch` for a length that none has.
 */
export function plainLength(encryptedBytes: number, segmentBytes: number): number {
  const body = encryptedBytes - headerBytes;
  const segments = Math.max(1, Math.ceil(body / (segmentBytes + tagBytes)));
  const plain = body - tagBytes * segments;
  if (plain < 0 || encryptedLength(plain, segmentBytes) !== encryptedBytes) throw altered('it is cut off');

  return plain;
}

function nonceOf(segment: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  // Six bytes hold every number that Node can count to.
  nonce.writeUIntBE(segment, nonceBytes - 7, 6);
  nonce.writeUInt8(isLast ? 1 : 0, nonceBytes - 1);

  return nonce;
}

/** What each tag covers beside its segment. */
const contextOf = (key: SegmentKey): Buffer => Buffer.concat([encodeHeader(key), Buffer.from(key.object, 'utf8')]);

export type Segments = (segment: Buffer, isLast: boolean) => Buffer;

/** Encrypts one segment after another; each must have `segmentBytes`, but for the last. */
export function makeSegmentCipher(key: SegmentKey): Segments {
  const context = contextOf(key);
  let count = 0;

  return (plain, isLast) => {
    const segment = createCipheriv(cipher, key.dataKey, nonceOf(count, isLast), { authTagLength: tagBytes });
    count += 1;
    segment.setAAD(context);

    return Buffer.concat([segment.update(plain), segment.final(), segment.getAuthTag()]);
  };
}

/** Decrypts one segment after another, and throws archive_mismatch for one that is not the next one of this object. */
function makeSegmentDecipher(key: SegmentKey, first: number): Segments {
  const context = contextOf(key);
  let count = first;

  return (ciphertext, isLast) => {
    // A last segment without bytes is that of an empty object.
    if (ciphertext.length < tagBytes || (ciphertext.length === tagBytes && count > 0)) throw altered('it is cut off');
    const segment = createDecipheriv(cipher, key.dataKey, nonceOf(count, isLast), { authTagLength: tagBytes });
    count += 1;
    segment.setAAD(context);
    segment.setAuthTag(ciphertext.subarray(ciphertext.length - tagBytes));
    try {
      return Buffer.concat([segment.update(ciphertext.subarray(0, ciphertext.length - tagBytes)), segment.final()]);
    } catch {
      // Only the tag can be wrong, and what Node says of it says nothing more.
      throw altered('a segment does not fit its tag');
    }
  };
}

/** Some segments of an object, by their numbers: what lies where in it, in bytes. `endsObject`: the last of them is the object's. */
export type SegmentRange = { first: number; from: number; bytes: number; endsObject: boolean };

/** The segments that have `bytes` of the plaintext from `from` on. `of`: its length. */
export function segmentsOf(
  { from, bytes, of: plainBytes }: { from: number; bytes: number; of: number },
  segmentBytes: number,
): SegmentRange {
  const first = Math.floor(from / segmentBytes);
  const last = Math.floor((from + bytes - 1) / segmentBytes);
  const whole = encryptedLength(plainBytes, segmentBytes);
  const at = (segment: number): number => Math.min(whole, headerBytes + segment * (segmentBytes + tagBytes));

  return { first, from: at(first), bytes: at(last + 1) - at(first), endsObject: at(last + 1) === whole };
}

const allSegments = { first: 0, endsObject: true };

/**
 * The plaintext of the segments that follow a header, or of some of them, each given out when its tag was seen. Throws
 * archive_mismatch.
 */
export async function* decryptSegments(
  key: SegmentKey,
  ciphertext: AsyncIterable<Buffer>,
  { first, endsObject }: Pick<SegmentRange, 'first' | 'endsObject'> = allSegments,
): AsyncGenerator<Buffer> {
  const decrypt = makeSegmentDecipher(key, first);
  const pending = Buffer.allocUnsafe(key.segmentBytes + tagBytes);
  let filled = 0;
  for await (const chunk of ciphertext) {
    for (let from = 0; from < chunk.length;) {
      // Only now is it known that the full one is not the last.
      if (filled === pending.length) {
        yield decrypt(pending, false);
        filled = 0;
      }
      const copied = chunk.copy(pending, filled, from);
      filled += copied;
      from += copied;
    }
  }
  const last = decrypt(pending.subarray(0, filled), endsObject);
  if (last.length > 0) yield last;
}
