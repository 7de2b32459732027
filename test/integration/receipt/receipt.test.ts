import { firstDue } from '../../../src/catalogue/calls/recordings.ts';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { finishRecordings } from '../../../src/archive/finish/finish.ts';
import { refuse } from '../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { Change, TimelineEntry } from '../../../src/call/watch/timeline.ts';
import { installedVersion } from '../../../src/core/installation.ts';
import { makeIds, type CallId, type ChannelId, type RecordingId } from '../../../src/core/ids.ts';
import {
  receiptOfCall,
  receiptOfRecording,
  receiptSchema,
  receiptText,
  type Receipt,
} from '../../../src/receipt/receipt.ts';
import { archiveStage, type ArchiveStage } from '../../support/archive/archiving.ts';
import {
  anOutgoing,
  aRequest,
  callStart,
  countingIds,
  course,
  eventsTo,
  heard,
  heardNotice,
  press,
  someFacts,
} from '../../support/call/calls.ts';
import { catalogues, dayMs, recorderEnd, saveCall, type SavedCall } from '../../support/catalogue/catalogues.ts';
import { toneWav } from '../../support/policy/promptFolder.ts';
import { temporaryFolder } from '../../support/temporaryFolder.ts';

const folder = temporaryFolder();
const open = catalogues();
let stages = 0;
const stage = (): Promise<ArchiveStage> => archiveStage(folder.path(`${(stages += 1)}`), open);

/** What others check a receipt with. */
const published = z.fromJSONSchema(
  JSON.parse(
    readFileSync(new URL('../../../docs/receipt.schema.json', import.meta.url), 'utf8'),
  ) as z.core.JSONSchema.JSONSchema,
);

/** The receipt as it is stored, after both schemas have taken it. */
async function receiptFor({ catalogue }: Pick<ArchiveStage, 'catalogue'>, { facts }: SavedCall): Promise<Receipt> {
  const text = receiptText(await receiptOfCall(catalogue, facts.id));
  const stored: unknown = JSON.parse(text);
  expect(published.safeParse(stored)).toMatchObject({ success: true });
  // Neither dial string nor channel: a receipt is no call record (P7).
  expect(text).not.toContain(aRequest().to);
  expect(text).not.toContain(facts.callerChannel);

  return receiptSchema.parse(stored);
}

const iso = (ms: number): string => new Date(ms).toISOString();
const talked: CallEvent[] = [
  { type: 'callerLeft', at: callStart + 80_000 },
  { type: 'recorderFinished', at: recorderEnd },
];

