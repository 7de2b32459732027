import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { Sentence } from '../../../../src/call/decide/sentence.ts';
import type { CallState, Facts } from '../../../../src/call/decide/state.ts';
import type { Order } from '../../../../src/call/decide/order.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import {
  callStart,
  countingIds,
  course,
  eventsTo,
  heard,
  keys,
  press,
  someFacts,
  stateAt,
  typesOf,
  stranger,
} from '../../../support/call/calls.ts';

/** What a call does that asks its caller something, state by state. `decide.test.ts` has the rest. */

type CallFacts = Facts & { order: Order };

const optOut = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
const optIn = someFacts(countingIds(), { mode: 'optIn', sentenceCount: 1 });
const bilingual = someFacts(countingIds(), { mode: 'optIn', sentenceCount: 1, languages: ['fr', 'nl'] });
const offering = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1, asksLanguage: true });
const at = callStart + 15_000;
const key = (digit: string): CallEvent => ({ type: 'digit', digit, at });

function when(given: CallState, ...events: CallEvent[]) {
  let step: ReturnType<typeof decide> = { state: given, effects: [] };
  for (const event of events) step = decide(step.state, event);
  const { state, effects } = step;

  return { state, effects, types: typesOf(effects), outcome: state.kind === 'ended' ? state.outcome : undefined };
}

const sentence = ({ order }: CallFacts, index: number) => {
  const found = order.script.sentences[index];
  if (found === undefined) throw new Error('there is no such sentence');

  return found;
};

type Said = 'acknowledgement' | 'erasure' | 'acceptance' | 'silence';

/** What is said to the caller's answer, in the first language or another. */
function reply(said: Said, { order }: CallFacts, index = 0): Sentence {
  const { consent } = order.script;
  const asked = consent.mode === 'optIn' ? consent : { acceptance: [], silence: [] };
  const refusal = consent.mode === 'announce' ? { acknowledgement: [], erasure: [] } : consent.refusal;
  const found = { ...asked, ...refusal }[said][index];
  if (found === undefined) throw new Error('there is no such sentence');

  return found;
}

const acknowledgement = (facts: CallFacts, index = 0): Sentence => reply('acknowledgement', facts, index);

const begun = (facts: CallFacts, index: number): CallEvent => ({
  type: 'playbackStarted',
  playbackId: sentence(facts, index).playbackId,
  at: callStart,
});

/** The call while this sentence plays and has begun. */
const during = (facts: CallFacts, index: number): CallState =>
  course(facts, [
    ...eventsTo('announcing', facts),
    ...heard(facts.order.script.sentences.slice(0, index)),
    begun(facts, index),
  ]).state;

describe('while languages are offered', () => {
  const choosing = stateAt('choosing', offering);
  const { menu } = offering.order;
  const [french, dutch] = menu?.prompts ?? [];
  const dutchScript = menu?.options[1]?.script;

  test('each language is offered in itself, one after another', () => {
    const answered = stateAt('answering', offering);
    expect(when(answered, { type: 'callerAnswered' }).effects).toEqual([
      { type: 'startTimer', timer: 'playback', ms: 6_000 },
      { type: 'play', sentence: french },
    ]);
    expect(when(choosing, ...heard(french === undefined ? [] : [french])).effects).toContainEqual({
      type: 'play',
      sentence: dutch,
    });
  });

  test('a key is waited for after the last of them, no longer than the configuration says', () => {
    expect(when(choosing, ...heard(menu?.prompts ?? []))).toMatchObject({
      state: { kind: 'choosing', current: undefined },
      effects: [{ type: 'startTimer', timer: 'choice', ms: 4_000 }],
    });
  });

  test('a key chooses at once: silence, then the notice in that language, and it is remembered', () => {
    expect(when(choosing, key('2'))).toMatchObject({
      state: {
        kind: 'announcing',
        current: dutchScript?.sentences[0],
        facts: { order: { script: { language: { languages: ['nl'], reason: 'choice' } } } },
      },
      effects: [
        { type: 'stopPlayback', playbackId: french?.playbackId },
        { type: 'startTimer', timer: 'playback' },
        { type: 'play', sentence: dutchScript?.sentences[0] },
        { type: 'rememberLanguage', language: 'nl' },
      ],
    });
  });

  test('a key after the last of them stops nothing', () => {
    const waiting = when(choosing, ...heard(menu?.prompts ?? [])).state;
    expect(when(waiting, key('1')).types).toEqual(['startTimer', 'play', 'rememberLanguage']);
  });

  test.each<[string, CallEvent]>([
    ['nobody chooses', { type: 'timeUp', timer: 'choice' }],
    ['a sentence never ends', { type: 'timeUp', timer: 'playback' }],
    ['a sentence cannot be played', { type: 'stepFailed', step: 'play' }],
  ])('the other evidence decides when %s, and nothing is remembered', (_, event) => {
    expect(when(choosing, event)).toMatchObject({
      state: { kind: 'announcing', current: sentence(offering, 0) },
      types: ['startTimer', 'play'],
    });
  });

  test('the key of another thing is passed over', () => {
    expect(when(choosing, key('5'), key('#'), key('*'))).toMatchObject({ state: choosing, effects: [] });
  });

  test('the key that refuses does so, though its sentence was not heard', () => {
    expect(when(choosing, key(keys.refuse))).toMatchObject({
      state: { kind: 'acknowledging', answer: { kind: 'refused', digits: '9', at }, played: [] },
      types: ['stopPlayback', 'startTimer', 'play'],
    });
  });

  test('a sentence that failed is no reason not to announce', () => {
    const playbackId = french?.playbackId ?? sentence(offering, 0).playbackId;
    const failed: CallEvent = { type: 'playbackFinished', playbackId, at: 1, outcome: 'failed' };
    expect(when(choosing, failed)).toMatchObject({ state: { kind: 'choosing' }, types: ['startTimer', 'play'] });
  });

  test.each<[CallEvent, object]>([
    [{ type: 'callerLeft', at: 9 }, { result: 'abandoned' }],
    [{ type: 'interrupted' }, { result: 'unrecorded', reason: 'interrupted' }],
  ])('%j ends it', (event, outcome) => {
    expect(when(choosing, event).outcome).toEqual(outcome);
  });
});

