import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { finishRecordings } from '../../../../src/archive/finish/finish.ts';
import type { ObjectStore } from '../../../../src/store/store.ts';
import { uploadPass } from '../../../../src/archive/uploadPass.ts';
import { openSqlite } from '../../../../src/catalogue/sqlite/sqlite.ts';
import type { RecordingStatus } from '../../../../src/catalogue/statuses.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { RecordingId } from '../../../../src/core/ids.ts';
import { retentionPass } from '../../../../src/retention/pass.ts';
import { discrepancyKinds, type DiscrepancyKind } from '../../../../src/retention/reconcile/compare.ts';
import type { ReconcileOptions } from '../../../../src/retention/reconcile/reconcile.ts';
import { beside, elsewhere } from '../../../support/catalogue/holders.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { insertPolicy, insertRecording } from '../../../support/catalogue/catalogueRows.ts';
import { catalogues, dayMs, recorderEnd, saveCall } from '../../../support/catalogue/catalogues.ts';
import {
  archived,
  discarded,
  erased,
  everything,
  finishedAfter,
  lines,
  orphan,
  reconciled,
  spool,
  unfinished,
} from '../../../support/retention/reconciling.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const never = new AbortController().signal;
const object = (set: ArchiveStage, key: string): string => `${set.store.location}/${key}`;

/** A kind with how it comes about, where it is told, and what a repair leaves. */
type Case = {
  kind: DiscrepancyKind;
  when: string;
  options?: Partial<ReconcileOptions>;
  arrange: (set: ArchiveStage) => Promise<{ id: string; where: string }>;
  /** The status after a repair. */
  becomes?: RecordingStatus;
  /** Whether the file is in the spool after a repair. */
  spooled?: boolean;
};

const repairs: Case[] = [
  {
    kind: 'unfinished',
    when: 'nobody finished a call that has ended',
    arrange: async (set) => {
      const { id, file } = await unfinished(set);
      return { id, where: file };
    },
    becomes: 'recorded',
    spooled: true,
  },
  {
    kind: 'localFileLeft',
    when: 'a process died before it removed the local file',
    arrange: async (set) => {
      const { id, file, wav } = await archived(set);
      await writeFile(file, wav);
      return { id, where: file };
    },
    becomes: 'archived',
    spooled: false,
  },
  {
    kind: 'discardedFileLeft',
    when: 'a refused recording is in the spool',
    arrange: async (set) => {
      const call = await discarded(set);
      return { id: call.id, where: await spool(set, call) };
    },
    becomes: 'discarded',
    spooled: false,
  },
  {
    kind: 'lostFileFound',
    when: 'a lost file is there again',
    arrange: async (set) => {
      const { id } = await finishedAfter(set, rm);
      expect((await set.catalogue.recordings.find(id))?.status).toBe('lost');
      return { id, where: await spool(set, { id }) };
    },
    becomes: 'recorded',
    spooled: true,
  },
  {
    kind: 'fileNotAdopted',
    when: 'a process died before it wrote its recorder down',
    arrange: async (set) => {
      const { id, file } = await orphan(set);
      return { id, where: file };
    },
    becomes: 'recorded',
    spooled: true,
  },
  {
    kind: 'fileNotAdopted',
    when: 'a process died before it removed what was refused',
    arrange: async (set) => {
      const { id, file } = await orphan(set, { refused: true });
      return { id, where: file };
    },
    becomes: 'discarded',
    spooled: false,
  },
];

test.each([true, false])(
  'what may still be at an Asterisk on another machine is not missing (dry run: %s)',
  async (dryRun) => {
    const set = await stage();
    const { file } = await unfinished(set);
    await rm(file);
    let isHere = false;
    const collects = { ...set, spool: 'collected' as const, collected: { isWhole: () => isHere } };
    expect(lines((await reconciled(collects, { dryRun })).findings)).toEqual([]);
    expect((await set.catalogue.recordings.list({ limit: 9 })).map(({ status }) => status)).toEqual(['recording']);
    isHere = true;
    const { findings } = await reconciled(collects);
    expect(findings.map(({ kind }) => kind)).toEqual(['unfinishedFileMissing']);
  },
);