describe('the receipt of a recorded call', () => {
  test('says who was told what and when, what was recorded then, and until when it is kept', async () => {
    const set = await stage();
    const call = await set.finished(toneWav(440, 60_010));
    const receipt = await receiptFor(set, call);
    const { script } = call.facts.order;
    expect(receipt).toEqual({
      receipt: 6,
      preavis: installedVersion(),
      call: {
        id: call.facts.id,
        startedAt: iso(callStart),
        endedAt: iso(callStart + 80_000),
        line: 'default',
        direction: 'incoming',
        result: 'recorded',
        reason: null,
      },
      told: { party: 'caller', how: 'onArrival' },
      policyVersion: 'policy-1',
      purposes: [
        {
          id: 'training',
          justification: 'to learn',
          legalBasis: 'law',
          keepDays: 28,
          keepUntil: iso(recorderEnd + 28 * dayMs),
        },
      ],
      language: { decided: ['fr'], played: ['fr'], reason: 'lineDefault', unavailable: [] },
      notice: script.sentences.map(({ prompt }, index) => ({
        prompt: prompt.id,
        language: 'fr',
        text: prompt.text,
        sha256: prompt.sha256,
        lengthMs: 1_000,
        startedAt: iso(callStart + 1_000 + index * 1_020),
        finishedAt: iso(callStart + 2_000 + index * 1_020),
        verified: true,
        verdict: 'verified',
        witness: null,
      })),
      otherSentences: [],
      changes: [],
      unwatched: [],
      consent: { mode: 'announce', reason: 'purpose', purposes: ['training'], answer: 'none', digits: null, at: null },
      witness: { source: 'asterisk-cel', status: 'unavailable', toleranceMs: 100 },
      recording: expect.objectContaining({
        id: call.id,
        status: 'recorded',
        startedAt: iso(callStart + 20_000),
        finishedAt: iso(recorderEnd),
        gapMs: 20_000 - 3_020,
        durationMs: 60_010,
        flags: [],
        keepUntil: iso(recorderEnd + 28 * dayMs),
      }) as unknown,
      asterisk: { version: '22.5.2', node: '02:42:ac:11:00:02' },
    });
    expect(await receiptOfRecording(set.catalogue, call.id)).toEqual(receipt);
  });

  test('has the yes of the caller, with its key and the time of Asterisk', async () => {
    const set = await stage();
    const call = await set.finished(undefined, { shape: { mode: 'optIn', languages: ['fr', 'nl'], sentenceCount: 1 } });
    const receipt = await receiptFor(set, call);
    expect(receipt.consent).toEqual({
      mode: 'optIn',
      reason: 'callerCountry',
      purposes: ['training'],
      answer: 'accepted',
      digits: '1',
      at: iso(callStart + 15_000),
    });
    expect(receipt.notice.map(({ prompt, language }) => `${language} ${prompt}`)).toEqual([
      'fr sentence-1',
      'fr optIn',
      'nl sentence-1',
      'nl optIn',
    ]);
    expect(receipt.recording).not.toBeNull();
  });

  test('says of an outgoing call that who was called was told, and gives the sides as they were', async () => {
    const set = await stage();
    // With it the policy is there.
    await saveCall(set.catalogue);
    const facts = { ...anOutgoing({ sentenceCount: 1 }), id: makeIds().call() };
    const { state } = course(facts, [
      { type: 'planned', order: facts.order },
      { type: 'ready' },
      { type: 'callerAnswered' },
      ...heardNotice(facts.order),
      { type: 'callerReleased' },
    ]);
    await set.catalogue.journal.save(state, {});
    const keep = (happening: TimelineEntry) => set.catalogue.journal.addToTimeline(facts.id, happening);
    // Who was called stands for the caller there.
    await keep({ kind: 'change', change: 'held', at: callStart + 30_000, party: 'caller' });
    await keep({ kind: 'change', change: 'held', at: callStart + 31_000, party: 'destination' });
    const receipt = receiptSchema.parse(await receiptOfCall(set.catalogue, facts.id));
    expect(receipt).toMatchObject({
      call: { direction: 'outgoing' },
      told: { party: 'destination', how: 'onAnswer' },
      changes: [{ party: 'destination' }, { party: 'caller' }],
    });
  });

  test('names every sentence that is not of the notice, and what changed while they talked', async () => {
    const set = await stage();
    const call = await saveCall(set.catalogue, { shape: { mode: 'optIn', sentenceCount: 1 } });
    const { consent } = call.facts.order.script;
    if (consent.mode !== 'optIn') throw new Error('it is asked');
    const [sentence] = consent.acceptance;
    if (sentence === undefined) throw new Error('the yes is confirmed');
    const keep = (happening: TimelineEntry) => set.catalogue.journal.addToTimeline(call.facts.id, happening);
    const startedAt = callStart + 16_000;
    await keep({ kind: 'said', sentence, startedAt, finishedAt: undefined });
    // What has begun and not ended is told, too.
    expect((await receiptFor(set, call)).otherSentences).toMatchObject([
      { startedAt: iso(startedAt), finishedAt: null },
    ]);
    await keep({ kind: 'said', sentence, startedAt: undefined, finishedAt: startedAt + 1_000 });
    await keep({ kind: 'change', change: 'held', at: callStart + 30_000, party: 'caller' });
    await keep({ kind: 'change', change: 'recordingRemoved', at: undefined });
    const receipt = await receiptFor(set, call);
    const { id, language, text, sha256, lengthMs } = sentence.prompt;
    expect(receipt.otherSentences).toEqual([
      {
        kind: 'optInAck',
        prompt: id,
        language,
        text,
        sha256,
        lengthMs,
        startedAt: iso(startedAt),
        finishedAt: iso(startedAt + 1_000),
        newcomer: null,
      },
    ]);
    expect(receipt.changes).toEqual([
      { change: 'held', at: iso(callStart + 30_000), party: 'caller', newcomer: null },
      { change: 'recordingRemoved', at: null, party: null, newcomer: null },
    ]);
  });

  test('tells which of two newcomers heard what, without the name of a telephone', async () => {
    const set = await stage();
    const { facts } = await saveCall(set.catalogue, { shape: { mode: 'optIn', sentenceCount: 1 } });
    const { consent } = facts.order.script;
    if (consent.mode !== 'optIn') throw new Error('it is asked');
    const [sentence, other] = [...consent.acceptance, ...consent.silence];
    if (sentence === undefined || other === undefined) throw new Error('both answers are confirmed');
    const keep = (happening: TimelineEntry) => set.catalogue.journal.addToTimeline(facts.id, happening);
    const [one, two] = ['1756029600.7', '1756029600.2'] as ChannelId[];
    if (one === undefined || two === undefined) throw new Error('two came');
    const at = callStart + 40_000;
    await keep({ kind: 'said', sentence, startedAt: at, finishedAt: at + 1_000, newcomer: one });
    await keep({ kind: 'said', sentence: other, startedAt: at + 500, finishedAt: at + 1_500, newcomer: two });
    await keep({ kind: 'change', change: 'newcomerUntold', at: at + 1_500, newcomer: two });
    await keep({ kind: 'change', change: 'newcomerTold', at: at + 1_000, newcomer: one });
    const receipt = receiptSchema.parse(await receiptOfCall(set.catalogue, facts.id));
    expect(receipt.otherSentences.map(({ newcomer }) => newcomer)).toEqual([1, 2]);
    expect(receipt.changes).toMatchObject([
      { change: 'newcomerUntold', newcomer: 2 },
      { change: 'newcomerTold', newcomer: 1 },
    ]);
    expect(JSON.stringify(receipt)).not.toContain('1756029600');
  });

  test('has each pause once, however often it is asked for', async () => {
    const set = await stage();
    const { facts, ...call } = await saveCall(set.catalogue);
    const keep = (change: Change, at?: number) =>
      set.catalogue.journal.addToTimeline(facts.id, { kind: 'change', change, at });
    await keep('recorderResumed');
    await keep('recorderPaused', callStart + 30_000);
    await keep('held', callStart + 30_000);
    await keep('recorderPaused');
    await keep('recorderResumed', callStart + 31_000);
    await keep('recorderPaused', callStart + 32_000);
    const { changes } = await receiptFor(set, { facts, ...call });
    expect(changes.map(({ change, at }) => `${change} ${at ?? ''}`)).toEqual([
      `recorderPaused ${iso(callStart + 30_000)}`,
      `held ${iso(callStart + 30_000)}`,
      `recorderResumed ${iso(callStart + 31_000)}`,
      `recorderPaused ${iso(callStart + 32_000)}`,
    ]);
  });

  test('has its gap and its times as null where Asterisk did not tell them', async () => {
    const set = await stage();
    const call = await saveCall(set.catalogue, {
      events: (facts) => [
        ...eventsTo('dialling', facts),
        { type: 'destinationAnswered', at: undefined },
        { type: 'recorderStarted', at: undefined },
        { type: 'callerLeft', at: undefined },
        { type: 'timeUp', timer: 'recorderFinish' },
      ],
    });
    const receipt = await receiptFor(set, call);
    expect(receipt.call.endedAt).toBeNull();
    expect(receipt.recording).toMatchObject({ gapMs: null, startedAt: null, finishedAt: null, keepUntil: null });
  });

  test('names the languages that had no prompts', async () => {
    const set = await stage();
    const made = someFacts(countingIds());
    const language = { ...made.order.script.language, unavailable: [{ language: 'it', reason: 'argument' as const }] };
    const order = { ...made.order, script: { ...made.order.script, language } };
    const call = await saveCall(set.catalogue, { shape: { order } });
    expect((await receiptFor(set, call)).language.unavailable).toEqual([{ language: 'it', reason: 'argument' }]);
  });
});