describe('a refusal', () => {
  test.each([0, 1])('during sentence %d counts: silence, then what the caller is told', (index) => {
    const { state, effects } = when(during(optOut, index), key('9'));
    expect(state).toMatchObject({ kind: 'acknowledging', answer: { kind: 'refused', digits: '9', at } });
    expect(effects.filter((effect) => effect.type === 'play' || effect.type === 'stopPlayback')).toEqual([
      { type: 'stopPlayback', playbackId: sentence(optOut, index).playbackId },
      { type: 'play', sentence: acknowledgement(optOut) },
    ]);
  });

  test('during the last sentence removes what was made', () => {
    expect(when(during(optOut, 1), key('9')).types).toEqual([
      'stopPlayback',
      'startTimer',
      'hangUpDestination',
      'destroyBridge',
      'play',
    ]);
  });

  test('while the destination rings gives it up, and the dialplan dials again', () => {
    expect(when(stateAt('dialling', optOut), key('9'))).toMatchObject({
      state: { kind: 'acknowledging', answer: { kind: 'refused' } },
      // Out of the bridge first: Asterisk throws away what is to be played to somebody who is just leaving one.
      types: ['startTimer', 'hangUpDestination', 'leaveBridge', 'destroyBridge', 'play'],
    });
  });

  test('after a yes counts', () => {
    expect(when(stateAt('dialling', optIn), key('9')).state).toMatchObject({
      kind: 'acknowledging',
      answer: { kind: 'refused' },
    });
    const yes = when(during(optIn, 1), key('1')).state;
    expect(when(yes, key('9')).state).toMatchObject({ kind: 'acknowledging', answer: { kind: 'refused' } });
  });

  test('where nobody may refuse is a key like others', () => {
    const told = someFacts(countingIds());
    for (const kind of ['announcing', 'dialling', 'talking'] as const) {
      const state = stateAt(kind, told);
      expect(when(state, key('*'), key('9'))).toMatchObject({ state, effects: [] });
    }
  });

  test('keeps what was heard until then, and that the sentence under way was not', () => {
    const { state } = when(during(optOut, 1), key('9'));
    expect(state).toMatchObject({ played: [{ verdict: 'verified' }, { verdict: 'notice_cut_short' }] });
  });
});

describe('while the refusal is acknowledged', () => {
  const both = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1, languages: ['fr', 'nl'] });
  const acknowledging = stateAt('acknowledging', optOut);
  const served = { result: 'unrecorded', reason: 'refused' };

  test('it is said in both languages, then the caller goes on', () => {
    const first = stateAt('acknowledging', both);
    const second = when(first, ...heard([acknowledgement(both, 0)]));
    expect(second.effects).toContainEqual({ type: 'play', sentence: acknowledgement(both, 1) });
    expect(when(second.state, ...heard([acknowledgement(both, 1)])).outcome).toEqual(served);
  });

  test.each<[string, CallEvent]>([
    ['it was said', ...heard([acknowledgement(optOut)]).slice(-1)] as [string, CallEvent],
    ['it cannot be said', { type: 'stepFailed', step: 'play' }],
    ['it does not end', { type: 'timeUp', timer: 'playback' }],
    ['events were missed', { type: 'interrupted' }],
  ])('the caller goes on to the destination when %s', (_, event) => {
    const { outcome, effects } = when(acknowledging, event);
    expect(outcome).toEqual(served);
    expect(effects).toContainEqual({ type: 'returnToDialplan', outcome });
  });

  test('keys, hold and the sentence that was stopped change nothing', () => {
    const stopped: CallEvent = {
      type: 'playbackFinished',
      playbackId: sentence(optOut, 0).playbackId,
      at,
      outcome: 'done',
    };
    expect(when(acknowledging, key('1'), key('9'), { type: 'callerHeld', at: 4_000 }, stopped)).toMatchObject({
      state: acknowledging,
      effects: [],
    });
  });

  test('who leaves has abandoned the call, and has refused', () => {
    expect(when(acknowledging, { type: 'callerLeft', at: 9 })).toMatchObject({
      outcome: { result: 'abandoned' },
      state: { answer: { kind: 'refused' } },
    });
  });
});

