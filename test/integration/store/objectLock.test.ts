import { stat } from 'node:fs/promises';
import { makeEncryptedStore } from '../../../src/store/encryption/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import type { Lock } from '../../../src/store/objectLock.ts';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { uploadPass, type UploadResult } from '../../../src/archive/uploadPass.ts';
import type { LockMode } from '../../../src/config/objectLockModes.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, type SavedCall } from '../../support/catalogue/catalogues.ts';
import { keyringOf, newKey, onlyKeyObject } from '../../support/archive/encryption.ts';
import { operatorClient } from '../../support/archive/mc.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { startStoreProxy, type StoreProxy } from '../../support/archive/storeProxy.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { seconds } from './storeContract.ts';

/** On a real server, whose clock cannot be set: so the recordings are kept for ten years, whatever the day of the test. */
const keepDays = 3_653;
const until = callStart + 80_000 + keepDays * 86_400_000;
const folder = temporaryFolder();
const open = catalogues();
let proxy: StoreProxy;
let stages = 0;
const s3 = useS3Server({
  plain: {},
  versioned: { versioning: true },
  locked: { objectLock: true },
  locking: { objectLock: true },
});
const mc = operatorClient(
  () => s3.server,
  () => folder.path('mc'),
);

beforeAll(async () => {
  expect(await mc('retention', 'set', '--default', 'COMPLIANCE', '1d', 'store/locking')).toMatchObject({ ok: true });
  proxy = await startStoreProxy(s3.server.port);
});
afterAll(() => proxy.close());
afterEach(() => proxy.mend());

const openStore = (bucket: string, prefix = ''): ObjectStore =>
  makeMinioStore({ ...s3.server, port: proxy.port, useTls: false, bucket, prefix });

type Waiting = ArchiveStage & {
  call: SavedCall & { file: string };
  keys: { wav: string; receipt: string };
  prefix: string;
  pass: () => Promise<UploadResult>;
};

