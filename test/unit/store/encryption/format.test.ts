import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  decodeHeader,
  encodeHeader,
  headerBytes,
  decryptSegments,
  plainLength,
  encryptedLength,
  tagBytes,
  type SegmentKey,
} from '../../../../src/store/encryption/format.ts';
import { bytesSource, encryptedSource } from '../../../../src/store/encryption/source.ts';
import { tried } from '../../../support/properties.ts';

const segmentBytes = 32;
const segmentKeyOf = (more: Partial<SegmentKey> = {}): SegmentKey => ({
  dataKey: Buffer.alloc(32, 7),
  dataKeyId: '00112233445566778899aabbccddeeff',
  segmentBytes,
  object: 'recordings/2026/11/26/a.wav',
  ...more,
});

/** As a store asks for it: in pieces of a size of its own. */
async function encrypted(plain: Buffer, key = segmentKeyOf(), pieceBytes = 50): Promise<Buffer> {
  const source = encryptedSource(bytesSource(plain), plain.length, key);
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = await source.next(Buffer.alloc(pieceBytes));
    pieces.push(Buffer.from(piece));
    if (piece.length < pieceBytes) return Buffer.concat(pieces);
  }
}

async function* inChunks(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let from = 0; from < bytes.length; from += chunkBytes) yield bytes.subarray(from, from + chunkBytes);
}

/** What was given out before the end, or before the fault. */
async function opened(
  object: Buffer,
  key = segmentKeyOf(),
  chunkBytes = 41,
): Promise<{ plain: Buffer; code: string | undefined }> {
  const given: Buffer[] = [];
  try {
    const header = decodeHeader(object.subarray(0, headerBytes));
    if (header === undefined) return { plain: object, code: 'not encrypted' };
    const read = { ...key, ...header };
    for await (const piece of decryptSegments(read, inChunks(object.subarray(headerBytes), chunkBytes)))
      given.push(piece);

    return { plain: Buffer.concat(given), code: undefined };
  } catch (error) {
    return { plain: Buffer.concat(given), code: (error as { code: string }).code };
  }
}

const boundaries = [0, 1, 31, 32, 33, 63, 64, 65, 96];
const lengths = fc.oneof(fc.constantFrom(...boundaries), fc.nat(300));

describe('an encrypted object', () => {
  test('gives back what went in, whatever its length and however it is cut on its way', async () => {
    await fc.assert(
      fc.asyncProperty(
        lengths,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        async (length, piece, chunk) => {
          const plain = randomBytes(length);
          const object = await encrypted(plain, segmentKeyOf(), piece);
          expect(object.length).toBe(encryptedLength(length, segmentBytes));
          expect(plainLength(object.length, segmentBytes)).toBe(length);
          expect(await opened(object, segmentKeyOf(), chunk)).toEqual({ plain, code: undefined });
        },
      ),
      tried(300),
    );
  });

  test.each(boundaries)('of %i bytes: each flipped bit is found before what it is in is given out', async (length) => {
    const plain = randomBytes(length);
    const object = await encrypted(plain);
    for (let at = 0; at < object.length; at += 1) {
      const broken = Buffer.from(object);
      broken.writeUInt8(broken.readUInt8(at) ^ (1 << (at % 8)), at);
      const { plain: given, code } = await opened(broken);
      // One in its name makes it an object that is not encrypted: whoever compares finds other bytes.
      if (at < 7) expect(code).toBe('not encrypted');
      else expect(code).toBe('archive_mismatch');
      if (at >= 7) expect(plain.subarray(0, given.length).equals(given)).toBe(true);
    }
  });

  test.each(boundaries)('of %i bytes: it is found where it was cut off, anywhere', async (length) => {
    const object = await encrypted(randomBytes(length));
    for (let kept = 1; kept < object.length; kept += 1) {
      expect((await opened(object.subarray(0, kept))).code).toBe('archive_mismatch');
    }
  });

  test('has no length that a cut one has, unless whole segments are gone', () => {
    const whole = encryptedLength(100, segmentBytes);
    expect(() => plainLength(headerBytes + tagBytes - 1, segmentBytes)).toThrow();
    expect(() => plainLength(headerBytes + 2 * (segmentBytes + tagBytes) + tagBytes, segmentBytes)).toThrow();
    expect(plainLength(whole - 1, segmentBytes)).toBe(99);
  });

  test('does not open with its segments in another order, one of them twice, or one too many', async () => {
    const object = await encrypted(randomBytes(4 * segmentBytes));
    const head = object.subarray(0, headerBytes);
    const segments = [0, 1, 2, 3].map((index) =>
      object.subarray(headerBytes + index * (segmentBytes + tagBytes)).subarray(0, segmentBytes + tagBytes),
    );
    const made = (...order: number[]): Buffer =>
      Buffer.concat([head, ...order.map((index) => segments[index] ?? head)]);
    expect((await opened(made(0, 1, 2, 3))).code).toBeUndefined();
    for (const order of [[1, 0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [3]]) {
      expect((await opened(made(...order))).code).toBe('archive_mismatch');
    }
  });

  test('does not open under another name, with another key, or with the header of another', async () => {
    const object = await encrypted(randomBytes(100));
    for (const other of [
      segmentKeyOf({ object: 'recordings/2026/11/26/b.wav' }),
      segmentKeyOf({ dataKey: Buffer.alloc(32, 8) }),
    ]) {
      expect(await opened(object, other)).toEqual({ plain: Buffer.alloc(0), code: 'archive_mismatch' });
    }
    const id = encodeHeader(segmentKeyOf({ dataKeyId: 'ff112233445566778899aabbccddeeff' }));
    expect((await opened(Buffer.concat([id, object.subarray(headerBytes)]))).code).toBe('archive_mismatch');
  });

  test('is the same bytes in every version of Préavis: the ones that docs/encryption.md describes', async () => {
    const object = await encrypted(Buffer.from('told first'), segmentKeyOf({ segmentBytes: 65_536 }));
    expect(object.toString('hex')).toBe(
      '50524541564953010001000000000000' +
        '00112233445566778899aabbccddeeff' +
        // By the cryptography package of Python.
        '4427d50414268b755ecf27dff1e0a9401f2d42af39bcd92f57fb',
    );
  });
});

describe('an object that is not encrypted', () => {
  test('is told by its first bytes', () => {
    for (const start of ['', 'RIFF....WAVEfmt ', '{', 'PREAVI_', '-PREAVIS']) {
      expect(decodeHeader(Buffer.from(start))).toBeUndefined();
    }
  });

  test('is not one of a later form', () => {
    const header = encodeHeader(segmentKeyOf());
    for (const [at, value] of [
      [7, 2],
      [8, 255],
      [12, 1],
    ] as const) {
      const other = Buffer.from(header);
      other.writeUInt8(value, at);
      expect(() => decodeHeader(other)).toThrow(expect.objectContaining({ code: 'archive_mismatch' }) as Error);
    }
  });
});