describe('the receipt of a call without a recording', () => {
  type Case = {
    what: string;
    shape?: Parameters<typeof someFacts>[1];
    events: (facts: SavedCall['facts']) => CallEvent[];
  };
  const cases: (Case & { then: object })[] = [
    {
      what: 'that was abandoned during the notice',
      events: (facts) => [
        ...eventsTo('announcing', facts),
        ...heard(facts.order.script.sentences.slice(0, 1)),
        { type: 'callerLeft', at: callStart + 2_500 },
      ],
      then: {
        call: { result: 'abandoned', reason: null, endedAt: iso(callStart + 2_500) },
        notice: [{ verified: true }, { verified: false, verdict: 'notice_cut_short', finishedAt: null }],
        consent: { answer: 'none' },
      },
    },
    {
      what: 'that was abandoned before anything was said',
      events: (facts) => [...eventsTo('checking', facts), { type: 'callerLeft', at: callStart + 5 }],
      then: { call: { result: 'abandoned' }, notice: [], language: { decided: ['fr'], played: [] } },
    },
    {
      what: 'that was abandoned before it was planned',
      events: () => [{ type: 'callerLeft', at: callStart + 5 }],
      then: {
        call: { result: 'abandoned', line: 'default' },
        notice: [],
        purposes: [{ id: 'training', keepUntil: null }],
        language: { decided: [], played: [], reason: null },
        consent: { mode: null, answer: 'none' },
      },
    },
    {
      what: 'whose notice was on hold',
      events: (facts) => [...eventsTo('announcing', facts), { type: 'callerHeld', at: 4_000 }],
      then: {
        call: { result: 'unrecorded', reason: 'notice_on_hold' },
        notice: [{ verified: false, verdict: 'notice_on_hold' }],
      },
    },
    {
      what: 'that was refused before the sentence that offers it',
      shape: { mode: 'optOut' },
      events: (facts) => [...eventsTo('acknowledging', facts), { type: 'timeUp', timer: 'playback' }],
      then: {
        call: { result: 'unrecorded', reason: 'refused' },
        consent: { mode: 'optOut', answer: 'refused', digits: '9', at: iso(callStart + 15_000) },
        notice: [{ verified: false }],
      },
    },
    {
      what: 'to whose question nobody answered',
      shape: { mode: 'optIn' },
      events: (facts) => [
        ...eventsTo('asking', facts),
        { type: 'timeUp', timer: 'consent' },
        { type: 'timeUp', timer: 'playback' },
      ],
      then: {
        call: { result: 'unrecorded', reason: 'no_consent' },
        consent: { mode: 'optIn', answer: 'none', digits: null, at: null },
        notice: [{ verified: true }, { verified: true }, { verified: true, prompt: 'optIn' }],
      },
    },
    {
      what: 'that was left out by lot',
      shape: { sampled: false },
      events: (facts) => [...eventsTo('announcing', facts), ...heard(facts.order.script.sentences)],
      then: { call: { result: 'unrecorded', reason: 'not_sampled' }, notice: [{ verified: true }, { verified: true }] },
    },
    {
      what: 'that nobody answered',
      events: (facts) => [
        ...eventsTo('dialling', facts),
        { type: 'destinationLeft', at: callStart + 9_000, cause: 17 },
      ],
      then: { call: { result: 'notConnected', reason: null }, notice: [{ verified: true }, { verified: true }] },
    },
    {
      what: 'that still goes on',
      events: (facts) => eventsTo('announcing', facts),
      then: { call: { result: null, endedAt: null } },
    },
  ];

  test.each(cases)('$what', async ({ shape = {}, events, then }) => {
    const set = await stage();
    const receipt = await receiptFor(set, await saveCall(set.catalogue, { shape, events }));
    expect(receipt).toMatchObject({ receipt: 6, recording: null, ...then });
    for (const { keepUntil } of receipt.purposes) expect(keepUntil).toBeNull();
  });

  test('whose arguments could not be used', async () => {
    const set = await stage();
    const facts = someFacts(countingIds());
    await set.catalogue.calls.savePolicy(facts.policyVersion, JSON.stringify({ purposes: {} }));
    await set.catalogue.journal.save(
      refuse({ ...facts, request: undefined, order: undefined }, 'arguments_invalid').state,
    );
    const receipt = await receiptFor(set, {
      facts,
      id: facts.order.recording,
      state: refuse(facts, 'spool_full').state,
    });
    expect(receipt).toMatchObject({ call: { line: null, reason: 'arguments_invalid' }, recording: null, purposes: [] });
    expect(receipt.consent).toEqual({
      mode: null,
      reason: null,
      purposes: [],
      answer: 'none',
      digits: null,
      at: null,
    });
  });
});

