import { randomBytes } from 'node:crypto';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeKeyring, makeLocalKey } from '../../../../src/store/encryption/keyWrapping.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import type { ObjectStore, RawStore } from '../../../../src/store/store.ts';
import pLimit from 'p-limit';
import { eventually } from '../../../support/poll.ts';
import { onlyKeyObject } from '../../../support/archive/encryption.ts';
import { whileLocked } from '../../../support/archive/shortLocks.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { describeStoreContract } from '../storeContract.ts';

const folder = temporaryFolder();
const s3 = useS3Server({ plain: {}, versioned: { versioning: true }, locked: { objectLock: true } });

beforeAll(async () => {
  for (const name of ['archive', 'off']) await makeDirectoryStore({ folder: folder.path(name) }).check();
});

const keyring = makeKeyring(makeLocalKey(randomBytes(32)), []);
const encrypted = (store: RawStore): ObjectStore => makeEncryptedStore(store, keyring);
const inBucket = (bucket: string, prefix = ''): RawStore =>
  makeMinioStore({ ...s3.server, useTls: false, bucket, prefix, partSizeBytes: 5 * 1024 * 1024 });

describeStoreContract('an encrypted folder', {
  store: () => encrypted(makeDirectoryStore({ folder: folder.path('archive') })),
  missing: () => encrypted(makeDirectoryStore({ folder: folder.path('none'), create: false })),
  isVersioned: false,
  hasLocks: false,
});

describeStoreContract('a folder with encryption switched off', {
  store: () => makeEncryptedStore(makeDirectoryStore({ folder: folder.path('off') }), makeKeyring(undefined, [])),
  missing: () =>
    makeEncryptedStore(makeDirectoryStore({ folder: folder.path('none'), create: false }), makeKeyring(undefined, [])),
  isVersioned: false,
  hasLocks: false,
});

describeStoreContract('an encrypted plain bucket', {
  store: () => encrypted(inBucket('plain')),
  missing: () => encrypted(inBucket('missing')),
  isVersioned: false,
  hasLocks: false,
});

describeStoreContract('an encrypted versioned bucket, shared under a prefix', {
  store: () => encrypted(inBucket('versioned', 'preavis/tenant-1')),
  missing: () => encrypted(inBucket('missing', 'preavis/tenant-1')),
  isVersioned: true,
  hasLocks: false,
});

describeStoreContract('an encrypted bucket with Object Lock', {
  store: () => encrypted(inBucket('locked')),
  missing: () => encrypted(inBucket('missing')),
  isVersioned: true,
  hasLocks: true,
});

test('a locked object keeps its wrapped key: an erasure that is refused leaves it readable', async () => {
  const store = encrypted(inBucket('locked', 'kept'));
  const signal = AbortSignal.timeout(20_000);
  const locked = await whileLocked(async (until, key) => {
    const { versionId } = await store.putText(key, 'audio', 'audio/wav', signal);
    await store.protect(key, versionId, { mode: 'compliance', until }, signal);
    await expect(store.erase(key)).rejects.toMatchObject({ code: 'archive_locked' });
    const raw = inBucket('locked', 'kept');
    await expect(raw.erase(await onlyKeyObject(raw, key))).rejects.toMatchObject({ code: 'archive_locked' });
    expect(await store.digest(key, versionId, signal)).toMatchObject({ bytes: 5 });

    return key;
  });
  await eventually(async () => {
    expect(await store.erase(locked)).toBe(1);
  });
  expect(await store.versions(locked)).toEqual([]);
});

test('the names of wrapped keys are found on every page, also where only a delete marker is left', async () => {
  const raw = inBucket('versioned', 'pages');
  const name = (number: number): string => `preavis-keys/a/${String(number).padStart(32, '0')}`;
  const limit = pLimit(16);
  const numbers = Array.from({ length: 1_050 }, (_, number) => number);
  const put = (number: number): Promise<unknown> =>
    raw.putText(name(number), 'x', 'text/plain', AbortSignal.timeout(120_000));
  await Promise.all(numbers.map((number) => limit(put, number)));
  // On the first page and on the last one.
  for (const number of [0, 500, 1_049]) await s3.client.removeObject('versioned', `pages/${name(number)}`);
  expect((await raw.keysBelow('preavis-keys/a/')).sort()).toEqual(numbers.map(name));
  expect(await raw.versions(name(500))).toHaveLength(2);
});