const reports: Case[] = [
  {
    kind: 'unfinishedFileMissing',
    when: 'a file vanished before it was finished',
    arrange: async (set) => {
      const { id, file } = await unfinished(set);
      await rm(file);
      return { id, where: file };
    },
  },
  {
    kind: 'recordedFileMissing',
    when: 'a file vanished before it was sent',
    arrange: async (set) => {
      const { id, file } = await set.finished();
      await rm(file);
      return { id, where: file };
    },
  },
  {
    kind: 'recordedFileDiffers',
    when: 'a file that waits was cut',
    arrange: async (set) => {
      const { id, file, wav } = await set.finished();
      await writeFile(file, wav.subarray(0, -100));
      return { id, where: file };
    },
  },
  {
    kind: 'recordedFileDiffers',
    when: 'a file that waits was written to, its length kept',
    options: { verify: true },
    arrange: async (set) => {
      const { id, file, wav } = await set.finished();
      await writeFile(file, Buffer.from(wav).fill(1, 100, 200));
      return { id, where: file };
    },
  },
  {
    kind: 'objectMissing',
    when: 'an erasure was begun by a clock that was wrong, and cut short: it does not come back to it',
    arrange: async (set) => {
      const { id, keys } = await archived(set);
      await set.catalogue.auditTrail.append(id, { event: 'erasure begun', actor: 'test' });
      await rm(object(set, keys.wav));
      set.clock.at += 3_600_000;
      return { id, where: keys.wav };
    },
  },
  {
    kind: 'objectMissing',
    when: 'somebody removed the WAV from the archive',
    arrange: async (set) => {
      const { id, keys } = await archived(set);
      await rm(object(set, keys.wav));
      return { id, where: keys.wav };
    },
  },
  {
    kind: 'objectDiffers',
    when: 'the WAV in the archive is shorter',
    arrange: async (set) => {
      const { id, keys, wav } = await archived(set);
      await writeFile(object(set, keys.wav), wav.subarray(1));
      return { id, where: keys.wav };
    },
  },
  {
    kind: 'objectDiffers',
    when: 'the WAV in the archive has other bytes of the same length, and is read',
    options: { verify: true },
    arrange: async (set) => {
      const { id, keys, wav } = await archived(set);
      await writeFile(object(set, keys.wav), Buffer.from(wav).fill(1, 100, 200));
      return { id, where: keys.wav };
    },
  },
  {
    kind: 'receiptMissing',
    when: 'somebody removed the receipt',
    arrange: async (set) => {
      const { id, keys } = await archived(set);
      await rm(object(set, keys.receipt));
      return { id, where: keys.receipt };
    },
  },
  {
    kind: 'receiptDiffers',
    when: 'the receipt has another length',
    arrange: async (set) => {
      const { id, keys } = await archived(set);
      await writeFile(object(set, keys.receipt), '{}');
      return { id, where: keys.receipt };
    },
  },
  {
    kind: 'erasedFileLeft',
    when: 'an erased file came back',
    arrange: async (set) => {
      const call = await erased(set);
      return { id: call.id, where: await spool(set, call) };
    },
  },
  {
    kind: 'erasureUnproved',
    when: 'a file of one that somebody has called erased, without a certificate, is in the spool',
    arrange: async (set) => {
      const { id, file } = await set.finished();
      await set.catalogue.recordings.move(
        id,
        'recorded',
        'erased',
        {},
        { event: 'erased and checked', actor: 'forger' },
      );
      return { id, where: file };
    },
  },
  {
    kind: 'discardedObjectLeft',
    when: 'a discarded recording is in the archive',
    arrange: async (set) => {
      const { id, keys } = await discarded(set);
      await set.store.putText(keys.wav, 'x', 'audio/wav', never);
      return { id, where: keys.wav };
    },
  },
  {
    kind: 'failedFileMissing',
    when: 'the file of a failed recording is gone',
    arrange: async (set) => {
      const { id, file } = await finishedAfter(set, (wav) => writeFile(wav, 'no WAV'));
      expect((await set.catalogue.recordings.find(id))?.status).toBe('failed');
      await rm(file);
      return { id, where: file };
    },
  },
  {
    kind: 'fileOfNobody',
    when: 'no call was to make a file',
    arrange: async (set) => {
      const id = ulid() as RecordingId;
      return { id, where: await spool(set, { id }) };
    },
  },
  {
    kind: 'unknownObject',
    when: 'no row knows an object',
    arrange: async (set) => {
      const id = ulid();
      const key = `recordings/2026/08/24/${id}.wav`;
      await set.store.putText(key, 'x', 'audio/wav', never);
      return { id, where: key };
    },
  },
  {
    kind: 'erasureUnfinished',
    when: 'retention was killed between two objects',
    arrange: async (set) => {
      const { id, keys } = await archived(set);
      const store: ObjectStore = {
        ...set.store,
        erase: (key) => set.store.erase(key).then(() => Promise.reject(died)),
      };
      const died = new PreavisError('archive_failed', 'killed');
      set.clock.at = recorderEnd + 28 * dayMs;
      await retentionPass({ ...set, store }, { dryRun: false, waitMs: 0, signal: never });
      set.clock.at += 3_600_000;
      return { id, where: keys.wav };
    },
  },
  {
    kind: 'notComparable',
    when: 'a file is a link to another',
    arrange: async (set) => {
      const { id, file, wav } = await set.finished();
      await writeFile(folder.path(id), wav);
      await rm(file);
      await symlink(folder.path(id), file);
      return { id, where: file };
    },
  },
];

