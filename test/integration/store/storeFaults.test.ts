import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { StoreFault, StoreRequest } from '../../support/archive/storeProxy.ts';
import { expectArchived, expectKept, keysOf, useFaultyStore } from '../../support/archive/uploadStage.ts';
import { seconds } from './storeContract.ts';

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;
const at = useFaultyStore();
const isRecording = ({ path }: StoreRequest): boolean => path.includes('/recordings/');

test('an archive that works is asked once whether its bucket is there, and for each object no more than what P4 takes', async () => {
  const set = await at.stage(3);
  expect(await set.pass()).toMatchObject({ sent: 3 });
  expect(at.proxy.requests.filter((each) => !isRecording(each))).toHaveLength(1);
  const ofRecordings = at.proxy.requests.filter(isRecording).map(({ method }) => method);
  // What lies there, what is stored, what is read back: of the recording and of its receipt.
  expect(ofRecordings.toSorted()).toEqual(['GET', 'HEAD', 'PUT'].flatMap((method) => Array<string>(6).fill(method)));
});

describe('a store that confirms what it drops', () => {
  const unkept = { code: 'archive_mismatch', message: 'the archive has confirmed an object that it does not have' };

  it.each([false, true])('is found out by a check (with encryption by the store: %s)', async (serverSideEncryption) => {
    const { store } = await at.stage(0, { serverSideEncryption });
    at.proxy.break({ kind: 'drop' });
    await expect(store.check()).rejects.toMatchObject(unkept);
  });

  it('is found out by an upload', async () => {
    const set = await at.stage(1);
    at.proxy.break({ kind: 'drop' }, { only: isRecording });
    expect(await set.pass()).toMatchObject({ aside: [{ error: unkept }] });
  });
});