describe('the receipt of a recording that was discarded', () => {
  const refused = (facts: SavedCall['facts']): CallEvent[] => [
    ...eventsTo('talking', facts),
    ...press('*9', callStart + 30_000),
    { type: 'recorderFinished', at: callStart + 30_200 },
    ...talked,
  ];

  test('says that the caller refused while they talked, and that nothing is kept', async () => {
    const set = await stage();
    const call = await saveCall(set.catalogue, { shape: { mode: 'optOut' }, events: refused });
    const receipt = await receiptFor(set, call);
    expect(receipt).toMatchObject({
      call: { result: 'unrecorded', reason: 'refused' },
      consent: { mode: 'optOut', answer: 'refused', digits: '*9', at: iso(callStart + 30_100) },
      recording: { id: call.id, status: 'discarded', bytes: null, durationMs: null, sha256: null, keepUntil: null },
    });
    expect((await set.catalogue.auditTrail.of(call.id)).map(({ event, to }) => `${event}: ${to ?? ''}`)).toEqual([
      'recorder started: recording',
      'the caller refused: discarded',
    ]);
  });

  test('is never finished, sent or due', async () => {
    const set = await stage();
    const call = await set.recorded(toneWav(440), { shape: { mode: 'optOut' }, events: refused });
    await finishRecordings(set);
    expect((await set.catalogue.recordings.find(call.id))?.status).toBe('discarded');
    const far = callStart + 9_999 * dayMs;
    expect(await set.catalogue.recordings.sendable(far, '', 10)).toEqual([]);
    expect((await set.catalogue.recordings.due(far, firstDue, 10)).rows).toEqual([]);
  });
});