describe('with nothing to find', () => {
  test('recordings in every status are compared, and left as they are', async () => {
    const set = await stage();
    await erased(set);
    await archived(set);
    await discarded(set);
    await finishedAfter(set, rm);
    await finishedAfter(set, (wav) => writeFile(wav, 'no WAV'));
    await set.finished();
    await saveCall(set.catalogue, { until: 'talking' });
    const dialling = await saveCall(set.catalogue, { until: 'dialling' });
    // Its recorder begins just now.
    await spool(set, dialling);
    await writeFile(`${set.spoolFolder}/of-somebody-else.wav`, 'x');
    await set.store.putText('elsewhere/1', 'x', 'text/plain', never);
    const before = await everything(set);
    for (const verify of [false, true]) {
      expect(await reconciled(set, { verify })).toEqual({
        reconciled: { recordings: 7, files: 3, objects: 2 },
        findings: [],
      });
    }
    expect(await everything(set)).toEqual(before);
  });
});

describe('what is safe', () => {
  test.each(repairs)('is told by a dry run, repaired once, and then no more: $kind, when $when', async (each) => {
    const set = await stage();
    // One beside it that is as it should be.
    await archived(set, { keepDays: 395 });
    const { id, where } = await each.arrange(set);
    const finding = { kind: each.kind, recording: id, where };
    const before = await everything(set);
    expect((await reconciled(set, { dryRun: true })).findings).toEqual([{ ...finding, done: 'repairable' }]);
    expect(await everything(set)).toEqual(before);
    expect((await reconciled(set)).findings).toEqual([{ ...finding, done: 'repaired' }]);
    expect((await set.catalogue.recordings.find(id))?.status).toBe(each.becomes);
    expect((await set.spooled()).length).toBe(each.spooled === true ? 1 : 0);
    const after = await everything(set);
    expect((await reconciled(set, { verify: true })).findings).toEqual([]);
    expect(await everything(set)).toEqual(after);
  });
});

