import { randomBytes } from 'node:crypto';
import { keyObjectsOf } from '../../../src/store/encryption/keyObject.ts';
import type { RawStore } from '../../../src/store/store.ts';
import {
  makeKeyring,
  makeLocalKey,
  type Keyring,
  type WrappingKey,
} from '../../../src/store/encryption/keyWrapping.ts';

/** A new key that wraps keys, in this process. */
export const newKey = (): WrappingKey => makeLocalKey(randomBytes(32));

/** The first is the current one. */
export const keyringOf = (current: WrappingKey | undefined, ...earlier: WrappingKey[]): Keyring =>
  makeKeyring(current, earlier);

/** A key whose ways are counted, or broken. */
export function countingKey(key = newKey()): WrappingKey & { used: { wrap: number; unwrap: number } } {
  const used = { wrap: 0, unwrap: 0 };

  return {
    id: key.id,
    used,
    wrap: (dataKey, signal) => {
      used.wrap += 1;
      return key.wrap(dataKey, signal);
    },
    unwrap: (wrapped, signal) => {
      used.unwrap += 1;
      return key.unwrap(wrapped, signal);
    },
  };
}

/** The names of the wrapped keys of an object. */
export const keyObjectNames = (raw: RawStore, key: string): Promise<string[]> => raw.keysBelow(keyObjectsOf(key));

/** The name of the one that there is. */
export async function onlyKeyObject(raw: RawStore, key: string): Promise<string> {
  const [name, ...others] = await keyObjectNames(raw, key);
  if (name === undefined || others.length > 0)
    throw new Error(`${others.length + (name === undefined ? 0 : 1)} wrapped keys`);

  return name;
}