describe('an archive that does not work', () => {
  const faults: [string, StoreFault | 'refuse', ErrorCode][] = [
    ['refuses connections', 'refuse', 'archive_unreachable'],
    ['takes connections and never answers', { kind: 'silent' }, 'archive_unreachable'],
    ['answers 500', { kind: 'answer', status: 500 }, 'archive_failed'],
    ['answers 503 SlowDown', { kind: 'answer', status: 503, code: 'SlowDown' }, 'archive_failed'],
    ['cuts every upload at its first byte', { kind: 'cutUpload', afterBytes: 0 }, 'archive_unreachable'],
    ['cuts every download at its first byte', { kind: 'cutDownload', afterBytes: 0 }, 'archive_unreachable'],
    ['stores nothing and says that it did', { kind: 'drop' }, 'archive_mismatch'],
    ['gives other bytes back', { kind: 'garble' }, 'archive_mismatch'],
  ];

  it.each(faults)(
    'and %s gets one attempt a pass; recordings wait, and all go when it works',
    async (_, fault, code) => {
      // The others say soon that they do not work, and need not do so in two seconds on a busy machine.
      const isSilent = fault !== 'refuse' && fault.kind === 'silent';
      const set = await at.stage(4, isSilent ? { idleTimeoutMs: 2_000 } : {});
      if (fault === 'refuse') await at.proxy.refuse();
      else at.proxy.break(fault);
      for (let passes = 1; passes <= 3; passes += 1) {
        const result = await set.pass();
        expect(result).toMatchObject({ sent: 0, waiting: 4, archive: { state: 'failing', error: { code } } });
        expect(Object.values(result.failures)).toEqual([1]);
        await expectKept(set, set.calls);
        // Nobody is postponed: the next pass begins with the oldest again.
        expect(await set.catalogue.recordings.sendable(set.clock.at, '', 10)).toHaveLength(4);
      }
      expect(at.idsAsked(set.calls)).toEqual(fault === 'refuse' ? [] : [set.calls[0]?.id]);
      expect(at.proxy.requests.length).toBeLessThanOrEqual(3 * 16);

      await at.proxy.mend();
      at.proxy.requests.length = 0;
      expect(await set.pass()).toMatchObject({ sent: 4, waiting: 0, failures: {}, archive: { state: 'working' } });
      expect(at.idsAsked(set.calls)).toEqual(set.calls.map(({ id }) => id));
      await expectArchived(set);
    },
  );

  it.each<[string, number, string]>([
    ['MinIO says so', 507, 'XMinioStorageFull'],
    ['its quota in MinIO is used up', 400, 'XMinioAdminBucketQuotaExceeded'],
    ['its quota in Ceph is used up', 403, 'QuotaExceeded'],
  ])('because it is full, as %s, keeps recordings waiting until there is room', async (_, status, code) => {
    const set = await at.stage(3);
    at.proxy.break({ kind: 'answer', status, code }, { only: ({ method }) => method === 'PUT' });
    expect(await set.pass()).toMatchObject({
      sent: 0,
      failures: { archive_full: 1 },
      archive: { state: 'failing', error: { code: 'archive_full' } },
    });
    expect(at.proxy.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
    await expectKept(set, set.calls);
    await at.proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 3 });
    await expectArchived(set);
  });

  it('because the quota of its bucket is used up, in the middle of a recording, goes on where it ended', async () => {
    await at.server.makeBucket('small', { versioning: true });
    await at.server.limitBucket('small', 3);
    const set = await at.stage(3, { bucket: 'small' });
    for (let passes = 0; passes < 3; passes += 1) {
      expect(await set.pass()).toMatchObject({
        sent: passes === 0 ? 1 : 0,
        failures: { archive_full: 1 },
        archive: { state: 'failing', error: { code: 'archive_full' } },
      });
    }
    await expectKept(set, set.calls.slice(1));
    await at.server.limitBucket('small', -1);
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 0 });
    await expectArchived(set);
  });

  it('because its credentials are wrong keeps recordings waiting until they are right', async () => {
    const set = await at.stage(3, { secretKey: 'wrong' });
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_denied: 1 }, archive: { state: 'failing' } });
    await expectKept(set, set.calls);
    const right = { ...set, store: set.direct };
    expect(await uploadPass(right, { waitMs: 0, signal: seconds(20) })).toMatchObject({ sent: 3 });
    await expectArchived(set);
  });

  it('because its bucket is missing keeps recordings waiting until it is made', async () => {
    const set = await at.stage(3, { bucket: 'later' });
    expect(await set.pass()).toMatchObject({
      sent: 0,
      failures: { archive_bucket_missing: 1 },
      archive: { state: 'failing', error: { code: 'archive_bucket_missing' } },
    });
    await expectKept(set, set.calls);
    await at.server.makeBucket('later');
    expect(await set.pass()).toMatchObject({ sent: 3 });
    await expectArchived(set);
  });

  it('is asked by the uploads that are under way, and by no others', async () => {
    const set = await at.stage(8);
    at.proxy.break({ kind: 'answer', status: 503 });
    const result = await uploadPass({ ...set, atOnce: 4 }, { waitMs: 0, signal: seconds(20) });
    expect(result).toMatchObject({ failures: { archive_failed: 4 }, archive: { state: 'failing' } });
    expect(at.idsAsked(set.calls).toSorted()).toEqual(set.calls.slice(0, 4).map(({ id }) => id));
    // One each, and one question for all.
    expect(at.proxy.requests).toHaveLength(5);
  });

  it('in the middle of a pass ends it, and what was sent before stays sent', async () => {
    const set = await at.stage(4);
    const third = set.calls[2]?.id ?? '';
    let isDead = false;
    at.proxy.break({ kind: 'answer', status: 500 }, { only: ({ path }) => (isDead ||= path.includes(third)) });
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 2, archive: { state: 'failing' } });
    await at.proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 0 });
    await expectArchived(set);
  });
});

