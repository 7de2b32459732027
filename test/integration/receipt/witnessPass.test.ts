import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finishRecordings, sweepSpool } from '../../../src/archive/finish/finish.ts';
import { uploadPass } from '../../../src/archive/uploadPass.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { Sentence } from '../../../src/call/decide/sentence.ts';
import type { Unwatched } from '../../../src/call/watch/timeline.ts';
import { openSqlite } from '../../../src/catalogue/sqlite/sqlite.ts';
import { soundNameOf } from '../../../src/prompts/library.ts';
import { receiptOfCall, receiptSchema, type Receipt } from '../../../src/receipt/receipt.ts';
import { makeWitnessPass } from '../../../src/receipt/witnessPass.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import { callStart, eventsTo, heard } from '../../support/call/calls.ts';
import { catalogues, recorderEnd, unwatchedFrom, type SavedCall } from '../../support/catalogue/catalogues.ts';
import { celBegin, celEnd, celText } from '../../support/ari/cel.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;

/** An Asterisk that logs sounds. */
const asterisk = { version: '22.10.1', node: 'node' };
const callEnd = callStart + 80_000;

type WitnessStage = ArchiveStage & {
  celFile: string;
  waitMs: number;
  /** One pass of a process that goes on. */
  pass: () => Promise<void>;
  compared: string[];
};

async function stage(celFile?: string): Promise<WitnessStage> {
  const at = folder.path(`${(stages += 1)}`);
  await mkdir(at);
  const file = celFile ?? join(at, 'preavis.csv');
  const set = await archiveStage(at, open);
  const compared: string[] = [];
  const pass = makeWitnessPass({ ...set, celFile: file, waitMs: 5_000, compared: (status) => compared.push(status) });

  return { ...set, celFile: file, waitMs: 5_000, pass, compared };
}

/** What Asterisk logs of these sentences when they are heard as `heard` of the makers says. */
function celOf({ callerChannel }: SavedCall['facts'], sentences: readonly Sentence[]): string[] {
  return sentences.flatMap(({ prompt }, index) => [
    celBegin(callStart + 1_001 + index * 1_020, callerChannel, soundNameOf(prompt.id, prompt.sha256), prompt.language),
    celEnd(callStart + 2_000 + index * 1_020, callerChannel),
  ]);
}

/** A recorded call on an Asterisk that logs sounds; its WAV is finished. */
async function finishedCall(set: WitnessStage, version = asterisk.version): Promise<SavedCall> {
  const call = await set.recorded(toneWav(440, 60_010), { shape: { asterisk: { ...asterisk, version } } });
  await finishRecordings(set);

  return call;
}

const receiptFor = async (set: WitnessStage, { facts }: SavedCall): Promise<Receipt> =>
  receiptSchema.parse(await receiptOfCall(set.catalogue, facts.id));
const flagsOf = async (set: WitnessStage, { id }: SavedCall) => (await set.catalogue.recordings.find(id))?.flags;
const upload = (set: WitnessStage) => uploadPass(set, { waitMs: 0, signal: new AbortController().signal });
const iso = (ms: number): string => new Date(ms).toISOString();

const sentencesOf = ({ facts }: SavedCall): readonly Sentence[] => facts.order.script.sentences;