describe('a yes', () => {
  test('before the question is no yes: it is asked again by itself', () => {
    const state = during(optIn, 0);
    expect(when(state, key('1'))).toMatchObject({ state, effects: [] });
  });

  test('between the sentences is no yes either: the question has not begun', () => {
    const { state } = course(optIn, [...eventsTo('announcing', optIn), ...heard([sentence(optIn, 0)])]);
    expect(state).toMatchObject({ kind: 'announcing', current: sentence(optIn, 1), currentStartedAt: undefined });
    expect(when(state, key('1')).state).toBe(state);
  });

  const ended = (facts: CallFacts, index: number, outcome: 'done' | 'failed' = 'done'): CallEvent => ({
    type: 'playbackFinished',
    playbackId: sentence(facts, index).playbackId,
    at: callStart + 500,
    outcome,
  });

  test('during the question stops it and prepares, is confirmed, and only then is the destination dialled', () => {
    const yes = when(during(optIn, 1), key('1'));
    expect(yes).toMatchObject({
      state: { kind: 'announcing', answer: { kind: 'accepted', digits: '1', at }, prepared: true },
      effects: [{ type: 'stopPlayback', playbackId: sentence(optIn, 1).playbackId }, { type: 'prepare' }],
    });
    const accepting = when(yes.state, ended(optIn, 1), { type: 'noticeConfirmed' });
    const confirmed = reply('acceptance', optIn);
    expect(accepting).toMatchObject({
      state: {
        kind: 'accepting',
        answer: { kind: 'accepted' },
        told: { sentences: [{ verdict: 'verified' }, { verdict: 'answered', finishedAt: callStart + 500 }] },
      },
      effects: [{ type: 'startTimer' }, { type: 'play', sentence: confirmed }],
    });
    expect(when(accepting.state, ...heard([confirmed]))).toMatchObject({
      state: { kind: 'dialling', answer: { kind: 'accepted' } },
      types: ['save', 'dial', 'startTimer'],
    });
  });

  test('to the question in the first language spares the second language whole', () => {
    const yes = when(during(bilingual, 1), key('1')).state;
    expect(yes).toMatchObject({ waiting: [] });
    const accepting = when(yes, ended(bilingual, 1), { type: 'noticeConfirmed' }).state;
    expect(accepting).toMatchObject({ kind: 'accepting', told: { sentences: [{}, { verdict: 'answered' }] } });
    const both = [reply('acceptance', bilingual), reply('acceptance', bilingual, 1)];
    expect(when(accepting, ...heard(both)).state).toMatchObject({ kind: 'dialling' });
  });

  test('in the notice of the second language stops it, and spares the rest', () => {
    const yes = when(during(bilingual, 2), key('1'));
    expect(yes.state).toMatchObject({ kind: 'announcing', answer: { kind: 'accepted' }, waiting: [] });
    expect(yes.effects.map(({ type }) => type)).toContain('stopPlayback');
    const sentences = [{ verdict: 'verified' }, { verdict: 'verified' }, { verdict: 'answered' }];
    expect(when(yes.state, ended(bilingual, 2, 'failed'), { type: 'noticeConfirmed' }).state).toMatchObject({
      kind: 'accepting',
      told: { sentences },
    });
  });

  test('counts when Asterisk reports the question that was stopped for it as failed', () => {
    const yes = when(during(optIn, 1), key('1')).state;
    expect(when(yes, ended(optIn, 1, 'failed'), { type: 'noticeConfirmed' }).state).toMatchObject({
      kind: 'accepting',
      told: { sentences: [{}, { verdict: 'answered' }] },
    });
  });

  test('makes no notice heard that was not: only the question may be cut', () => {
    expect(when(during(optIn, 0), key('1'), ended(optIn, 0)).outcome).toEqual({
      result: 'unrecorded',
      reason: 'notice_cut_short',
    });
  });

  test('without an end of the question is of no use', () => {
    const yes = when(during(optIn, 1), key('1')).state;
    expect(when(yes, { type: 'timeUp', timer: 'playback' }).outcome).toEqual({
      result: 'unrecorded',
      reason: 'notice_timeout',
    });
  });

  test('again changes nothing: the first one counts', () => {
    const yes = when(during(optIn, 1), key('1')).state;
    expect(when(yes, { type: 'digit', digit: '1', at: at + 500 })).toMatchObject({ state: yes, effects: [] });
  });
});

