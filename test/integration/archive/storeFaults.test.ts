import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Client } from 'minio';
import { startStore, type LabStore } from '../../../lab/store.ts';
import { ArchiveWatch } from '../../../src/archive/archiveWatch.ts';
import { makeMinioStore, type MinioStoreOptions } from '../../../src/archive/minioStore.ts';
import { objectKeys } from '../../../src/archive/objectKey.ts';
import type { ObjectStore } from '../../../src/archive/store.ts';
import { uploadPass, type UploadOptions, type UploadResult } from '../../../src/archive/uploader.ts';
import { isoTime } from '../../../src/core/clock.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { archiveStage, type ArchiveStage } from '../../support/archiving.ts';
import { callStart } from '../../support/calls.ts';
import { catalogues } from '../../support/catalogues.ts';
import { startStoreProxy, type StoreFault, type StoreProxy, type StoreRequest } from '../../support/storeProxy.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';
import { digestOf, seconds } from './storeContract.ts';

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;
const folder = temporaryFolder();
const open = catalogues();
let server: LabStore;
let client: Client;
let proxy: StoreProxy;

beforeAll(async () => {
  server = await startStore();
  client = new Client({ ...server, useSSL: false });
  await server.makeBucket('plain');
  await server.makeBucket('versioned', { versioning: true });
}, 60_000);

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  proxy = await startStoreProxy(server.port);
});

afterEach(async () => {
  await proxy.close();
});

type Call = Awaited<ReturnType<ArchiveStage['finished']>>;

type Stage = ArchiveStage & {
  calls: Call[];
  pass: (options?: Partial<UploadOptions>) => Promise<UploadResult>;
  /** The archive past the proxy. */
  direct: ObjectStore;
};

let stages = 0;

/** Recordings that wait, and an archive behind the proxy in a part of a bucket of its own. */
async function stage(count: number, options: Partial<MinioStoreOptions> = {}, wavs: Buffer[] = []): Promise<Stage> {
  const set = await archiveStage(folder.path(`${(stages += 1)}`), open);
  const calls: Call[] = [];
  for (let index = 0; index < count; index += 1) calls.push(await set.finished(wavs[index]));
  const common = { ...server, useTls: false, bucket: 'versioned', prefix: `stage-${stages}`, ...options };
  const store = makeMinioStore({ idleTimeoutMs: 1_000, partSizeBytes: 5 * mebibyte, ...common, port: proxy.port });
  const signal = new AbortController().signal;
  const ports = { ...set, store };

  return Object.assign(ports, {
    calls: calls.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    pass: (more: Partial<UploadOptions> = {}) => uploadPass(ports, { waitMs: 0, signal, ...more }),
    direct: makeMinioStore({ ...common, port: server.port, secretKey: server.secretKey }),
  });
}

const keysOf = ({ id }: Call) => objectKeys(id, callStart + 20_000);
const isRecording = ({ path }: StoreRequest): boolean => path.includes('/recordings/');
/** The ids of the recordings that were asked for or sent, in the order in which each came first. */
const idsAsked = (calls: Call[]): string[] => [
  ...new Set(
    proxy.requests.filter(isRecording).map(({ path }) => calls.find(({ id }) => path.includes(id))?.id ?? path),
  ),
];

/** P4: each recording is still whole in the spool, and its row says so. */
async function expectKept({ calls, catalogue }: Stage): Promise<void> {
  for (const { id, wav, file } of calls) {
    expect(await catalogue.recording(id)).toMatchObject({ status: 'recorded', objectKey: null });
    expect((await readFile(file)).equals(wav)).toBe(true);
  }
}

