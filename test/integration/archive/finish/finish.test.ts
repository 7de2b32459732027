import { mkdir, readFile, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { discardFilesIn } from '../../../../src/archive/finish/discardFiles.ts';
import { finishRecordings, sweepSpool, type FinishPorts } from '../../../../src/archive/finish/finish.ts';
import { spoolFile } from '../../../../src/archive/finish/spool.ts';
import { whyDiscarded } from '../../../../src/call/decide/discardReason.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { Change } from '../../../../src/call/watch/timeline.ts';
import type { ConsentMode } from '../../../../src/config/consent.ts';
import type { Presence } from '../../../../src/archive/finish/unwatchedSpans.ts';
import { isoTime } from '../../../../src/core/clock.ts';
import type { BridgeId } from '../../../../src/core/ids.ts';
import { archiveStage, type ArchiveStage } from '../../../support/archive/archiving.ts';
import { readWav, tonePresence } from '../../../support/audio/audio.ts';
import { callStart, eventsTo } from '../../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd } from '../../../support/catalogue/catalogues.ts';
import { toneWav } from '../../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

/** As Asterisk leaves it when it dies: both lengths are 0. */
function unfinished(wav: Buffer): Buffer {
  const copy = Buffer.from(wav);
  copy.writeUInt32LE(0, 4);
  copy.writeUInt32LE(0, 40);

  return copy;
}

/** The caller left, and the end of the recorder was never reported. */
const unreported = ({ order }: Parameters<typeof eventsTo>[1]): CallEvent[] => [
  ...eventsTo('closing', { order }),
  { type: 'timeUp', timer: 'recorderFinish' },
];

/** As long as the recorder ran, by the clock of Asterisk. */
const wholeMs = recorderEnd - callStart - 20_000;

describe('a recording whose recorder has ended', () => {
  test('is measured by its file, and kept from the end by the clock of Asterisk', async () => {
    const set = await stage();
    const wav = toneWav(440, wholeMs);
    const { id } = await set.recorded(wav);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recorded',
      bytes: wav.length,
      durationMs: wholeMs,
      flags: [],
      keepUntil: recorderEnd + 28 * dayMs,
    });
    expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({ event: 'file closed', to: 'recorded' });
  });

  test.each<[string, number, [Change, number | undefined][], string[]]>([
    [
      'with the holds left out',
      50_000,
      [
        ['recorderPaused', 30_000],
        ['recorderResumed', 40_010],
      ],
      [],
    ],
    ['to a hold in which it ended', 10_000, [['recorderPaused', 30_000]], []],
    [
      'in whole where a hold was not paused for',
      wholeMs,
      [
        ['held', 30_000],
        ['resumed', 40_000],
      ],
      [],
    ],
    [
      'and lacks more than its holds',
      40_000,
      [
        ['recorderPaused', 30_000],
        ['recorderResumed', 40_010],
      ],
      ['shorter_than_expected'],
    ],
    // Then nobody knows how long it should be.
    [
      'with a hold of unknown length',
      20_000,
      [
        ['recorderPaused', 30_000],
        ['recorderResumed', undefined],
      ],
      [],
    ],
  ])('is compared with the times of Asterisk: a file %s', async (_, lengthMs, changes, flags) => {
    const set = await stage();
    const { id, facts } = await set.recorded(toneWav(440, lengthMs));
    for (const [change, at] of changes) {
      const when = at === undefined ? undefined : callStart + at;
      const doneAt = callStart + (at ?? 40_010);
      await set.catalogue.journal.addToTimeline(facts.id, { kind: 'change', change, at: when, doneAt });
    }
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags });
  });

  describe('and in which nobody listened for a while', () => {
    const [from, to] = [callStart + 25_000, callStart + 30_000];

    /** From the fifth second of the recording to its tenth; gives where a tone is heard, s. */
    async function unwatched(
      presence: Presence | undefined,
      {
        waitMs = 0,
        mode = 'announce',
        heardAgainAt = to,
        lengthMs = wholeMs,
        events,
      }: {
        waitMs?: number;
        mode?: ConsentMode;
        heardAgainAt?: number | null;
        lengthMs?: number;
        events?: (facts: Parameters<typeof eventsTo>[1]) => CallEvent[];
      } = {},
    ) {
      const set = await stage();
      const { id, facts, file } = await set.recorded(toneWav(440, lengthMs), {
        shape: { mode },
        ...(events === undefined ? {} : { events }),
      });
      const bridge = 'bridge' as BridgeId;
      const interval = { from, to, heardAgainAt, why: 'process_ended' as const, bridge, parties: [] };
      await set.catalogue.journal.addToTimeline(facts.id, { kind: 'unwatched', interval });
      const ports: FinishPorts = {
        ...set,
        presence: {
          waitMs,
          of: ([first]) =>
            Promise.resolve(new Map(first === undefined || presence === undefined ? [] : [[first.id, presence]])),
        },
      };
      const heard = async (): Promise<number[]> => {
        const spans = tonePresence(readWav(await readFile(file)), 440);
        return spans.flatMap(({ startMs, endMs }) => [startMs, endMs]).map((ms) => Math.round(ms / 100) / 10);
      };
      return { set, id, facts, ports, heard };
    }
    const wholeS = Math.round(wholeMs / 100) / 10;

    test.each<[Presence | undefined]>([[undefined], ['incomplete'], ['others']])(
      'is silent there, of the same length, before it is hashed: who was there is %s',
      async (presence) => {
        const { set, id, facts, ports, heard } = await unwatched(presence);
        await finishRecordings(ports);
        expect(await heard()).toEqual([0, 4, 10, wholeS]);
        expect(await set.catalogue.recordings.find(id)).toMatchObject({
          status: 'recorded',
          durationMs: wholeMs,
          flags: ['unwatched_blanked'],
        });
        expect(await set.catalogue.timeline.unwatched(facts.id)).toMatchObject([{ from, to, judged: 'blanked' }]);
        expect(JSON.parse(await set.receiptOf(id))).toMatchObject({
          unwatched: [{ from: isoTime(from), to: isoTime(to), why: 'process_ended', judged: 'blanked' }],
        });
      },
    );

    test('is kept whole, and flagged, where only those were there who were told', async () => {
      const { set, id, facts, ports, heard } = await unwatched('onlyTold');
      await finishRecordings(ports);
      expect(await heard()).toEqual([0, wholeS]);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['unwatched'] });
      expect(await set.catalogue.timeline.unwatched(facts.id)).toMatchObject([{ judged: 'witnessed' }]);
    });

    const endedAt = callStart + 80_000;
    test.each<[string, ConsentMode, number | null]>([
      ['until 30 s before the end', 'optOut', endedAt - 30_000],
      ['until the end', 'optIn', null],
    ])('is removed where the caller could refuse by a key: %s (%s)', async (_, mode, heardAgainAt) => {
      const { set, id, ports } = await unwatched('onlyTold', { mode, heardAgainAt });
      const found: string[] = [];
      await finishRecordings({ ...ports, found: (kind) => found.push(kind) });
      expect(found).toEqual(['keys_unheard']);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'discarded',
        failure: 'keys_unheard',
        flags: ['keys_unheard'],
      });
      expect(await set.spooled()).toEqual([]);
      const steps = (await set.catalogue.auditTrail.of(id)).map(({ event }) => event);
      expect(steps.slice(-2)).toEqual(['the caller may have refused unheard', 'removed from the spool']);
    });

    test('is kept, and flagged, where a caller who could refuse talked on for longer than 30 s', async () => {
      const { set, id, ports } = await unwatched('onlyTold', { mode: 'optOut', heardAgainAt: endedAt - 30_001 });
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'recorded',
        flags: ['keys_unheard', 'unwatched'],
      });
    });

    test('is silent wherever it may lie, where the end of a hold before it was not seen', async () => {
      const { set, facts, ports, heard } = await unwatched('others', { lengthMs: wholeMs - 2_000 });
      for (const [change, at, doneAt] of [
        ['recorderPaused', callStart + 21_000, callStart + 21_005],
        ['recorderResumed', undefined, callStart + 24_000],
      ] as const) {
        await set.catalogue.journal.addToTimeline(facts.id, { kind: 'change', change, at, doneAt });
      }
      await finishRecordings(ports);
      expect(await heard()).toEqual([0, 2, 10, wholeS - 2]);
    });

    test('waits for who was there to be written down, and no longer', async () => {
      const { set, id, ports } = await unwatched('incomplete', { waitMs: 300_000 });
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
      set.clock.at += 300_000;
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'recorded',
        flags: ['unwatched_blanked'],
      });
    });

    test('waits no longer where nobody heard of the end of the recorder, nor of the call', async () => {
      const events = ({ order }: Parameters<typeof eventsTo>[1]): CallEvent[] => [
        ...eventsTo('talking', { order }),
        { type: 'callerLeft', at: undefined },
        { type: 'timeUp', timer: 'recorderFinish' },
      ];
      const { set, id, facts, ports } = await unwatched('incomplete', { waitMs: 300_000, events });
      expect(await set.catalogue.calls.find(facts.id)).toMatchObject({ endedAt: null });
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ finishedAt: null });
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
      set.clock.at += 300_000;
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'recorded',
        flags: ['unwatched_blanked', 'end_unseen'],
      });
    });

    test('says that clocks disagree when it waits no longer, and not at each look before', async () => {
      const { set, id, ports } = await unwatched('incomplete', { waitMs: 300_000 });
      set.clock.at += 120_000;
      const late = (set.clock.at - 5_000) / 1_000;
      await utimes(spoolFile(set.spoolFolder, id), late, late);
      const warned = (): number => set.lines.filter(({ msg }) => msg === 'clocks disagree about recording end').length;
      await finishRecordings(ports);
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
      expect(warned()).toBe(0);
      set.clock.at += 300_000;
      await finishRecordings(ports);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded' });
      expect(warned()).toBe(1);
    });

    test('stays silence by its judgement where the process died before it was recorded, and CEL is whole now', async () => {
      const { set, id, facts, ports, heard } = await unwatched('incomplete');
      const died = new Error('died');
      await finishRecordings({
        ...ports,
        catalogue: { ...set.catalogue, recordings: { ...set.catalogue.recordings, move: () => Promise.reject(died) } },
      });
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recording' });
      expect(await heard()).toEqual([0, 4, 10, wholeS]);
      const of: FinishPorts['presence']['of'] = (all) =>
        Promise.resolve(new Map(all.map((each) => [each.id, 'onlyTold'])));
      await finishRecordings({ ...ports, presence: { waitMs: 0, of } });
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'recorded',
        flags: ['unwatched_blanked'],
      });
      expect(await set.catalogue.timeline.unwatched(facts.id)).toMatchObject([{ judged: 'blanked' }]);
    });

    test('is left as it is by a process that read CEL before another one judged and finished it', async () => {
      const { set, id, facts, ports, heard } = await unwatched('onlyTold');
      const of: FinishPorts['presence']['of'] = async (all) => {
        await finishRecordings(ports);

        return new Map(all.map((each) => [each.id, 'others']));
      };
      await finishRecordings({ ...ports, presence: { waitMs: 0, of } });
      expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['unwatched'] });
      expect(await set.catalogue.timeline.unwatched(facts.id)).toMatchObject([{ judged: 'witnessed' }]);
      expect(await heard()).toEqual([0, wholeS]);
    });

    test.each<[ConsentMode]>([['announce'], ['optOut']])(
      'is told in the receipt where it was read late that somebody had joined, and keys were heard: %s',
      async (mode) => {
        const set = await stage();
        const { id, facts } = await set.recorded(toneWav(440, wholeMs), { shape: { mode } });
        const at = callStart + 26_000;
        await set.catalogue.journal.addToTimeline(facts.id, { kind: 'change', change: 'joined', at });
        await finishRecordings(set);
        const row = await set.catalogue.recordings.find(id);
        expect(row).toMatchObject({ status: 'recorded', flags: ['unwatched_blanked'] });
        expect(JSON.parse(await set.receiptOf(id))).toMatchObject({
          unwatched: [{ from: isoTime(at), to: null, why: 'events_late', judged: 'blanked' }],
        });
        const silent = { fromMs: at - 300 - (row?.startedAt ?? NaN), toMs: wholeMs };
        expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({
          event: 'file closed',
          detail: { silent: expect.arrayContaining([silent]) as unknown },
        });
        const month = { from: callStart - dayMs, to: callStart + dayMs, at: callStart, overdueBefore: 0 };
        expect((await set.catalogue.figures.read(month, '')).unwatched).toEqual([
          { flag: 'unwatched_blanked', recordings: 1 },
        ]);
        const before = { ...month, from: 0, to: month.from };
        expect((await set.catalogue.figures.read(before, '')).unwatched).toEqual([]);
      },
    );

    test('is not on its way while it cannot be made silent', async () => {
      const { set, id, ports } = await unwatched('others');
      await rm(spoolFile(set.spoolFolder, id));
      await mkdir(spoolFile(set.spoolFolder, id));
      await finishRecordings(ports);
      expect((await set.catalogue.recordings.find(id))?.status).not.toBe('recorded');
    });
  });

  test('but whose header Asterisk never closed is repaired and flagged', async () => {
    const set = await stage();
    const wav = toneWav(441, wholeMs);
    const { id, file } = await set.recorded(unfinished(wav));
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recorded',
      flags: ['header_repaired'],
      durationMs: wholeMs,
    });
    expect((await readFile(file)).equals(wav)).toBe(true);
  });

  test('and that is silent is kept and flagged', async () => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(0, wholeMs));
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['silent'] });
  });

  test('and that is shorter than the recorder ran is kept and flagged; the finding is counted', async () => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(440, wholeMs - 2_000));
    const found: string[] = [];
    await finishRecordings({ ...set, found: (kind) => found.push(kind) });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recorded',
      flags: ['shorter_than_expected'],
    });
    expect(found).toEqual(['shorter_than_expected']);
  });

  test('and that another process finishes meanwhile has its findings counted there, not here', async () => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(0, wholeMs));
    const found: string[] = [];
    await finishRecordings({
      ...set,
      found: (kind) => found.push(kind),
      check: async (file, options) => {
        await finishRecordings(set);
        return set.check(file, options);
      },
    });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['silent'] });
    expect(found).toEqual([]);
  });

  test('and in which only one side was heard is kept and flagged', async () => {
    const set = await stage();
    const { id, state } = await set.recorded(toneWav(440, wholeMs));
    await set.catalogue.journal.save(state, { talk: { callerMs: 40_000, destinationMs: 0 } });
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(id))?.flags).toEqual(['one_sided']);
  });

  test('and a part of whose notice could not be looked for is kept and flagged', async () => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(440, wholeMs));
    await finishRecordings({ ...set, promptsHeard: () => Promise.resolve({ prompts: [], missing: 1 }) });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['notice_not_sought'] });
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'warn', recording: id, missing: 1 }));
  });

  test('and that cannot be listened to is kept and flagged', async () => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(440, wholeMs));
    await finishRecordings({ ...set, check: () => Promise.reject(new Error('the thread is gone')) });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['unchecked'] });
  });

  /** Only its signal ends it. */
  const hangs: ArchiveStage['check'] = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reject(new Error('stopped'));
      });
    });

  test('and that cannot be listened to in time is kept and flagged', async () => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(440, wholeMs));
    await finishRecordings({ ...set, check: hangs, checkMs: 20 });
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['unchecked'] });
  });

  test('is left as it is, and so are those behind it, when everything has to stop while it is listened to', async () => {
    const set = await stage();
    const calls = [await set.recorded(), await set.recorded()];
    const stop = new AbortController();
    let checks = 0;
    const check: ArchiveStage['check'] = (file, options) => {
      checks += 1;
      setImmediate(() => {
        stop.abort();
      });
      return hangs(file, options);
    };
    await finishRecordings({ ...set, check, signal: stop.signal });
    expect(checks).toBe(1);
    for (const { id } of calls) expect((await set.catalogue.recordings.find(id))?.status).toBe('recording');
    expect(set.lines).toEqual([]);
    await finishRecordings(set);
    for (const { id } of calls) expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  });

  test.each([
    ['holds no audio', toneWav(440, 0), 'wav_empty'],
    ['holds a header only, never closed', unfinished(toneWav(440, 0)), 'wav_empty'],
    ['is no WAV', Buffer.from('not a WAV at all, but long enough to be one by its size'), 'wav_invalid'],
    ['is empty', Buffer.alloc(0), 'wav_invalid'],
  ])('and that %s has failed; the file is kept as it is until its time is over', async (_, content, code) => {
    const set = await stage();
    const { id, file } = await set.recorded(content);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'failed',
      failure: code,
      keepUntil: recorderEnd + 28 * dayMs,
    });
    expect((await readFile(file)).equals(content)).toBe(true);
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'error', recording: id, code }));
  });

  test('and whose file is missing is lost, and the log raises the alarm', async () => {
    const set = await stage();
    const { id, file } = await set.recorded();
    await unlink(file);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'lost', failure: 'file_missing' });
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'error', recording: id }));
  });

  test('does not keep the others from being finished when it cannot be read', async () => {
    const set = await stage();
    const bad = await set.recorded(Buffer.from('no WAV'));
    const good = await set.recorded();
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(bad.id))?.status).toBe('failed');
    expect((await set.catalogue.recordings.find(good.id))?.status).toBe('recorded');
  });
});