describe('while Asterisk is asked whether the caller could hear it', () => {
  test('a refusal is told to them as ever', () => {
    expect(when(stateAt('confirming', optOut), key('9'))).toMatchObject({
      state: { kind: 'acknowledging', answer: { kind: 'refused' } },
    });
  });

  test('a yes counts', () => {
    const { state } = when(stateAt('confirming', optIn), key('1'));
    expect(state).toMatchObject({ kind: 'confirming', answer: { kind: 'accepted' } });
    expect(when(state, { type: 'noticeConfirmed' }).state).toMatchObject({ kind: 'accepting' });
  });

  test('a key that means nothing changes nothing', () => {
    const before = stateAt('confirming', optIn);
    expect(when(before, key('5'))).toMatchObject({ state: before, effects: [] });
  });
});

describe('after the question', () => {
  const asking = stateAt('asking', optIn);

  test('an answer is waited for, nothing is made before it', () => {
    const { effects } = course(optIn, eventsTo('asking', optIn));
    expect(effects.at(-1)).toEqual({ type: 'startTimer', timer: 'consent', ms: 5_000 });
    expect(typesOf(effects)).not.toContain('prepare');
  });

  test('a yes is confirmed, and makes the bridge meanwhile', () => {
    expect(when(asking, key('1'))).toMatchObject({
      state: { kind: 'accepting', answer: { kind: 'accepted', digits: '1', at }, prepared: true },
      effects: [
        { type: 'startTimer', timer: 'playback' },
        { type: 'play', sentence: reply('acceptance', optIn) },
        { type: 'prepare' },
      ],
    });
  });

  test('a no is acknowledged', () => {
    expect(when(asking, key('9')).state).toMatchObject({ kind: 'acknowledging', answer: { kind: 'refused' } });
  });

  test('silence is a no: the caller is told so and goes on, unrecorded', () => {
    const silent = when(asking, { type: 'timeUp', timer: 'consent' });
    const said = reply('silence', optIn);
    expect(silent).toMatchObject({
      state: { kind: 'acknowledging', answer: { kind: 'none' }, why: 'no_consent' },
      effects: [{ type: 'startTimer' }, { type: 'play', sentence: said }],
    });
    const { outcome, effects } = when(silent.state, ...heard([said]));
    expect(outcome).toEqual({ result: 'unrecorded', reason: 'no_consent' });
    expect(effects).toContainEqual({ type: 'returnToDialplan', outcome });
  });

  test('a yes while that is said is too late, a no is kept', () => {
    const silent = when(asking, { type: 'timeUp', timer: 'consent' }).state;
    const over = heard([reply('silence', optIn)]);
    expect(when(silent, key('1'), ...over).outcome).toMatchObject({ reason: 'no_consent' });
    expect(when(silent, key('9'), ...over)).toMatchObject({
      outcome: { reason: 'refused' },
      state: { answer: { kind: 'refused', digits: '9' } },
    });
  });

  test('any other key is not an answer', () => {
    expect(when(asking, ...press('02345678*#'))).toMatchObject({ state: asking, effects: [] });
  });

  test.each<[CallEvent, object]>([
    [{ type: 'callerLeft', at: 9 }, { result: 'abandoned' }],
    [{ type: 'interrupted' }, { result: 'unrecorded', reason: 'interrupted' }],
  ])('%j ends it', (event, outcome) => {
    expect(when(asking, event).outcome).toEqual(outcome);
  });
});

describe('while a yes is confirmed', () => {
  const accepting = stateAt('accepting', optIn);
  const confirmed = reply('acceptance', optIn);

  test.each<[string, CallEvent]>([
    ['was heard', heard([confirmed]).at(-1) ?? { type: 'ready' }],
    ['cannot be played', { type: 'stepFailed', step: 'play' }],
    ['does not end', { type: 'timeUp', timer: 'playback' }],
  ])('the destination is dialled when the sentence %s: they were told and have agreed', (_, event) => {
    expect(when(accepting, event)).toMatchObject({
      state: { kind: 'dialling' },
      types: ['save', 'dial', 'startTimer'],
    });
  });

  test('who thinks better of it is not recorded, and told so', () => {
    expect(when(accepting, key('9'))).toMatchObject({
      state: { kind: 'acknowledging', why: 'refused', answer: { kind: 'refused', digits: '9' } },
      types: ['stopPlayback', 'startTimer', 'hangUpDestination', 'destroyBridge', 'play'],
    });
  });

  test.each<[CallEvent, object]>([
    [{ type: 'callerLeft', at: 9 }, { result: 'abandoned' }],
    [{ type: 'interrupted' }, { result: 'unrecorded', reason: 'interrupted' }],
    [{ type: 'eventsMissed' }, { result: 'unrecorded', reason: 'interrupted' }],
    [
      { type: 'thirdPartyJoined', channel: stranger },
      { result: 'unrecorded', reason: 'untold_party' },
    ],
    [
      { type: 'stepFailed', step: 'prepare' },
      { result: 'unrecorded', reason: 'prepare_failed' },
    ],
    [
      { type: 'destinationLeft', at: 9, cause: 16 },
      { result: 'unrecorded', reason: 'prepare_failed' },
    ],
    [
      { type: 'bridgeGone', alone: ['caller', 'destination'] },
      { result: 'unrecorded', reason: 'prepare_failed' },
    ],
  ])('%j ends it, and what was made is removed', (event, outcome) => {
    const ended = when(accepting, event);
    expect(ended.outcome).toEqual(outcome);
    expect(ended.types).toEqual(expect.arrayContaining(['hangUpDestination', 'destroyBridge']));
  });
});