/** Each recording is in the archive, whole and once, with its receipt, and nothing else is. */
async function expectArchived(set: Stage, versions = 1): Promise<void> {
  const { calls, catalogue, direct } = set;
  for (const call of calls) {
    const { wav, receipt } = keysOf(call);
    const { bytes, sha256 } = digestOf(call.wav);
    expect(await direct.digest(wav, null, seconds(20))).toEqual({ bytes, sha256 });
    const row = await catalogue.recording(call.id);
    expect(row).toMatchObject({ status: 'archived', objectKey: wav, receiptKey: receipt, failure: null });
    expect(await text(await direct.read(receipt, null, seconds(20)))).toBe(row?.receipt);
    expect(await direct.versions(wav)).toHaveLength(versions);
    expect((await catalogue.audit(call.id)).filter(({ to }) => to === 'archived')).toHaveLength(1);
  }
  const keys: string[] = [];
  for await (const { key } of direct.list('')) keys.push(key);
  expect(keys.toSorted()).toEqual(calls.flatMap((call) => Object.values(keysOf(call))).toSorted());
  expect(await set.spooled()).toEqual([]);
}

describe('an archive that does not work', () => {
  const faults: [string, StoreFault | 'refuse', ErrorCode][] = [
    ['refuses connections', 'refuse', 'archive_unreachable'],
    ['takes connections and never answers', { kind: 'silent' }, 'archive_unreachable'],
    ['answers 500', { kind: 'answer', status: 500 }, 'archive_failed'],
    ['answers 503 SlowDown', { kind: 'answer', status: 503, code: 'SlowDown' }, 'archive_failed'],
    ['cuts every upload at its first byte', { kind: 'cutUpload', afterBytes: 0 }, 'archive_unreachable'],
    ['cuts every download at its first byte', { kind: 'cutDownload', afterBytes: 0 }, 'archive_unreachable'],
    ['stores nothing and says that it did', { kind: 'drop' }, 'archive_object_missing'],
    ['gives other bytes back', { kind: 'garble' }, 'archive_mismatch'],
  ];

  it.each(faults)(
    'and %s gets one attempt a pass; recordings wait, and all go when it works',
    async (_, fault, code) => {
      const set = await stage(4);
      if (fault === 'refuse') await proxy.refuse();
      else proxy.break(fault);
      for (let passes = 1; passes <= 3; passes += 1) {
        const result = await set.pass();
        expect(result).toMatchObject({ sent: 0, waiting: 4, archive: { state: 'failing', error: { code } } });
        expect(Object.values(result.failures)).toEqual([1]);
        await expectKept(set);
        // Nobody is postponed: the next pass begins with the oldest again.
        expect(await set.catalogue.sendable(set.clock.at, '', 10)).toHaveLength(4);
      }
      expect(idsAsked(set.calls)).toEqual(fault === 'refuse' ? [] : [set.calls[0]?.id]);
      expect(proxy.requests.length).toBeLessThanOrEqual(3 * 15);

      await proxy.mend();
      proxy.requests.length = 0;
      expect(await set.pass()).toMatchObject({ sent: 4, waiting: 0, failures: {}, archive: { state: 'working' } });
      expect(idsAsked(set.calls)).toEqual(set.calls.map(({ id }) => id));
      await expectArchived(set);
    },
  );

  it.each<[string, number, string]>([
    ['MinIO says so', 507, 'XMinioStorageFull'],
    ['its quota in MinIO is used up', 400, 'XMinioAdminBucketQuotaExceeded'],
    ['its quota in Ceph is used up', 403, 'QuotaExceeded'],
  ])('because it is full, as %s, keeps recordings waiting until there is room', async (_, status, code) => {
    const set = await stage(3);
    proxy.break({ kind: 'answer', status, code }, { only: ({ method }) => method === 'PUT' });
    expect(await set.pass()).toMatchObject({
      sent: 0,
      failures: { archive_full: 1 },
      archive: { state: 'failing', error: { code: 'archive_full' } },
    });
    expect(proxy.requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
    await expectKept(set);
    await proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 3 });
    await expectArchived(set);
  });

  it('because its credentials are wrong keeps recordings waiting until they are right', async () => {
    const set = await stage(3, { secretKey: 'wrong' });
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_denied: 1 }, archive: { state: 'failing' } });
    await expectKept(set);
    const right = { ...set, store: set.direct };
    expect(await uploadPass(right, { waitMs: 0, signal: seconds(20) })).toMatchObject({ sent: 3 });
    await expectArchived(set);
  });

  it('because its bucket is missing keeps recordings waiting until it is made', async () => {
    const set = await stage(3, { bucket: 'later' });
    expect(await set.pass()).toMatchObject({
      sent: 0,
      failures: { archive_bucket_missing: 1 },
      archive: { state: 'failing', error: { code: 'archive_bucket_missing' } },
    });
    await expectKept(set);
    await server.makeBucket('later');
    expect(await set.pass()).toMatchObject({ sent: 3 });
    await expectArchived(set);
  });

  it('is asked by the uploads that are under way, and by no others', async () => {
    const set = await stage(8);
    proxy.break({ kind: 'answer', status: 503 });
    const result = await uploadPass({ ...set, atOnce: 4 }, { waitMs: 0, signal: seconds(20) });
    expect(result).toMatchObject({ failures: { archive_failed: 4 }, archive: { state: 'failing' } });
    expect(idsAsked(set.calls).toSorted()).toEqual(set.calls.slice(0, 4).map(({ id }) => id));
    // One each, and one question for all.
    expect(proxy.requests).toHaveLength(5);
  });

  it('in the middle of a pass ends it, and what was sent before stays sent', async () => {
    const set = await stage(4);
    const third = set.calls[2]?.id ?? '';
    let isDead = false;
    proxy.break({ kind: 'answer', status: 500 }, { only: ({ path }) => (isDead ||= path.includes(third)) });
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 2, archive: { state: 'failing' } });
    await proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 2, waiting: 0 });
    await expectArchived(set);
  });
});