describe('an archive that fails for some recordings only', () => {
  it.each<[string, StoreFault, ErrorCode]>([
    ['is cut in mid-upload', { kind: 'cutUpload', afterBytes: 4_000 }, 'archive_unreachable'],
    ['is cut while it is read back', { kind: 'cutDownload', afterBytes: 4_000 }, 'archive_unreachable'],
    ['is refused with 500', { kind: 'answer', status: 500 }, 'archive_failed'],
    ['is refused with 403', { kind: 'answer', status: 403, code: 'AccessDenied' }, 'archive_denied'],
    ['is too slow for its time limit', { kind: 'slow', bytesPerSecond: 2_000 }, 'archive_unreachable'],
    ['is never answered', { kind: 'silent' }, 'archive_unreachable'],
    ['is said to be stored and is not', { kind: 'drop' }, 'archive_mismatch'],
    ['comes back with other bytes', { kind: 'garble' }, 'archive_mismatch'],
  ])('takes the others while the oldest %s; that one waits, and goes when it can', async (_, fault, code) => {
    // What would last for long is ended by the time limit of the attempt.
    const isLong = fault.kind === 'slow' || fault.kind === 'silent';
    const set = await at.stage(4, isLong ? { idleTimeoutMs: 60_000 } : {});
    const usualMs = set.attemptMs;
    if (isLong) set.attemptMs = 4_000;
    const oldest = set.calls[0]?.id ?? '';
    at.proxy.break(fault, { only: ({ path }) => path.includes(`${oldest}.wav`) });
    expect(await set.pass()).toMatchObject({
      sent: 3,
      waiting: 1,
      failures: { [code]: 1 },
      archive: { state: 'working' },
    });
    await expectKept(set, set.calls.slice(0, 1));
    expect(await set.catalogue.recordings.waiting()).toMatchObject([{ failure: code, count: 1 }]);
    at.proxy.requests.length = 0;
    set.clock.at += 29_999;
    expect(await set.pass()).toMatchObject({ sent: 0, failures: {} });
    expect(at.proxy.requests).toEqual([]);
    await at.proxy.mend();
    set.attemptMs = usualMs;
    set.clock.at += 1;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
  });

  it('takes a recording in parts that was cut in a later one, without leaving parts', async () => {
    const wav = Buffer.alloc(12 * mebibyte, randomBytes(1_024));
    wav.set((await at.stage(1)).calls[0]?.wav.subarray(0, 44) ?? [], 0);
    wav.writeUInt32LE(wav.length - 8, 4);
    wav.writeUInt32LE(wav.length - 44, 40);
    const set = await at.stage(2, {}, [wav]);
    at.proxy.break({ kind: 'cutUpload', afterBytes: mebibyte }, { only: ({ path }) => path.includes('partNumber=2') });
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 1, failures: { archive_unreachable: 1 } });
    await expectKept(
      set,
      set.calls.filter((call) => call.wav === wav),
    );
    await at.proxy.mend();
    set.clock.at += hourMs;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
    const { uploads } = await at.client.listIncompleteUploadsQuery('versioned', '', '', '', '');
    expect(uploads).toEqual([]);
  });

  it('gets each recording once a pass, with ever longer waits of their own, and takes the oldest first when all are due', async () => {
    const set = await at.stage(5);
    const fault: StoreFault = { kind: 'answer', status: 503, code: 'SlowDown' };
    const dueIn: number[] = [];
    const from = set.clock.at;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      at.proxy.break(fault, { only: isRecording });
      at.proxy.requests.length = 0;
      const result = await uploadPass({ ...set, random: Math.random }, { waitMs: 0, signal: seconds(20), all: true });
      expect(result).toMatchObject({ sent: 0, failures: { archive_failed: 5 }, archive: { state: 'working' } });
      expect(at.proxy.requests.filter(isRecording)).toHaveLength(5);
      for (const { id } of set.calls) {
        const wait = ((await set.catalogue.recordings.find(id))?.nextAttemptAt ?? 0) - from;
        expect(wait).toBeGreaterThanOrEqual(30_000 * 2 ** attempt);
        expect(wait).toBeLessThanOrEqual(30_000 * 2 ** attempt * 1.25);
        dueIn.push(wait);
      }
    }
    expect(new Set(dueIn).size).toBeGreaterThan(10);
    await at.proxy.mend();
    at.proxy.requests.length = 0;
    set.clock.at += hourMs / 2;
    expect(await set.pass()).toMatchObject({ sent: 5 });
    expect(at.idsAsked(set.calls)).toEqual(set.calls.map(({ id }) => id));
    await expectArchived(set);
  });

  it('takes everything, only later, when it is slow', async () => {
    const set = await at.stage(3);
    at.proxy.break({ kind: 'delay', ms: 100 });
    expect(await set.pass()).toMatchObject({ sent: 3, failures: {} });
    await expectArchived(set);
  });

  it('takes an object whose answer was lost for stored, and stores no second version of it', async () => {
    const set = await at.stage(1);
    at.proxy.break({ kind: 'cutDownload', afterBytes: 0 }, { only: ({ method }) => method === 'GET' });
    expect(await set.pass()).toMatchObject({ sent: 0, archive: { state: 'failing' } });
    await at.proxy.mend();
    at.proxy.requests.length = 0;
    expect(await set.pass()).toMatchObject({ sent: 1 });
    expect(at.proxy.requests.filter(({ method, path }) => method === 'PUT' && path.includes('.wav'))).toEqual([]);
    await expectArchived(set);
  });
});

