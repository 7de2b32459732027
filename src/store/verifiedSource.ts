/**
 * What must be exactly the bytes that were announced, whatever happens to it meanwhile: both stores send through this, so neither can
 * take a file that was cut short or is still growing for a complete one.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PreavisError } from '../core/errors.ts';
import { chunksOf, openRecording } from '../audio/recordingFile.ts';
import type { Digest } from './digest.ts';

export type VerifiedSource = {
  /**
   * The next bytes, copied into `buffer`; shorter than it only at the end. The last piece is given only when the whole
   * has proved to be the expected one.
   * @throws PreavisError `archive_mismatch`, `spool_unusable`.
   */
  next(buffer: Buffer): Promise<Buffer>;
  close(): Promise<void>;
};

export type Difference = 'shorter' | 'longer' | 'different';

/** The chunks of what must be exactly the expected bytes; the last one when the whole has proved to be that. Throws what `altered` makes. */
export async function* exactly(
  chunks: AsyncIterable<Buffer>,
  expected: Digest,
  altered: (how: Difference) => PreavisError,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  let last: Buffer | undefined;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > expected.bytes) throw altered('longer');
    hash.update(chunk);
    if (last !== undefined) yield last;
    last = chunk;
  }
  if (bytes < expected.bytes) throw altered('shorter');
  if (hash.digest('hex') !== expected.sha256) throw altered('different');
  if (last !== undefined) yield last;
}

/** Gives chunks in pieces of the length that is asked for. */
export function bufferedSource(chunks: AsyncIterable<Buffer>, close: () => Promise<void>): VerifiedSource {
  const coming = chunks[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  return {
    next: async (buffer) => {
      let filled = 0;
      while (filled < buffer.length) {
        if (rest.length === 0) {
          const next = await coming.next();
          if (next.done === true) break;
          rest = next.value;
        }
        const copied = rest.copy(buffer, filled);
        filled += copied;
        rest = rest.subarray(copied);
      }

      return buffer.subarray(0, filled);
    },
    close,
  };
}

/** A local recording. @throws PreavisError `spool_unusable` */
export async function openVerified(file: string, expected: Digest): Promise<VerifiedSource> {
  const handle = await openRecording(file);
  const changed = (how: Difference): PreavisError =>
    new PreavisError('archive_mismatch', `The recording is ${how} than when it was measured; nothing was stored.`, {
      hint: 'Something else writes to the file, or the disk is failing. It is kept and not sent: find out who wrote to it (`preavis recordings reconcile` names it).',
    });

  return bufferedSource(exactly(chunksOf(handle), expected, changed), () => handle.close());
}

/** What an archive gives. */
export function movedSource(stream: Readable, expected: Digest): VerifiedSource {
  const altered = (how: Difference): PreavisError =>
    new PreavisError('archive_mismatch', `what the archive has is ${how} than what was recorded; nothing was stored`);

  return bufferedSource(exactly(stream, expected, altered), () => {
    stream.destroy();

    return Promise.resolve();
  });
}
