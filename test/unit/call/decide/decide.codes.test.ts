/** What the enumeration of codes leaves out: what is marked, in which order an erasure is done, and what a call on request comes to. */
import { decide } from '../../../../src/call/decide/decide.ts';
import { purposesToTell } from '../../../../src/call/decide/marks.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { Order } from '../../../../src/call/decide/order.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import {
  aFollowed,
  aPrompt,
  countingIds,
  course,
  eventsTo,
  press,
  someFacts,
  stateAt,
  typesOf,
} from '../../../support/call/calls.ts';

type Step = ReturnType<typeof decide>;

const allOf = (first: CallState, events: readonly CallEvent[]): Step =>
  events.reduce<Step>(({ state }, event) => decide(state, event), { state: first, effects: [] });

const agreement = { purpose: 'agreement', keepDays: 392 };

/** A notice that names these purposes. */
function naming(purposes: readonly string[], over: Partial<Order> = {}): Parameters<typeof stateAt>[1] {
  const facts = someFacts(countingIds(), { sentenceCount: 1 });
  const { script } = facts.order;
  const statesMaxDays = Object.fromEntries(purposes.map((purpose) => [purpose, 393]));
  const prompt = aPrompt({ id: 'sentence-1', kind: 'whole', purposes, statesMaxDays });
  const sentences = script.sentences.map((each) => ({ ...each, prompt }));

  return { ...facts, order: { ...facts.order, script: { ...script, sentences }, ...over } };
}

const mark = (asked: 'agreement' | 'exemplary'): CallEvent => ({
  type: 'markAsked',
  mark: asked,
  by: 'destination',
  at: 9_000,
});
const erase: CallEvent = { type: 'eraseAsked', by: 'destination', at: 9_000 };
const record: CallEvent = { type: 'recordAsked', by: 'destination', at: 9_000 };
const said = (word: 'paused' | 'resumed'): CallEvent => ({ type: 'pauseSaid', word, at: 9_900 });

describe('an agreement that is marked', () => {
  test('adds its purpose, and the recording is kept for as long as that says', () => {
    const talking = stateAt('talking', naming(['training', 'agreement'], { agreement }));
    const { state, effects } = decide(talking, mark('agreement'));
    expect(typesOf(effects)).toEqual(['save']);
    expect(state.facts).toMatchObject({
      marks: ['agreement'],
      order: { keepDays: 392, request: { purposes: ['training', 'agreement'] } },
    });
  });

  test('adds nothing where the caller was not told of that purpose, and is kept as such', () => {
    const talking = stateAt('talking', naming(['training'], { agreement }));
    const { state, effects } = decide(talking, mark('agreement'));
    expect(typesOf(effects)).toEqual(['save']);
    expect(state.facts).toMatchObject({
      marks: ['agreementUntold'],
      order: { keepDays: 28, request: { purposes: ['training'] } },
    });
  });

  test('counts once, however often it is pressed', () => {
    const talking = stateAt('talking', naming(['training', 'agreement'], { agreement }));
    const { state } = decide(talking, mark('agreement'));
    for (let each = 0; each < 100; each += 1) expect(decide(state, mark('agreement'))).toEqual({ state, effects: [] });
  });

  test('is nothing on a line that has none, nor in a talk that is not recorded', () => {
    const plain = stateAt('talking', naming(['training']));
    expect(decide(plain, mark('agreement'))).toEqual({ state: plain, effects: [] });
    const { state: refused } = allOf(stateAt('talking', naming(['training', 'agreement'], { agreement })), [erase]);
    expect(decide(refused, mark('agreement')).effects).toEqual([]);
  });

  test('is told to a newcomer before it is marked, where the notice names it', () => {
    const { order } = naming(['training', 'agreement'], { agreement });
    expect(purposesToTell(order)).toEqual(['training', 'agreement']);
    expect(purposesToTell(naming(['training'], { agreement }).order)).toEqual(['training']);
  });
});

test('a call is exemplary once, and beside an agreement', () => {
  const talking = stateAt('talking', naming(['training', 'agreement'], { agreement }));
  const { state } = allOf(talking, [mark('exemplary'), mark('exemplary'), mark('agreement')]);
  expect(state.facts.marks).toEqual(['exemplary', 'agreement']);
});

