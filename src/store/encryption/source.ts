import type { VerifiedSource } from '../verifiedSource.ts';
import { encodeHeader, makeSegmentCipher, type SegmentKey } from './format.ts';

/**
 * What is in `plain` as an encrypted object, sealed piece by piece while it is sent: nothing is kept beside one segment, and
 * no file is made of it. `plain` gives its last piece only when it has proved to be what was expected, so no last segment
 * is ever made of a file that was changed.
 */
export function sealedSource(plain: VerifiedSource, plainBytes: number, seal: SegmentKey): VerifiedSource {
  const sealSegment = makeSegmentCipher(seal);
  const segment = Buffer.allocUnsafe(seal.segmentBytes);
  let taken = 0;
  let isOver = false;
  let ready: Buffer = encodeHeader(seal);

  return {
    next: async (buffer) => {
      let filled = 0;
      while (filled < buffer.length) {
        if (ready.length === 0) {
          if (isOver) break;
          const piece = await plain.next(segment);
          taken += piece.length;
          isOver = taken === plainBytes;
          ready = sealSegment(piece, isOver);
        }
        const copied = ready.copy(buffer, filled);
        filled += copied;
        ready = ready.subarray(copied);
      }

      return buffer.subarray(0, filled);
    },
    close: () => plain.close(),
  };
}

/** A text as a source. */
export function bytesSource(bytes: Buffer): VerifiedSource {
  let position = 0;

  return {
    next: (buffer) => {
      const copied = bytes.copy(buffer, 0, position);
      position += copied;

      return Promise.resolve(buffer.subarray(0, copied));
    },
    close: () => Promise.resolve(),
  };
}
