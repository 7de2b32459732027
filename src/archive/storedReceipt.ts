import * as z from 'zod';
import { text } from 'node:stream/consumers';
import type { RecordingId } from '../core/ids.ts';
import type { ObjectStore, StoredObject } from '../store/store.ts';

/** A receipt is a few kB; what is larger is none. */
export const largestReceiptBytes = 1024 * 1024;

const identity = z.object({ recording: z.object({ id: z.string(), sha256: z.string() }) });

/**
 * Whether what lies in the archive is a receipt of this recording with these bytes: an earlier attempt left it, and another
 * Préavis may word it in another way.
 */
export async function isReceiptOf(
  id: RecordingId,
  sha256: string,
  store: ObjectStore,
  { key, bytes, versionId }: StoredObject,
  signal: AbortSignal,
): Promise<boolean> {
  if (bytes > largestReceiptBytes) return false;
  const content = await text(await store.read(key, versionId, signal));
  let found: unknown;
  try {
    found = JSON.parse(content);
  } catch {
    return false;
  }
  const parsed = identity.safeParse(found);

  return parsed.success && parsed.data.recording.id === id && parsed.data.recording.sha256 === sha256;
}
