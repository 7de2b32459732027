import { discardFilesIn } from '../../../../src/archive/finish/discardFiles.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { finishRecordings } from '../../../../src/archive/finish/finish.ts';
import { endForgotten, unendedRecordings, type Forgetful } from '../../../../src/archive/finish/forgottenCalls.ts';
import { serveLease } from '../../../../src/catalogue/jobs/leases.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { ChannelId, RecordingId } from '../../../../src/core/ids.ts';
import { beside, onlyServe } from '../../../support/catalogue/holders.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { callStart, eventsTo } from '../../../support/call/calls.ts';
import { catalogues, servedLast } from '../../../support/catalogue/catalogues.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const unwatchedSeconds = 30;
const tenMinutes = 600_000;
const forgotten = unwatchedSeconds * 1_000 + tenMinutes;

type Facts = Parameters<typeof eventsTo>[1];
type Given = { mode?: 'announce' | 'optOut'; events?: (facts: Facts) => CallEvent[]; writtenAt?: number };

const talking = (facts: Facts): CallEvent[] => eventsTo('talking', facts);
/** The recorder was ended for a transfer, and they talk on. */
const transferred = (facts: Facts): CallEvent[] => [
  ...talking(facts),
  { type: 'thirdPartyJoined', channel: 'stranger' as ChannelId },
  { type: 'recorderFinished', at: callStart + 50_000 },
];

/** A recorded talk that is open in the catalogue, 30 s of it in the file, and a serve that was last there at its last sound. */
async function stage({ mode = 'announce', events = talking, writtenAt = callStart + 51_000 }: Given = {}) {
  const at = folder.path(`${(stages += 1)}`);
  const catalogueFile = join(at, 'catalogue.db');
  const set = await archiveStage(at, open);
  const recorded = await set.recorded(toneWav(440, 30_000), { shape: { mode }, events });
  await utimes(recorded.file, writtenAt / 1_000, writtenAt / 1_000);
  await set.catalogue.timeline.saveWatchedUntil(writtenAt);
  await servedLast(catalogueFile, writtenAt);
  const recording = { spoolFolder: set.spoolFolder, unwatchedSeconds } as Forgetful['recording'];
  const forgetful = { recording, serve: onlyServe };
  const unended = (): Promise<RecordingId[]> => unendedRecordings(set.catalogue, forgetful);
  /** As `preavis upload` does. */
  const pass = async (): Promise<void> => {
    await endForgotten(set.catalogue, forgetful, { now: set.clock.now(), actor: 'command' });
    await finishRecordings(set);
  };
  const isOpen = async (): Promise<boolean> => (await set.catalogue.journal.open()).length > 0;

  return { set, catalogueFile, ...recorded, writtenAt, unended, pass, isOpen };
}

const rowOf = async (set: ArchiveStage, id: RecordingId) => await set.catalogue.recordings.find(id);

test('a recorded talk that a serve has left open is ended ten minutes beyond the limit of unwatched recorders', async () => {
  const { set, id, writtenAt, unended, pass, isOpen } = await stage();
  set.clock.at = writtenAt;
  expect(await unended()).toEqual([id]);
  set.clock.at = writtenAt + forgotten - 1;
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[id], true]);
  set.clock.at = writtenAt + forgotten;
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[], false]);
  expect(await rowOf(set, id)).toMatchObject({
    status: 'recorded',
    finishedAt: null,
    flags: expect.arrayContaining(['end_unseen']) as string[],
  });
  expect((await set.catalogue.auditTrail.of(id)).map(({ event }) => event)).toContain(
    'call ended without a serve: nobody saw its end',
  );
});

test('beside a serve that was there a moment ago, a talk on hold or transferred long ago is not ended', async () => {
  for (const events of [talking, transferred]) {
    const { set, catalogueFile, id, writtenAt, unended, pass, isOpen } = await stage({ mode: 'optOut', events });
    set.clock.at = writtenAt + 20 * 60_000;
    // It is being restarted just now.
    await servedLast(catalogueFile, set.clock.at - 2_000);
    await pass();
    expect([await unended(), await isOpen(), (await rowOf(set, id))?.status]).toEqual([[id], true, 'recording']);
  }
});

