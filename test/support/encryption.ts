import { randomBytes } from 'node:crypto';
import { makeKeyring, makeLocalKey, type Keyring, type WrappingKey } from '../../src/archive/keyring.ts';

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