describe('a hold', () => {
  const facts = someFacts(countingIds(), { sentenceCount: 1 });
  const talking = stateAt('talking', facts);
  const { callerChannel } = facts;
  const { recording, destination } = facts.order;
  const hold = (type: 'callerHeld' | 'callerResumed' | 'destinationHeld' | 'destinationResumed', after = 0) =>
    ({ type, at: at + after }) as const;
  const music = (waiting: ChannelId[], back: ChannelId[] = []) => {
    return { type: 'hold', waiting, back, recorder: undefined };
  };

  test.each([
    ['caller', destination],
    ['destination', callerChannel],
  ] as const)('by the %s pauses the recorder until they are back, and the other has music', (party, channel) => {
    const held = when(talking, hold(`${party}Held`));
    expect(held.effects).toEqual([
      { type: 'hold', waiting: [channel], back: [], recorder: { recording, paused: true, at } },
      { type: 'save' },
    ]);
    expect(when(held.state, hold(`${party}Resumed`, 900)).effects).toEqual([
      { type: 'hold', waiting: [], back: [channel], recorder: { recording, paused: false, at: at + 900 } },
      { type: 'save' },
    ]);
  });

  test('by both lasts until the second is back, and said twice is one', () => {
    const both = when(talking, hold('callerHeld'), hold('destinationHeld'));
    expect(both.effects).toEqual([music([callerChannel]), { type: 'save' }]);
    expect(when(both.state, hold('callerHeld')).effects).toEqual([]);
    expect(when(both.state, hold('callerResumed')).effects).toEqual([music([], [destination]), { type: 'save' }]);
    expect(when(both.state, hold('callerResumed'), hold('destinationResumed')).effects).toMatchObject([
      { recorder: { paused: false } },
      { type: 'save' },
    ]);
  });

  test('ends for who waits when they are transferred from it', () => {
    const held = when(talking, hold('destinationHeld')).state;
    const by = 'somebody-else' as ChannelId;
    expect(when(held, { type: 'partyReplaced', party: 'destination', channel: by })).toMatchObject({
      state: { holding: [], untold: true },
      effects: [
        { type: 'stopRecorder' },
        music([], [callerChannel]),
        { type: 'hangUpReplaced', channel: destination },
        { type: 'save' },
      ],
    });
  });

  test('goes on for who takes the place of the one that waits', () => {
    const held = when(talking, hold('destinationHeld')).state;
    const by = 'somebody-else' as ChannelId;
    expect(when(held, { type: 'partyReplaced', party: 'caller', channel: by })).toMatchObject({
      state: { holding: ['destination'] },
      effects: [{ type: 'stopRecorder' }, music([by]), { type: 'hangUpReplaced' }, { type: 'save' }],
    });
  });

  test('from before the answer pauses the recorder as soon as it runs', () => {
    const dialling = stateAt('dialling', facts);
    const requested = when(dialling, hold('callerHeld'), { type: 'destinationAnswered', at });
    expect(requested.effects).toMatchObject([{ type: 'startRecorder' }, { type: 'stopTimer' }, music([destination])]);
    const started: CallEvent = { type: 'recorderStarted', at: at + 4 };
    expect(when(requested.state, started).effects).toContainEqual({
      type: 'hold',
      waiting: [],
      back: [],
      recorder: { recording, paused: true, at: at + 4 },
    });
    expect(when(requested.state, hold('callerResumed'), started).types).not.toContain('hold');
  });

  test('pauses nothing that does not run, or is being stopped', () => {
    const optOutTalk = when(stateAt('talking', optOut), ...press('*9')).state;
    expect(when(optOutTalk, hold('destinationHeld')).effects).toMatchObject([{ recorder: undefined }, {}]);
    const withStranger = when(talking, { type: 'thirdPartyJoined', channel: stranger }).state;
    expect(when(withStranger, hold('destinationHeld')).effects).toMatchObject([{ recorder: undefined }, {}]);
  });
});

describe('a call that is left out by lot', () => {
  test.each(['announce', 'optOut', 'optIn'] as const)('with %s is told all the same, and goes on', (mode) => {
    const facts = someFacts(countingIds(), { mode, sampled: false });
    const { state, effects } = course(facts, [
      ...eventsTo('announcing', facts),
      ...heard(facts.order.script.sentences),
    ]);
    expect(state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason: 'not_sampled' } });
    expect(typesOf(effects)).not.toContain('prepare');
  });
});