describe('a call that the second witness saw', () => {
  test('has both witnesses in its receipt, and in the receipt that is stored', async () => {
    const set = await stage();
    const call = await finishedCall(set);
    await writeFile(set.celFile, celText(celOf(call.facts, sentencesOf(call))));
    await set.pass();
    const receipt = await receiptFor(set, call);
    expect(receipt.witness).toEqual({ source: 'asterisk-cel', status: 'agrees', toleranceMs: 100 });
    expect(receipt.notice.map(({ witness }) => witness)).toEqual([
      { status: 'agrees', beganAt: iso(callStart + 1_001), endedAt: iso(callStart + 2_000) },
      { status: 'agrees', beganAt: iso(callStart + 2_021), endedAt: iso(callStart + 3_020) },
    ]);
    expect(await flagsOf(set, call)).toEqual([]);
    expect(set.compared).toEqual(['agrees']);
    expect(await upload(set)).toMatchObject({ sent: 1, waiting: 0 });
    const stored = [...(await set.objects())].find(([key]) => key.endsWith('.json'))?.[1].toString() ?? '';
    expect(receiptSchema.parse(JSON.parse(stored))).toMatchObject({ witness: { status: 'agrees' } });
    expect(stored).not.toContain(call.facts.callerChannel);
  });

  test('is compared at once, and once', async () => {
    const set = await stage();
    const call = await finishedCall(set);
    set.clock.at = callEnd + 1;
    await writeFile(set.celFile, celText(celOf(call.facts, sentencesOf(call))));
    await set.pass();
    await writeFile(set.celFile, '');
    await set.pass();
    expect(set.compared).toEqual(['agrees']);
    expect((await receiptFor(set, call)).witness).toMatchObject({ status: 'agrees' });
  });

  test('leaves the names of its channels in the catalogue until then, and no longer', async () => {
    const set = await stage();
    const call = await finishedCall(set);
    const { callerChannel } = call.facts;
    const end = { to: callEnd - 5_000, heardAgainAt: callEnd - 5_000, why: 'connection_lost' } as const;
    const interval: Unwatched = { ...unwatchedFrom(call, callEnd - 10_000), ...end };
    await set.catalogue.journal.addToTimeline(call.facts.id, { kind: 'unwatched', interval });
    const channels = async (): Promise<unknown[]> => {
      const database = openSqlite(join(set.celFile, '..', 'catalogue.db'), { readonly: true });
      try {
        const caller = database.prepare('SELECT caller_channel FROM calls').pluck().get();
        return [caller, ...(await set.catalogue.timeline.unwatched(call.facts.id)).map(({ parties }) => parties)];
      } finally {
        database.close();
      }
    };
    expect(await channels()).toEqual([callerChannel, interval.parties]);
    // Finishing may be repeated after a crash, and judges by them.
    const [kept] = await set.catalogue.timeline.unwatched(call.facts.id);
    await set.catalogue.timeline.judgeUnwatched([{ id: kept?.id ?? 0, judged: 'witnessed' }]);
    expect(await channels()).toEqual([callerChannel, interval.parties]);
    await set.pass();
    expect(await channels()).toEqual([null, []]);
  });
});

