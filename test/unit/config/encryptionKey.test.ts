import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { encryptionKeyOf } from '../../../src/config/encryptionKey.ts';
import { loadConfig, parseConfig } from '../../../src/config/load.ts';
import { configTree } from '../../support/call/calls.ts';
import { tried } from '../../support/properties.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const [first, second, third] = [1, 2, 3].map(() => randomBytes(32).toString('base64')) as [string, string, string];
const parsed = (encryption: Record<string, unknown>, archive: Record<string, unknown> = {}) =>
  parseConfig({ ...configTree(), archive: { ...archive, encryption } }).archive.encryption;

async function file(name: string, text: string): Promise<string> {
  await writeFile(folder.path(name), text, { mode: 0o600 });

  return folder.path(name);
}

describe('a key that wraps keys', () => {
  test('is 32 bytes in base64 or hexadecimal, with blanks around it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const key = Buffer.from(bytes);
        fc.pre(new Set(key).size >= 12);
        for (const text of [key.toString('base64'), key.toString('hex'), key.toString('hex').toUpperCase()]) {
          expect(encryptionKeyOf(` ${text}\r`)?.equals(key)).toBe(true);
        }
      }),
      tried(100),
    );
  });

  test.each([
    ['nothing', ''],
    ['16 bytes', randomBytes(16).toString('base64')],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['a sentence', 'the quick brown fox jumps over the dog'],
    ['zeros', Buffer.alloc(32).toString('base64')],
    ['one letter again and again', 'a'.repeat(64)],
    ['base64 of another alphabet', `${'-_'.repeat(21)}A=`],
  ])('is not %s', (_, text) => {
    expect(encryptionKeyOf(text)).toBeUndefined();
    expect(() => parsed({ key: text })).toThrow(/^archive\.encryption\.key: is not 32 random bytes/);
  });
});

describe('the configuration of encryption', () => {
  test('is none by default', () => {
    expect(parsed({})).toEqual({ mode: 'none', oldKeyFiles: [], oldKeyIds: [], kmsSeconds: 10 });
  });

  test.each([
    [{ mode: 'client' }, 'mode: is client, and there is no keyFile, key or kmsCommand'],
    [{ mode: 'server' }, 'mode: can be server only with archive.store: minio'],
    [{ mode: 'client', kmsCommand: ['kms'] }, 'keyId: is missing: which key the KMS is to use'],
    [{ mode: 'client', key: first, keyId: 'a', kmsCommand: ['kms'] }, 'keyId: is the id of a key in the KMS'],
    [{ mode: 'client', key: first, keyId: 'a' }, 'kmsCommand: is missing'],
    [{ oldKeyIds: ['a'] }, 'kmsCommand: is missing'],
    [{ mode: 'client', kmsCommand: ['kms'], keyId: '--help' }, 'keyId: is not the id of a key'],
    [{ kmsCommand: [] }, 'kmsCommand: '],
  ])('%j is refused', (encryption, message) => {
    expect(() => parsed(encryption)).toThrow(`archive.encryption.${message}`);
  });

  test.each([
    [{ mode: 'client', key: first }],
    [{ mode: 'client', keyFile: '/etc/preavis/archive-key' }],
    [{ mode: 'client', kmsCommand: ['kms', 'x'], keyId: 'arn:aws:kms:eu-west-1:1:key/2', oldKeyIds: ['b'] }],
    // From a KMS to a key of our own, and back to nothing at all.
    [{ mode: 'client', key: first, kmsCommand: ['kms'], oldKeyIds: ['b'] }],
    [{ mode: 'none', key: first, oldKeys: [second] }],
  ])('%j is taken', (encryption) => {
    expect(parsed(encryption)).toMatchObject(encryption);
  });

  test('with mode server is for an object store', () => {
    expect(parsed({ mode: 'server' }, { store: 'minio' })).toMatchObject({ mode: 'server' });
  });

  test('reads keys from the first lines of files, and the environment before them', async () => {
    const tree = {
      ...configTree(),
      archive: {
        encryption: {
          mode: 'client',
          keyFile: await file('key', `${first}\nnot this\n`),
          oldKeyFiles: [await file('old-1', second), await file('old-2', `${third}\n`)],
        },
      },
    };
    const config = await file('preavis.yaml', JSON.stringify(tree));
    expect((await loadConfig(config, {})).archive.encryption).toMatchObject({ key: first, oldKeys: [second, third] });
    const given = { PREAVIS_ARCHIVE_ENCRYPTION_KEY: third, PREAVIS_ARCHIVE_ENCRYPTION_OLD_KEYS: `${first},${second}` };
    expect((await loadConfig(config, given)).archive.encryption).toMatchObject({
      key: third,
      oldKeys: [first, second, second, third],
    });
  });

  test('refuses a file that holds no key, without repeating what it holds', async () => {
    for (const key of ['keyFile', 'oldKeyFiles']) {
      const path = await file('bad', 'zebra-crossing');
      const encryption = { [key]: key === 'keyFile' ? path : [path] };
      const config = await file('preavis.yaml', JSON.stringify({ ...configTree(), archive: { encryption } }));
      const error: unknown = await loadConfig(config, {}).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config_invalid' });
      expect(String(error)).toContain(`archive.encryption.${key}: the first line of ${path} is not 32 random bytes`);
      expect(String(error)).not.toContain('zebra');
    }
  });
});