describe('the feature code', () => {
  const talking = stateAt('talking', optOut);
  const { recording, bridge } = optOut.order;

  test('is saved and told to both sides, stops and removes the recording at once, then tells the dialplan; the talk goes on', () => {
    expect(when(talking, ...press('*9', at))).toMatchObject({
      state: {
        kind: 'talking',
        recorder: { kind: 'discarded', startedAt: callStart + 20_000 },
        answer: { kind: 'refused', digits: '*9', at: at + 100 },
      },
      effects: [
        { type: 'save' },
        { type: 'sayToBoth', bridge, sentence: reply('erasure', optOut) },
        { type: 'discardRecorder', recording },
        { type: 'tellUnrecorded', reason: 'refused' },
      ],
    });
  });

  test('that the catalogue does not take removes the recording all the same', () => {
    const refused = when(talking, ...press('*9', at));
    expect(when(refused.state, { type: 'stepFailed', step: 'save' }).effects).toEqual([
      { type: 'discardRecorder', recording },
    ]);
  });

  test('of who is on hold, or holds, ends the music until both were told', () => {
    const held = when(talking, { type: 'destinationHeld', at }).state;
    const refused = when(held, ...press('*9', at));
    const said = reply('erasure', optOut);
    expect(refused.effects.slice(1, 3)).toMatchObject([
      { type: 'hold', waiting: [], back: [optOut.callerChannel], recorder: undefined },
      { type: 'sayToBoth', sentence: said },
    ]);
    const [began, ended] = heard([said]);
    if (began === undefined || ended === undefined) throw new Error('it is heard');
    expect(when(refused.state, began).effects).toEqual([]);
    expect(when(refused.state, began, ended).effects).toMatchObject([
      { type: 'hold', waiting: [optOut.callerChannel], back: [], recorder: undefined },
    ]);
    expect(when(refused.state, { type: 'stepFailed', step: 'sayToBoth' }).effects).toMatchObject([
      { type: 'hold', waiting: [optOut.callerChannel] },
    ]);
    const back = when(refused.state, { type: 'destinationResumed', at: at + 9 }).state;
    expect(when(back, ended).effects).toEqual([]);
  });

  test('says that something is erased only where something may have been recorded', () => {
    const deaf = course(optOut, [
      ...eventsTo('dialling', optOut),
      { type: 'eventsMissed' },
      { type: 'destinationAnswered', at: callStart + 10_000 },
    ]).state;
    expect(when(deaf, ...press('*9')).effects).toContainEqual({
      type: 'sayToBoth',
      bridge,
      sentence: acknowledgement(optOut),
    });
  });

  test.each([
    ['its keys in another order', '9*'],
    ['a key between them', '*59'],
    ['the key of the notice alone', '9'],
    ['its first key alone', '*'],
  ])('is not %s', (_, digits) => {
    expect(when(talking, ...press(digits)).state).toMatchObject({ kind: 'talking', recorder: { kind: 'running' } });
  });

  describe('at the moment of the answer', () => {
    const answeredAt = callStart + 10_000;
    const dialling = stateAt('dialling', optOut);
    const answer = { type: 'destinationAnswered', at: answeredAt } as const;

    test('is not needed: the key of the notice alone, let go within three seconds, removes the recording', () => {
      expect(when(dialling, answer, ...press('9', answeredAt + 3_000))).toMatchObject({
        state: { answer: { kind: 'refused', digits: '9' }, recorder: { kind: 'discarded' } },
      });
      expect(when(dialling, answer, ...press('9', answeredAt + 3_001)).state).toMatchObject({
        answer: { kind: 'none' },
        recorder: { kind: 'requested' },
      });
    });

    test('counts when its first key came while the destination rang', () => {
      const keysAround = [...press('*', answeredAt - 1), answer, ...press('9', answeredAt + 60_000)];
      expect(when(dialling, ...keysAround).state).toMatchObject({
        answer: { kind: 'refused', digits: '*9' },
        recorder: { kind: 'discarded' },
      });
    });
  });

  test('is heard behind any other keys, however many', () => {
    expect(when(talking, ...press('12345678901234567890**9')).state).toMatchObject({
      recorder: { kind: 'discarded' },
    });
  });

  test('has one effect, however often it is pressed', () => {
    const refused = when(talking, ...press('*9')).state;
    expect(when(refused, ...press('*9')).effects).toEqual([]);
  });

  test('before the recorder has started counts, and one that starts then is discarded too', () => {
    const requested = course(optOut, [
      ...eventsTo('dialling', optOut),
      { type: 'destinationAnswered', at: undefined },
    ]).state;
    const refused = when(requested, ...press('*9')).state;
    expect(refused).toMatchObject({ recorder: { kind: 'discarded', startedAt: undefined } });
    expect(when(refused, { type: 'recorderStarted', at: 9 })).toMatchObject({
      state: { recorder: { kind: 'discarded' } },
      effects: [{ type: 'discardRecorder', recording }],
    });
  });

  test('makes an unrecorded call that was refused, and no recorder is stopped a second time', () => {
    const refused = when(talking, ...press('*9')).state;
    expect(when(refused, { type: 'callerLeft', at: 9 })).toMatchObject({
      outcome: { result: 'unrecorded', reason: 'refused' },
      types: ['hangUpDestination', 'destroyBridge', 'stopTimer', 'save'],
    });
  });
});