describe('a call that the second witness does not agree with', () => {
  const lie = (lines: string[]): string[] => [...lines.slice(0, -1), celEnd(callStart + 2_500, '')];
  const cases: { what: string; flag: string; change: (lines: string[], channel: string) => string[] }[] = [
    {
      what: 'whose last sentence ended half a second early',
      flag: 'witness_disagrees',
      change: (lines, channel) => [...lines.slice(0, -1), celEnd(callStart + 2_500, channel)],
    },
    { what: 'of which there is no line', flag: 'witness_missing', change: () => [] },
    { what: 'whose last line is of another channel', flag: 'witness_missing', change: lie },
  ];

  test.each(cases)('$what is flagged and counted, and its recording kept and archived', async ({ flag, change }) => {
    const set = await stage();
    const call = await finishedCall(set);
    const { callerChannel } = call.facts;
    await writeFile(set.celFile, celText(change(celOf(call.facts, sentencesOf(call)), callerChannel)));
    await set.pass();
    const status = flag.replace('witness_', '');
    expect(await receiptFor(set, call)).toMatchObject({ witness: { status }, recording: { flags: [flag] } });
    expect(set.compared).toEqual([status]);
    const warnings = set.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([{ call: call.facts.id, recording: call.id, witness: status }]);
    expect(JSON.stringify(set.lines)).not.toContain(callerChannel);
    expect((await set.catalogue.auditTrail.of(call.id)).at(-1)).toMatchObject({
      event: 'flagged by the second witness',
      from: null,
      to: null,
      actor: 'test',
      detail: { flag },
    });
    expect(await upload(set)).toMatchObject({ sent: 1, waiting: 0 });
    expect(await set.catalogue.recordings.find(call.id)).toMatchObject({ status: 'archived', flags: [flag] });
    expect([...(await set.objects()).keys()].filter((key) => key.endsWith('.wav'))).toHaveLength(1);
  });

  test('keeps the flags of the self-check beside that of the witness', async () => {
    const set = await stage();
    const call = await set.recorded(toneWav(0, 60_010), { shape: { asterisk } });
    await finishRecordings(set);
    await set.pass();
    expect(await flagsOf(set, call)).toEqual(['silent', 'witness_missing']);
  });

  test('keeps its flag when its file was lost and is found again', async () => {
    const set = await stage();
    const call = await saveLost(set);
    await set.pass();
    expect(await set.catalogue.recordings.find(call.id)).toMatchObject({ status: 'lost', flags: ['witness_missing'] });
    const file = join(set.spoolFolder, `preavis-${call.id}.wav`);
    await writeFile(file, toneWav(440, 60_010));
    await utimes(file, recorderEnd / 1_000, recorderEnd / 1_000);
    await sweepSpool(set);
    expect(await set.catalogue.recordings.find(call.id)).toMatchObject({
      status: 'recorded',
      flags: ['witness_missing'],
    });
  });

  test('has its flag when the recording is found in the spool only afterwards', async () => {
    const set = await stage();
    // The process was killed before it wrote down that the recorder ran; the recorder was then missed.
    const call = await set.recorded(toneWav(440, 60_010), {
      shape: { asterisk },
      events: (facts) => [...eventsTo('dialling', facts), { type: 'callerLeft', at: callEnd }],
    });
    expect(await set.catalogue.recordings.find(call.id)).toBeUndefined();
    await set.pass();
    await sweepSpool(set);
    await finishRecordings({ ...set, clock: { now: () => Date.now() + 60_000 } });
    expect(await set.catalogue.recordings.find(call.id)).toMatchObject({
      status: 'recorded',
      flags: ['witness_missing'],
    });
  });

  async function saveLost(set: WitnessStage): Promise<SavedCall> {
    const call = await set.recorded(undefined, { shape: { asterisk } });
    await set.catalogue.recordings.move(
      call.id,
      'recording',
      'lost',
      { failure: 'file_missing' },
      { event: 'x', actor: 'test' },
    );

    return call;
  }
});

describe('a line that comes late', () => {
  test('is waited for, and the recording is not sent before', async () => {
    const set = await stage();
    set.clock.at = callEnd + 100;
    const call = await finishedCall(set);
    const lines = celOf(call.facts, sentencesOf(call));
    await writeFile(set.celFile, celText(lines.slice(0, -1)));
    await set.pass();
    expect((await receiptFor(set, call)).witness).toBeNull();
    expect(await upload(set)).toMatchObject({ sent: 0, waiting: 1 });
    await writeFile(set.celFile, celText(lines));
    set.clock.at = callEnd + 5_000;
    await set.pass();
    expect(set.compared).toEqual(['agrees']);
    expect(await upload(set)).toMatchObject({ sent: 1, waiting: 0 });
  });

  test('is waited for by the next process when this one ends', async () => {
    const set = await stage();
    set.clock.at = callEnd + 100;
    const call = await finishedCall(set);
    await set.pass();
    await writeFile(set.celFile, celText(celOf(call.facts, sentencesOf(call))));
    await makeWitnessPass({ ...set, compared: (status) => set.compared.push(status) })();
    expect(set.compared).toEqual(['agrees']);
  });

  test.each([3_600_000, -3_600_000])(
    'is not waited for when the clocks of Asterisk and this machine are %d ms apart',
    async (ms) => {
      const set = await stage();
      set.clock.at = callEnd + ms;
      await finishedCall(set);
      await set.pass();
      expect(set.compared).toEqual(['missing']);
    },
  );
});