describe('the alarm', () => {
  const told = ({ lines }: Stage, ...levels: string[]) =>
    lines.filter(({ level, msg }) => levels.includes(level) && msg.startsWith('the archive'));

  it('is raised once when the archive stops working, and each hour while that lasts, and is called off once', async () => {
    const set = await stage(3);
    const watch = new ArchiveWatch(set);
    const from = set.clock.at;
    await proxy.refuse();
    // A pass each minute, for three hours and a bit.
    for (let minute = 0; minute <= 185; minute += 1) {
      watch.note(await set.pass());
      set.clock.at += 60_000;
    }
    const alarm = {
      level: 'error',
      code: 'archive_unreachable',
      since: isoTime(from),
      waiting: 3,
      msg: 'the archive does not work; recordings wait',
    };
    expect(told(set, 'warn', 'error', 'info')).toMatchObject([alarm, alarm, alarm, alarm]);
    expect(watch.state).toEqual({ status: 'failing', since: from, code: 'archive_unreachable' });
    expect(set.lines.filter(({ level, code }) => level !== 'info' && code !== undefined)).toHaveLength(4);

    await proxy.mend();
    for (let minute = 0; minute < 3; minute += 1) watch.note(await set.pass({ ask: watch.state.status !== 'working' }));
    expect(told(set, 'info')).toMatchObject([
      { msg: 'the archive works again', since: isoTime(from), sent: 3, waiting: 0 },
    ]);
    expect(told(set, 'warn', 'error')).toHaveLength(4);
    expect(watch).toMatchObject({ state: { status: 'working' }, lastStoredAt: set.clock.at });
  }, 60_000);

  it('is called off although another process has sent what waited', async () => {
    const set = await stage(1);
    const watch = new ArchiveWatch(set);
    proxy.break({ kind: 'answer', status: 503 });
    watch.note(await set.pass());
    await proxy.mend();
    expect(await set.pass()).toMatchObject({ sent: 1 });
    watch.note(await set.pass());
    expect(watch.state.status).toBe('failing');
    watch.note(await set.pass({ ask: true }));
    expect(watch.state.status).toBe('working');
    await expectArchived(set);
  });

  it('is not raised for what one recording has by itself', async () => {
    const set = await stage(2);
    const watch = new ArchiveWatch(set);
    const [first] = set.calls;
    proxy.break({ kind: 'garble' }, { only: ({ path }) => path.includes(first?.id ?? '') });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      watch.note(await set.pass());
      set.clock.at += hourMs;
    }
    expect(watch.state.status).toBe('working');
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { recording: first?.id, code: 'archive_mismatch', msg: 'a recording cannot be archived and waits' },
    ]);
    expect(await set.catalogue.recording(first?.id ?? '')).toMatchObject({ attempts: 5, failure: 'archive_mismatch' });
  });
});