describe('a recording whose end was never reported', () => {
  test('waits until its file has rested for fifteen seconds, and is kept from the last write', async () => {
    const set = await stage();
    const { id, file } = await set.recorded(undefined, { events: unreported });
    const written = callStart + 100_000;
    await utimes(file, written / 1_000, written / 1_000);
    set.clock.at = written + 14_999;
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recording');
    set.clock.at = written + 15_000;
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recorded',
      finishedAt: null,
      keepUntil: written + 28 * dayMs,
    });
  });

  test('does not wait for a clock that was put back', async () => {
    const set = await stage();
    const { id, file } = await set.recorded(undefined, { events: unreported });
    const written = callStart + 100_000;
    await utimes(file, written / 1_000, written / 1_000);
    set.clock.at = written - 365 * dayMs;
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recorded');
  });
});

describe('what is not finished yet', () => {
  test('is left alone: a call that talks', async () => {
    const set = await stage();
    const { id } = await set.recorded(undefined, { until: 'talking' });
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recording');
  });

  test('waits when the spool cannot be read: nothing is taken for lost', async () => {
    const set = await stage();
    const { id, file } = await set.recorded();
    await rm(set.spoolFolder, { recursive: true });
    await writeFile(set.spoolFolder, 'a file in its place');
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recording');
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'error', code: 'spool_unusable' }));
    expect(file).toContain(id);
  });

  test('waits when the spool is not there, as when a network folder is not mounted: nothing is taken for lost', async () => {
    const set = await stage();
    const { id } = await set.recorded();
    await rm(set.spoolFolder, { recursive: true });
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recording');
  });
});

