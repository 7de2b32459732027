import * as z from 'zod';
import { text } from 'node:stream/consumers';
import type { RecordingId } from '../core/ids.ts';
import { jsonIn } from '../core/text/json.ts';
import { textDigest } from '../store/digest.ts';
import { storeAndReadBack, type Placement } from './storeAndVerify.ts';
import type { ObjectStore, StoredObject } from '../store/store.ts';

/** A receipt is a few kB; what is larger is none. */
export const largestReceiptBytes = 1024 * 1024;

const identity = z.object({ recording: z.object({ id: z.string(), sha256: z.string() }) });

/**
 * Whether what lies in the archive is a receipt of this recording with these bytes: an earlier attempt left it, and another
 * Préavis may word it in another way.
 */
async function isReceiptOf(
  id: RecordingId,
  sha256: string,
  store: ObjectStore,
  { key, bytes, versionId }: StoredObject,
  signal: AbortSignal,
): Promise<boolean> {
  if (bytes > largestReceiptBytes) return false;
  const found = identity.safeParse(jsonIn(await text(await store.read(key, versionId, signal))));

  return found.success && found.data.recording.id === id && found.data.recording.sha256 === sha256;
}

/** Puts a receipt in the place of what an earlier attempt left. Throws as storeAndReadBack. */
export function placeReceipt(
  { id, sha256, receipt }: { id: RecordingId; sha256: string; receipt: string },
  { store, key, covers }: { store: ObjectStore } & Pick<Placement, 'key' | 'covers'>,
  signal: AbortSignal,
): Promise<StoredObject> {
  const placement = {
    key,
    expected: textDigest(receipt),
    put: () => store.putText(key, receipt, 'application/json', signal),
    mayReplace: (existing: StoredObject) => isReceiptOf(id, sha256, store, existing, signal),
    covers,
  };

  return storeAndReadBack(store, placement, signal);
}
