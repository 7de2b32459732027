import { createHash } from 'node:crypto';
import type { RecordingRow } from '../catalogue/rows.ts';
import { PreavisError } from '../core/errors.ts';

/** Length in bytes and SHA-256 in lower-case hexadecimal. */
export type Digest = { bytes: number; sha256: string };

/** Length and SHA-256 of all of these. `goOn` is asked before each counts, and throws where it is to stop. */
export async function digestOf(chunks: AsyncIterable<Buffer>, goOn?: () => void): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    goOn?.();
    hash.update(chunk);
    bytes += chunk.length;
  }

  return { bytes, sha256: hash.digest('hex') };
}

/** Of a recording, as it was measured when it was finished. */
export function recordedDigest({ bytes, sha256 }: Pick<RecordingRow, 'bytes' | 'sha256'>): Digest {
  if (bytes === null || sha256 === null) throw new PreavisError('internal', 'a finished recording has no digest');

  return { bytes, sha256 };
}

/** Of a text as it is stored, in UTF-8. */
export function textDigest(text: string): Digest {
  const bytes = Buffer.from(text, 'utf8');

  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