describe('something else under the key of a recording', () => {
  it.each(['of the same length', 'of another length'])('%s stays where the bucket keeps no versions', async (how) => {
    const set = await at.stage(2, { bucket: 'plain' });
    const [first] = set.calls;
    if (first === undefined) throw new Error('two calls were made');
    const foreign = how === 'of the same length' ? 'x'.repeat(first.wav.length) : 'mine';
    const { wav: key } = keysOf(first);
    await set.direct.putText(key, foreign, 'audio/wav', seconds(20));
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 1, failures: { archive_occupied: 1 } });
    expect(await text(await set.direct.read(key, null, seconds(20)))).toBe(foreign);
    await expectKept(set, [first]);
    await set.direct.erase(key);
    set.clock.at += hourMs;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
  });

  it('stays as an earlier version where the bucket keeps versions, and the audit trail and the log say so', async () => {
    const set = await at.stage(1);
    const [first] = set.calls;
    if (first === undefined) throw new Error('a call was made');
    const { wav: key } = keysOf(first);
    const foreign = await set.direct.putText(key, 'mine', 'audio/wav', seconds(20));
    // It is covered, and then the receipt fails: the next attempt finds only what is its own.
    at.proxy.break({ kind: 'answer', status: 500 }, { only: ({ path }) => path.includes('.json') });
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_failed: 1 } });
    await at.proxy.mend();
    set.clock.at += hourMs;
    expect(await set.pass()).toMatchObject({ sent: 1, failures: {} });
    await expectArchived(set, 2);
    expect(await text(await set.direct.read(key, foreign.versionId, seconds(20)))).toBe('mine');
    const notes = (await set.catalogue.auditTrail.of(first.id)).filter(
      ({ event }) => event === 'something else covered',
    );
    expect(notes).toMatchObject([{ detail: { key, version: foreign.versionId } }]);
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { msg: 'foreign object found under recording key; kept as earlier version' },
    ]);
  });

  it('from before the bucket kept versions stays too, by keeping the recording waiting', async () => {
    await at.server.makeBucket('suspended', { versioning: true });
    await at.client.setBucketVersioning('suspended', { Status: 'Suspended' });
    const set = await at.stage(1, { bucket: 'suspended' });
    const [first] = set.calls;
    if (first === undefined) throw new Error('a call was made');
    const { wav: key } = keysOf(first);
    await set.direct.putText(key, 'mine', 'audio/wav', seconds(20));
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_occupied: 1 } });
    expect(await text(await set.direct.read(key, null, seconds(20)))).toBe('mine');
  });
});