describe('a call without a second witness', () => {
  test('says so: not configured', async () => {
    const set = await stage();
    const call = await finishedCall(set);
    await makeWitnessPass({ ...set, celFile: undefined, compared: (status) => set.compared.push(status) })();
    expect(await receiptFor(set, call)).toMatchObject({
      witness: { status: 'unavailable' },
      notice: [{ witness: null }, { witness: null }],
      recording: { flags: [] },
    });
    expect(set.compared).toEqual(['unavailable']);
  });

  test('says so: an Asterisk that does not log sounds', async () => {
    const set = await stage();
    const call = await finishedCall(set, '20.15.2');
    await set.pass();
    expect(await receiptFor(set, call)).toMatchObject({ witness: { status: 'unavailable' }, recording: { flags: [] } });
    expect(set.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('says so: nothing was played', async () => {
    const set = await stage();
    const call = await set.recorded(undefined, {
      shape: { asterisk },
      events: (facts) => [...eventsTo('checking', facts), { type: 'callerLeft', at: callStart + 5 }],
    });
    await set.pass();
    expect((await receiptFor(set, call)).witness).toMatchObject({ status: 'unavailable' });
  });

  test('because the file cannot be read misses its lines: logged once for all calls', async () => {
    const set = await stage(folder.path('nowhere/preavis.csv'));
    const calls = [await finishedCall(set), await finishedCall(set)];
    await set.pass();
    for (const call of calls) expect(await flagsOf(set, call)).toEqual(['witness_missing']);
    expect(set.lines.filter(({ level }) => level === 'error')).toMatchObject([{ code: 'witness_unusable' }]);
  });
});

describe('a call that was not recorded', () => {
  test('has the sentence that was begun when the caller hung up', async () => {
    const set = await stage();
    const begun = callStart + 1_000 + 1_020;
    const call = await set.recorded(undefined, {
      shape: { asterisk },
      events: (facts): CallEvent[] => [
        ...eventsTo('announcing', facts),
        ...heard(facts.order.script.sentences.slice(0, 1)),
        { type: 'playbackStarted', playbackId: secondOf(facts).playbackId, at: begun },
        { type: 'callerLeft', at: begun + 480 },
      ],
    });
    const lines = celOf(call.facts, sentencesOf(call)).slice(0, 3);
    await writeFile(set.celFile, celText([...lines, celEnd(begun + 481, call.facts.callerChannel)]));
    await set.pass();
    expect(await receiptFor(set, call)).toMatchObject({
      call: { result: 'abandoned' },
      recording: null,
      witness: { status: 'agrees' },
      notice: [
        { verified: true, witness: { status: 'agrees' } },
        {
          verified: false,
          finishedAt: null,
          witness: { status: 'agrees', beganAt: iso(begun + 1), endedAt: iso(begun + 481) },
        },
      ],
    });
  });

  test('is not compared before its recording is finished, which sets the flags', async () => {
    const set = await stage();
    const call = await set.recorded(toneWav(0, 60_010), { shape: { asterisk } });
    await set.pass();
    expect((await receiptFor(set, call)).witness).toBeNull();
    await finishRecordings(set);
    await set.pass();
    expect(await flagsOf(set, call)).toEqual(['silent', 'witness_missing']);
  });

  test('is not compared while it goes on', async () => {
    const set = await stage();
    await set.recorded(undefined, { until: 'announcing', shape: { asterisk } });
    await set.recorded(undefined, { until: 'talking', shape: { asterisk } });
    expect(await set.catalogue.calls.unwitnessed()).toEqual([]);
  });
});

function secondOf({ order }: SavedCall['facts']): Sentence {
  const [, second] = order.script.sentences;
  if (second === undefined) throw new Error('the makers give two sentences');

  return second;
}

test('two processes that compare the same call write once', async () => {
  const set = await stage();
  await finishedCall(set);
  const other = makeWitnessPass({ ...set, compared: (status) => set.compared.push(`other ${status}`) });
  await Promise.all([set.pass(), other()]);
  expect(set.compared).toHaveLength(1);
});
