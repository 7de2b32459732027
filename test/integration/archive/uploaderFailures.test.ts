import { createHash } from 'node:crypto';
import { rm, stat, unlink, writeFile } from 'node:fs/promises';
import { objectKeys } from '../../../src/store/objectKeys.ts';
import { uploadPass, uploadWaits, type UploadPorts } from '../../../src/archive/uploadPass.ts';
import { backoffMs } from '../../../src/core/backoff.ts';
import type { ObjectStore } from '../../../src/store/store.ts';
import { PreavisError } from '../../../src/core/errors.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues } from '../../support/catalogue/catalogues.ts';
import { collectingLog } from '../../support/logLines.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);
const never = new AbortController().signal;
const pass = (ports: UploadPorts, options: Partial<Parameters<typeof uploadPass>[1]> = {}) =>
  uploadPass(ports, { waitMs: 0, signal: never, ...options });
const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

describe('something else under the key of a recording, where the archive keeps no versions', () => {
  test.each<[string, (wav: Buffer) => string]>([
    ['of the same length', (wav) => 'x'.repeat(wav.length)],
    ['of another length', () => 'mine'],
  ])('%s is not overwritten: the recording waits, with one alarm, until it is moved away', async (_, foreign) => {
    const set = await stage();
    const { id, wav, file } = await set.finished();
    const { wav: key } = objectKeys(id, callStart + 20_000);
    await set.store.putText(key, foreign(wav), 'audio/wav', never);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(await pass(set)).toMatchObject({ sent: 0, waiting: 1, failures: { archive_occupied: 1 } });
      set.clock.at += 3_600_000;
    }
    expect([...(await set.objects())].map(([name, content]) => [name, content.toString()])).toEqual([
      [key, foreign(wav)],
    ]);
    expect(await exists(file)).toBe(true);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', failure: 'archive_occupied' });
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { recording: id, code: 'archive_occupied', msg: 'recording not archived: intervention required; will retry' },
    ]);
    await set.store.erase(key);
    expect(await pass(set)).toMatchObject({ sent: 1, waiting: 0 });
    expect((await set.objects()).get(key)?.equals(wav)).toBe(true);
  });

  test('and is named version null, as AWS and MinIO name what no version keeps, is not overwritten', async () => {
    const set = await stage();
    const { id } = await set.finished();
    const { wav: key } = objectKeys(id, callStart + 20_000);
    await set.store.putText(key, 'mine', 'audio/wav', never);
    const stat: ObjectStore['stat'] = async (asked) => {
      const found = await set.store.stat(asked);

      return found && { ...found, versionId: 'null' };
    };
    expect(await pass({ ...set, store: { ...set.store, stat } })).toMatchObject({ failures: { archive_occupied: 1 } });
    expect((await set.objects()).get(key)?.toString()).toBe('mine');
  });

  test('in the place of its receipt is not overwritten either', async () => {
    const set = await stage();
    const { id } = await set.finished();
    const { receipt } = objectKeys(id, callStart + 20_000);
    const sha256 = '0'.repeat(64);
    for (const foreign of ['not JSON', '{}', JSON.stringify({ recording: { id, sha256 } })]) {
      await set.store.putText(receipt, foreign, 'application/json', never);
      expect(await pass(set, { all: true })).toMatchObject({ sent: 0, failures: { archive_occupied: 1 } });
      expect((await set.objects()).get(receipt)?.toString()).toBe(foreign);
    }
  });

  test('that is an earlier receipt of the same bytes is replaced: another version of Préavis may word it otherwise', async () => {
    const set = await stage();
    const { id, wav } = await set.finished();
    const { receipt } = objectKeys(id, callStart + 20_000);
    const sha256 = createHash('sha256').update(wav).digest('hex');
    await set.store.putText(receipt, JSON.stringify({ recording: { id, sha256 } }), 'application/json', never);
    expect(await pass(set)).toMatchObject({ sent: 1, failures: {} });
    expect((await set.objects()).get(receipt)?.toString()).toBe((await set.catalogue.recordings.find(id))?.receipt);
  });
});

