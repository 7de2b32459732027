import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';
import type { VerifiedSource } from './verifiedSource.ts';
import type { Digest } from './digest.ts';

/** What an archive gives, as a source that must hold exactly the expected bytes: of anything else the last piece is never given. */
export function movedSource(stream: Readable, expected: Digest): VerifiedSource {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const hash = createHash('sha256');
  let rest: Buffer = Buffer.alloc(0);
  let bytes = 0;
  let isOver = false;

  const pull = async (): Promise<void> => {
    const next = await chunks.next();
    isOver = next.done === true;
    rest = next.done === true ? Buffer.alloc(0) : next.value;
  };

  return {
    next: async (buffer) => {
      const wanted = Math.min(buffer.length, expected.bytes - bytes);
      let filled = 0;
      while (filled < wanted) {
        while (rest.length === 0 && !isOver) await pull();
        if (isOver) throw altered('shorter');
        const copied = rest.copy(buffer, filled, 0, Math.min(rest.length, wanted - filled));
        filled += copied;
        rest = rest.subarray(copied);
      }
      const piece = buffer.subarray(0, filled);
      hash.update(piece);
      bytes += filled;
      if (bytes === expected.bytes) {
        while (rest.length === 0 && !isOver) await pull();
        if (!isOver) throw altered('longer');
        if (hash.copy().digest('hex') !== expected.sha256) throw altered('different');
      }

      return piece;
    },
    close: () => {
      stream.destroy();

      return Promise.resolve();
    },
  };
}

function altered(how: 'shorter' | 'longer' | 'different'): PreavisError {
  return new PreavisError(
    'archive_mismatch',
    `what the archive has is ${how} than what was recorded; nothing was stored`,
  );
}
