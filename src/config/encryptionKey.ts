/** A key that wraps the keys of the archive (docs/encryption.md). */
const keyBytes = 32;
/** Random bytes have some thirty different ones; a key that was typed, or left at zero, has few. */
const leastDifferent = 12;

export const encryptionKeyFault =
  'is not 32 random bytes in base64 or hexadecimal, as `openssl rand -base64 32` makes them';

/** The key that a line holds; undefined for one that holds none. */
export function encryptionKeyOf(line: string): Buffer | undefined {
  const text = line.trim();
  const encoding = /^[0-9a-fA-F]{64}$/.test(text) ? 'hex' : /^[A-Za-z0-9+/]{43}=$/.test(text) ? 'base64' : undefined;
  if (encoding === undefined) return undefined;
  const key = Buffer.from(text, encoding);

  return key.length === keyBytes && new Set(key).size >= leastDifferent ? key : undefined;
}

/** A name of a key in a KMS: it is an argument of the command, and no option of it. */
export const keyIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/;

type Encryption = {
  mode: 'none' | 'server' | 'client';
  key?: string | undefined;
  keyFile?: string | undefined;
  kmsCommand?: string[] | undefined;
  keyId?: string | undefined;
  oldKeyIds: string[];
};

/** What the keys of archive.encryption say that does not go together. */
export function encryptionFaults({
  store,
  encryption,
}: {
  store: 'directory' | 'minio';
  encryption: Encryption;
}): { path: string[]; message: string }[] {
  const { mode, key, keyFile, kmsCommand, keyId, oldKeyIds } = encryption;
  const faults: { path: string[]; message: string }[] = [];
  const fault = (name: keyof Encryption, message: string): void => {
    faults.push({ path: ['archive', 'encryption', name], message });
  };
  const hasKey = key !== undefined || keyFile !== undefined;
  if (mode === 'server' && store !== 'minio') {
    fault('mode', 'can be server only with archive.store: minio; encrypt the disk of a folder, or choose client');
  }
  if (mode === 'client' && !hasKey && kmsCommand === undefined) {
    fault('mode', 'is client, and there is no keyFile, key or kmsCommand');
  }
  if (keyId === undefined && kmsCommand !== undefined && !hasKey && mode === 'client') {
    fault('keyId', 'is missing: which key the KMS is to use');
  }
  if (keyId !== undefined && hasKey) {
    fault(
      'keyId',
      'is the id of a key in the KMS, and there is a key beside it: name it in oldKeyIds, or remove the key',
    );
  }
  if (kmsCommand === undefined && (keyId !== undefined || oldKeyIds.length > 0)) {
    fault('kmsCommand', 'is missing: keyId and oldKeyIds are of keys in a KMS');
  }

  return faults;
}
