import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { makeDirectoryStore } from '../../../../src/store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../../../../src/store/encryption/store.ts';
import { makeMinioStore } from '../../../../src/store/s3/store.ts';
import {
  type ArchiveMoved,
  type MoveArchiveOptions,
  type MoveArchivePorts,
} from '../../../../src/archive/move/steps.ts';
import type { RawStore } from '../../../../src/store/store.ts';
import { uploadPass } from '../../../../src/archive/uploadPass.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import { moveLease } from '../../../../src/catalogue/jobs/leases.ts';
import type { PurposeLock } from '../../../../src/config/objectLockModes.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import { makeIds } from '../../../../src/core/ids.ts';
import { readCertificate } from '../../../../src/retention/certificates/certificate.ts';
import { fetchRecording } from '../../../../src/archive/fetch.ts';
import { verifyCertificates } from '../../../../src/retention/certificates/verify.ts';
import { beside } from '../../../support/catalogue/holders.ts';
import { archiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { keyringOf, newKey, keyObjectNames } from '../../../support/archive/encryption.ts';
import { due, erasePass } from '../../../support/retention/erasing.ts';
import { legalHold, move, plainly } from '../../../support/archive/moving.ts';
import { eventually } from '../../../support/poll.ts';
import { reconciled } from '../../../support/retention/reconciling.ts';
import { endLockSoon } from '../../../support/archive/shortLocks.ts';
import { useS3Server } from '../../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';
import { keysOf, uploadStage, type UploadStage } from '../../../support/archive/uploadStage.ts';
import { digestOf, listed, seconds } from '../../store/storeContract.ts';

/** Recordings go from one archive to another, on real folders and a real S3 server. */

const folder = temporaryFolder();
const open = catalogues();
const never = new AbortController().signal;
let stages = 0;

const s3 = useS3Server({ plain: {}, versioned: { versioning: true }, locked: { objectLock: true } });

type Kind = 'folder' | 'bucket' | 'versioned' | 'locked';

function raw(kind: Kind, at: string): RawStore {
  switch (kind) {
    case 'folder':
      return makeDirectoryStore({ folder: folder.path(at) });
    case 'bucket':
      return makeMinioStore({ ...s3.server, useTls: false, bucket: 'plain', prefix: at });
    case 'versioned':
    case 'locked':
      return makeMinioStore({ ...s3.server, useTls: false, bucket: kind, prefix: at });
  }
}

type Stage = UploadStage & {
  old: RawStore;
  fresh: RawStore;
  source: EncryptedStore;
  target: EncryptedStore;
  move(options?: Partial<MoveArchiveOptions>, more?: Partial<MoveArchivePorts>): Promise<ArchiveMoved>;
};

/** Recordings that are archived in the old archive. */
async function stage(
  from: Kind,
  to: Kind,
  {
    count = 2,
    wrap = { old: plainly, fresh: plainly },
    locks = new Map<string, PurposeLock>(),
  }: {
    count?: number;
    wrap?: { old: typeof plainly; fresh: typeof plainly };
    locks?: Map<string, PurposeLock>;
  } = {},
): Promise<Stage> {
  const at = `move-${(stages += 1)}`;
  const set = await archiveStage(folder.path(at), open);
  const [old, fresh] = [raw(from, `${at}/old`), raw(to, `${at}/new`)];
  const [source, target] = [wrap.old(old), wrap.fresh(fresh)];
  await source.check();
  const staged = await uploadStage(set, { store: source, direct: source }, count);
  expect(await staged.pass()).toMatchObject({ sent: count });
  const ports = { locks, from: source.location, source, target };

  return Object.assign(staged, {
    ...{ old, fresh, source, target },
    // As it is configured from now on.
    store: target,
    former: [source],
    move: (options: Partial<MoveArchiveOptions> = {}, more: Partial<MoveArchivePorts> = {}) =>
      move(set, { ...ports, ...more }, options),
  });
}

const hold = (name: string, versionId: string, status: 'ON' | 'OFF'): Promise<void> =>
  legalHold(s3.client, name, { bucket: 'locked', versionId, status });

async function expectWholeIn(set: Stage, store: EncryptedStore): Promise<void> {
  for (const call of set.calls) {
    const { wav, receipt } = keysOf(call);
    const { bytes, sha256 } = digestOf(call.wav);
    const row = await set.catalogue.recordings.find(call.id);
    expect(row).toMatchObject({ status: 'archived', archive: store.location, objectKey: wav, receiptKey: receipt });
    expect(await store.digest(wav, row?.objectVersion ?? null, seconds(20))).toEqual({ bytes, sha256 });
    expect(await text(await store.read(receipt, null, seconds(20)))).toBe(row?.receipt);
  }
}

/** All but certificates; nothing where the folder was not made yet. */
const recordingsIn = async (store: RawStore): Promise<string[]> => {
  const objects = await listed(store, '').catch((thrown: unknown) => {
    if (thrown instanceof PreavisError && thrown.code === 'archive_bucket_missing') return [];
    throw thrown;
  });

  return objects.map(({ key }) => key).filter((key) => !key.startsWith('certificates/'));
};

const ways: [Kind, Kind][] = [
  ['folder', 'bucket'],
  ['versioned', 'folder'],
  ['bucket', 'versioned'],
  ['folder', 'folder'],
];

describe.each(ways)('from a %s to a %s', (from, to) => {
  test('recordings are moved whole, fetched from where they are, and leave nothing behind when told to', async () => {
    const set = await stage(from, to);
    // Proof of an erasure lies there, too.
    const gone = set.calls[0];
    if (gone === undefined) throw new Error('there is no call');
    set.clock.at = due;
    await set.catalogue.legalHolds.set({
      ...{ id: makeIds().hold(), recording: set.calls[1]?.id ?? gone.id, ground: 'dispute', reason: 'kept' },
      ...{ author: 'test', reviewAt: due + 1, expiresAt: due + 1e10 },
    });
    await erasePass({ ...set, store: set.source, former: [] });
    set.calls.splice(0, 1);
    // With the signed head of the audit trail.
    const documents = await listed(set.old, 'certificates/');
    expect(documents).toHaveLength(2);

    expect(await set.move({ dryRun: true })).toMatchObject({ moved: 1, left: { recordings: 1, copies: 0 } });
    expect(await recordingsIn(set.fresh)).toEqual([]);
    expect(await set.move()).toMatchObject({
      ...{ moved: 1, failed: [], receiptsMended: [], legalHolds: [], documents: { moved: 2, left: [] } },
      ...{ strays: { found: 0, unknown: 0 }, left: { recordings: 0, copies: 1 }, isSamePlace: false },
    });
    await expectWholeIn(set, set.target);
    expect(await recordingsIn(set.old)).toHaveLength(2);
    const [call] = set.calls;
    const file = folder.path(`fetched-${stages}.wav`);
    const ports = { ...set, holdsAllowed: () => true };
    const order = {
      id: call?.id ?? '',
      purpose: 'training',
      target: { file, replace: false },
      progress: () => undefined,
    };
    expect(await fetchRecording(ports, { ...order, signal: never })).toMatchObject({ from: 'archive' });
    expect((await readFile(file)).equals(call?.wav ?? Buffer.alloc(0))).toBe(true);

    expect(await set.move({ removeOld: true })).toMatchObject({
      moved: 0,
      removal: { removed: 1, locked: [], failed: [], documentsLeft: 0 },
      left: { recordings: 0, copies: 0 },
    });
    expect(await listed(set.old, '')).toEqual([]);
    for (const key of Object.values(keysOf(call as never))) expect(await set.old.versions(key)).toEqual([]);
    await expectWholeIn(set, set.target);
    expect(await verifyCertificates({ ...set, since: 0 }, { signal: never })).toMatchObject({ faults: [] });
    expect((await reconciled(set, { verify: true })).findings).toEqual([]);
    const steps = (await set.catalogue.auditTrail.of(call?.id as never)).map(({ event }) => event);
    expect(steps).toEqual(expect.arrayContaining(['moved to another archive', 'copy in an earlier archive removed']));
  });
});

test('what is not yet moved is fetched, compared and erased where it lies', async () => {
  const set = await stage('folder', 'bucket');
  const [call] = set.calls;
  const file = folder.path('not-moved.wav');
  const order = {
    id: call?.id ?? '',
    purpose: 'training',
    target: { file, replace: false },
    progress: () => undefined,
  };
  await fetchRecording({ ...set, holdsAllowed: () => true }, { ...order, signal: never });
  expect((await readFile(file)).equals(call?.wav ?? Buffer.alloc(0))).toBe(true);
  expect((await reconciled(set, { verify: true })).findings).toEqual([]);
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ due: 2, erased: 2 });
  expect(await recordingsIn(set.old)).toEqual([]);
});

