import { decide } from '../../../../src/call/decide/decide.ts';
import { discardReasonOf, withDiscardReason, type DiscardReason } from '../../../../src/call/decide/discardReason.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import {
  aFollowed,
  callStart,
  countingIds,
  course,
  eventsTo,
  keys,
  press,
  someFacts,
  stateAt,
} from '../../../support/call/calls.ts';

/** What a process that knows more than the catalogue makes of the call that the catalogue has. */

const facts = someFacts(countingIds(), { mode: 'optOut' });
const followed = aFollowed({ mode: 'optOut' });
const refusal: DiscardReason = { why: 'refused', digits: keys.featureCode, at: callStart + 20_000 };
const erasure: DiscardReason = { why: 'erase_asked', by: 'operator' };
const left: CallEvent = { type: 'callerLeft', at: callStart + 30_000 };
const ended: CallEvent = { type: 'recorderFinished', at: callStart + 30_000 };
const joined: CallEvent = {
  type: 'joined',
  bridge: 'of the dialplan' as BridgeId,
  others: ['1001' as ChannelId],
  at: callStart + 25_000,
};

/** A caller who goes on in the dialplan, and talks to nobody yet. */
const following = (): CallState =>
  course(followed, [...eventsTo('dialling', followed), { type: 'callerReleased' }]).state;

function after(state: CallState, events: readonly CallEvent[]) {
  let now = state;
  const effects: string[] = [];
  for (const event of events) {
    const step = decide(now, event);
    now = step.state;
    effects.push(...step.effects.map(({ type }) => type));
  }

  return { state: now, effects };
}

test('a call in which the caller refused, or somebody asked to erase it, has a reason to be discarded; no other has one', () => {
  expect(discardReasonOf(stateAt('talking', facts))).toBeUndefined();
  expect(discardReasonOf(stateAt('ended', facts))).toBeUndefined();
  const { state: refused } = course(facts, [...eventsTo('talking', facts), ...press(keys.featureCode, refusal.at)]);
  expect(discardReasonOf(refused)).toEqual({ ...refusal, at: refusal.at + 100 });
  const { state: erased } = course(facts, [
    ...eventsTo('talking', facts),
    { type: 'eraseAsked', by: 'operator', at: 0 },
  ]);
  expect(discardReasonOf(erased)).toEqual(erasure);
});

test.each([
  ['refused', refusal],
  ['erase_asked', erasure],
] as const)('a talk with a reason is over as one in which it came up: %s', (why, reason) => {
  const known = withDiscardReason(stateAt('talking', facts), reason);
  expect(known).toMatchObject({ kind: 'talking', recorder: { kind: 'discarded', startedAt: callStart + 20_000 } });
  expect(discardReasonOf(known)).toEqual(reason);
  expect(after(known, [ended, left]).state).toMatchObject({
    kind: 'ended',
    outcome: { result: 'unrecorded', reason: why },
    recorder: { kind: 'discarded' },
  });
});

test('a recorder that still runs in such a talk is removed', () => {
  const known = withDiscardReason(stateAt('talking', facts), refusal);
  expect(after(known, [{ type: 'recorderStarted', at: undefined }]).effects).toEqual(['discardRecorder']);
});

const answered: CallEvent = { type: 'destinationAnswered', at: callStart + 25_000 };
/** A caller who is let go on in the dialplan. */
const releasing = (): CallState => course(followed, eventsTo('dialling', followed)).state;

test.each<[string, CallState, CallEvent[]]>([
  ['rings', stateAt('dialling', facts), [answered]],
  ['is let go on', releasing(), [{ type: 'callerReleased' }, joined]],
  ['goes on in the dialplan', following(), [joined]],
])('nothing is recorded of a call that, as far as the catalogue knows, %s', (_, state, events) => {
  expect(after(state, events).effects).toContain('startRecorder');
  for (const reason of [refusal, erasure])
    expect(after(withDiscardReason(state, reason), events).effects).not.toContain('startRecorder');
});

test('a line that records on request records none of which the request to erase is known, also where somebody asks', () => {
  const plain = aFollowed({ mode: 'optOut' });
  const asked = { ...plain, order: { ...plain.order, records: 'onRequest' as const } };
  const { state } = course(asked, [...eventsTo('dialling', asked), { type: 'callerReleased' }]);
  const events: CallEvent[] = [
    joined,
    { type: 'recordAsked', by: 'operator', at: callStart + 26_000 },
    { type: 'pauseSaid', word: 'resumed', at: callStart + 27_000 },
  ];
  expect(after(state, events).effects).toContain('startRecorder');
  expect(after(withDiscardReason(state, erasure), events).effects).not.toContain('startRecorder');
});

test('a call that knows it already, or that has ended, stays as it is', () => {
  const { state } = course(facts, [...eventsTo('talking', facts), ...press(keys.featureCode)]);
  expect(withDiscardReason(state, erasure)).toBe(state);
  expect(withDiscardReason(state, refusal)).toBe(state);
  const over = stateAt('ended', facts);
  expect(withDiscardReason(over, refusal)).toBe(over);
});

test('who refuses behind what was erased has refused', () => {
  const { state } = course(facts, [
    ...eventsTo('talking', facts),
    { type: 'eraseAsked', by: 'operator', at: callStart + 25_000 },
  ]);
  expect(discardReasonOf(withDiscardReason(state, refusal))).toEqual(refusal);
});
