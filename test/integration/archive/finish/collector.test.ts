import { createHash } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Collector } from '../../../../src/archive/finish/collector.ts';
import { finishRecordings, takeUp } from '../../../../src/archive/finish/finish.ts';
import type { AriStored } from '../../../../src/ari/storedRecordings.ts';
import { PreavisError } from '../../../../src/core/errors.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { catalogues } from '../../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

/**
 * What an Asterisk on another machine has, in memory: a real one does not give other bytes when it is read again, and nothing that was
 * removed comes back. With a real one: test/acceptance/archive/collected.test.ts.
 */
type There = Map<string, Buffer>;

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

async function remote(over: Partial<AriStored> = {}) {
  const set = await archiveStage(folder.path(`${(stages += 1)}`), open);
  const there: There = new Map();
  const live = new Set<string>();
  const stored: AriStored = {
    list: () =>
      Promise.resolve(
        [...there.keys()].map((file) => {
          const dot = file.lastIndexOf('.');
          return { name: file.slice(0, dot), format: file.slice(dot + 1) };
        }),
      ),
    read: (name) => {
      const bytes = [...there].find(([file]) => file.startsWith(`${name}.`))?.[1];
      if (bytes === undefined) return Promise.reject(new PreavisError('ari_not_found', 'not found'));
      return Promise.resolve({ bytes: bytes.length, chunks: chunks(bytes) });
    },
    remove: (name) => Promise.resolve(there.delete(`${name}.wav`)),
    ...over,
  };
  const collector = new Collector({
    ...set,
    stored,
    ari: {
      isRecording: (name) => Promise.resolve(live.has(name)),
      hasRecording: (name) => Promise.resolve(there.has(`${name}.wav`)),
    },
    ids: { channel: () => 'preavis-0123456789ABCDEFGHJKMNPQRS' as ChannelId },
  });
  const ports = { ...set, collected: collector };
  /** A recording whose call has ended, and whose file is at Asterisk. */
  const recorded = async (): Promise<Awaited<ReturnType<ArchiveStage['recorded']>> & { name: string }> => {
    const call = await set.recorded();
    await rm(call.file);
    const name = `preavis-${call.id}`;
    there.set(`${name}.wav`, call.wav);

    return { ...call, name };
  };
  const collect = (): Promise<void> => collector.collect({ sweep: true });

  return { ...set, set: ports, stored, collector, there, live, recorded, collect };
}

async function* chunks(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 1_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000));
}

test('a recording is finished only once it was copied, compared and removed at Asterisk', async () => {
  const { set, collector, there, recorded, collect } = await remote();
  const { id, wav, file } = await recorded();
  await finishRecordings(set);
  expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
  await collect();
  expect(await readFile(file)).toEqual(wav);
  expect(there.size).toBe(0);
  expect(collector.isWhole({ id, status: 'recording' })).toBe(true);
  await finishRecordings(set);
  const sha256 = createHash('sha256').update(wav).digest('hex');
  // By our clock the copy was made long after the recorder's end.
  expect(await set.catalogue.recordings.find(id)).toMatchObject({
    status: 'recorded',
    sha256,
    flags: ['shorter_than_expected'],
  });
  const detail = { file: `preavis-${id}.wav`, bytes: wav.length, sha256 };
  expect(await set.catalogue.auditTrail.of(id)).toContainEqual(
    expect.objectContaining({ event: 'collected from Asterisk', detail }),
  );
});

test('what is still recorded, belongs to a call that is on, or to nobody here, is left at Asterisk', async () => {
  const { there, live, recorded, collect, spoolFolder } = await remote();
  const { name } = await recorded();
  live.add(name);
  there.set('preavis-01KB0000000000000000000000.wav', Buffer.from('of another catalogue'));
  there.set('custom/greeting.wav', Buffer.from('of the operator'));
  there.set('preavis-prompt-01KB0000000000000000000000.wav', Buffer.from('a take'));
  await collect();
  expect(there.size).toBe(4);
  expect(await readdir(spoolFolder)).toEqual([]);
});

