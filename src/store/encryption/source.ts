import { Readable } from 'node:stream';
import { bufferedSource, type VerifiedSource } from '../verifiedSource.ts';
import { encodeHeader, makeSegmentCipher, type SegmentKey } from './format.ts';

/**
 * What is in `plain` as an encrypted object, sealed piece by piece while it is sent: nothing is kept beside one segment, and
 * no file is made of it. `plain` gives its last piece only when it has proved to be what was expected, so no last segment
 * is ever made of a file that was changed.
 */
export function sealedSource(plain: VerifiedSource, plainBytes: number, seal: SegmentKey): VerifiedSource {
  return bufferedSource(sealed(plain, plainBytes, seal), () => plain.close());
}

async function* sealed(plain: VerifiedSource, plainBytes: number, seal: SegmentKey): AsyncGenerator<Buffer> {
  yield encodeHeader(seal);
  const sealSegment = makeSegmentCipher(seal);
  const segment = Buffer.allocUnsafe(seal.segmentBytes);
  let taken = 0;
  do {
    const piece = await plain.next(segment);
    taken += piece.length;
    yield sealSegment(piece, taken === plainBytes);
  } while (taken < plainBytes);
}

/** A text as a source. */
export const bytesSource = (bytes: Buffer): VerifiedSource =>
  bufferedSource(Readable.from(bytes), () => Promise.resolve());
