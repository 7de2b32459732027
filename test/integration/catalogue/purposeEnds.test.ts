import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import type { Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeLog } from '../../../src/core/log.ts';
import { listeningPorts } from '../../support/archive/archiving.ts';
import {
  callEnd,
  dayMs,
  idOf,
  insertPolicy,
  insertRecording,
  oldCatalogue,
} from '../../support/catalogue/catalogueRows.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const clock = { now: (): number => callEnd };
let count = 0;
let file = '';
let catalogue: Catalogue;

beforeEach(() => {
  file = folder.path(`catalogue-${(count += 1)}.db`);
});
afterEach(() => {
  catalogue.close();
});

const ends = [
  { purpose: 'training', keepUntil: callEnd + 28 * dayMs },
  { purpose: 'agreement', keepUntil: callEnd + 395 * dayMs },
];

describe('the migration to ends of purposes', () => {
  /** A catalogue of schema 1 with these rows, opened by this version. */
  function migrated(write: (database: Database) => void): void {
    const old = oldCatalogue(file, 1);
    insertPolicy(old, 'one', { training: 28, agreement: 395 });
    write(old);
    old.close();
    catalogue = openCatalogue(file, clock);
  }

  test.each(['recorded', 'archived', 'failed', 'erased'])('gives a recording that is %s its ends', async (status) => {
    migrated((old) => {
      insertRecording(old, { number: 1, status, keepUntil: callEnd + 395 * dayMs });
    });
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
    expect((await catalogue.recordings.find(idOf(1)))?.keepUntil).toBe(callEnd + 395 * dayMs);
  });

  test('takes the days of the policy that each call was made under', async () => {
    migrated((old) => {
      insertPolicy(old, 'two', { training: 7, agreement: 395 });
      insertRecording(old, { number: 1, status: 'archived', keepUntil: callEnd + 395 * dayMs });
      insertRecording(old, { number: 2, status: 'archived', keepUntil: callEnd + 395 * dayMs, policy: 'two' });
      insertRecording(old, {
        number: 3,
        status: 'archived',
        keepUntil: callEnd + 28 * dayMs,
        keepDays: 28,
        purposes: ['training'],
      });
    });
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
    expect((await catalogue.recordings.purposeEnds(idOf(2)))[0]).toEqual({
      purpose: 'training',
      keepUntil: callEnd + 7 * dayMs,
    });
    expect(await catalogue.recordings.purposeEnds(idOf(3))).toEqual([ends[0]]);
  });

  test('lets a purpose that no policy knows end with the recording, never later', async () => {
    migrated((old) => {
      const row = { status: 'archived', keepUntil: callEnd + 28 * dayMs, keepDays: 28 };
      insertRecording(old, { number: 1, ...row, policy: 'lost' });
      insertRecording(old, { number: 2, ...row, purposes: ['agreement'] });
    });
    const all = [
      ...(await catalogue.recordings.purposeEnds(idOf(1))),
      ...(await catalogue.recordings.purposeEnds(idOf(2))),
    ];
    expect(all.map(({ keepUntil }) => keepUntil)).toEqual(Array(3).fill(callEnd + 28 * dayMs));
  });

  test('leaves a recording that is not finished to be finished', async () => {
    migrated((old) => {
      insertRecording(old, { number: 1 });
      insertRecording(old, { number: 2, status: 'lost' });
    });
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual([]);
    const spoolFolder = folder.path('spool');
    await mkdir(spoolFolder);
    const wav = spoolFile(spoolFolder, idOf(1));
    await writeFile(wav, toneWav(440));
    await utimes(wav, callEnd / 1_000, callEnd / 1_000);
    const log = makeLog('silent');
    await finishRecordings({ catalogue, spoolFolder, clock, log, actor: 'test', ...listeningPorts() });
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
    expect(await catalogue.recordings.purposeEnds(idOf(2))).toEqual([]);
  });

  test('is done once', async () => {
    migrated((old) => {
      insertRecording(old, { number: 1, status: 'archived', keepUntil: callEnd + 395 * dayMs });
    });
    catalogue.close();
    catalogue = openCatalogue(file, clock);
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
  });
});