describe('a repair', () => {
  test.each([
    ['that did not help is not told as one', 'status_conflict', 'nothing'],
    ['that failed is told with its code, and the others go on', 'internal', 'internal'],
  ] as const)('%s', async (_, code, done) => {
    const set = await stage();
    const lost = await finishedAfter(set, rm);
    const refused = await discarded(set);
    const [lostFile, refusedFile] = [await spool(set, lost), await spool(set, refused)];
    const move = () => Promise.reject(new PreavisError(code, 'of this test'));
    const { findings } = await reconciled({
      ...set,
      catalogue: { ...set.catalogue, recordings: { ...set.catalogue.recordings, move } },
    });
    expect(lines(findings)).toEqual([`lostFileFound ${lostFile} ${done}`, `discardedFileLeft ${refusedFile} repaired`]);
    expect((await set.catalogue.recordings.find(lost.id))?.status).toBe('lost');
    expect(await set.spooled()).toHaveLength(1);
  });
});

describe('what was erased and came back', () => {
  test.each(['wav', 'receipt'] as const)('as the %s is told in a dry run, and else erased again', async (which) => {
    const set = await stage();
    const { id, keys } = await erased(set);
    await set.store.putText(keys[which], 'x', 'audio/wav', never);
    const finding = { kind: 'erasedObjectLeft', recording: id, where: keys[which] };
    const before = await everything(set);
    expect((await reconciled(set, { dryRun: true })).findings).toEqual([{ ...finding, done: 'repairable' }]);
    expect(await everything(set)).toEqual(before);
    expect((await reconciled(set)).findings).toEqual([{ ...finding, done: 'repaired' }]);
    expect(await set.store.versions(keys[which])).toEqual([]);
    expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({ event: 'erased again' });
    expect((await reconciled(set, { verify: true })).findings).toEqual([]);
  });
});

describe('what is not safe', () => {
  test.each(reports)('is told and left as it is: $kind, when $when', async (each) => {
    const set = await stage();
    await archived(set, { keepDays: 395 });
    const { id, where } = await each.arrange(set);
    const done = each.kind === 'notComparable' ? 'spool_unusable' : 'nothing';
    const findings = [{ kind: each.kind, recording: id, where, done }];
    const before = await everything(set);
    expect((await reconciled(set, { ...each.options, dryRun: true })).findings).toEqual(findings);
    expect((await reconciled(set, each.options)).findings).toEqual(findings);
    expect(await everything(set)).toEqual(before);
  });

  test('an object under a key that holds no id is told without one', async () => {
    const set = await stage();
    await set.store.putText('recordings/note.txt', 'x', 'text/plain', never);
    expect((await reconciled(set)).findings).toEqual([
      { kind: 'unknownObject', recording: null, where: 'recordings/note.txt', done: 'nothing' },
    ]);
  });

  test('what lies in another archive is not compared, and its local file not removed', async () => {
    const set = await stage();
    const { id, file, wav, keys } = await archived(set);
    await writeFile(file, wav);
    const other = { ...set.store, location: '/somewhere/else' };
    const { findings } = await reconciled({ ...set, store: other });
    expect(lines(findings)).toEqual([`otherArchive ${keys.wav} nothing`, `localFileNeeded ${file} nothing`]);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect(await set.spooled()).toHaveLength(1);
  });

  test.each<[string, (set: ArchiveStage, key: string, wav: Buffer) => Promise<void>, DiscrepancyKind]>([
    ['is not there', (set, key) => rm(object(set, key)), 'objectMissing'],
    [
      'has other bytes of the same length',
      (set, key, wav) => writeFile(object(set, key), Buffer.from(wav).fill(1, 100, 200)),
      'objectDiffers',
    ],
  ])('the local file of an archived recording stays when its object %s', async (_, change, kind) => {
    const set = await stage();
    const { file, wav, keys } = await archived(set);
    await writeFile(file, wav);
    await change(set, keys.wav, wav);
    const before = await everything(set);
    const { findings } = await reconciled(set);
    expect(lines(findings)).toEqual([`${kind} ${keys.wav} nothing`, `localFileNeeded ${file} nothing`]);
    expect(await everything(set)).toEqual(before);
  });

  test('a local file that is not what was archived stays', async () => {
    const set = await stage();
    const { file, wav } = await archived(set);
    await writeFile(file, Buffer.from(wav).fill(1, 100, 200));
    const before = await everything(set);
    expect(lines((await reconciled(set)).findings)).toEqual([`localFileDiffers ${file} nothing`]);
    expect(await everything(set)).toEqual(before);
  });
});

