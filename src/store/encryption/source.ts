import { Readable } from 'node:stream';
import { bufferedSource, type VerifiedSource } from '../verifiedSource.ts';
import { encodeHeader, makeSegmentCipher, type SegmentKey } from './format.ts';

/**
 * What is in `plain` as an encrypted object, made piece by piece while it is sent: nothing is kept beside one segment, and
 * no file is made of it. `plain` gives its last piece only when it has proved to be what was expected, so no last segment
 * is ever made of a file that was changed.
 */
export function encryptedSource(plain: VerifiedSource, plainBytes: number, key: SegmentKey): VerifiedSource {
  return bufferedSource(encrypted(plain, plainBytes, key), () => plain.close());
}

async function* encrypted(plain: VerifiedSource, plainBytes: number, key: SegmentKey): AsyncGenerator<Buffer> {
  yield encodeHeader(key);
  const encryptSegment = makeSegmentCipher(key);
  const segment = Buffer.allocUnsafe(key.segmentBytes);
  let taken = 0;
  do {
    const piece = await plain.next(segment);
    taken += piece.length;
    yield encryptSegment(piece, taken === plainBytes);
  } while (taken < plainBytes);
}

/** A text as a source. */
export const bytesSource = (bytes: Buffer): VerifiedSource =>
  bufferedSource(Readable.from(bytes), () => Promise.resolve());