describe('somebody who was not told', () => {
  const facts = someFacts(countingIds());
  const joins: CallEvent = { type: 'thirdPartyJoined', channel: stranger };
  const { recording } = facts.order;

  test('in the bridge while the notice plays: the caller goes on, and what was made is removed', () => {
    const inLast = course(facts, [...eventsTo('announcing', facts), ...heard([sentence(facts, 0)])]).state;
    expect(when(inLast, joins)).toMatchObject({
      outcome: { result: 'unrecorded', reason: 'untold_party' },
      types: ['stopTimer', 'returnToDialplan', 'hangUpDestination', 'destroyBridge', 'save'],
    });
  });

  test('in the talk stops the recorder; the talk goes on, and what was said before stays', () => {
    const talking = stateAt('talking', facts);
    const { state, effects } = when(talking, joins);
    expect(effects).toEqual([{ type: 'stopRecorder', recording }, { type: 'save' }]);
    const stopped = when(state, { type: 'recorderFinished', at: 9 }).state;
    expect(stopped).toMatchObject({ kind: 'talking', recorder: { kind: 'finished', finishedAt: 9 } });
    const leaves: CallEvent = { type: 'thirdPartyLeft', channel: stranger };
    expect(when(stopped, leaves, { type: 'callerLeft', at: 10 }).outcome).toEqual({ result: 'recorded' });
  });

  test('keeps a recorder from running that starts late', () => {
    const requested = course(facts, [
      ...eventsTo('dialling', facts),
      { type: 'destinationAnswered', at: undefined },
    ]).state;
    const failed = when(requested, { type: 'stepFailed', step: 'startRecorder' }, joins);
    expect(failed.effects).toEqual([{ type: 'save' }]);
    expect(when(failed.state, { type: 'recorderStarted', at: 9 }).effects[0]).toEqual({
      type: 'stopRecorder',
      recording,
    });
  });
});

describe('somebody who was not told and is in the bridge', () => {
  const facts = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
  const { order, callerChannel } = facts;
  const joins: CallEvent = { type: 'thirdPartyJoined', channel: stranger };
  const talks = when(stateAt('talking', facts), joins).state;
  const leaves = {
    caller: { type: 'callerLeft', at: 9 },
    destination: { type: 'destinationLeft', at: 9, cause: 16 },
  } as const;

  test('before the answer: they talk unrecorded', () => {
    const { state, effects } = when(stateAt('dialling', facts), joins);
    expect(effects).toEqual([{ type: 'save' }]);
    const answered = when(state, { type: 'destinationAnswered', at: 8 });
    expect(answered).toMatchObject({
      state: { kind: 'talking', recorder: { kind: 'withheld', why: 'untold_party' }, others: [stranger] },
      types: ['stopTimer', 'save', 'tellUnrecorded'],
    });
    expect(when(answered.state, { type: 'thirdPartyLeft', channel: stranger }, leaves.caller)).toMatchObject({
      outcome: { result: 'unrecorded', reason: 'untold_party' },
    });
  });

  test('and is alone with a ringing destination waits for it in the caller’s place', () => {
    const { state, effects } = when(when(stateAt('dialling', facts), joins).state, leaves.caller);
    expect(effects).toEqual([{ type: 'save' }]);
    expect(state).toMatchObject({ kind: 'dialling', facts: { callerChannel: stranger, toldChannel: callerChannel } });
    expect(when(state, leaves.caller).outcome).toEqual({ result: 'abandoned' });
  });

  test('and is alone with a destination that rings hears that', () => {
    const ringing = when(stateAt('dialling', facts), { type: 'destinationRinging' }, joins).state;
    expect(when(ringing, leaves.caller).types).toEqual(['ring', 'save']);
  });

  test.each(['caller', 'destination'] as const)('talks on with who is left when the %s leaves', (party) => {
    const { state, effects } = when(talks, leaves[party]);
    expect(effects).toEqual([{ type: 'stopRecorder', recording: order.recording }, { type: 'save' }]);
    expect(state).toMatchObject({
      kind: 'talking',
      others: [],
      facts: party === 'caller' ? { callerChannel: stranger } : { order: { destination: stranger } },
    });
    // Then it is a talk of two like any other.
    expect(when(state, leaves.destination).types).toContain('hangUpCaller');
    expect(when(state, leaves.caller).types).toContain('hangUpDestination');
  });

  test('and has left again is not waited for', () => {
    const alone = when(talks, { type: 'thirdPartyLeft', channel: stranger }).state;
    expect(when(alone, leaves.caller).types).toEqual([
      'stopRecorder',
      'hangUpDestination',
      'destroyBridge',
      'startTimer',
    ]);
  });

  test('is one that takes a place by a transfer, and nobody more', () => {
    const transfer: CallEvent = { type: 'partyReplaced', party: 'destination', channel: stranger };
    const { state } = when(talks, transfer);
    expect(state).toMatchObject({ kind: 'talking', others: [], facts: { order: { destination: stranger } } });
  });

  test.each([
    ['caller', 'dialling'],
    ['destination', 'talking'],
  ] as const)('by a transfer of the %s before the answer was told leaves a call that is %s', (party, kind) => {
    const { state, types } = when(stateAt('dialling', facts), { type: 'partyReplaced', party, channel: stranger });
    expect(state).toMatchObject({ kind, untold: true });
    expect(types).toContain('hangUpReplaced');
    expect(types).not.toContain('startRecorder');
  });
});