describe('a receipt that nobody can have', () => {
  test('of an unknown call or recording says so', async () => {
    const { catalogue } = await stage();
    await expect(receiptOfCall(catalogue, 'nobody' as CallId)).rejects.toMatchObject({ code: 'call_unknown' });
    await expect(receiptOfRecording(catalogue, 'nothing' as RecordingId)).rejects.toMatchObject({
      code: 'recording_unknown',
    });
  });

  test('with a name, a number or an unknown key more is refused by both schemas', async () => {
    const set = await stage();
    const receipt = await receiptFor(set, await saveCall(set.catalogue));
    const witness = { source: 'asterisk-cel', status: 'agrees', toleranceMs: 100 };
    for (const more of [
      { callerNumber: '+3292661234' },
      { receipt: 2 },
      { otherSentences: undefined },
      { changes: [{ change: 'held', at: null, party: '+3292661234' }] },
      { recording: undefined },
      { witness: undefined },
      { witness: { ...witness, status: 'perhaps' } },
      { witness: { ...witness, channel: '1756029600.1' } },
      { notice: [{ ...receipt.notice[0], witness: { status: 'unavailable', beganAt: null, endedAt: null } }] },
    ]) {
      expect(receiptSchema.safeParse({ ...receipt, ...more }).success).toBe(false);
      expect(published.safeParse({ ...receipt, ...more }).success).toBe(false);
    }
  });
});