describe('an erasure', () => {
  const talking = stateAt('talking', someFacts(countingIds(), { mode: 'optOut' }));

  test('is saved and told before the recorder of a bridge goes', () => {
    const { state, effects } = decide(talking, erase);
    expect(typesOf(effects)).toEqual(['save', 'sayErased', 'discardRecorder', 'tellUnrecorded']);
    expect(state).toMatchObject({
      kind: 'talking',
      answer: { kind: 'none' },
      recorder: { kind: 'discarded', erasedBy: 'destination' },
    });
  });

  test('is done once, however often it is asked for', () => {
    let { state } = decide(talking, erase);
    for (let each = 0; each < 100; each += 1) {
      const step = decide(state, erase);
      expect(step.effects).toEqual([]);
      ({ state } = step);
    }
  });

  test('is why the call is not recorded, unless the caller refuses afterwards', () => {
    const left: CallEvent = { type: 'callerLeft', at: 20_000 };
    const outcomeAfter = (...events: CallEvent[]): unknown => {
      const { state } = allOf(talking, [erase, ...events, left]);
      return state.kind === 'ended' ? state.outcome : state.kind;
    };
    expect(outcomeAfter()).toEqual({ result: 'unrecorded', reason: 'erase_asked' });
    expect(outcomeAfter(...press('*9'))).toEqual({ result: 'unrecorded', reason: 'refused' });
  });

  test('of which the save fails removes what was recorded all the same', () => {
    const { state } = decide(talking, erase);
    expect(typesOf(decide(state, { type: 'stepFailed', step: 'save' }).effects)).toEqual(['discardRecorder']);
  });

  test('ends a pause, and what was recorded before it goes', () => {
    const pause: CallEvent = { type: 'pauseAsked', by: 'destination', at: 100, since: 40, until: undefined };
    const { state, effects } = allOf(talking, [pause, erase]);
    expect(typesOf(effects)).toContain('discardRecorder');
    expect(state).not.toHaveProperty('paused');
  });

  test('reaches what a call has that is recorded no more, since somebody came who was not told', () => {
    const stopped = decide(talking, { type: 'farEndLost', party: 'destination' });
    expect(typesOf(decide(stopped.state, erase).effects)).toContain('discardRecorder');
  });
});

const requested = (facts: Parameters<typeof stateAt>[1]): typeof facts => ({
  ...facts,
  order: { ...facts.order, records: 'onRequest' },
});

describe('a line that records on request', () => {
  const facts = requested(someFacts(countingIds(), { mode: 'optOut' }));
  const answered = course(facts, [...eventsTo('dialling', facts), { type: 'destinationAnswered', at: 5_000 }]);

  test('asks for no recorder when they are connected, and tells the dialplan so', () => {
    expect(typesOf(answered.effects)).not.toContain('startRecorder');
    expect(answered.effects).toContainEqual({ type: 'tellUnrecorded', reason: 'not_requested' });
    expect(answered.state).toMatchObject({ kind: 'talking', paused: { by: 'line' } });
  });

  test('begins one once it was asked for and both were told', () => {
    const { state, effects } = decide(answered.state, record);
    expect(effects).toMatchObject([{ type: 'sayPause', word: 'resumed' }]);
    const begun = decide(state, said('resumed'));
    expect(typesOf(begun.effects)).toEqual(['save', 'startRecorder']);
    expect(typesOf(decide(begun.state, { type: 'recorderStarted', at: 10_000 }).effects)).toEqual([
      'save',
      'tellRecorded',
    ]);
  });

  test('ends as not requested where nobody asked for it, without a recording', () => {
    const { state, effects } = decide(answered.state, { type: 'callerLeft', at: 9_000 });
    expect(typesOf(effects)).not.toContain('stopRecorder');
    expect(state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason: 'not_requested' } });
  });

  test('has nothing to pause or erase before', () => {
    const pause: CallEvent = { type: 'pauseAsked', by: 'destination', at: 100, since: 40, until: undefined };
    const resume: CallEvent = { type: 'resumeAsked', by: 'destination', at: 100 };
    for (const event of [pause, resume, erase]) expect(decide(answered.state, event).effects).toEqual([]);
  });

  test('says to who refuses before that nothing is kept, and not that something is erased', () => {
    const { state, effects } = allOf(answered.state, press('*9'));
    expect(typesOf(effects)).not.toContain('discardRecorder');
    const { consent } = facts.order.script;
    const acknowledged = consent.mode === 'optOut' ? consent.refusal.acknowledgement : [];
    expect(effects).toMatchObject([{}, { type: 'sayToBoth', sentence: acknowledged[0] }, {}]);
    expect(decide(state, record).effects).toEqual([]);
  });

  test('does so with a followed caller in whichever talk it is asked for, and keeps that between talks', () => {
    const followed = requested(aFollowed());
    const agent = 'their-agent' as ChannelId;
    const joined = (bridge: string): CallEvent => ({
      type: 'joined',
      bridge: bridge as BridgeId,
      others: [agent],
      at: 6_000,
    });
    const first = course(followed, [...eventsTo('dialling', followed), { type: 'callerReleased' }, joined('one')]);
    expect(typesOf(first.effects)).not.toContain('startRecorder');
    const apart = decide(first.state, { type: 'parted', at: 7_000 });
    const unasked = decide(apart.state, { type: 'callerLeft', at: 8_000 });
    expect(unasked.state).toMatchObject({ outcome: { result: 'unrecorded', reason: 'not_requested' } });
    const second = allOf(apart.state, [joined('two'), record]);
    expect(typesOf(decide(second.state, said('resumed')).effects)).toEqual(['save', 'startRecorder', 'watchHolds']);
  });

  test('is not recorded at once by somebody who asks while the caller talks to nobody, but from the next talk on', () => {
    const followed = requested(aFollowed());
    const released = course(followed, [...eventsTo('dialling', followed), { type: 'callerReleased' }]);
    const asked = decide(released.state, record);
    expect(typesOf(asked.effects)).toEqual(['save']);
    const joined: CallEvent = {
      type: 'joined',
      bridge: 'one' as BridgeId,
      others: ['their-agent' as ChannelId],
      at: 6_000,
    };
    expect(typesOf(decide(asked.state, joined).effects)).toContain('startRecorder');
  });
});
