/**
 * Reads a file that must hold exactly the bytes that were announced, whatever happens to it meanwhile: both stores send
 * through this, so neither can take a file that was cut short or is still growing for a complete one.
 */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { PreavisError } from '../core/errors.ts';
import { openRecording, readFully, unreadable } from '../audio/recordingFile.ts';
import type { Digest } from './digest.ts';

export type VerifiedSource = {
  /**
   * The next bytes, copied into `buffer`; shorter than it only at the end. The last piece is given only when the whole
   * file has proved to be the expected one.
   * @throws PreavisError `archive_mismatch`, `spool_unusable`.
   */
  next(buffer: Buffer): Promise<Buffer>;
  close(): Promise<void>;
};

/** @throws PreavisError `spool_unusable` */
export async function openVerified(file: string, expected: Digest): Promise<VerifiedSource> {
  const handle: FileHandle = await openRecording(file);
  const hash: Hash = createHash('sha256');
  let position = 0;

  const next = async (buffer: Buffer): Promise<Buffer> => {
    const wanted = buffer.subarray(0, Math.min(buffer.length, expected.bytes - position));
    const filled = await readFully(handle, wanted, position);
    if (filled < wanted.length) throw changed('shorter');
    hash.update(wanted);
    position += filled;
    if (position === expected.bytes) {
      if ((await readFully(handle, Buffer.alloc(1), position)) > 0) throw changed('longer');
      if (hash.copy().digest('hex') !== expected.sha256) throw changed('different');
    }
    return wanted;
  };
  return {
    next: async (buffer) => {
      try {
        return await next(buffer);
      } catch (error) {
        throw unreadable(error);
      }
    },
    close: () => handle.close(),
  };
}

function changed(how: 'shorter' | 'longer' | 'different'): PreavisError {
  return new PreavisError(
    'archive_mismatch',
    `The recording is ${how} than when it was measured; nothing was stored.`,
    {
      hint: 'Something else writes to the file, or the disk is failing. It is kept and not sent: find out who wrote to it (`preavis recordings reconcile` names it).',
    },
  );
}