describe('an archive that fails for some recordings only', () => {
  it.each<[string, StoreFault, ErrorCode]>([
    ['is cut in mid-upload', { kind: 'cutUpload', afterBytes: 4_000 }, 'archive_unreachable'],
    ['is cut while it is read back', { kind: 'cutDownload', afterBytes: 4_000 }, 'archive_unreachable'],
    ['is refused with 500', { kind: 'answer', status: 500 }, 'archive_failed'],
    ['is refused with 403', { kind: 'answer', status: 403, code: 'AccessDenied' }, 'archive_denied'],
    ['is too slow for its time limit', { kind: 'slow', bytesPerSecond: 2_000 }, 'archive_unreachable'],
    ['is said to be stored and is not', { kind: 'drop' }, 'archive_mismatch'],
    ['comes back with other bytes', { kind: 'garble' }, 'archive_mismatch'],
  ])('takes the others while the oldest %s; that one waits, and goes when it can', async (_, fault, code) => {
    // A slow one is not silent: the time limit of the attempt ends it.
    const set = await stage(4, fault.kind === 'slow' ? { idleTimeoutMs: 20_000 } : {});
    if (fault.kind === 'slow') set.attemptMs = 1_500;
    const oldest = set.calls[0]?.id ?? '';
    proxy.break(fault, { only: ({ path }) => path.includes(`${oldest}.wav`) });
    expect(await set.pass()).toMatchObject({
      sent: 3,
      waiting: 1,
      failures: { [code]: 1 },
      archive: { state: 'working' },
    });
    await expectKept({ ...set, calls: set.calls.slice(0, 1) });
    expect(await set.catalogue.waiting()).toMatchObject([{ failure: code, count: 1 }]);
    proxy.requests.length = 0;
    set.clock.at += 29_999;
    expect(await set.pass()).toMatchObject({ sent: 0, failures: {} });
    expect(proxy.requests).toEqual([]);
    await proxy.mend();
    set.clock.at += 1;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
  });

  it('takes a recording in parts that was cut in a later one, without leaving parts', async () => {
    const wav = Buffer.alloc(12 * mebibyte, randomBytes(1_024));
    wav.set((await stage(1)).calls[0]?.wav.subarray(0, 44) ?? [], 0);
    wav.writeUInt32LE(wav.length - 8, 4);
    wav.writeUInt32LE(wav.length - 44, 40);
    const set = await stage(2, {}, [wav]);
    proxy.break({ kind: 'cutUpload', afterBytes: mebibyte }, { only: ({ path }) => path.includes('partNumber=2') });
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 1, failures: { archive_unreachable: 1 } });
    await expectKept({ ...set, calls: set.calls.filter((call) => call.wav === wav) });
    await proxy.mend();
    set.clock.at += hourMs;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
    const { uploads } = await client.listIncompleteUploadsQuery('versioned', '', '', '', '');
    expect(uploads).toEqual([]);
  }, 60_000);

  it('gets each recording once a pass, with ever longer waits of their own, and takes the oldest first when all are due', async () => {
    const set = await stage(5);
    const fault: StoreFault = { kind: 'answer', status: 503, code: 'SlowDown' };
    const dueIn: number[] = [];
    const from = set.clock.at;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      proxy.break(fault, { only: isRecording });
      proxy.requests.length = 0;
      const result = await uploadPass({ ...set, random: Math.random }, { waitMs: 0, signal: seconds(20), all: true });
      expect(result).toMatchObject({ sent: 0, failures: { archive_failed: 5 }, archive: { state: 'working' } });
      expect(proxy.requests.filter(isRecording)).toHaveLength(5);
      for (const { id } of set.calls) {
        const wait = ((await set.catalogue.recording(id))?.nextAttemptAt ?? 0) - from;
        expect(wait).toBeGreaterThanOrEqual(30_000 * 2 ** attempt);
        expect(wait).toBeLessThanOrEqual(30_000 * 2 ** attempt * 1.25);
        dueIn.push(wait);
      }
    }
    expect(new Set(dueIn).size).toBeGreaterThan(10);
    await proxy.mend();
    proxy.requests.length = 0;
    set.clock.at += hourMs / 2;
    expect(await set.pass()).toMatchObject({ sent: 5 });
    expect(idsAsked(set.calls)).toEqual(set.calls.map(({ id }) => id));
    await expectArchived(set);
  });

  it('takes everything, only later, when it is slow', async () => {
    const set = await stage(3);
    proxy.break({ kind: 'delay', ms: 100 });
    expect(await set.pass()).toMatchObject({ sent: 3, failures: {} });
    await expectArchived(set);
  });

  it('takes an object whose answer was lost for stored, and stores no second version of it', async () => {
    const set = await stage(1);
    proxy.break({ kind: 'cutDownload', afterBytes: 0 }, { only: ({ method }) => method === 'GET' });
    expect(await set.pass()).toMatchObject({ sent: 0, archive: { state: 'failing' } });
    await proxy.mend();
    proxy.requests.length = 0;
    expect(await set.pass()).toMatchObject({ sent: 1 });
    expect(proxy.requests.filter(({ method, path }) => method === 'PUT' && path.includes('.wav'))).toEqual([]);
    await expectArchived(set);
  });
});