test('a serve that is there sees to its calls itself: none is named', async () => {
  const { set, catalogueFile, writtenAt, unended, pass, isOpen } = await stage({ events: transferred });
  set.clock.at = writtenAt + 20 * 60_000;
  await set.catalogue.leases.take(serveLease(onlyServe), beside(process.ppid));
  await servedLast(catalogueFile, set.clock.at - 2_000);
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[], true]);
});

test('a serve that starts again and again, and never comes to serve, keeps no talk open for ever', async () => {
  const { set, id, writtenAt, unended, pass, isOpen } = await stage();
  set.clock.at = writtenAt + forgotten;
  const starting = await set.catalogue.leases.take(serveLease(onlyServe), beside(process.ppid));
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[id], true]);
  if (starting.kind === 'taken') await set.catalogue.leases.release(starting.turn);
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[], false]);
});

test('a serve whose clock was ahead counts only until another one serves', async () => {
  const { set, catalogueFile, writtenAt, pass, isOpen } = await stage();
  await servedLast(catalogueFile, writtenAt + 60 * 86_400_000);
  await servedLast(catalogueFile, writtenAt);
  set.clock.at = writtenAt + forgotten;
  await pass();
  expect(await isOpen()).toBe(false);
});

test('where none has served since, it counts from when the clock was right', async () => {
  const { set, catalogueFile, writtenAt, pass, isOpen } = await stage();
  await servedLast(catalogueFile, writtenAt + 60 * 86_400_000);
  set.clock.at = writtenAt + forgotten;
  await pass();
  expect(await isOpen()).toBe(true);
  set.clock.at += forgotten;
  await pass();
  expect(await isOpen()).toBe(false);
});

test('a process that has the number of a serve from before this boot is another one', async () => {
  const { set, catalogueFile, id, writtenAt, unended, pass, isOpen } = await stage();
  const booted = (boot: string) => ({ now: () => set.clock.at, sinceBoot: () => ({ boot, ms: 1_000 }) });
  set.clock.at = writtenAt;
  await open(catalogueFile, booted('the boot before')).leases.take(serveLease(onlyServe), beside(process.ppid));
  set.clock.at = writtenAt + forgotten;
  set.clock.sinceBoot = () => ({ boot: 'this boot', ms: 500 });
  expect(await unended()).toEqual([id]);
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[], false]);
});

test('a serve that was stopped for long goes on with its calls when it is continued: they are named, and not ended', async () => {
  const { set, id, writtenAt, unended, pass, isOpen } = await stage();
  const serve = spawn('sleep', ['60']);
  try {
    set.clock.at = writtenAt;
    await set.catalogue.leases.take(serveLease(onlyServe), beside(serve.pid ?? 0));
    set.clock.at = writtenAt + 20 * 60_000;
    await pass();
    expect([await unended(), await isOpen()]).toEqual([[id], true]);
  } finally {
    serve.kill('SIGKILL');
    await once(serve, 'exit');
  }
  await pass();
  expect([await unended(), await isOpen()]).toEqual([[], false]);
});

test('where nothing tells when a serve was last there, ten minutes count from the first look', async () => {
  const { set, writtenAt, pass, isOpen } = await stage();
  const database = new Database(folder.path(`${stages}/catalogue.db`));
  database.prepare(`DELETE FROM leases`).run();
  database.close();
  set.clock.at = writtenAt + 24 * 60 * 60_000;
  await pass();
  expect(await isOpen()).toBe(true);
  set.clock.at += forgotten;
  await pass();
  expect(await isOpen()).toBe(false);
});

test('one whose file is of the future is named, as is one whose file is gone, and one that has no row', async () => {
  const ahead = await stage({ writtenAt: callStart + 60 * 86_400_000 });
  ahead.set.clock.at = callStart + 60_000;
  expect(await ahead.unended()).toEqual([ahead.id]);
  await ahead.pass();
  expect(await ahead.isOpen()).toBe(true);
  const gone = await stage();
  await unlink(gone.file);
  expect(await gone.unended()).toEqual([gone.id]);
  // The recorder was asked for, and serve died before that was written down.
  const without = await stage({ events: (facts) => eventsTo('dialling', facts) });
  without.set.clock.at = without.writtenAt + forgotten;
  expect(await rowOf(without.set, without.id)).toBeUndefined();
  await without.pass();
  expect(await without.unended()).toEqual([without.id]);
  await rename(without.file, `${without.file}.away`);
  expect(await without.unended()).toEqual([]);
});