/** A recording that waits, whose purpose asks for this lock. */
async function waiting(bucket: string, mode: LockMode | 'none'): Promise<Waiting> {
  const prefix = `stage-${(stages += 1)}/`;
  const set = await archiveStage(folder.path(prefix), open);
  const call = await set.finished(undefined, { keepDays });
  const ports = { ...set, store: openStore(bucket, prefix), locks: new Map([['training', mode]]) };

  return {
    ...ports,
    call,
    prefix,
    keys: objectKeys(call.id, callStart + 20_000),
    pass: () => uploadPass(ports, { waitMs: 0, signal: seconds(60), all: true }),
  };
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

async function expectWaits(set: Waiting, code: string): Promise<void> {
  expect(await set.catalogue.recordings.find(set.call.id)).toMatchObject({
    status: 'recorded',
    failure: code,
    archive: null,
  });
  expect(await isThere(set.call.file)).toBe(true);
}

describe('a recording whose purpose asks for a lock', () => {
  test.each<[LockMode, string[]]>([
    ['governance', []],
    ['compliance', []],
    ['compliance', ['--bypass']],
  ])('%s: recording and receipt are locked until its end, and no client deletes them %j', async (mode, how) => {
    const set = await waiting('locked', mode);
    expect(await set.pass()).toMatchObject({ sent: 1, failures: {} });
    const row = await set.catalogue.recordings.find(set.call.id);
    expect(row).toMatchObject({ status: 'archived', objectKey: set.keys.wav });
    expect(await isThere(set.call.file)).toBe(false);
    for (const key of [set.keys.wav, set.keys.receipt]) {
      const [version = ''] = await set.store.versions(key);
      const { lock } = await set.store.protection(key, version, seconds(10));
      expect(lock).toEqual({ mode, until });
      const byMc = await mc('rm', '--version-id', version, ...how, `store/locked/${set.prefix}${key}`);
      expect(byMc).toMatchObject({ ok: false, output: expect.stringMatching(/lock/i) as string });
      const removal = s3.client.removeObject('locked', set.prefix + key, { versionId: version });
      await expect(removal).rejects.toMatchObject({ code: 'AccessDenied' });
      await expect(set.store.erase(key)).rejects.toMatchObject({ code: 'archive_locked' });
      expect(await set.store.versions(key)).toEqual([version]);
    }
    expect(await set.store.versions(set.keys.wav)).toEqual([row?.objectVersion]);
    const archived = (await set.catalogue.auditTrail.of(set.call.id)).find(({ to }) => to === 'archived');
    expect(archived?.detail).toMatchObject({ lock: { mode, until: new Date(until).toISOString() } });
  });

  test('none is locked, and the audit trail says nothing of a lock', async () => {
    const set = await waiting('locked', 'none');
    expect(await set.pass()).toMatchObject({ sent: 1 });
    const { lock } = await set.store.protection(set.keys.wav, null, seconds(10));
    expect(lock).toBeUndefined();
    const archived = (await set.catalogue.auditTrail.of(set.call.id)).find(({ to }) => to === 'archived');
    expect(archived?.detail).not.toHaveProperty('lock');
    expect(await set.store.erase(set.keys.wav)).toBe(1);
  });

  test.each(['plain', 'versioned'])(
    'waits with one alarm where the bucket has no locks, and nothing of it is stored: %s',
    async (bucket) => {
      const set = await waiting(bucket, 'compliance');
      for (let count = 0; count < 3; count += 1) {
        expect(await set.pass()).toMatchObject({
          sent: 0,
          waiting: 1,
          failures: { archive_unprotected: 1 },
        });
      }
      await expectWaits(set, 'archive_unprotected');
      expect(await set.store.versions(set.keys.wav)).toEqual([]);
      expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
        { recording: set.call.id, code: 'archive_unprotected' },
      ]);
    },
  );

  test('holds up no other that asks for none', async () => {
    const set = await waiting('plain', 'compliance');
    await set.pass();
    const other = { ...set, locks: new Map() };
    expect(await uploadPass(other, { waitMs: 0, signal: seconds(60), all: true })).toMatchObject({ sent: 1 });
  });

  test.each<[string, Parameters<StoreProxy['break']>[0]]>([
    ['is refused', { kind: 'answer', status: 403, code: 'AccessDenied' }],
    ['is taken and not kept', { kind: 'drop' }],
    ['is not known to the store', { kind: 'answer', status: 501, code: 'NotImplemented' }],
  ])('waits with its local file when the lock %s, and goes on when it is mended', async (_, fault) => {
    const set = await waiting('locked', 'governance');
    const isSetting = ({ method, path }: { method: string; path: string }): boolean =>
      method === 'PUT' && path.includes('?retention');
    proxy.break(fault, { only: isSetting });
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_lock_failed: 1 } });
    await expectWaits(set, 'archive_lock_failed');
    await proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 1, failures: {} });
    // It was stored once, and locked by the later pass.
    expect(await set.store.versions(set.keys.wav)).toHaveLength(1);
    expect((await set.store.protection(set.keys.wav, null, seconds(10))).lock).toEqual({ mode: 'governance', until });
  });

  test('waits when the lock reads back longer than the recording is kept: it could not be erased when due', async () => {
    const set = await waiting('locked', 'compliance');
    await set.store.putFile(set.keys.wav, set.call.file, await expected(set), seconds(20));
    const [versionId = ''] = await set.store.versions(set.keys.wav);
    await set.store.protect(set.keys.wav, versionId, { mode: 'compliance', until: until + 86_400_000 }, seconds(10));
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_lock_failed: 1 } });
    await expectWaits(set, 'archive_lock_failed');
  });

  test('is archived when an earlier attempt has locked it already', async () => {
    const set = await waiting('locked', 'compliance');
    const { catalogue } = set;
    const killed = {
      ...set,
      catalogue: {
        ...catalogue,
        recordings: { ...catalogue.recordings, move: () => Promise.reject(new Error('killed')) },
      },
    };
    await uploadPass(killed, { waitMs: 0, signal: seconds(60), all: true });
    expect((await catalogue.recordings.find(set.call.id))?.status).toBe('recorded');
    expect((await set.store.protection(set.keys.wav, null, seconds(10))).lock).toEqual({ mode: 'compliance', until });
    expect(await set.pass()).toMatchObject({ sent: 1, failures: {} });
    expect(await set.store.versions(set.keys.wav)).toHaveLength(1);
  });

  test('whose archive does not answer waits as any other, and is locked when it does', async () => {
    const set = await waiting('locked', 'governance');
    await proxy.refuse();
    expect(await set.pass()).toMatchObject({ sent: 0, archive: { state: 'failing' } });
    await proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 1 });
    expect((await set.store.protection(set.keys.wav, null, seconds(10))).lock?.mode).toBe('governance');
  });

  test('gets no lock when its purpose is over by the time it is stored', async () => {
    const set = await waiting('locked', 'governance');
    set.clock.at = until + 1_000;
    expect(await set.pass()).toMatchObject({ sent: 1 });
    expect((await set.store.protection(set.keys.wav, null, seconds(10))).lock).toBeUndefined();
  });
});

