import type { Capabilities, Trial } from '../../../src/store/capabilities.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { operatorClient } from '../../support/archive/mc.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { startStoreProxy, type StoreProxy } from '../../support/archive/storeProxy.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { seconds } from './storeContract.ts';
import { eventually } from '../../support/poll.ts';

const folder = temporaryFolder();
let proxy: StoreProxy;
const s3 = useS3Server({
  plain: {},
  versioned: { versioning: true },
  suspended: { versioning: true },
  locked: { objectLock: true },
  locking: { objectLock: true },
  ruled: {},
  encrypted: {},
});
const mc = operatorClient(
  () => s3.server,
  () => folder.path('mc'),
);

beforeAll(async () => {
  await s3.client.setBucketVersioning('suspended', { Status: 'Suspended' });
  for (const command of [
    'retention set --default GOVERNANCE 1d store/locking',
    'ilm rule add --prefix tmp/ --expire-days 3 store/ruled',
    'encrypt set sse-s3 store/encrypted',
  ]) {
    expect(await mc(...command.split(' '))).toMatchObject({ ok: true });
  }
  proxy = await startStoreProxy(s3.server.port);
});
afterAll(() => proxy.close());
afterEach(() => proxy.mend());

const open = (bucket: string, now?: () => number): ObjectStore =>
  makeMinioStore({ ...s3.server, port: proxy.port, useTls: false, bucket, ...(now === undefined ? {} : { now }) });

const plain: Capabilities = {
  versioning: 'off',
  objectLock: 'off',
  defaultRetention: 'none',
  lifecycle: 'none',
  encryption: 'none',
};

const unlocked = {
  put: 'yes',
  get: 'yes',
  list: 'yes',
  listVersions: 'yes',
  listUploads: 'yes',
  delete: 'yes',
  putRetention: 'unknown',
  getRetention: 'unknown',
  lockHolds: 'unknown',
  bypassGovernance: 'unknown',
  checksum: 'md5',
} as const satisfies Trial;

test.each<[string, Partial<Capabilities>]>([
  ['plain', {}],
  ['versioned', { versioning: 'on' }],
  ['suspended', { versioning: 'suspended' }],
  ['locked', { versioning: 'on', objectLock: 'on' }],
  ['locking', { versioning: 'on', objectLock: 'on', defaultRetention: { mode: 'governance', days: 1 } }],
  ['ruled', { lifecycle: 'rules' }],
  ['encrypted', { encryption: 'sse-s3' }],
])('the capabilities of a bucket are what a real server says: %s', async (bucket, differing) => {
  expect(await open(bucket).capabilities(seconds(20))).toEqual({ ...plain, ...differing });
});

test.each(['versioning', 'object-lock', 'lifecycle', 'encryption'])(
  'a store that does not know the question for %s, or does not allow it, is none the worse for it',
  async (question) => {
    const only = ({ path }: { path: string }): boolean => path.includes(`?${question}`);
    const said = async (status: number, code: string): Promise<Capabilities> => {
      proxy.break({ kind: 'answer', status, code }, { only });
      return open('locked').capabilities(seconds(20));
    };
    const locked: Capabilities = { ...plain, versioning: 'on', objectLock: 'on' };
    const unseen: Record<string, Partial<Capabilities>> = {
      versioning: { versioning: 'unknown' },
      'object-lock': { objectLock: 'unknown', defaultRetention: 'unknown' },
      lifecycle: { lifecycle: 'unknown' },
      encryption: { encryption: 'unknown' },
    };
    const unknownQuestion: Record<string, Partial<Capabilities>> = {
      versioning: { versioning: 'off' },
      'object-lock': { objectLock: 'off' },
      lifecycle: { lifecycle: 'unsupported' },
      encryption: { encryption: 'unknown' },
    };
    expect(await said(403, 'AccessDenied')).toEqual({ ...locked, ...unseen[question] });
    expect(await said(405, 'MethodNotAllowed')).toEqual({ ...locked, ...unknownQuestion[question] });
    expect(await said(501, 'NotImplemented')).toEqual({ ...locked, ...unknownQuestion[question] });
  },
);

test('an outage, a wrong key and a bucket that is not there are no answers', async () => {
  const wrong = makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain', secretKey: 'wrong' });
  await expect(wrong.capabilities(seconds(20))).rejects.toMatchObject({ code: 'archive_denied' });
  await expect(wrong.tryOut(seconds(20))).rejects.toMatchObject({ code: 'archive_denied' });
  await expect(open('none').capabilities(seconds(20))).rejects.toMatchObject({ code: 'archive_bucket_missing' });
  await expect(open('none').tryOut(seconds(20))).rejects.toMatchObject({ code: 'archive_bucket_missing' });
  await proxy.refuse();
  await expect(open('plain').capabilities(seconds(20))).rejects.toMatchObject({ code: 'archive_unreachable' });
  await expect(open('plain').tryOut(seconds(20))).rejects.toMatchObject({ code: 'archive_unreachable' });
});

