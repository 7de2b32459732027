/**
 * The wrapped data keys of one object, in a small object of their own: `preavis-keys/` and the key of the object. So they
 * can be wrapped anew without touching the object, which no store can change in part and a lock may forbid.
 *
 * There is one for each object and not for each recording, so that WAV and receipt come and go each by themselves; all keys of
 * one object are in one place, so that erasing it takes every version with it. The tree of its own keeps listings of objects as
 * they are, and lets a bucket have rules for the keys alone.
 */
import { z } from 'zod';
import { keyIdPattern } from '../config/encryptionKey.ts';
import { PreavisError } from '../core/errors.ts';

export const sidecarPrefix = 'preavis-keys/';

export const sidecarOf = (key: string): string => sidecarPrefix + key;
export const isSidecar = (key: string): boolean => key.startsWith(sidecarPrefix);

/** Some hundred keys fit. */
export const mostSidecarBytes = 64 * 1024;

const wrappedKey = z.strictObject({
  dataKeyId: z.string().regex(/^[0-9a-f]{32}$/),
  /** Of the key that it is wrapped with. */
  keyId: z.string().regex(keyIdPattern),
  wrapped: z.base64(),
});

/** More than one where the object was written more than once: earlier versions may still be there. */
const sidecar = z.strictObject({ preavisKeys: z.literal(1), object: z.string(), keys: z.array(wrappedKey).min(1) });

export type WrappedKey = z.infer<typeof wrappedKey>;

export function sidecarText(key: string, keys: readonly WrappedKey[]): string {
  return `${JSON.stringify({ preavisKeys: 1, object: key, keys })}\n`;
}

/** @throws PreavisError `archive_mismatch` for what is not the sidecar of this object. */
export function parseSidecar(key: string, text: string): WrappedKey[] {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    // Below: it has not the form either.
  }
  const parsed = sidecar.safeParse(tree);
  if (!parsed.success || parsed.data.object !== key) {
    throw new PreavisError(
      'archive_mismatch',
      'what lies under the name of the wrapped keys of an object is not that',
      {
        hint: 'It was changed or swapped in the archive. Look in its access log for who did it, or restore it from a backup.',
      },
    );
  }

  return parsed.data.keys;
}
