/** What the enumeration of pauses leaves out: what is said and kept, and what becomes of a call that another process takes up. */
import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { aFollowed, countingIds, course, eventsTo, someFacts, stateAt, typesOf } from '../../../support/call/calls.ts';

const asked: CallEvent = { type: 'pauseAsked', by: 'destination', at: 100, since: 40, until: 60_100 };
const resume: CallEvent = { type: 'resumeAsked', by: 'caller', at: 5_000 };
const said = (word: 'paused' | 'resumed', at: number | undefined): CallEvent => ({ type: 'pauseSaid', word, at });

type Step = ReturnType<typeof decide>;

const allOf = (first: CallState, events: readonly CallEvent[]): Step =>
  events.reduce<Step>(({ state }, event) => decide(state, event), { state: first, effects: [] });

/** A talk that is being recorded, after these events. */
const bridged = (...events: CallEvent[]): Step =>
  allOf(stateAt('talking', someFacts(countingIds())), [{ type: 'recorderStarted', at: 2 }, ...events]);

const bridge = 'their-bridge' as BridgeId;
const agent = 'their-agent' as ChannelId;

/** The same of a followed caller. */
const followed = (...events: CallEvent[]): Step =>
  allOf(course(aFollowed(), eventsTo('dialling', aFollowed())).state, [
    { type: 'callerReleased' },
    { type: 'joined', bridge, others: [agent], at: 1 },
    { type: 'recorderStarted', at: 2, part: 1 },
    ...events,
  ]);

test('a pause stops the recorder, is saved, and is told, in this order', () => {
  const { state, effects } = bridged(asked);
  expect(typesOf(effects)).toEqual(['hold', 'save', 'sayPause']);
  expect(effects).toMatchObject([{ recorder: { paused: true, at: 100 } }, {}, { word: 'paused' }]);
  expect(state).toMatchObject({ paused: { since: 40, by: 'destination', until: 60_100 } });
});

test('its end is told before the recorder goes on', () => {
  const { state, effects } = bridged(asked, said('paused', 1_000), resume);
  expect(typesOf(effects)).toEqual(['sayPause']);
  const { effects: then, state: on } = decide(state, said('resumed', 6_000));
  expect(then).toMatchObject([{ type: 'save' }, { type: 'hold', recorder: { paused: false, at: 6_000 } }]);
  expect(on).not.toHaveProperty('paused');
});

test('whatever is asked for while a sentence is said, nothing is asked of Asterisk until it is over', () => {
  let { state } = bridged(asked);
  for (let each = 0; each < 100; each += 1) {
    const step = decide(state, each % 2 === 0 ? resume : asked);
    expect(step.effects).toEqual([]);
    ({ state } = step);
  }
  expect(decide(state, said('paused', 1_000)).effects).toEqual([]);
  expect(decide(decide(state, resume).state, said('paused', 1_000)).effects).toMatchObject([{ word: 'resumed' }]);
});

test('without the time of its end it stays paused, and both hear so: nobody would know what is to be silent', () => {
  const { state, effects } = bridged(asked, said('paused', 1_000), resume, said('resumed', undefined));
  expect(effects).toMatchObject([{ type: 'save' }, { type: 'sayPause', word: 'paused' }]);
  expect(state).toMatchObject({ paused: { since: 40 } });
  expect(state).not.toHaveProperty('paused.endsBy');
});

test('who asks again hears again that it is paused, and its limit counts anew', () => {
  const { state, effects } = bridged(asked, said('paused', 1_000), { ...asked, until: 99_000 });
  expect(typesOf(effects)).toEqual(['save', 'sayPause']);
  expect(state).toMatchObject({ paused: { since: 40, until: 99_000 } });
});

test('whether its end was told to the end nobody knows after missed events: it stays, and both hear so', () => {
  const { state, effects } = bridged(asked, said('paused', 1_000), resume, { type: 'eventsMissed' });
  expect(effects).toMatchObject([{ type: 'save' }, { type: 'sayPause', word: 'paused' }]);
  expect(state).not.toHaveProperty('paused.endsBy');
});

test('a talk that is not recorded any more is not paused', () => {
  const { state, effects } = bridged({ type: 'farEndLost', party: 'destination' }, asked);
  expect(effects).toEqual([]);
  expect(state).not.toHaveProperty('paused');
});

