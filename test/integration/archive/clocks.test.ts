import { utimes } from 'node:fs/promises';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { doubtStepped } from '../../../src/retention/doubts.ts';
import { doubtRaised } from '../../../src/catalogue/retention/clockDoubts.ts';
import type { SinceBoot } from '../../../src/core/clock.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart } from '../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd } from '../../support/catalogue/catalogues.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

/** From when a recording is kept where clocks disagree, with each witness in its real place: catalogue, audit trail, file. */

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

const off = 60 * dayMs;
const keepMs = 28 * dayMs;
const now = callStart + 200_000;
const boot = (ms: number): SinceBoot => ({ boot: '5f0c1c52-0d57-4d3c-a0a5-6a1e7c7f8a11', ms });

type Trial = {
  /** Of what is done before the recording is finished. */
  prepare: (set: ArchiveStage) => Promise<{ id: string; file: string }> | { id: string; file: string };
  keptFrom: number;
};

const touch = (file: string, at: number): Promise<void> => utimes(file, at / 1_000, at / 1_000);

const trials: Record<string, Trial> = {
  // Asterisk, and that alone, was 60 days behind: all of ours is later.
  'the id': {
    prepare: (set) => {
      set.clock.at = now + off;
      return set.recorded(undefined, { idsAt: callStart + off });
    },
    keptFrom: now + off,
  },
  'what our clock said when the end was heard of': {
    prepare: (set) => {
      set.clock.at = now + off;
      return set.recorded(undefined, { heard: { at: recorderEnd + off, sinceBoot: undefined } });
    },
    // The line of the audit trail was written at the end of this trial's clock.
    keptFrom: now + off,
  },
  'the file': {
    prepare: async (set) => {
      const made = await set.recorded();
      set.clock.at = now + off;
      await touch(made.file, recorderEnd + off);
      return made;
    },
    keptFrom: recorderEnd + off,
  },
  'a file that is later than anything can be': {
    prepare: async (set) => {
      const made = await set.recorded();
      await touch(made.file, recorderEnd + off);
      return made;
    },
    // What is later than the line that is written now does not count; the first line of the trail is the latest that does.
    keptFrom: now,
  },
  'its age by the clock that nobody can set': {
    prepare: async (set) => {
      const made = await set.recorded(undefined, { heard: { at: recorderEnd, sinceBoot: boot(500_000) } });
      set.clock.at = now + off;
      // A minute later, by that clock.
      Object.assign(set.clock, { sinceBoot: () => boot(500_000 + now - recorderEnd) });
      return made;
    },
    keptFrom: recorderEnd + off,
  },
  'the line of the audit trail before its own': {
    prepare: async (set) => {
      set.clock.at = now + off;
      await set.recorded();
      await finishRecordings(set);
      set.clock.at = now;
      return set.recorded();
    },
    keptFrom: now,
  },
  'a clock that was put back before it is finished': {
    prepare: async (set) => {
      const made = await set.recorded();
      set.clock.at = now - off;
      return made;
    },
    // Nothing is as early as the line that is written now: the longest keeping is left.
    keptFrom: now,
  },
  'its own line of the audit trail': {
    prepare: async (set) => {
      set.clock.at = now - off;
      const made = await set.recorded();
      set.clock.at = now;
      return made;
    },
    keptFrom: recorderEnd,
  },
};

describe('a recording is kept from the latest that can be, and a human is asked, by', () => {
  test.each(Object.entries(trials))('%s', async (_, { prepare, keptFrom }) => {
    const set = await stage();
    const { id } = await prepare(set);
    let apart = 0;
    await finishRecordings({ ...set, clockIsOff: () => (apart += 1) });
    const row = await set.catalogue.recordings.find(id);
    expect(row).toMatchObject({ status: 'recorded', keptFrom, keepUntil: keptFrom + keepMs });
    expect(row?.flags).toContain('clock_doubtful');
    expect(apart).toBe(1);
    const [doubt] = (await set.catalogue.clockDoubts.open('', 10)).filter((each) => each.recording === id);
    expect(doubt?.apartMs).toBeGreaterThan(off - 300_000);
    expect(doubt?.witnesses).toMatchObject({ events: recorderEnd, file: expect.any(Number) as number });
    expect((await set.catalogue.auditTrail.of(id as never)).at(-1)).toMatchObject({ event: doubtRaised });
    expect(set.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', recording: id, apartMs: doubt?.apartMs }),
    );
  });
});

test('one whose end nobody heard of is asked about as well where the clock is set after it was finished', async () => {
  const set = await stage();
  const [signal, sinceBoot] = [new AbortController().signal, { ms: 500_000 }];
  Object.assign(set.clock, { sinceBoot: () => boot(sinceBoot.ms) });
  set.clock.at = now;
  const { id } = await set.recorded();
  await finishRecordings(set);
  const asked = async () => (await set.catalogue.clockDoubts.open('', 10)).map(({ recording }) => recording);
  await doubtStepped(set, signal);
  expect(await asked()).toEqual([]);
  set.clock.at += off + 60_000;
  sinceBoot.ms += 60_000;
  await doubtStepped(set, signal);
  expect(await asked()).toEqual([id]);
});

test('one that holds no usable audio is flagged and counted as well', async () => {
  const set = await stage();
  set.clock.at = now + off;
  const { id } = await set.recorded(Buffer.from('no WAV'), { idsAt: callStart + off });
  let apart = 0;
  await finishRecordings({ ...set, clockIsOff: () => (apart += 1) });
  expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'failed', flags: ['clock_doubtful'] });
  expect(apart).toBe(1);
});

test('a clock that was put forward before it is finished changes nothing', async () => {
  const set = await stage();
  const { id } = await set.recorded();
  set.clock.at = now + off;
  await finishRecordings(set);
  expect(await set.catalogue.recordings.find(id)).toMatchObject({
    keptFrom: recorderEnd,
    keepUntil: recorderEnd + keepMs,
  });
  expect(await set.catalogue.clockDoubts.count()).toBe(0);
});

test('a few minutes are flagged, and nobody is asked', async () => {
  const set = await stage();
  set.clock.at = now + 600_000;
  const { id, file } = await set.recorded();
  await touch(file, recorderEnd + 300_000);
  await finishRecordings(set);
  expect(await set.catalogue.recordings.find(id)).toMatchObject({
    flags: expect.arrayContaining(['clock_differs']) as string[],
  });
  expect(await set.catalogue.clockDoubts.count()).toBe(0);
});

test('clocks that agree within a minute leave the end to Asterisk', async () => {
  const set = await stage();
  const { id, file } = await set.recorded(undefined, { heard: { at: recorderEnd + 40_000, sinceBoot: boot(1) } });
  await touch(file, recorderEnd + 59_000);
  Object.assign(set.clock, { sinceBoot: () => boot(1 + now - recorderEnd - 40_000) });
  await finishRecordings(set);
  expect(await set.catalogue.recordings.find(id)).toMatchObject({
    keptFrom: recorderEnd,
    keepUntil: recorderEnd + keepMs,
  });
  expect((await set.catalogue.recordings.find(id))?.flags).not.toContain('clock_differs');
});

test('an unusable file is kept by the same rule', async () => {
  const set = await stage();
  set.clock.at = now + off;
  const { id } = await set.recorded(Buffer.alloc(0), { idsAt: callStart + off });
  await finishRecordings(set);
  expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'failed', keptFrom: now + off });
  expect(await set.catalogue.clockDoubts.count()).toBe(1);
});
