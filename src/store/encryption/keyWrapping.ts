import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { PreavisError } from '../../core/errors.ts';

/** What the data keys of objects are wrapped with (KEK); it never opens an object itself. */
export type WrappingKey = {
  readonly id: string;
  /** Base64. @throws PreavisError `encryption_key_unusable`. */
  wrap(dataKey: Buffer, signal: AbortSignal): Promise<string>;
  /** @throws PreavisError `encryption_key_unusable`; `archive_mismatch` where it is not what this key has wrapped. */
  unwrap(wrapped: string, signal: AbortSignal): Promise<Buffer>;
};

export type Keyring = {
  /** Wraps what is stored from now on; undefined: nothing new is encrypted, and what is stays readable. */
  readonly current: WrappingKey | undefined;
  /** Those that wrap what is stored below some prefixes, in the place of `current`. */
  readonly own: readonly WrappingKey[];
  /** What wraps what is stored under this key of an object from now on. */
  currentFor(objectKey: string): WrappingKey | undefined;
  find(id: string): WrappingKey | undefined;
};

export const dataKeyBytes = 32;

/** AES-256 key wrap (RFC 3394), with the initial value that the standard gives it. */
const wrapCipher = 'id-aes256-wrap';
const wrapStart = Buffer.alloc(8, 0xa6);

/** The first 16 hexadecimal digits of the SHA-256 of the key: so an id cannot be given to another key by mistake. */
export function keyIdOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** A key that Préavis has itself. */
export function makeLocalKey(key: Buffer): WrappingKey {
  return {
    id: keyIdOf(key),
    wrap: (dataKey) => {
      const wrapping = createCipheriv(wrapCipher, key, wrapStart);

      return Promise.resolve(Buffer.concat([wrapping.update(dataKey), wrapping.final()]).toString('base64'));
    },
    unwrap: async (wrapped) => {
      await Promise.resolve();
      try {
        const unwrapping = createDecipheriv(wrapCipher, key, wrapStart);
        return Buffer.concat([unwrapping.update(Buffer.from(wrapped, 'base64')), unwrapping.final()]);
      } catch {
        throw new PreavisError('archive_mismatch', 'the wrapped key of an object is not what was stored', {
          hint: 'It was changed in the archive. Look in its access log for who did it, or restore it from a backup.',
        });
      }
    },
  };
}

/** Below which prefix of object keys another key than the current one wraps. */
export type OwnKeys = ReadonlyMap<string, WrappingKey>;

export function makeKeyring(
  current: WrappingKey | undefined,
  earlier: readonly WrappingKey[],
  ownKeys: OwnKeys = new Map(),
): Keyring {
  const own = [...ownKeys.values()];
  const all = new Map([...earlier, ...own, ...(current === undefined ? [] : [current])].map((key) => [key.id, key]));
  const prefixes = [...ownKeys];

  return {
    current,
    own,
    currentFor: (objectKey) => prefixes.find(([prefix]) => objectKey.startsWith(prefix))?.[1] ?? current,
    find: (id) => all.get(id),
  };
}