test('a call that ends while it is paused keeps what was recorded before', () => {
  const { state, effects } = bridged(asked, { type: 'callerLeft', at: 9_000 });
  expect(state.kind).toBe('closing');
  expect(typesOf(effects)).toContain('stopRecorder');
});

test('a followed caller who is given to somebody else stays paused, and a fresh recorder goes on afterwards', () => {
  const paused = followed(asked, said('paused', 1_000), { type: 'parted', at: 2_000 });
  expect(paused.state).toMatchObject({ kind: 'following', paused: { since: 40 } });
  const joined: CallEvent = { type: 'joined', bridge: 'another' as BridgeId, others: [agent], at: 3_000 };
  const next = decide(paused.state, joined);
  expect(typesOf(next.effects)).not.toContain('startRecorder');
  const on = allOf(next.state, [resume, said('resumed', 6_000)]);
  expect(typesOf(on.effects)).toContain('startRecorder');
});

test('between two talks its end needs no sentence', () => {
  const { state } = followed(asked, { type: 'parted', at: 2_000 });
  const { state: on, effects } = decide(state, resume);
  expect(typesOf(effects)).toEqual(['save']);
  expect((on as Extract<CallState, { kind: 'following' }>).paused).toBeUndefined();
});

test('a pause that is asked for between two talks is remembered, once, and nobody is told', () => {
  const { state, effects } = followed({ type: 'parted', at: 90 }, asked);
  expect(typesOf(effects)).toEqual(['save']);
  expect(state).toMatchObject({ kind: 'following', paused: { since: 40, until: 60_100 } });
  const again = decide(state, { ...asked, since: 50_000, until: 99_000 });
  expect(again.state).toMatchObject({ paused: { since: 40, until: 99_000 } });
});

test('who is not to be recorded any more is not paused between two talks', () => {
  const { state, effects } = followed({ type: 'roomSpent' }, { type: 'parted', at: 90 }, asked);
  expect(effects).toEqual([]);
  expect(state).not.toHaveProperty('paused');
});

test('a call that was paused all the time ends with the reason that nobody asked for its recording', () => {
  const { state } = allOf(course(aFollowed(), eventsTo('dialling', aFollowed())).state, [
    { type: 'callerReleased' },
    asked,
    { type: 'joined', bridge, others: [agent], at: 200 },
    { type: 'parted', at: 300 },
    { type: 'callerLeft', at: 400 },
  ]);
  expect(state).toMatchObject({ kind: 'ended', outcome: { result: 'unrecorded', reason: 'not_requested' } });
});

test('the keys of who takes the place of the agent in a pause are listened to', () => {
  const next = 'next-agent' as ChannelId;
  const joined: CallEvent = { type: 'thirdPartyJoined', channel: next, at: 2_000, staff: [next] };
  const left: CallEvent = { type: 'destinationLeft', at: 3_000, cause: undefined };
  const { state, effects } = followed(asked, said('paused', 1_000), joined, left);
  expect(effects).toContainEqual({ type: 'watchHolds', channel: next });
  expect(state).toMatchObject({ paused: { since: 40 }, facts: { order: { destination: next } } });
});

test('a save that fails while its end is told does not keep it from ending', () => {
  const { state } = bridged(asked, said('paused', 1_000), resume, { type: 'stepFailed', step: 'save' });
  const { state: on, effects } = decide(state, said('resumed', 6_000));
  expect(typesOf(effects)).toEqual(['save', 'hold']);
  expect(on).not.toHaveProperty('paused');
});

test('a recorder that was never begun is begun again, where it is still to run', () => {
  const { state, effects } = followed(asked, said('paused', 1_000), resume, said('resumed', 6_000));
  const { effects: again } = decide(state, { type: 'recorderUnbegun', part: 2 });
  expect(typesOf(again)).toEqual(typesOf(effects).filter((type) => type !== 'save'));
  expect(decide(state, { type: 'recorderUnbegun', part: 1 }).effects).toEqual([]);
  const running = decide(state, { type: 'recorderStarted', at: 6_100, part: 2 }).state;
  expect(decide(running, { type: 'recorderUnbegun', part: 2 }).effects).toEqual([]);
});