const objectsIn = async (bucket: string): Promise<string[]> => {
  const page = await s3.client.listObjectsQuery(bucket, '', '', { Delimiter: '', MaxKeys: 100, IncludeVersion: true });

  return page.objects.map(({ name = '' }) => name);
};

describe('what is tried out', () => {
  test.each(['plain', 'versioned', 'suspended'])('without a lock leaves nothing: %s', async (bucket) => {
    expect(await open(bucket).tryOut(seconds(20))).toEqual(unlocked);
    expect(await objectsIn(bucket)).toEqual([]);
  });

  test('with a lock proves that it holds, and that this owner may bypass it', async () => {
    expect(await open('locked').tryOut(seconds(20))).toEqual({
      ...unlocked,
      putRetention: 'yes',
      getRetention: 'yes',
      lockHolds: 'yes',
      bypassGovernance: 'yes',
    });
    expect(await objectsIn('locked')).toEqual([]);
  });

  test('in a bucket that locks by itself stays, and does not take the lock for a missing right', async () => {
    const trial = await open('locking').tryOut(seconds(20));
    expect(trial).toMatchObject({ put: 'yes', delete: 'unknown', putRetention: 'yes', lockHolds: 'unknown' });
    expect((await objectsIn('locking')).every((name) => name.startsWith('preavis-check/trial-'))).toBe(true);
  });

  test('and could not be removed for its lock is removed by a later trial', async () => {
    const deletions = ({ method, path }: { method: string; path: string }): boolean =>
      method === 'DELETE' && path.includes('preavis-check/');
    proxy.break({ kind: 'answer', status: 403, code: 'AccessDenied' }, { only: deletions });
    expect(await open('locked').tryOut(seconds(20))).toMatchObject({ delete: 'no', lockHolds: 'unknown' });
    expect(await objectsIn('locked')).not.toEqual([]);
    await proxy.mend();
    await open('locked').tryOut(seconds(20));
    // Trials that are under way are left alone.
    expect(await objectsIn('locked')).not.toEqual([]);
    await eventually(async () => {
      await open('locked', () => Date.now() + 61_000).tryOut(seconds(20));

      return (await objectsIn('locked')).length === 0;
    });
  });

  test('and is accepted though it may not be written or read is said so', async () => {
    const put = ({ method }: { method: string }): boolean => method === 'PUT';
    proxy.break({ kind: 'answer', status: 403, code: 'AccessDenied' }, { only: put });
    expect(await open('locked').tryOut(seconds(20))).toEqual({
      ...unlocked,
      put: 'no',
      getRetention: 'yes',
      checksum: 'unknown',
    });
    const retention = ({ path }: { path: string }): boolean => path.includes('?retention');
    proxy.break({ kind: 'answer', status: 403, code: 'AccessDenied' }, { only: retention });
    const trial = await open('locked').tryOut(seconds(20));
    expect(trial).toMatchObject({ putRetention: 'no', getRetention: 'no', lockHolds: 'unknown' });
  });
});

test('a bucket without locks is found out where it may not be asked', async () => {
  proxy.break(
    { kind: 'answer', status: 403, code: 'AccessDenied' },
    { only: ({ path }) => path.includes('?object-lock') },
  );
  for (const bucket of ['plain', 'versioned']) {
    expect(await open(bucket).tryOut(seconds(20))).toMatchObject({ putRetention: 'no', lockHolds: 'unknown' });
  }
});

test('a store that takes a lock and does not keep it is found out', async () => {
  proxy.break({ kind: 'drop' }, { only: ({ path }) => path.includes('?retention') });
  expect(await open('locked').tryOut(seconds(20))).toMatchObject({ putRetention: 'yes', lockHolds: 'no' });
});

test('a folder has neither locks nor versions, and says so', async () => {
  const store = makeDirectoryStore({ folder: folder.path('archive') });
  await store.check();
  expect(await store.capabilities(seconds(5))).toEqual({
    ...plain,
    lifecycle: 'unsupported',
    encryption: 'unknown',
  });
  expect(await store.tryOut(seconds(5))).toMatchObject({
    put: 'yes',
    list: 'yes',
    listVersions: 'no',
    listUploads: 'no',
    lockHolds: 'no',
    checksum: 'none',
  });
  await expect(store.lifecycle(seconds(5))).rejects.toMatchObject({ code: 'archive_unsupported' });
  const rules = { xml: '', transitionMinimum: undefined };
  await expect(store.setLifecycle(rules, seconds(5))).rejects.toMatchObject({ code: 'archive_unsupported' });
});
