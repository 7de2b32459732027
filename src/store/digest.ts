import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { readFully } from '../audio/recordingFile.ts';

/** Length in bytes and SHA-256 in lower-case hexadecimal. */
export type Digest = { bytes: number; sha256: string };

const readBytes = 1024 * 1024;

/** Length and SHA-256 of what is in the file now. `goOn` is asked before each piece, and throws where it is to stop. */
export async function digestOf(handle: FileHandle, goOn: () => void): Promise<Digest> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(readBytes);
  for (let bytes = 0; ;) {
    goOn();
    const filled = await readFully(handle, buffer, bytes);
    if (filled === 0) return { bytes, sha256: hash.digest('hex') };
    hash.update(buffer.subarray(0, filled));
    bytes += filled;
  }
}

/** Of a text as it is stored, in UTF-8. */
export function textDigest(text: string): Digest {
  const bytes = Buffer.from(text, 'utf8');

  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