test('a row that cannot be read keeps none from being ended', async () => {
  const { set, id, writtenAt, unended, pass } = await stage();
  const database = new Database(folder.path(`${stages}/catalogue.db`));
  database.prepare(`UPDATE recordings SET flags = '{}' WHERE id = ?`).run(id);
  database.close();
  set.clock.at = writtenAt + forgotten;
  await pass();
  expect(await unended()).toEqual([]);
});

test('of one that Asterisk has ended since nobody watched, the flag says so', async () => {
  const { set, id, file, writtenAt, pass } = await stage();
  const endedAt = writtenAt + unwatchedSeconds * 1_000;
  await utimes(file, endedAt / 1_000, endedAt / 1_000);
  set.clock.at = endedAt + forgotten;
  await pass();
  expect((await rowOf(set, id))?.flags).toEqual(expect.arrayContaining(['unwatched_too_long', 'unwatched_blanked']));
  const sooner = await stage();
  sooner.set.clock.at = sooner.writtenAt + forgotten;
  await sooner.pass();
  expect((await rowOf(sooner.set, sooner.id))?.flags).not.toContain('unwatched_too_long');
});

test('one whose caller could refuse by a key is removed: they may have done so unheard', async () => {
  const { set, id, file, writtenAt, pass } = await stage({ mode: 'optOut' });
  set.clock.at = writtenAt + forgotten;
  await pass();
  expect(await rowOf(set, id)).toMatchObject({ status: 'discarded', failure: 'keys_unheard', flags: ['keys_unheard'] });
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('one with a discard file has ended as its reason says, and is discarded', async () => {
  const { set, id, pass, writtenAt, facts } = await stage({ mode: 'optOut' });
  await discardFilesIn(set.spoolFolder).write(id, { why: 'refused', digits: '*9', at: callStart + 40_000 });
  set.clock.at = writtenAt + forgotten;
  await pass();
  expect(await rowOf(set, id)).toMatchObject({ status: 'discarded', failure: 'refused' });
  const call = await set.catalogue.calls.find(facts.id);
  expect(call).toMatchObject({ result: 'unrecorded', reason: 'refused', consent: { answer: 'refused' } });
});

test('what a worker has left is not ended while one serve alone has all calls', async () => {
  const { set, facts, catalogueFile, pass, isOpen, unended } = await stage();
  const database = new Database(catalogueFile);
  database.prepare(`UPDATE calls SET application = 'preavis-b' WHERE id = ?`).run(facts.id);
  database.close();
  set.clock.at = callStart + 20 * 60_000;
  await set.catalogue.leases.noteServing({ ...onlyServe, application: 'preavis-b' }, beside(process.ppid));
  set.clock.at += forgotten + 1;
  await set.catalogue.leases.take(serveLease(onlyServe), beside(process.ppid));
  await set.catalogue.leases.noteServing(onlyServe, beside(process.ppid));
  await pass();
  expect([await isOpen(), await unended()]).toEqual([true, []]);
});

test.each(['preavis-b', 'another'])(
  'the calls of %s are its own affair, and are ended where it is no more',
  async (application) => {
    const [here, gone] = [await stage(), await stage()];
    const serve = { ...onlyServe, application };
    for (const { set, facts, catalogueFile } of [here, gone]) {
      // As it has saved it.
      const database = new Database(catalogueFile);
      database.prepare(`UPDATE calls SET application = ? WHERE id = ?`).run(application, facts.id);
      database.close();
      set.clock.at = callStart + 20 * 60_000;
      await set.catalogue.leases.noteServing(serve, beside(process.ppid));
      set.clock.at += forgotten + 1;
    }
    await here.set.catalogue.leases.take(serveLease(serve), beside(process.ppid));
    await here.set.catalogue.leases.noteServing(serve, beside(process.ppid));
    for (const { pass } of [here, gone]) await pass();
    expect([await here.isOpen(), await here.unended()]).toEqual([true, []]);
    expect([await gone.isOpen(), await gone.unended()]).toEqual([false, []]);
  },
);