describe('a transfer', () => {
  const facts = someFacts(countingIds(), { mode: 'optOut', sentenceCount: 1 });
  const { recording, destination } = facts.order;
  const by = 'another' as ChannelId;
  const replaced = (party: 'caller' | 'destination'): CallEvent => ({ type: 'partyReplaced', party, channel: by });

  test.each([
    ['caller', facts.callerChannel],
    ['destination', destination],
  ] as const)('of the %s stops the recorder, lets who transferred go, and is kept', (party, channel) => {
    const { state, effects } = when(stateAt('talking', facts), replaced(party));
    expect(effects).toEqual([
      { type: 'stopRecorder', recording },
      { type: 'hangUpReplaced', channel },
      { type: 'save' },
    ]);
    expect(state).toMatchObject({ kind: 'talking', untold: true });
    expect(when(state, { type: 'recorderStarted', at: 9 }).effects[0]).toEqual({ type: 'stopRecorder', recording });
  });

  test('that is told twice is one', () => {
    const { state } = when(stateAt('talking', facts), replaced('caller'));
    expect(when(state, replaced('caller'))).toMatchObject({ state, effects: [] });
  });

  test('makes the new destination the one that is hung up with the caller', () => {
    const { state } = when(stateAt('talking', facts), replaced('destination'));
    expect(when(state, { type: 'callerLeft', at: 9 }).effects).toContainEqual({
      type: 'hangUpDestination',
      destination: by,
    });
  });
});

describe('keys that were missed with the connection', () => {
  const missed: CallEvent = { type: 'eventsMissed' };
  const unrecorded = { outcome: { result: 'unrecorded', reason: 'interrupted' } };
  const announced = someFacts(countingIds(), { sentenceCount: 1 });

  test.each<[string, CallFacts, CallState['kind']]>([
    ['while languages are offered', offering, 'choosing'],
    ['while an opt-out is announced', optOut, 'announcing'],
    ['while an opt-in is announced', optIn, 'announcing'],
    ['after the question', optIn, 'asking'],
  ])('%s: the caller goes on unrecorded', (_, facts, kind) => {
    const step = when(stateAt(kind, facts), missed);
    expect(step).toMatchObject(unrecorded);
    expect(step.types).toContain('returnToDialplan');
  });

  test.each([
    ['optOut', optOut],
    ['optIn', optIn],
  ])('while an %s dials: they talk, and no recorder is asked for', (_, facts) => {
    const talking = when(stateAt('dialling', facts), missed, { type: 'destinationAnswered', at: undefined });
    expect(talking.types).toEqual(['stopTimer', 'save', 'tellUnrecorded']);
    expect(talking.state).toMatchObject({ kind: 'talking', recorder: { kind: 'withheld' } });
    expect(when(talking.state, { type: 'callerLeft', at })).toMatchObject(unrecorded);
  });

  test('while it dials: a destination that does not answer is told to the dialplan as ever', () => {
    const busy = when(stateAt('dialling', optOut), missed, { type: 'destinationLeft', at, cause: 17 });
    expect(busy.outcome).toEqual({ result: 'notConnected', dialStatus: 'BUSY' });
  });

  test('do not keep a caller from refusing in the talk', () => {
    const talking = when(stateAt('dialling', optOut), missed, { type: 'destinationAnswered', at: undefined }).state;
    const refused = when(talking, ...press(keys.featureCode));
    expect(refused.types).toEqual(['save', 'sayToBoth', 'tellUnrecorded']);
    expect(when(refused.state, { type: 'callerLeft', at }).outcome).toEqual({
      result: 'unrecorded',
      reason: 'refused',
    });
  });

  test('remove what a recorder takes that nobody asked for', () => {
    const talking = when(stateAt('dialling', optOut), missed, { type: 'destinationAnswered', at: undefined }).state;
    expect(when(talking, { type: 'recorderStarted', at }).types).toEqual(['discardRecorder']);
  });

  test.each(['dialling', 'talking', 'closing'] as const)(
    'change nothing where nobody may refuse, once they were told: %s',
    (kind) => {
      const before = stateAt(kind, announced);
      expect(when(before, missed)).toMatchObject({ state: before, effects: [] });
    },
  );

  test.each(['planning', 'checking', 'answering', 'acknowledging', 'talking', 'closing'] as const)(
    'change nothing before anybody is asked and after they answered: %s',
    (kind) => {
      const before = stateAt(kind, optOut);
      expect(when(before, missed)).toMatchObject({ state: before, effects: [] });
    },
  );
});