test('a recording of which two readings differ stays at Asterisk, and comes whole with a later pass', async () => {
  let readings = 0;
  const at = await remote();
  const read = at.stored.read.bind(at.stored);
  at.stored.read = async (name, signal) => {
    const got = await read(name, signal);
    readings += 1;

    return readings === 2 ? { ...got, chunks: chunks(Buffer.alloc(got.bytes ?? 0)) } : got;
  };
  const { id, wav, file } = await at.recorded();
  await at.collect();
  expect([at.there.size, at.collector.isWhole({ id, status: 'recording' })]).toEqual([1, false]);
  expect(at.lines).toContainEqual(expect.objectContaining({ code: 'recording_unsettled', recording: id }));
  await finishRecordings(at.set);
  expect(await at.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
  await at.collect();
  expect(await readFile(file)).toEqual(wav);
  expect([at.there.size, await readdir(at.spoolFolder)]).toEqual([0, [`preavis-${id}.wav`]]);
});

test('a recording that comes short of what was announced stays at Asterisk', async () => {
  const at = await remote();
  const read = at.stored.read.bind(at.stored);
  at.stored.read = async (name, signal) => ({ ...(await read(name, signal)), bytes: 1_000_000 });
  await at.recorded();
  await at.collect();
  expect([at.there.size, at.lines.map(({ code }) => code)]).toEqual([1, ['recording_unsettled']]);
});

test('what was refused is removed at Asterisk and never copied', async () => {
  const at = await remote();
  const refused = await at.recorded();
  const other = await at.recorded();
  const note = { event: 'refused', actor: 'test' };
  await at.catalogue.recordings.move(refused.id, 'recording', 'discarded', { failure: 'refused' }, note);
  await at.collect();
  expect([...at.there.keys()]).toEqual([]);
  expect(await readdir(at.spoolFolder)).toEqual([`preavis-${other.id}.wav`]);
  const events = (await at.catalogue.auditTrail.of(refused.id)).map(({ event }) => event);
  expect(events.at(-1)).toBe('removed at Asterisk');
});

test('a file that comes back at Asterisk is removed again, and nothing is written over what was finished', async () => {
  const at = await remote();
  const { id, wav, file, name } = await at.recorded();
  await at.collect();
  await finishRecordings(at.set);
  await writeFile(file, 'what became of it');
  at.there.set(`${name}.wav`, wav);
  await at.collect();
  expect(at.there.size).toBe(0);
  expect(await readFile(file, 'utf8')).toBe('what became of it');
  at.there.set(`${name}.wav`, Buffer.from('something else'));
  await at.collect();
  expect(at.there.size).toBe(1);
  expect(at.lines).toContainEqual(expect.objectContaining({ code: 'recording_unsettled', recording: id }));
  await at.collect();
  expect(at.lines.filter(({ code }) => code === 'recording_unsettled')).toHaveLength(1);
});

test('the last copy of a recording is not removed at Asterisk because an earlier one was noted', async () => {
  const at = await remote();
  const { wav, file, name } = await at.recorded();
  await at.collect();
  await finishRecordings(at.set);
  await rm(file);
  at.there.set(`${name}.wav`, wav);
  await at.collect();
  expect(at.there.size).toBe(1);
});

test('a lost recording that is found at Asterisk is brought and taken up', async () => {
  const at = await remote();
  const { id, wav, name } = await at.recorded();
  at.there.clear();
  await at.collect();
  await finishRecordings(at.set);
  expect(await at.catalogue.recordings.find(id)).toMatchObject({ status: 'lost' });
  at.there.set(`${name}.wav`, wav);
  await at.collect();
  await takeUp(id, at.set);
  expect(await at.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', failure: null });
});

test('while Asterisk does not answer nothing counts as lost, and it is said once', async () => {
  const at = await remote();
  const { id } = await at.recorded();
  const list = at.stored.list.bind(at.stored);
  at.stored.list = () => Promise.reject(new PreavisError('ari_unreachable', 'away'));
  await at.collect();
  await at.collect();
  await finishRecordings(at.set);
  expect(await at.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
  expect(at.lines.map(({ msg }) => msg)).toEqual(['recordings not collected from Asterisk; will retry']);
  at.stored.list = list;
  await at.collect();
  expect(at.there.size).toBe(0);
});

test('nothing is removed where the spool turns out to be the folder of this Asterisk', async () => {
  const at = await remote();
  const { wav, name } = await at.recorded();
  const has = at.there.has.bind(at.there);
  at.there.has = (file) => file.endsWith('-probe.wav') || has(file);
  await at.collect();
  expect(at.there.get(`${name}.wav`)).toEqual(wav);
  expect(at.lines).toContainEqual(expect.objectContaining({ code: 'spool_unusable' }));
});

test('what a killed process has left of a copy is removed', async () => {
  const at = await remote();
  await writeFile(join(at.spoolFolder, 'preavis-01KB0000000000000000000000.wav.collecting'), 'half');
  await at.collect();
  expect(await readdir(at.spoolFolder)).toEqual([]);
});
