/**
 * A wrapped data key, in a small object of its own: `preavis-keys/`, the key of the object that it opens, and the id of the data
 * key. So it can be wrapped anew without touching that object, which no store can change in part and a lock may forbid.
 *
 * Each attempt to store an object has a data key and so a key object of its own, and nobody ever replaces that of another attempt:
 * a request that arrives late, long after its attempt was given up, takes nothing from a later one. The tree of its own keeps
 * listings of objects as they are, and lets a bucket have rules for the keys alone.
 */
import * as z from 'zod';
import { keyIdPattern } from '../../config/encryptionKey.ts';
import { PreavisError } from '../../core/errors.ts';
import { jsonIn } from '../../core/text/json.ts';

export const keyObjectPrefix = 'preavis-keys/';

/** What the names of the key objects of one object begin with. */
export const keyObjectsOf = (key: string): string => `${keyObjectPrefix}${key}/`;
export const keyObjectOf = (key: string, dataKeyId: string): string => keyObjectsOf(key) + dataKeyId;
/** Where a wrapped key lies that is to replace this one, until that is done: a store may keep no versions. */
export const successorOf = (name: string): string => `${name}.new`;
export const isKeyObject = (key: string): boolean => key.startsWith(keyObjectPrefix);
/** The key of the object that this key object belongs to. */
export const objectOf = (name: string): string => name.slice(keyObjectPrefix.length, name.lastIndexOf('/'));

export const mostKeyObjectBytes = 64 * 1024;

const keyObjectForm = z.strictObject({
  preavisKey: z.literal(1),
  object: z.string(),
  dataKeyId: z.string().regex(/^[0-9a-f]{32}$/),
  /** Of the key that it is wrapped with. */
  keyId: z.string().regex(keyIdPattern),
  wrapped: z.base64(),
});

export type WrappedKey = Omit<z.infer<typeof keyObjectForm>, 'preavisKey' | 'object'>;

export function keyObjectText(key: string, { dataKeyId, keyId, wrapped }: WrappedKey): string {
  return `${JSON.stringify({ preavisKey: 1, object: key, dataKeyId, keyId, wrapped })}\n`;
}

/** @throws PreavisError `archive_mismatch` for what is not the key object of that name. */
export function parseKeyObject(name: string, text: string): WrappedKey {
  const ownName = name.endsWith('.new') ? name.slice(0, -'.new'.length) : name;
  const parsed = keyObjectForm.safeParse(jsonIn(text));
  if (!parsed.success || keyObjectOf(parsed.data.object, parsed.data.dataKeyId) !== ownName) {
    throw new PreavisError('archive_mismatch', 'an object named as a wrapped key is not one', {
      hint: 'It was changed or swapped in the archive. Look in its access log for who did it, or restore it from a backup.',
    });
  }

  return parsed.data;
}
