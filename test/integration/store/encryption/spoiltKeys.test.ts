import { text } from 'node:stream/consumers';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import { successorOf } from '../../../../src/store/encryption/keyObject.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { keyringOf, newKey, onlyKeyObject, keyObjectNames } from '../../../support/archive/encryption.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { seconds } from '../storeContract.ts';

const folder = temporaryFolder();
const key = 'recordings/x.json';
let stages = 0;

const s3 = useS3Server({ plain: {}, versioned: { versioning: true } });

const kinds: [string, (at: string) => RawStore][] = [
  ['a folder', (at) => makeDirectoryStore({ folder: folder.path(at) })],
  ['a bucket', (at) => makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain', prefix: at })],
  ['a versioned bucket', (at) => makeMinioStore({ ...s3.server, useTls: false, bucket: 'versioned', prefix: at })],
];

/** Also in the first two of the six bits. */
const other = (character: string | undefined): string => (character === 'A' ? 'Q' : 'A');
/** 40 bytes in base64: 53 characters of six bits, one of two, and two that fill up. */
const inWrapped = (at: number) => (keyObject: string) => {
  const start = keyObject.indexOf('"wrapped":"') + '"wrapped":"'.length + at;

  return keyObject.slice(0, start) + other(keyObject[start]) + keyObject.slice(start + 1);
};
const inKeyId = (keyObject: string): string =>
  keyObject.replace(/"keyId":"(.)/, (_, digit: string) => `"keyId":"${digit === '0' ? '1' : '0'}`);

const flips: [string, (keyObject: string) => string][] = [
  ['the first character of the wrapped key', inWrapped(0)],
  ['the second of four characters', inWrapped(29)],
  ['the third of four characters', inWrapped(30)],
  ['the last of four characters', inWrapped(31)],
  ['the last whole character', inWrapped(52)],
  ['the character of two bits', inWrapped(53)],
  ['the first that fills up', inWrapped(54)],
  ['the last that fills up', inWrapped(55)],
  ['the id of the key', inKeyId],
];

async function makeStage(openRaw: (at: string) => RawStore) {
  const raw = openRaw(`spoilt-${(stages += 1)}`);
  await raw.check();
  const [earlier, current] = [newKey(), newKey()];
  await makeEncryptedStore(raw, keyringOf(earlier)).putText(key, 'secret', 'text/plain', seconds(10));
  const both = keyringOf(current, earlier);

  return {
    raw,
    earlier,
    current,
    both,
    name: await onlyKeyObject(raw, key),
    rewrap: (store: RawStore) => makeEncryptedStore(store, both).rewrap(key, { dryRun: false }, seconds(10)),
  };
}

const read = async (store: EncryptedStore): Promise<string> => text(await store.read(key, null, seconds(10)));

describe.each(kinds)('in %s', (_, openRaw) => {
  test.each(flips)(
    'a wrapped key that the store has stored with %s changed costs no recording',
    async (_where, spoil) => {
      const { raw, current, both, name, rewrap } = await makeStage(openRaw);
      const spoiling: RawStore = {
        ...raw,
        putText: (at, content, type, signal) => raw.putText(at, at === name ? spoil(content) : content, type, signal),
      };
      for (let pass = 0; pass < 2; pass += 1) {
        await expect(rewrap(spoiling)).rejects.toMatchObject({ code: 'archive_mismatch' });
        expect(await read(makeEncryptedStore(raw, both))).toBe('secret');
      }

      expect(await rewrap(raw)).toMatchObject({ state: 'rewrapped' });
      expect(await read(makeEncryptedStore(raw, keyringOf(current)))).toBe('secret');
      expect(await keyObjectNames(raw, key)).toEqual([name]);
      expect(await raw.versions(name)).toHaveLength(1);
      expect(await rewrap(raw)).toMatchObject({ state: 'current' });
    },
  );

  test('where two places give different data keys, neither goes', async () => {
    const { raw, current, earlier, name, rewrap } = await makeStage(openRaw);
    const keyObject = await text(await raw.read(name, null, seconds(10)));
    const wrapped = await current.wrap(Buffer.alloc(32, 1), seconds(10));
    const foreign = keyObject.replace(earlier.id, current.id).replace(/"wrapped":"[^"]*"/, `"wrapped":"${wrapped}"`);
    await raw.putText(successorOf(name), foreign, 'application/json', seconds(10));
    await expect(rewrap(raw)).rejects.toMatchObject({ code: 'archive_mismatch' });
    expect(await text(await raw.read(name, null, seconds(10)))).toBe(keyObject);
    expect(await text(await raw.read(successorOf(name), null, seconds(10)))).toBe(foreign);
  });
});

test('a wrapped key that somebody removed from a versioned bucket is taken from its earlier version', async () => {
  let prefix = '';
  const { raw, current, both, name, rewrap } = await makeStage((at) => {
    prefix = at;

    return makeMinioStore({ ...s3.server, useTls: false, bucket: 'versioned', prefix });
  });
  await s3.client.removeObject('versioned', `${prefix}/${name}`);
  expect(await raw.stat(name)).toBeUndefined();
  expect(await read(makeEncryptedStore(raw, both))).toBe('secret');
  // It is covered by what somebody has put there, and that was removed as well.
  await raw.putText(name, 'x', 'text/plain', seconds(10));
  await s3.client.removeObject('versioned', `${prefix}/${name}`);
  expect(await rewrap(raw)).toMatchObject({ state: 'rewrapped' });
  expect(await read(makeEncryptedStore(raw, keyringOf(current)))).toBe('secret');
  expect(await raw.versions(name)).toHaveLength(1);
});
