import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { makeEncryptedStore, type EncryptedStore } from '../../../src/store/encryption/store.ts';
import { makeMinioStore } from '../../../src/store/s3/store.ts';
import { moveArchive } from '../../../src/archive/move/steps.ts';
import type { RawStore } from '../../../src/store/store.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import { requestRefused } from '../../../src/catalogue/retention/auditTrail.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { makeHeadMover } from '../../../src/retention/heads/moveHeads.ts';
import { dueFigures } from '../../../src/retention/promised.ts';
import { shortenPass } from '../../../src/retention/shorten.ts';
import { archiveStage, withLocks, type ArchiveStage } from '../../support/archive/archiving.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { keyringOf } from '../../support/archive/encryption.ts';
import { archivedCall, due, erasePass } from '../../support/retention/erasing.ts';
import { eventually } from '../../support/poll.ts';
import { endLockSoon } from '../../support/archive/shortLocks.ts';
import { useS3Server } from '../../support/archive/s3Server.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** What is due and locked, on a real server. */

const folder = temporaryFolder();
const open = catalogues();
const signal = new AbortController().signal;
const bucket = 'locked';
let stages = 0;

const s3 = useS3Server({ [bucket]: { objectLock: true } });

async function stage(): Promise<ArchiveStage> {
  const name = `stage-${(stages += 1)}`;
  const set = await archiveStage(folder.path(name), open);

  return { ...set, store: makeMinioStore({ ...s3.server, useTls: false, bucket, prefix: `${name}/` }) };
}

const objectsOf = async (set: ArchiveStage, id: RecordingId): Promise<[string, string]> => {
  const row = await set.catalogue.recordings.find(id);

  return [row?.objectKey ?? '', row?.receiptKey ?? ''];
};

/** Locks what was archived, beyond the time of the server and that of the stage. */
async function locked(set: ArchiveStage, id: RecordingId): Promise<number> {
  const until = Math.floor(Math.max(Date.now(), due) / 1_000) * 1_000 + 10 * dayMs;
  for (const key of await objectsOf(set, id)) {
    const [version = ''] = await set.store.versions(key);
    await set.store.protect(key, version, { mode: 'governance', until }, signal);
  }

  return until;
}

/** The lines that a person on call would see. */
const alarms = ({ lines }: ArchiveStage): unknown[] =>
  lines.splice(0).flatMap(({ level, msg }) => (level === 'warn' || level === 'error' ? [[level, msg]] : []));

const told = 'due recording locked in archive; will erase when the lock ends';
const failed = 'recording erasure failed';

test('a lock of which the person was told is told once, and the recording erased as soon as the lock is gone', async () => {
  const set = await stage();
  const { id } = await archivedCall(set);
  const until = await locked(set, id);
  const exceptions = [{ ground: 'lock', mode: 'governance', until }];
  await set.catalogue.auditTrail.append(id, {
    event: requestRefused,
    actor: 'user dpo',
    detail: { exceptions, ending: [] },
  });
  set.clock.at = due;
  alarms(set);
  expect(await erasePass(set)).toMatchObject({
    due: 1,
    erased: 0,
    locked: 0,
    recordings: [{ outcome: 'archive_locked' }],
  });
  expect(alarms(set)).toEqual([['warn', told]]);
  const trail = await set.catalogue.auditTrail.of(id);
  for (let day = 1; day < 4; day += 1) {
    set.clock.at = due + day * dayMs;
    expect(await erasePass(set)).toMatchObject({ due: 0, erased: 0, locked: 1, recordings: [] });
  }
  expect(alarms(set)).toEqual([]);
  expect(await set.catalogue.auditTrail.of(id)).toEqual(trail);
  expect(await dueFigures(set.catalogue, set.clock.at)).toMatchObject({ due: 0, overdue: 0, codes: {}, locked: 1 });

  for (const key of await objectsOf(set, id)) await endLockSoon(s3.client, bucket, `stage-${stages}/${key}`);
  set.clock.at = Math.max(Date.now() + 3_000, set.clock.at);
  await eventually(async () => (await erasePass(set, { clockIsRight: true })).erased === 1);
  for (const key of await objectsOf(set, id)) expect(await set.store.versions(key)).toEqual([]);
});

test('a lock in the archive of before is told once as well', async () => {
  const then = await stage();
  const { id } = await archivedCall(then);
  const until = await locked(then, id);
  const exceptions = [{ ground: 'lock', mode: 'governance', until }];
  await then.catalogue.auditTrail.append(id, {
    event: requestRefused,
    actor: 'user dpo',
    detail: { exceptions, ending: [] },
  });
  const prefix = `stage-${stages}-now/`;
  const set = { ...then, former: [then.store], store: makeMinioStore({ ...s3.server, useTls: false, bucket, prefix }) };
  set.clock.at = due;
  expect(await erasePass(set)).toMatchObject({ due: 1, locked: 0 });
  alarms(set);
  const trail = await set.catalogue.auditTrail.of(id);
  set.clock.at = due + dayMs;
  expect(await erasePass(set)).toMatchObject({ due: 0, locked: 1 });
  expect(alarms(set)).toEqual([]);
  expect(await set.catalogue.auditTrail.of(id)).toEqual(trail);
});

