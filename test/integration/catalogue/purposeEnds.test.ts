import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { openSqlite, type Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import { makeDirectoryStore } from '../../../src/store/directory/store.ts';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { spoolFile } from '../../../src/archive/finish/spool.ts';
import { openCatalogue, type Catalogue } from '../../../src/catalogue/catalogue.ts';
import { isoTime } from '../../../src/core/clock.ts';
import type { RecordingId } from '../../../src/core/ids.ts';
import { makeLog } from '../../../src/core/log.ts';
import { receiptOfRecording } from '../../../src/receipt/receipt.ts';
import { openSigner } from '../../../src/core/crypto/signing.ts';
import { makeLedger } from '../../../src/retention/certificates/ledger.ts';
import { retentionPass } from '../../../src/retention/pass.ts';
import { purposesInForce } from '../../../src/archive/purposes.ts';
import { listeningPorts } from '../../support/archive/archiving.ts';
import { decisionsIn } from '../../support/call/decisions.ts';
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
const log = makeLog('silent');
const signal = new AbortController().signal;
const keep = { training: 28, agreement: 395 };

let count = 0;
let file = '';
let spoolFolder = '';
let now = callEnd;
let catalogue: Catalogue;
const clock = { now: (): number => now };

beforeEach(async () => {
  count += 1;
  file = folder.path(`catalogue-${count}.db`);
  spoolFolder = folder.path(`spool-${count}`);
  await mkdir(spoolFolder);
  now = callEnd;
});
afterEach(() => {
  catalogue.close();
});

/** Opens the catalogue and writes rows beside it. */
function withRows(write: (database: Database) => void): void {
  catalogue = openCatalogue(file, clock);
  const database = openSqlite(file);
  write(database);
  database.close();
}

async function finish(id: RecordingId, wav: Buffer = toneWav(440)): Promise<void> {
  const file = spoolFile(spoolFolder, id);
  await writeFile(file, wav);
  await utimes(file, callEnd / 1_000, callEnd / 1_000);
  await finishRecordings({ catalogue, spoolFolder, clock, log, actor: 'test', ...listeningPorts() });
}

/** The clock of these tests jumps by months: the first pass after that only sees it. */
async function retention(): ReturnType<typeof retentionPass> {
  const store = makeDirectoryStore({ folder: folder.path(`archive-${count}`) });
  await store.check();
  await catalogue.passes.note('retention', now);

  return retentionPass(
    {
      catalogue,
      decisions: decisionsIn(folder.path(), catalogue, clock),
      store,
      spoolFolder,
      clock,
      log,
      actor: 'test',
      atOnce: 1,
      ledger: makeLedger(folder.path(`erasures-${count}.jsonl`)),
      signer: () => openSigner(folder.path('signing-key.pem')),
      trusts: () => Promise.resolve(true),
      certificatesKeptMs: 3_653 * dayMs,
      callersKeptMs: 90 * dayMs,
      dialledKeptMs: 0,
      tracesKeptMs: 395 * dayMs,
      headLock: undefined,
    },
    { dryRun: false, waitMs: 0, signal },
  );
}

const ends = [
  { purpose: 'training', keepUntil: callEnd + 28 * dayMs },
  { purpose: 'agreement', keepUntil: callEnd + 395 * dayMs },
];

describe('the migration to ends of purposes', () => {
  /** A catalogue of schema 1 with these rows, opened by this version. */
  function migrated(write: (database: Database) => void): void {
    const old = oldCatalogue(file, 1);
    insertPolicy(old, 'one', keep);
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
    await finish(idOf(1));
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

describe('a recording for two purposes', () => {
  test('gets an end for each when it is finished, and its own from the last', async () => {
    withRows((database) => {
      insertPolicy(database, 'one', keep);
      insertRecording(database, { number: 1 });
    });
    await finish(idOf(1));
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
    expect(await catalogue.recordings.find(idOf(1))).toMatchObject({
      status: 'recorded',
      keepUntil: callEnd + 395 * dayMs,
    });
  });

  test('gets them also when its file is of no use', async () => {
    withRows((database) => {
      insertPolicy(database, 'one', keep);
      insertRecording(database, { number: 1 });
    });
    await finish(idOf(1), Buffer.from('no WAV'));
    expect(await catalogue.recordings.find(idOf(1))).toMatchObject({
      status: 'failed',
      keepUntil: callEnd + 395 * dayMs,
    });
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
  });

  test('has both ends in its receipt', async () => {
    withRows((database) => {
      insertPolicy(database, 'one', keep);
      insertRecording(database, { number: 1 });
    });
    await finish(idOf(1));
    const receipt = await receiptOfRecording(catalogue, idOf(1));
    expect(receipt.purposes).toEqual([
      {
        id: 'training',
        justification: 'why training',
        legalBasis: 'law',
        keepDays: 28,
        keepUntil: isoTime(callEnd + 28 * dayMs),
      },
      {
        id: 'agreement',
        justification: 'why agreement',
        legalBasis: 'law',
        keepDays: 395,
        keepUntil: isoTime(callEnd + 395 * dayMs),
      },
    ]);
    expect(receipt.recording?.keepUntil).toBe(isoTime(callEnd + 395 * dayMs));
  });

  test('is used for each until its end, and erased at the last one', async () => {
    withRows((database) => {
      insertPolicy(database, 'one', keep);
      insertRecording(database, { number: 1 });
    });
    await finish(idOf(1));
    const state = async () => {
      const { erased } = await retention();
      const row = await catalogue.recordings.find(idOf(1));
      const listed = async (purpose: string): Promise<boolean> =>
        (await catalogue.recordings.list({ inForce: { purpose, at: now }, limit: 10 })).length === 1;

      return {
        erased,
        inForce: purposesInForce(
          row?.status ?? 'lost',
          Object.keys(keep),
          await catalogue.recordings.purposeEnds(idOf(1)),
          now,
        ),
        training: await listed('training'),
        agreement: await listed('agreement'),
      };
    };
    const both = { erased: 0, inForce: ['training', 'agreement'], training: true, agreement: true };
    const one = { erased: 0, inForce: ['agreement'], training: false, agreement: true };
    expect(await state()).toEqual(both);
    now = callEnd + 28 * dayMs - 1;
    expect(await state()).toEqual(both);
    now = callEnd + 28 * dayMs;
    expect(await state()).toEqual(one);
    now = callEnd + 395 * dayMs - 1;
    expect(await state()).toEqual(one);
    now = callEnd + 395 * dayMs;
    expect(await state()).toEqual({ erased: 1, inForce: [], training: false, agreement: false });
    expect((await catalogue.recordings.find(idOf(1)))?.status).toBe('erased');
    expect(await catalogue.recordings.purposeEnds(idOf(1))).toEqual(ends);
  });

  test('is not erased while one of its purposes lasts, whatever its own row says', async () => {
    withRows((database) => {
      insertPolicy(database, 'one', keep);
      insertRecording(database, { number: 1, status: 'recorded', keepUntil: callEnd });
      database
        .prepare('INSERT INTO recording_purposes (recording_id, purpose, keep_until) VALUES (?, ?, ?)')
        .run(idOf(1), 'agreement', callEnd + dayMs);
    });
    expect((await retention()).due).toBe(0);
    now = callEnd + dayMs;
    expect((await retention()).erased).toBe(1);
  });
});

test('a recording that was erased before its ends is listed for none', async () => {
  withRows((database) => {
    insertPolicy(database, 'one', keep);
    insertRecording(database, { number: 1 });
  });
  await finish(idOf(1));
  await catalogue.recordings.move(idOf(1), 'recorded', 'erased', {}, { event: 'erased on request', actor: 'test' });
  expect(await catalogue.recordings.list({ inForce: { purpose: 'agreement', at: now }, limit: 10 })).toEqual([]);
});

test('a recording under way is listed for its purposes, and for no other', async () => {
  withRows((database) => {
    insertPolicy(database, 'one', keep);
    insertRecording(database, { number: 1, purposes: ['training'] });
    insertRecording(database, { number: 2, purposes: ['training'], status: 'discarded' });
  });
  const listed = async (purpose: string): Promise<string[]> =>
    (await catalogue.recordings.list({ inForce: { purpose, at: now }, limit: 10 })).map(({ id }) => id);
  expect(await listed('training')).toEqual([idOf(1)]);
  expect(await listed('agreement')).toEqual([]);
});