describe('a recorder that ended before the talk did', () => {
  const talkEnd = callStart + 80_000;
  /** The recorder ends this long before the caller leaves. */
  const early =
    (ms: number) =>
    ({ order }: Parameters<typeof eventsTo>[1]): CallEvent[] => [
      ...eventsTo('talking', { order }),
      { type: 'recorderFinished', at: talkEnd - ms },
      { type: 'callerLeft', at: talkEnd },
    ];

  test.each([
    [2_001, ['ended_early']],
    [2_000, []],
  ])('by %i ms is flagged: %j', async (ms, flags) => {
    const set = await stage();
    const { id } = await set.recorded(toneWav(440, 60_000 - ms), { events: early(ms) });
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags });
    expect((await set.catalogue.auditTrail.of(id)).at(-1)).toMatchObject({ event: 'file closed', detail: { flags } });
  });

  /** Another serve has taken the application and ended it, and what nobody saw has no time. */
  const unseen = ({ order }: Parameters<typeof eventsTo>[1]): CallEvent[] => [
    ...eventsTo('talking', { order }),
    { type: 'recorderFinished', at: undefined },
    { type: 'callerLeft', at: talkEnd },
  ];
  test.each([
    [55_000, ['ended_early']],
    [60_000, []],
  ])('unseen is flagged by the length of its sound: %i ms of a minute give %j', async (ms, flags) => {
    const set = await stage();
    const { id, file } = await set.recorded(toneWav(440, ms), { events: unseen });
    set.clock.at = talkEnd + 60_000;
    await utimes(file, talkEnd / 1_000, talkEnd / 1_000);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags, finishedAt: null });
  });

  test('keeps a flag that it is given while it is finished', async () => {
    const set = await stage();
    const { id, file } = await set.recorded(toneWav(440, 60_000), { events: unseen });
    set.clock.at = talkEnd + 60_000;
    await utimes(file, talkEnd / 1_000, talkEnd / 1_000);
    const { catalogue } = set;
    const found: string[] = [];
    await finishRecordings({
      ...set,
      found: (kind) => found.push(kind),
      catalogue: {
        ...catalogue,
        // The last moment: its new status is on its way.
        recordings: {
          ...catalogue.recordings,
          move: async (...step) => {
            await catalogue.recordings.flagEndedUnwatched(talkEnd, 'serve', []);
            await catalogue.recordings.move(...step);
          },
        },
      },
    });
    expect(await catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', flags: ['unwatched_too_long'] });
    expect(found).toEqual(['unwatched_too_long']);
  });

  test('waits while they still talk: the caller may yet refuse', async () => {
    const set = await stage();
    const { id } = await set.recorded(undefined, { events: (facts) => early(0)(facts).slice(0, -1) });
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recording', flags: [] });
  });
});