async function expected(set: Waiting): Promise<{ bytes: number; sha256: string; contentType: string }> {
  const row = await set.catalogue.recordings.find(set.call.id);

  return { bytes: row?.bytes ?? 0, sha256: row?.sha256 ?? '', contentType: 'audio/wav' };
}

describe('an erasure that a lock refuses', () => {
  const put = (store: ObjectStore, key: string, content: string) =>
    store.putText(key, content, 'text/plain', seconds(10));

  test('erases no other version of that key, nor its delete marker', async () => {
    const store = openStore('locked', 'erase');
    const first = await put(store, 'a', 'one');
    await put(store, 'a', 'two');
    await s3.client.removeObject('locked', 'erase/a');
    await store.protect('a', first.versionId, { mode: 'governance', until: Date.now() + 600_000 }, seconds(10));
    await expect(store.erase('a')).rejects.toMatchObject({
      code: 'archive_locked',
      message: expect.stringMatching(/Object Lock \(governance\).* until 20/) as string,
    });
    expect(await store.versions('a')).toHaveLength(3);
  });

  test('names a legal hold, and is done once that is lifted', async () => {
    const store = openStore('locked', 'erase');
    const { versionId } = await put(store, 'held', 'x');
    const hold = (what: string) => mc('legalhold', what, 'store/locked/erase/held');
    expect(await hold('set')).toMatchObject({ ok: true });
    expect(await store.protection('held', versionId, seconds(10))).toEqual({
      lock: undefined,
      longest: undefined,
      legalHold: 'on',
    });
    await expect(store.erase('held')).rejects.toMatchObject({
      code: 'archive_locked',
      message: expect.stringContaining('legal hold') as string,
    });
    expect(await hold('clear')).toMatchObject({ ok: true });
    expect(await store.erase('held')).toBe(1);
  });

  test('for want of the right alone is still archive_denied', async () => {
    const store = openStore('locked', 'erase');
    await put(store, 'right', 'x');
    proxy.break({ kind: 'answer', status: 403, code: 'AccessDenied' }, { only: ({ method }) => method === 'DELETE' });
    await expect(store.erase('right')).rejects.toMatchObject({ code: 'archive_denied' });
  });
});

describe('a bucket that locks every object by itself', () => {
  test('passes its check', async () => {
    await openStore('locking').check();
  });

  test('keeps what was stored wrongly beneath the next attempt, and says so; nothing is lost', async () => {
    const set = await waiting('locking', 'none');
    const isReading = ({ method, path }: { method: string; path: string }): boolean =>
      method === 'GET' && path.includes('.wav') && !/[?&](versions|uploads|retention|legal-hold)/.test(path);
    proxy.break({ kind: 'garble' }, { only: isReading });
    const { aside } = await set.pass();
    expect(aside).toMatchObject([
      { error: { code: 'archive_mismatch', message: expect.stringContaining('stays beneath') as string } },
    ]);
    await expectWaits(set, 'archive_mismatch');
    const [wrong] = await set.store.versions(set.keys.wav);
    await proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 1 });
    expect(await set.store.versions(set.keys.wav)).toContain(wrong);
  });
});

test('an object is protected as long as both it and its wrapped key are, and cannot be erased while one of them is', async () => {
  const raw = makeMinioStore({ ...s3.server, useTls: false, bucket: 'locked', prefix: 'both/' });
  const store = makeEncryptedStore(raw, keyringOf(newKey()));
  const { versionId } = await store.putText('a', 'text', 'text/plain', seconds(10));
  const keyObject = await raw.stat(await onlyKeyObject(raw, 'a'));
  const late = until - (until % 1_000);
  await raw.protect('a', versionId, { mode: 'compliance', until: late }, seconds(10));
  const own: Lock = { mode: 'compliance', until: late };
  expect(await store.protection('a', versionId, seconds(10))).toMatchObject({ lock: undefined, longest: own });
  const early: Lock = { mode: 'governance', until: late - 86_400_000 };
  await raw.protect(keyObject?.key ?? '', keyObject?.versionId ?? null, early, seconds(10));
  expect(await store.protection('a', versionId, seconds(10))).toMatchObject({ lock: early, longest: own });
});