test('retention erases in both places, and the certificate names both', async () => {
  const set = await stage('versioned', 'folder');
  await set.move();
  const call = set.calls[0] as never;
  const { wav } = keysOf(call);
  // Also versions that somebody has put there since.
  await set.old.putText(wav, 'something over it', 'audio/wav', never);
  set.clock.at = due;
  // The earlier archive is not configured any more: nothing is certified that cannot be seen.
  const alone = await erasePass({ ...set, former: [] });
  expect(alone.recordings.map(({ outcome }) => outcome)).toEqual(['archive_changed', 'archive_changed']);
  expect(await set.fresh.versions(wav)).toHaveLength(1);

  expect(await erasePass(set)).toMatchObject({ erased: 2 });
  expect(await recordingsIn(set.old)).toEqual([]);
  expect(await recordingsIn(set.fresh)).toEqual([]);
  expect(await set.old.versions(wav)).toEqual([]);
  const [certificate] = await set.catalogue.certificates.of((call as { id: never }).id);
  const { content } = await readCertificate(certificate?.jws ?? '');
  expect(content).toMatchObject({ archive: 'directory', objects: [{ key: wav, versions: ['null'] }, {}] });
  expect(content.copies).toMatchObject([{ archive: 'minio', objects: [{ key: wav }, {}] }]);
  expect(content.copies?.[0]?.objects[0]?.versions).toHaveLength(2);
  expect(await set.catalogue.archiveCopies.left()).toEqual([]);
});