test('a lock that somebody else has set stays an alarm at each pass, and counts as overdue', async () => {
  const set = await stage();
  const { id } = await archivedCall(set);
  await locked(set, id);
  alarms(set);
  for (let day = 0; day < 3; day += 1) {
    set.clock.at = due + day * dayMs;
    expect(await erasePass(set)).toMatchObject({ due: 1, erased: 0, locked: 0 });
    expect(alarms(set)).toEqual([['error', failed]]);
  }
  expect(await dueFigures(set.catalogue, set.clock.at)).toMatchObject({
    due: 1,
    overdue: 1,
    failed: { due: 1 },
    locked: 0,
  });
});

test('a lock that Préavis has set for a storage time that was shortened since is told once, and an alarm once it should be over', async () => {
  const set = await archiveStage(folder.path('shortened'), open);
  const locks = new Map([['training', 'compliance' as const]]);
  const erase = (): Promise<number> => Promise.reject(new PreavisError('archive_locked', 'a lock is on an object'));
  const store = { ...withLocks(set.store), erase };
  const { id } = await set.finished(undefined, { keepDays: 28 });
  await uploadPass({ ...set, store, locks }, { waitMs: 0, signal });
  set.clock.at = recorderEnd + 20 * dayMs;
  await shortenPass(set, { purpose: 'training', keepMs: 7 * dayMs, apply: true });
  alarms(set);
  const pass = () => erasePass({ ...set, store });
  expect(await pass()).toMatchObject({ due: 1, locked: 0 });
  set.clock.at += dayMs;
  expect(await pass()).toMatchObject({ due: 0, locked: 1 });
  expect(alarms(set)).toEqual([['warn', told]]);
  // Over, and refused all the same: now it is a fault.
  set.clock.at = recorderEnd + 26 * dayMs;
  expect(await pass()).toMatchObject({ locked: 1 });
  set.clock.at = recorderEnd + 29 * dayMs;
  expect(await pass()).toMatchObject({ due: 1, locked: 0, recordings: [{ id, outcome: 'archive_locked' }] });
  expect(alarms(set)).toEqual([['error', failed]]);
});

test('a lock of ours on an old copy is told once, too, after a shortened recording was moved', async () => {
  const set = await archiveStage(folder.path('moved'), open);
  const locks = new Map([['training', 'compliance' as const]]);
  const erase = (): Promise<number> => Promise.reject(new PreavisError('archive_locked', 'a lock is on an object'));
  const plainly = (store: RawStore): EncryptedStore => makeEncryptedStore(store, keyringOf(undefined));
  const source = { ...plainly(set.store as RawStore), ...withLocks(set.store), erase } as EncryptedStore;
  const fresh = plainly(makeDirectoryStore({ folder: folder.path('moved-to') }));
  await fresh.check();
  const target = { ...fresh, ...withLocks(fresh) } as EncryptedStore;
  const { id } = await set.finished(undefined, { keepDays: 28 });
  await uploadPass({ ...set, store: source, locks }, { waitMs: 0, signal });
  set.clock.at = recorderEnd + 3 * dayMs;
  await shortenPass(set, { purpose: 'training', keepMs: 7 * dayMs, apply: true });
  const ports = {
    ...{ ...set, locks, from: source.location, source, target, heads: makeHeadMover(set) },
    refuseUnprotected: () => Promise.resolve(),
  };
  const options = { dryRun: false, removeOld: false, decrypt: false, waitMs: 0, signal };
  expect(await moveArchive(ports, options)).toMatchObject({ moved: 1, failed: [] });
  const now = { ...set, store: target, former: [source] };
  alarms(set);
  set.clock.at = recorderEnd + 8 * dayMs;
  expect(await erasePass(now)).toMatchObject({ due: 1, locked: 0 });
  for (let day = 9; day < 12; day += 1) {
    set.clock.at = recorderEnd + day * dayMs;
    expect(await erasePass(now)).toMatchObject({ due: 0, locked: 1 });
  }
  expect(alarms(set)).toEqual([['warn', told]]);
  expect(await dueFigures(set.catalogue, set.clock.at)).toMatchObject({ due: 0, overdue: 0, locked: 1 });
  // Over, and refused all the same: now it is a fault.
  set.clock.at = recorderEnd + 29 * dayMs;
  expect(await erasePass(now, { clockIsRight: true })).toMatchObject({
    due: 1,
    locked: 0,
    recordings: [{ id, outcome: 'archive_locked' }],
  });
});