test('each kind of finding is tried here, on a server that keeps versions or with a restored catalogue', () => {
  const tried = [...repairs, ...reports].map(({ kind }) => kind);
  const elsewhere = [
    'objectCovered',
    'otherArchive',
    'localFileNeeded',
    'localFileDiffers',
    'erasedObjectLeft',
    'lostObjectFound',
    // In integration/attacks/insider.
    'discardUnproved',
  ];
  expect([...new Set([...tried, ...elsewhere])].toSorted()).toEqual(Object.keys(discrepancyKinds).toSorted());
});

describe('beside other jobs', () => {
  test('it does not run twice at once, and says who reconciles', async () => {
    const set = await stage();
    const other = spawn('sleep', ['60']);
    try {
      await once(other, 'spawn');
      await set.catalogue.leases.take('reconcile', beside(other.pid ?? 0));
      await expect(reconciled(set)).rejects.toMatchObject({ code: 'job_busy' });
      await expect(reconciled(set, { dryRun: true })).rejects.toMatchObject({ code: 'job_busy' });
    } finally {
      other.kill();
    }
  });

  test.each(['lastWritten', 'stat', 'digest', 'audit'] as const)(
    'what is sent meanwhile is no finding (before %s)',
    async (step) => {
      const set = await stage();
      const { id: left, file, wav } = await archived(set);
      await writeFile(file, wav);
      const { id } = await set.finished();
      let isSent = false;
      const send = async (): Promise<void> => {
        if (isSent) return;
        isSent = true;
        expect(await uploadPass(set, { waitMs: 0, signal: never })).toMatchObject({ waiting: 0 });
      };
      const after =
        <A extends unknown[], R>(name: typeof step, method: (...given: A) => Promise<R>) =>
        async (...given: A): Promise<R> => {
          if (name === step) await send();
          return method(...given);
        };
      const { store, catalogue } = set;
      const found = await reconciled({
        ...set,
        store: {
          ...store,
          stat: after('stat', (key) => store.stat(key)),
          digest: after('digest', (...given: Parameters<typeof store.digest>) => store.digest(...given)),
        },
        catalogue: {
          ...catalogue,
          auditTrail: { ...catalogue.auditTrail, of: after('audit', (given) => catalogue.auditTrail.of(given)) },
          recordings: {
            ...catalogue.recordings,
            listBeyond: async (...given) => {
              const rows = await catalogue.recordings.listBeyond(...given);
              if (step === 'lastWritten') await send();
              return rows;
            },
          },
        },
      });
      // The file that was left may have been seen before the upload pass removed it.
      expect(found.findings.filter(({ done }) => done !== 'repaired')).toEqual([]);
      expect(isSent).toBe(true);
      for (const each of [id, left]) expect((await set.catalogue.recordings.find(each))?.status).toBe('archived');
      expect(await set.spooled()).toEqual([]);
    },
  );

  test('what retention erases meanwhile is not missing', async () => {
    const set = await stage();
    const { id } = await archived(set);
    set.clock.at = recorderEnd + 28 * dayMs;
    let asked = 0;
    const stat: ObjectStore['stat'] = async (key) => {
      if ((asked += 1) === 1) await retentionPass(set, { dryRun: false, waitMs: 0, signal: never });
      return set.store.stat(key);
    };
    expect((await reconciled({ ...set, store: { ...set.store, stat } })).findings).toEqual([]);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
  });

  test('what retention erases while it is listed is not left', async () => {
    const set = await stage();
    const { id } = await archived(set);
    const list: ObjectStore['list'] = async function* (prefix) {
      for await (const listed of set.store.list(prefix)) {
        set.clock.at = recorderEnd + 28 * dayMs;
        await retentionPass(set, { dryRun: false, waitMs: 0, signal: never });
        yield listed;
      }
    };
    expect((await reconciled({ ...set, store: { ...set.store, list } })).findings).toEqual([]);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('erased');
  });

  test('what is finished meanwhile needs no repair', async () => {
    const set = await stage();
    const { id } = await unfinished(set);
    const counts: ArchiveStage['catalogue']['recordings']['counts'] = async () => {
      await finishRecordings(set);
      return set.catalogue.recordings.counts();
    };
    expect(
      (
        await reconciled({
          ...set,
          catalogue: { ...set.catalogue, recordings: { ...set.catalogue.recordings, counts } },
        })
      ).findings,
    ).toEqual([]);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  });

  test('what it has taken up is sent by the next upload pass', async () => {
    const set = await stage();
    const { id } = await unfinished(set);
    await reconciled(set);
    await set.finished();
    expect(await uploadPass(set, { waitMs: 0, signal: never })).toMatchObject({ sent: 2, waiting: 0 });
    expect((await set.catalogue.recordings.find(id))?.status).toBe('archived');
    expect((await reconciled(set, { verify: true })).findings).toEqual([]);
  });
});