describe('encryption', () => {
  test('recordings come under the key of the new archive, and the earlier one is needed no more', async () => {
    const [one, two] = [newKey(), newKey()];
    const wrap = {
      old: (store: RawStore) => makeEncryptedStore(store, keyringOf(one)),
      fresh: (store: RawStore) => makeEncryptedStore(store, keyringOf(two)),
    };
    const set = await stage('bucket', 'folder', { wrap });
    expect(await set.move({ removeOld: true })).toMatchObject({ moved: 2, removal: { removed: 2 } });
    await expectWholeIn(set, set.target);
    for (const call of set.calls) {
      const { wav } = keysOf(call);
      expect((await readFile(folder.path(`move-${stages}/new/${wav}`))).includes('RIFF')).toBe(false);
      expect(await keyObjectNames(set.old, wav)).toEqual([]);
      expect(
        (await set.catalogue.auditTrail.of(call.id)).find(({ event }) => event === 'moved to another archive'),
      ).toMatchObject({
        actor: 'test',
        detail: { from: set.source.location, to: set.target.location, encryption: { mode: 'client', keyId: two.id } },
      });
    }
    expect(await set.catalogue.archiveCopies.archiveKeys(set.target.location)).toMatchObject([
      { keyId: two.id, recordings: 2 },
    ]);
  });

  test('what is encrypted is not moved to where it would not be, unless that is meant', async () => {
    const wrap = { old: (store: RawStore) => makeEncryptedStore(store, keyringOf(newKey())), fresh: plainly };
    const set = await stage('folder', 'bucket', { wrap });
    for (const dryRun of [true, false]) {
      await expect(set.move({ dryRun })).rejects.toMatchObject({ code: 'encryption_ends' });
    }
    expect(await recordingsIn(set.fresh)).toEqual([]);
    expect(await set.move({ decrypt: true })).toMatchObject({ moved: 2, failed: [] });
    await expectWholeIn(set, set.target);
  });
});

