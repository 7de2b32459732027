import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqlite, type Database } from '../../../src/catalogue/sqlite/sqlite.ts';
import { countingIds, someFacts, stateAt } from '../../support/call/calls.ts';
import { catalogues, saveCall } from '../../support/catalogue/catalogues.ts';
import { elsewhere } from '../../support/catalogue/holders.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let files = 0;
const newFile = (): string => folder.path(`${(files += 1)}.db`);
const note = { event: 'test', actor: 'test' };

// What does not depend on SQLite stands in callContract.ts.

/** A second look at the file, past the catalogue's interface. */
function peek<T>(file: string, look: (database: Database) => T): T {
  const database = openSqlite(file);
  try {
    return look(database);
  } finally {
    database.close();
  }
}

test('a dial string is not legible in the bytes of the file once its call has ended', async () => {
  const file = newFile();
  const catalogue = open(file);
  const to = 'PJSIP/zebra';
  const made = someFacts(countingIds());
  const facts = { ...made, order: { ...made.order, request: { ...made.order.request, to } } };
  await catalogue.journal.save(stateAt('talking', facts));
  expect(peek(file, (database) => database.prepare('SELECT state FROM calls').pluck().get())).toContain(to);
  await catalogue.journal.save(stateAt('ended', facts));
  // Closing brings the write-ahead log into the file.
  catalogue.close();
  expect((await readFile(file)).includes(to)).toBe(false);
});

describe('a catalogue that another process is writing to', () => {
  const lock = (file: string): Database => {
    const writer = openSqlite(file);
    writer.exec('BEGIN IMMEDIATE');

    return writer;
  };

  test('is opened and read beside it', async () => {
    const file = newFile();
    const { facts } = await saveCall(open(file), { until: 'dialling' });
    const writer = lock(file);
    try {
      expect((await open(file).calls.find(facts.id))?.phase).toBe('dialling');
    } finally {
      writer.close();
    }
  });

  test('makes a step wait its turn, while everything else in this process goes on', async () => {
    const file = newFile();
    const catalogue = open(file);
    const { facts } = await saveCall(catalogue, { until: 'dialling' });
    const writer = lock(file);
    let done = false;
    const saving = catalogue.journal.save(stateAt('talking', facts)).then(() => {
      done = true;
    });
    // SQLite itself waits for 100 ms at a time; in between there must be room for the other calls.
    // Twenty turns, one behind each of its waits, are over before it gives up after ten seconds.
    for (let turns = 0; turns < 20; turns += 1) await sleep(5);
    expect(done).toBe(false);
    expect((await catalogue.calls.find(facts.id))?.phase).toBe('dialling');
    writer.exec('COMMIT');
    writer.close();
    await saving;
    expect((await catalogue.calls.find(facts.id))?.phase).toBe('talking');
  });

  test('for longer than ten seconds is catalogue_unusable, so that calls go on without it', async () => {
    const file = newFile();
    const catalogue = open(file);
    const { facts } = await saveCall(catalogue, { until: 'dialling' });
    const writer = lock(file);
    const began = performance.now();
    try {
      await expect(catalogue.journal.save(stateAt('talking', facts))).rejects.toMatchObject({
        code: 'catalogue_unusable',
        message: 'the catalogue refused a step (SQLITE_BUSY)',
      });
    } finally {
      writer.close();
    }
    expect(performance.now() - began).toBeGreaterThan(9_900);
    expect((await catalogue.calls.find(facts.id))?.phase).toBe('dialling');
  });
});

describe('a closed or broken database', () => {
  test('is catalogue_unusable in every method that asks it', async () => {
    const file = newFile();
    const catalogue = open(file);
    const { id } = await saveCall(catalogue);
    const state = stateAt('dialling', someFacts(countingIds()));
    peek(file, (database) => database.exec('DROP TABLE leases; DROP TABLE notices; DROP TABLE audit'));
    const unusable = { code: 'catalogue_unusable' };
    await expect(catalogue.journal.save(state)).rejects.toMatchObject(unusable);
    await expect(catalogue.leases.take('upload', elsewhere())).rejects.toMatchObject(unusable);
    await expect(catalogue.auditTrail.of(id)).rejects.toMatchObject(unusable);
    await expect(catalogue.recordings.move(id, 'recording', 'recorded', {}, note)).rejects.toMatchObject(unusable);
    expect((await catalogue.recordings.find(id))?.status).toBe('recording');
  });
});
