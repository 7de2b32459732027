import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { errnoOf, PreavisError } from '../core/errors.ts';

/**
 * Opens a local recording. Links are not followed, and a pipe is not waited for: what lies in the spool must be the recording
 * itself.
 * @throws PreavisError `spool_unusable`; the errno is on its cause (`ENOENT`: the file is gone).
 */
export async function openRecording(file: string, access: 'read' | 'write' = 'read'): Promise<FileHandle> {
  try {
    const flags = (access === 'read' ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NOFOLLOW;
    const handle = await open(file, flags | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (error) {
    throw unreadable(error);
  }
  throw new PreavisError('spool_unusable', 'A recording is not an ordinary file.');
}

/** Asterisk made it, and its group is the one of the folder. */
const closedFile =
  'In recording.spoolFolder, open new files to its group: sudo setfacl -d -m u::rwX,g::rwX,o::--- FOLDER; and those there: sudo chmod g+rw FOLDER/*.wav';

/** A failed read or write of a local recording as `spool_unusable`, with the errno in the text and as cause. */
export function unreadable(error: unknown): PreavisError {
  if (error instanceof PreavisError) return error;
  const errno = errnoOf(error) ?? 'unknown';
  return new PreavisError('spool_unusable', `A recording cannot be read or written (${errno}).`, {
    cause: error,
    ...(errno === 'EACCES' ? { hint: closedFile } : {}),
  });
}

const chunkBytes = 256 * 1024;

/** The bytes of a local recording, or a part of them; it is closed when they are over, or nobody takes more of them. @throws PreavisError `spool_unusable`. */
export async function* chunksOf(
  handle: FileHandle,
  { from, bytes }: { from: number; bytes: number } = { from: 0, bytes: Infinity },
): AsyncGenerator<Buffer> {
  try {
    for (let given = 0; given < bytes;) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, bytes - given));
      const filled = await readFully(handle, chunk, from + given);
      if (filled === 0) return;
      given += filled;
      yield chunk.subarray(0, filled);
    }
  } catch (error) {
    throw unreadable(error);
  } finally {
    await handle.close();
  }
}

/** Fills the buffer from a position; fewer bytes only at the end of the file. */
export async function readFully(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** Writes all of the bytes at a position: one write may write less than it was asked to. @throws PreavisError `spool_unusable`. */
export async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
      if (bytesWritten === 0) throw new Error('nothing was written');
      written += bytesWritten;
    }
  } catch (error) {
    throw unreadable(error);
  }
}