describe('locks', () => {
  test('the new archive locks what its purposes ask for, until their end', async () => {
    const set = await stage('folder', 'locked', { count: 0, locks: new Map([['training', 'governance']]) });
    // The server locks by its own clock.
    for (let index = 0; index < 2; index += 1) set.calls.push(await set.finished(undefined, { keepDays: 3_000 }));
    await uploadPass({ ...set, store: set.source, former: [] }, { waitMs: 0, signal: never });
    expect(await set.move({ removeOld: true })).toMatchObject({ moved: 2, removal: { removed: 2 } });
    for (const call of set.calls) {
      const { wav, receipt } = keysOf(call);
      const row = await set.catalogue.recordings.find(call.id);
      const until = Math.floor((row?.keepUntil ?? 0) / 1_000) * 1_000;
      for (const key of [wav, receipt]) {
        const version = (await set.fresh.stat(key))?.versionId ?? null;
        expect(await set.fresh.protection(key, version, never)).toMatchObject({ lock: { mode: 'governance', until } });
      }
    }
  });

  test('an old copy that a lock keeps stays, and until when is remembered and told', async () => {
    const set = await stage('locked', 'folder');
    const [one, other] = set.calls;
    const { wav } = keysOf(one as never);
    const until = Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000;
    await set.old.protect(wav, (await set.old.stat(wav))?.versionId ?? null, { mode: 'governance', until }, never);
    const held = keysOf(other as never).wav;
    await hold(`move-${stages}/old/${held}`, (await set.old.stat(held))?.versionId ?? '', 'ON');

    expect(await set.move()).toMatchObject({
      moved: 2,
      legalHolds: [other?.id],
      left: { copies: 2, lockedUntil: until },
    });
    expect(await set.move({ removeOld: true })).toMatchObject({
      removal: { removed: 0, failed: [] },
      left: { copies: 2, lockedUntil: until },
    });
    const { removal } = await set.move({ removeOld: true });
    expect(typeof removal === 'object' ? removal.locked : []).toEqual(
      expect.arrayContaining([
        { recording: one?.id, until },
        { recording: other?.id, until: null },
      ]),
    );
    await expectWholeIn(set, set.target);
    // Due, it is erased here, and certified only when it is gone there.
    set.clock.at = due;
    const { recordings } = await erasePass(set);
    expect(recordings.map(({ outcome }) => outcome)).toEqual(['archive_locked', 'archive_locked']);
    expect(await recordingsIn(set.fresh)).toEqual([]);
    expect(await set.catalogue.certificates.of(one?.id as never)).toEqual([]);
    await hold(`move-${stages}/old/${held}`, (await set.old.stat(held))?.versionId ?? '', 'OFF');
    await endLockSoon(s3.client, 'locked', `move-${stages}/old/${wav}`);
    await eventually(async () => (await erasePass(set)).due === 0);
    expect(await recordingsIn(set.old)).toEqual([]);
  });
});