describe('as a whole it fails, and finds nothing', () => {
  test('when the archive is not mounted', async () => {
    const set = await stage();
    await archived(set);
    await rm(set.store.location, { recursive: true });
    await expect(reconciled(set)).rejects.toMatchObject({ code: 'archive_bucket_missing' });
  });

  test('when the spool is not there', async () => {
    const set = await stage();
    await set.finished();
    await rm(set.spoolFolder, { recursive: true });
    await expect(reconciled(set)).rejects.toMatchObject({ code: 'spool_unusable' });
  });

  test('when it is interrupted, and gives the lease back', async () => {
    const set = await stage();
    for (let count = 0; count < 3; count += 1) await archived(set);
    const stop = new AbortController();
    const progress = (done: number): void => {
      if (done === 1) stop.abort(new PreavisError('interrupted', 'enough'));
    };
    await expect(reconciled(set, { signal: stop.signal, progress })).rejects.toMatchObject({ code: 'interrupted' });
    expect(await set.catalogue.leases.take('reconcile', elsewhere())).toMatchObject({ kind: 'taken' });
  });

  test('and repairs nothing once the archive is away', async () => {
    const set = await stage();
    const calls: Awaited<ReturnType<typeof archived>>[] = [];
    for (let count = 0; count < 4; count += 1) calls.push(await archived(set));
    for (const { file, wav } of calls) await writeFile(file, wav);
    let read = 0;
    const digest: ObjectStore['digest'] = (...given) => {
      if ((read += 1) === 1) return Promise.reject(new PreavisError('archive_unreachable', 'away'));
      return set.store.digest(...given);
    };
    const store = { ...set.store, digest };
    await expect(reconciled({ ...set, store, atOnce: 2 })).rejects.toMatchObject({ code: 'archive_unreachable' });
    // The one that was under way beside the failing one may be gone.
    expect((await set.spooled()).length).toBeGreaterThanOrEqual(3);
  });
});

test('more rows than one batch are all compared, and progress comes to its end', async () => {
  const set = await stage();
  const database = openSqlite(join(set.spoolFolder, '../catalogue.db'));
  database.transaction(() => {
    insertPolicy(database, 'one', { training: 28 });
    for (let number = 1; number <= 505; number += 1) {
      insertRecording(database, { number, purposes: ['training'], status: 'discarded' });
    }
  })();
  database.close();
  const seen: number[][] = [];
  const { reconciled: compared } = await reconciled(set, { progress: (...at) => seen.push(at) });
  expect(compared).toEqual({ recordings: 505, files: 0, objects: 0 });
  expect(seen.at(-1)).toEqual([505, 505]);
});