describe('a WAV in the spool that has no row', () => {
  /** The process died after it had asked for the recorder and before it wrote that down; the caller left meanwhile. */
  const diedBefore = ({ order }: Parameters<typeof eventsTo>[1]): CallEvent[] => [
    ...eventsTo('dialling', { order }),
    { type: 'callerLeft', at: undefined },
  ];
  test('gets one when its call was told everything and is over, and is finished as any other', async () => {
    const set = await stage();
    const { id, file, facts } = await set.recorded(undefined, { events: diedBefore });
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toBeUndefined();
    await sweepSpool(set);
    const noticeFinishedAt = Math.max(
      ...(await set.catalogue.calls.notices(facts.id)).map((each) => each.finishedAt ?? 0),
    );
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recording',
      callId: facts.id,
      noticeFinishedAt,
      keepDays: 28,
      startedAt: null,
    });
    const written = callStart + 100_000;
    await utimes(file, written / 1_000, written / 1_000);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({
      status: 'recorded',
      durationMs: 1_000,
      keepUntil: written + 28 * dayMs,
    });
    expect(await set.catalogue.auditTrail.of(id)).toMatchObject([
      { event: 'found in the spool', from: null, to: 'recording' },
      { event: 'file closed', from: 'recording', to: 'recorded' },
    ]);
  });

  test('gets only one, however often it is looked for', async () => {
    const set = await stage();
    const { id } = await set.recorded(undefined, { events: diedBefore });
    await sweepSpool(set);
    await sweepSpool(set);
    expect(await set.catalogue.auditTrail.of(id)).toHaveLength(1);
  });

  // Of a call that was not told everything it is removed: sweepSpool.test.ts.
  test('gets none when its call is not over, and will write its own; the file stays', async () => {
    const set = await stage();
    const { id, file, wav } = await set.recorded(undefined, { until: 'dialling' });
    await sweepSpool(set);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toBeUndefined();
    expect((await readFile(file)).equals(wav)).toBe(true);
  });

  test('gets none when no call was to make it, and does not keep the next from being found', async () => {
    const set = await stage();
    const { id } = await set.recorded(undefined, { events: diedBefore });
    const stranger = '00000000000000000000000000' as typeof id;
    await writeFile(spoolFile(set.spoolFolder, stranger), toneWav(440));
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(stranger)).toBeUndefined();
    expect((await set.catalogue.recordings.find(id))?.status).toBe('recording');
    expect(set.lines).toEqual([]);
  });
});