describe('something else under the key of a recording', () => {
  it.each(['of the same length', 'of another length'])('%s stays where the bucket keeps no versions', async (how) => {
    const set = await stage(2, { bucket: 'plain' });
    const [first] = set.calls;
    if (first === undefined) throw new Error('two calls were made');
    const foreign = how === 'of the same length' ? 'x'.repeat(first.wav.length) : 'mine';
    const { wav: key } = keysOf(first);
    await set.direct.putText(key, foreign, 'audio/wav', seconds(20));
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 1, failures: { archive_occupied: 1 } });
    expect(await text(await set.direct.read(key, null, seconds(20)))).toBe(foreign);
    await expectKept({ ...set, calls: [first] });
    await set.direct.erase(key);
    set.clock.at += hourMs;
    expect(await set.pass()).toMatchObject({ sent: 1, waiting: 0 });
    await expectArchived(set);
  });

  it('stays as an earlier version where the bucket keeps versions, and the audit trail and the log say so', async () => {
    const set = await stage(1);
    const [first] = set.calls;
    if (first === undefined) throw new Error('a call was made');
    const { wav: key } = keysOf(first);
    const foreign = await set.direct.putText(key, 'mine', 'audio/wav', seconds(20));
    expect(await set.pass()).toMatchObject({ sent: 1, failures: {} });
    await expectArchived(set, 2);
    expect(await text(await set.direct.read(key, foreign.versionId, seconds(20)))).toBe('mine');
    expect((await set.catalogue.audit(first.id)).at(-1)?.detail).toMatchObject({ over: [foreign.versionId] });
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { msg: 'something else lay under the key of a recording; it is kept as an earlier version' },
    ]);
  });

  it('from before the bucket kept versions stays too, by keeping the recording waiting', async () => {
    await server.makeBucket('suspended', { versioning: true });
    await client.setBucketVersioning('suspended', { Status: 'Suspended' });
    const set = await stage(1, { bucket: 'suspended' });
    const [first] = set.calls;
    if (first === undefined) throw new Error('a call was made');
    const { wav: key } = keysOf(first);
    await set.direct.putText(key, 'mine', 'audio/wav', seconds(20));
    expect(await set.pass()).toMatchObject({ sent: 0, failures: { archive_occupied: 1 } });
    expect(await text(await set.direct.read(key, null, seconds(20)))).toBe('mine');
  });
});