describe('a recording that cannot be archived', () => {
  test('is told by serve also when a command has met it first', async () => {
    const set = await stage();
    const { id, file } = await set.finished();
    await unlink(file);
    const command = await pass({ ...set, alreadyLogged: new Set(), log: collectingLog().log });
    expect(command.aside).toMatchObject([{ recording: id, error: { code: 'spool_unusable' } }]);
    set.clock.at += 3_600_000;
    await pass(set);
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { recording: id, msg: 'recording file missing' },
    ]);
  });

  test('because its file has vanished waits, and the log raises the alarm: a folder may not be mounted', async () => {
    const set = await stage();
    const { id, file } = await set.finished();
    await unlink(file);
    expect(await pass(set)).toMatchObject({ sent: 0, waiting: 1, failures: { spool_unusable: 1 } });
    set.clock.at += 3_600_000;
    await pass(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', attempts: 2 });
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { recording: id, msg: 'recording file missing' },
    ]);
  });

  test('because its file was changed waits, and its bytes are not stored', async () => {
    const set = await stage();
    const { id, file, wav } = await set.finished();
    const other = Buffer.from(wav);
    other.fill(1, 100, 200);
    await writeFile(file, other);
    expect(await pass(set)).toMatchObject({ waiting: 1, failures: { archive_mismatch: 1 } });
    expect(await set.objects()).toEqual(new Map());
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  });

  test('waits half a minute, then twice as long each time, and is tried before that only when asked for all', async () => {
    const set = await stage();
    const { id } = await set.finished();
    const failing: ObjectStore = {
      ...set.store,
      putFile: () => Promise.reject(new PreavisError('archive_failed', 'broken')),
    };
    const ports = { ...set, store: failing };
    const from = set.clock.at;
    await pass(ports);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ attempts: 1, nextAttemptAt: from + 30_000 });
    set.clock.at = from + 29_999;
    expect(await pass(ports)).toMatchObject({ failures: {}, waiting: 1 });
    set.clock.at = from + 30_000;
    expect(await pass(ports)).toMatchObject({ failures: { archive_failed: 1 } });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ attempts: 2, nextAttemptAt: from + 90_000 });
    expect(await pass(set, { all: true })).toMatchObject({ sent: 1 });
  });

  test.each([
    [0, 30_000],
    [1, 60_000],
    [4, 480_000],
    [5, 900_000],
    [60, 900_000],
    [5_000, 900_000],
  ])('after %i attempts waits %i ms, and up to a quarter more by chance', (attempts, least) => {
    expect(backoffMs(attempts, 0, uploadWaits)).toBe(least);
    expect(backoffMs(attempts, 1, uploadWaits)).toBe(least * 1.25);
    for (let count = 0; count < 100; count += 1) {
      const wait = backoffMs(attempts, Math.random(), uploadWaits);
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThan(least * 1.25);
    }
  });

  test.each(['archive_unreachable', 'archive_denied', 'archive_failed', 'archive_mismatch'] as const)(
    'because of %s ends the pass after one attempt when the archive takes nothing else either, and postpones nobody',
    async (code) => {
      const set = await stage();
      for (let count = 0; count < 3; count += 1) await set.finished();
      let [attempts, questions] = [0, 0];
      const error = new PreavisError('archive_unreachable', 'not now');
      const store: ObjectStore = {
        ...set.store,
        stat: () => {
          attempts += 1;
          return Promise.reject(new PreavisError(code, 'not now'));
        },
        check: () => {
          questions += 1;
          return Promise.reject(error);
        },
      };
      expect(await pass({ ...set, store })).toEqual({
        sent: 0,
        bytes: 0,
        waiting: 3,
        failures: { [code]: 1 },
        aside: [],
        covered: [],
        archive: { state: 'failing', error },
      });
      expect([attempts, questions]).toEqual([1, 1]);
      expect(await pass(set)).toMatchObject({ sent: 3, waiting: 0 });
    },
  );

  test.each(['archive_bucket_missing', 'archive_not_mounted', 'archive_full'] as const)(
    'because of %s ends the pass without another question',
    async (code) => {
      const set = await stage();
      for (let count = 0; count < 3; count += 1) await set.finished();
      const never = () => Promise.reject(new Error('not asked'));
      const store: ObjectStore = { ...set.store, stat: () => Promise.reject(new PreavisError(code, '')), check: never };
      expect(await pass({ ...set, store })).toMatchObject({
        sent: 0,
        waiting: 3,
        failures: { [code]: 1 },
        archive: { state: 'failing', error: { code } },
      });
    },
  );

  test('together with the others that are under way asks the archive once', async () => {
    const set = await stage();
    for (let count = 0; count < 6; count += 1) await set.finished();
    let questions = 0;
    const refused = () => Promise.reject(new PreavisError('archive_unreachable', 'not now'));
    const check = () => {
      questions += 1;
      return refused();
    };
    expect(await pass({ ...set, atOnce: 4, store: { ...set.store, stat: refused, check } })).toMatchObject({
      failures: { archive_unreachable: 4 },
      waiting: 6,
    });
    expect(questions).toBe(1);
  });

  test.each(['archive_unreachable', 'archive_denied', 'archive_failed'] as const)(
    'because of %s, while the archive takes others, holds up none of them, in this pass or the next',
    async (code) => {
      const set = await stage();
      const { id } = await set.finished();
      await set.finished();
      const store: ObjectStore = {
        ...set.store,
        putFile: (key, ...rest) =>
          key.includes(id) ? Promise.reject(new PreavisError(code, 'broken')) : set.store.putFile(key, ...rest),
      };
      const from = set.clock.at;
      const working = { archive: { state: 'working' } };
      expect(await pass({ ...set, store })).toMatchObject({ sent: 1, waiting: 1, failures: { [code]: 1 }, ...working });
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'recorded',
        failure: code,
        attempts: 1,
        nextAttemptAt: from + 30_000,
      });
      await set.finished();
      expect(await pass({ ...set, store })).toMatchObject({ sent: 1, waiting: 1, failures: {} });
      set.clock.at += 3_600_000;
      expect(await pass(set)).toMatchObject({ sent: 1, waiting: 0 });
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'archived', failure: null });
    },
  );

  test('is told when it begins and when it lasts, and no more', async () => {
    const set = await stage();
    const { id } = await set.finished();
    const failing: ObjectStore = {
      ...set.store,
      putFile: () => Promise.reject(new PreavisError('archive_failed', 'broken')),
    };
    for (let attempt = 0; attempt < 9; attempt += 1) {
      await pass({ ...set, store: failing });
      set.clock.at += 3_600_000;
    }
    const told = set.lines.filter(({ level, code }) => ['warn', 'error'].includes(level) && code !== undefined);
    expect(told).toMatchObject([
      { level: 'warn', recording: id, attempts: 1, msg: 'recording upload failed; will retry' },
      { level: 'error', recording: id, attempts: 3, msg: 'recording upload failed repeatedly; will retry' },
    ]);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ attempts: 9, status: 'recorded' });
  });

  test.each([true, false])(
    'because the archive folder is gone does not make it anew by asking for it (something waits: %s)',
    async (waits) => {
      const set = await stage();
      if (waits) await set.finished();
      await rm(set.store.location, { recursive: true });
      expect(await pass(set, { ask: true })).toMatchObject({
        archive: { state: 'failing', error: { code: 'archive_bucket_missing' } },
      });
      expect(await exists(set.store.location)).toBe(false);
    },
  );

  test('because the archive folder is gone keeps everything where it is', async () => {
    const set = await stage();
    const { file } = await set.finished();
    await rm(set.store.location, { recursive: true });
    expect(await pass(set)).toMatchObject({ failures: { archive_bucket_missing: 1 } });
    expect(await exists(file)).toBe(true);
    expect(await exists(set.store.location)).toBe(false);
  });
});