test('a lost recording whose file is there again is taken up, and stays lost while it is not', async () => {
  const set = await stage();
  const { id, file, wav } = await set.recorded();
  await unlink(file);
  await finishRecordings(set);
  await sweepSpool(set);
  expect((await set.catalogue.recordings.find(id))?.status).toBe('lost');
  await writeFile(file, wav);
  await sweepSpool(set);
  expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded', bytes: wav.length });
});

describe('a recording with a discard file', () => {
  const refused = { why: 'refused', digits: '*9', at: callStart } as const;

  test.each([
    ['is gone', refused, true],
    ['is there still', { why: 'erase_asked', by: 'operator' }, false],
  ] as const)(
    'is discarded for that reason where it %s, and that goes with the next look',
    async (_, reason, isGone) => {
      const set = await stage();
      const { id, file } = await set.recorded();
      await discardFilesIn(set.spoolFolder).write(id, reason);
      if (isGone) await unlink(file);
      await finishRecordings(set);
      expect(await set.catalogue.recordings.find(id)).toMatchObject({
        status: 'discarded',
        failure: reason.why,
        bytes: null,
      });
      const audit = await set.catalogue.auditTrail.of(id);
      expect(audit.filter(({ to }) => to === 'discarded')).toMatchObject([{ event: whyDiscarded[reason.why] }]);
      expect(audit.filter(({ event }) => event === 'removed from the spool')).toHaveLength(isGone ? 0 : 1);
      expect(await set.spooled()).toEqual([`preavis-${id}.discard`]);
      await sweepSpool(set);
      expect(await set.spooled()).toEqual([]);
    },
  );

  test('is discarded where it was given up as lost before', async () => {
    const set = await stage();
    const { id, file } = await set.recorded();
    await unlink(file);
    await finishRecordings(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'lost' });
    await discardFilesIn(set.spoolFolder).write(id, refused);
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'discarded', failure: 'refused' });
  });

  test('keeps it while it may be needed: for thirty days where the catalogue has no such recording', async () => {
    const set = await stage();
    const { id } = await set.recorded();
    const unknown = 'preavis-01J0000000000000000000000Z.discard';
    await writeFile(join(set.spoolFolder, unknown), '{}');
    await discardFilesIn(set.spoolFolder).write(id, refused);
    set.clock.at = Date.now() + 30 * dayMs - 60_000;
    await sweepSpool(set);
    expect(await set.spooled()).toEqual(expect.arrayContaining([unknown, `preavis-${id}.discard`]));
    set.clock.at += 120_000;
    await sweepSpool(set);
    expect(await set.spooled()).not.toContain(unknown);
    expect(await set.spooled()).toContain(`preavis-${id}.discard`);
  });

  test('that was finished before it is kept, with it, and an error in the log', async () => {
    const set = await stage();
    const { id } = await set.finished();
    await discardFilesIn(set.spoolFolder).write(id, refused);
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(id)).toMatchObject({ status: 'recorded' });
    expect(await set.spooled()).toContain(`preavis-${id}.discard`);
    expect(set.lines).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'recording kept against its discard file', recording: id }),
    );
  });

  test('that cannot be removed keeps no other file from being looked at', async () => {
    const set = await stage();
    const [one, other] = [await set.recorded(), await set.recorded()];
    for (const { id, file } of [one, other]) {
      await discardFilesIn(set.spoolFolder).write(id, refused);
      await unlink(file);
    }
    await finishRecordings(set);
    await rm(join(set.spoolFolder, `preavis-${one.id}.discard`));
    await mkdir(join(set.spoolFolder, `preavis-${one.id}.discard`));
    await sweepSpool(set);
    expect(await set.spooled()).toEqual([`preavis-${one.id}.discard`]);
    expect(set.lines).toContainEqual(expect.objectContaining({ level: 'error', msg: 'discard file not removed' }));
  });
});