describe('the pass', () => {
  test('names what is missing or altered in the earlier archive, and moves the others', async () => {
    const set = await stage('folder', 'bucket', { count: 4 });
    const [missing, altered, cut, good] = set.calls.map((call) => ({ id: call.id, keys: keysOf(call) }));
    const at = (key = ''): string => folder.path(`move-${stages}/old/${key}`);
    await rm(at(missing?.keys.wav));
    const bytes = await readFile(at(altered?.keys.wav));
    bytes.writeUInt8(bytes.readUInt8(1_000) ^ 1, 1_000);
    await writeFile(at(altered?.keys.wav), bytes);
    await truncate(at(cut?.keys.wav), 500);
    await rm(at(good?.keys.receipt));

    const result = await set.move({ removeOld: true });
    expect(result).toMatchObject({ moved: 1, receiptsMended: [good?.id], left: { recordings: 3, copies: 0 } });
    expect(result.failed).toEqual(
      expect.arrayContaining([
        { recording: missing?.id, code: 'archive_object_missing' },
        { recording: altered?.id, code: 'recording_altered' },
        { recording: cut?.id, code: 'recording_altered' },
      ]),
    );
    // What cannot be moved holds nothing up, and nothing of it came to the new archive.
    expect(result.removal).toMatchObject({ removed: 1 });
    expect(await recordingsIn(set.fresh)).toEqual([good?.keys.receipt, good?.keys.wav]);
    set.calls.splice(0, 3);
    await expectWholeIn(set, set.target);
    expect(await set.catalogue.archiveCopies.of(missing?.id as never)).toEqual([]);
  });

  test('takes what somebody has brought there already, and reads it back', async () => {
    const set = await stage('folder', 'bucket');
    const [one, other] = set.calls;
    const { wav } = keysOf(one as never);
    await set.fresh.putFile(
      wav,
      folder.path(`move-${stages}/old/${wav}`),
      { ...digestOf(one?.wav ?? Buffer.alloc(0)), contentType: 'audio/wav' },
      never,
    );
    expect(await set.move({}, { source: undefined })).toMatchObject({
      moved: 1,
      failed: [{ recording: other?.id, code: 'archive_object_missing' }],
      left: { recordings: 1, copies: 0 },
    });
  });

  test('waits no more for old copies in an archive that is gone, once somebody has said so', async () => {
    const set = await stage('folder', 'bucket');
    await set.move();
    set.clock.at = due;
    const outcomes = async () => (await erasePass({ ...set, former: [] })).recordings.map(({ outcome }) => outcome);
    expect(await outcomes()).toEqual(['archive_changed', 'archive_changed']);
    expect(await set.move({}, { source: undefined })).toMatchObject({ moved: 0, left: { recordings: 0, copies: 0 } });
    expect((await set.catalogue.auditTrail.of(set.calls[0]?.id as never)).at(-1)).toMatchObject({
      event: 'copy in an earlier archive given up',
      actor: 'test',
      detail: { archive: set.source.location },
    });
    expect(await outcomes()).toEqual(['erased', 'erased']);
  });

  test('believes no status without its certificate', async () => {
    const set = await stage('folder', 'bucket', { count: 1 });
    await set.move();
    const database = openSqlite(folder.path(`move-${stages}/catalogue.db`));
    database.prepare(`UPDATE recordings SET status = 'erased'`).run();
    database.close();
    expect(await set.move({ removeOld: true })).toMatchObject({
      removal: { removed: 0, failed: [{ recording: set.calls[0]?.id, code: 'certificate_invalid' }] },
    });
    expect(await recordingsIn(set.old)).toHaveLength(2);
  });

  test('knows a place that has two names, and removes nothing there', async () => {
    const set = await stage('folder', 'folder');
    const at = folder.path(`move-${stages}/old`);
    await symlink(at, `${at}-again`);
    const target = plainly(makeDirectoryStore({ folder: `${at}-again` }));
    expect(await set.move({ removeOld: true }, { target })).toMatchObject({
      ...{ moved: 2, isSamePlace: true, removal: undefined, left: { recordings: 0, copies: 0 } },
    });
    await expectWholeIn(set, target);
    await expect(set.move({}, { from: target.location, source: target, target })).rejects.toMatchObject({
      code: 'usage',
    });
  });

  test('refuses an archive of another catalogue, and a folder that is too small', async () => {
    const [set, others] = [await stage('folder', 'folder'), await stage('bucket', 'folder')];
    await expect(set.move({}, { target: others.source })).rejects.toMatchObject({ code: 'archive_foreign' });
    const catalogue = {
      ...set.catalogue,
      archiveCopies: {
        ...set.catalogue.archiveCopies,
        archiveUse: async () =>
          (await set.catalogue.archiveCopies.archiveUse()).map((use) => ({ ...use, bytes: 1e18 })),
      },
    };
    await set.target.check();
    await expect(set.move({}, { catalogue })).rejects.toMatchObject({ code: 'archive_full' });
    expect(await recordingsIn(set.fresh)).toEqual([]);
  });

  test('removes nothing where some could not be moved for a reason that may pass', async () => {
    const set = await stage('folder', 'bucket');
    const first = keysOf(set.calls[0] as never).wav;
    const source: EncryptedStore = {
      ...set.source,
      read: (key, version, signal) =>
        key === first
          ? Promise.reject(new PreavisError('archive_denied', 'not this one'))
          : set.source.read(key, version, signal),
    };
    expect(await set.move({ removeOld: true }, { source })).toMatchObject({
      ...{ moved: 1, failed: [{ code: 'archive_denied' }], removal: 'heldBack', left: { recordings: 1, copies: 1 } },
    });
    expect(await recordingsIn(set.old)).toHaveLength(4);
    expect(await set.move({ removeOld: true })).toMatchObject({ moved: 1, removal: { removed: 2 } });
  });

  test('keeps an old copy whose new one is not whole any more', async () => {
    const set = await stage('folder', 'folder');
    await set.move();
    const { wav } = keysOf(set.calls[0] as never);
    await truncate(folder.path(`move-${stages}/new/${wav}`), 100);
    expect(await set.move({ removeOld: true })).toMatchObject({
      removal: { removed: 1, failed: [{ recording: set.calls[0]?.id, code: 'recording_altered' }] },
      left: { copies: 1 },
    });
    const { bytes, sha256 } = digestOf(set.calls[0]?.wav ?? Buffer.alloc(0));
    expect(await set.source.digest(wav, null, never)).toEqual({ bytes, sha256 });
  });

  test('is one at a time, and an erasure waits for a recording that is being moved', async () => {
    const set = await stage('folder', 'bucket', { count: 1 });
    const [call] = set.calls;
    set.clock.at = due;
    const taking = await set.catalogue.leases.take(moveLease, beside(1));
    if (taking.kind === 'busy') throw new Error('another move is under way');
    await expect(set.move()).rejects.toMatchObject({ code: 'job_busy' });
    await set.catalogue.archiveCopies.begin(call?.id as never, { from: set.source.location, to: set.target.location });
    const erasing = erasePass(set);
    // Once it has begun, nobody else begins to move it, and what is being moved does not come to its end.
    await eventually(
      async () => (await set.catalogue.auditTrail.of(call?.id as never)).at(-1)?.event === 'erasure begun',
    );
    const move = { from: set.source.location, to: set.target.location };
    await expect(set.catalogue.archiveCopies.begin(call?.id as never, move)).rejects.toMatchObject({
      code: 'status_conflict',
    });
    const how = { version: null, leaves: true };
    await expect(
      set.catalogue.archiveCopies.finish(call?.id as never, move, how, { actor: 'test' }),
    ).rejects.toMatchObject({
      code: 'status_conflict',
    });
    expect((await set.catalogue.recordings.find(call?.id as never))?.status).toBe('archived');
    await set.fresh.putText(keysOf(call as never).wav, 'half', 'audio/wav', never);
    await set.catalogue.leases.release(taking.turn);
    expect(await erasing).toMatchObject({ erased: 1, recordings: [{ outcome: 'erased' }] });
    expect(await recordingsIn(set.fresh)).toEqual([]);
    expect(await recordingsIn(set.old)).toEqual([]);
  });

  test('takes away what it has brought when an erasure begins meanwhile', async () => {
    const set = await stage('folder', 'bucket', { count: 1 });
    const [call] = set.calls;
    const target: EncryptedStore = {
      ...set.target,
      putSource: async (...given) => {
        const stored = await set.target.putSource(...given);
        await set.catalogue.certificates.beginErasure(call?.id as never, due, 'asked', {
          event: 'erasure begun',
          actor: 'test',
        });
        return stored;
      },
    };
    expect(await set.move({}, { target })).toMatchObject({ moved: 0, failed: [] });
    expect(await recordingsIn(set.fresh)).toEqual([]);
    expect(await set.catalogue.archiveCopies.of(call?.id as never)).toEqual([]);
  });

  test('finds what an upload left in the earlier archive, and names what is of nobody', async () => {
    const set = await stage('folder', 'bucket', { count: 1 });
    const late = await set.finished();
    const { wav } = keysOf(late);
    await set.old.putText(wav, 'half', 'audio/wav', never);
    await set.old.putText('recordings/2026/01/01/01J00000000000000000000009.wav', 'of nobody', 'audio/wav', never);
    set.calls.push(late);
    await set.pass();
    expect(await set.move({ removeOld: true })).toMatchObject({
      ...{ moved: 1, strays: { found: 1, unknown: 1 }, removal: { removed: 2 }, left: { copies: 0 } },
    });
    expect(await recordingsIn(set.old)).toEqual(['recordings/2026/01/01/01J00000000000000000000009.wav']);
  });

  test('removes nothing of a recording that counts as erased without a proof', async () => {
    const set = await stage('folder', 'bucket', { count: 1 });
    const [call] = set.calls;
    set.clock.at = due;
    expect(await erasePass({ ...set, store: set.source })).toMatchObject({ erased: 1 });
    const { wav } = keysOf(call as never);
    await set.old.putText(wav, 'put back', 'audio/wav', never);
    const isRemovalProved = (): Promise<boolean> => Promise.resolve(false);
    expect(await set.move({ removeOld: true }, { isRemovalProved })).toMatchObject({
      strays: { found: 0, unknown: 1 },
    });
    await set.catalogue.archiveCopies.note(call?.id as never, set.source.location);
    expect(await set.move({ removeOld: true }, { isRemovalProved })).toMatchObject({
      removal: { removed: 0, failed: [{ code: 'certificate_invalid' }] },
    });
    expect(await recordingsIn(set.old)).toEqual([wav]);
    expect(await set.move({ removeOld: true })).toMatchObject({ removal: { removed: 1, failed: [] } });
    expect(await recordingsIn(set.old)).toEqual([]);
  });

  test('does not take the empty place of the earlier archive for one without old copies', async () => {
    const set = await stage('folder', 'bucket');
    await set.move();
    const at = folder.path(`move-${stages}/old`);
    await rm(at, { recursive: true });
    await mkdir(at);
    const unmounted = plainly(
      makeDirectoryStore({ folder: at, known: () => set.catalogue.recordings.knownObject(set.source.location) }),
    );
    await expect(set.move({ removeOld: true }, { source: unmounted })).rejects.toMatchObject({
      code: 'archive_not_mounted',
    });
    set.clock.at = due;
    const { recordings } = await erasePass({ ...set, former: [unmounted] });
    expect(recordings.map(({ outcome }) => outcome)).toEqual(['archive_not_mounted', 'archive_not_mounted']);
    expect(await set.catalogue.archiveCopies.left()).toMatchObject([{ copies: 2 }]);
  });
});
