import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { describeStoreContract } from './storeContract.ts';

const folder = temporaryFolder();
const s3 = useS3Server({ plain: {}, versioned: { versioning: true }, locked: { objectLock: true } });

beforeAll(async () => {
  await makeDirectoryStore({ folder: folder.path('archive') }).check();
});

const inBucket = (bucket: string, prefix = ''): ObjectStore =>
  makeMinioStore({ ...s3.server, useTls: false, bucket, prefix });

describeStoreContract('a folder', {
  store: () => makeDirectoryStore({ folder: folder.path('archive') }),
  missing: () => makeDirectoryStore({ folder: folder.path('none'), create: false }),
  isVersioned: false,
  hasLocks: false,
});

describeStoreContract('a plain bucket', {
  store: () => inBucket('plain'),
  missing: () => inBucket('missing'),
  isVersioned: false,
  hasLocks: false,
});

describeStoreContract('a versioned bucket, shared under a prefix', {
  store: () => inBucket('versioned', 'preavis/tenant-1'),
  missing: () => inBucket('missing', 'preavis/tenant-1'),
  isVersioned: true,
  hasLocks: false,
});

describeStoreContract('a bucket with Object Lock', {
  store: () => inBucket('locked'),
  missing: () => inBucket('missing'),
  isVersioned: true,
  hasLocks: true,
});
