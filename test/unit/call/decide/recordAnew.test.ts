import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { CallState } from '../../../../src/call/decide/state.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { aFollowed, course, eventsTo } from '../../../support/call/calls.ts';

const facts = aFollowed({ sentenceCount: 1 });
const { recording } = facts.order;
const changed: CallEvent = { type: 'sourceChanged' };
const joined: CallEvent = {
  type: 'joined',
  bridge: 'theirs' as BridgeId,
  others: ['agent' as ChannelId],
  at: 5_000,
};

function after(...events: readonly CallEvent[]): CallState {
  return course(facts, [...eventsTo('dialling', facts), { type: 'callerReleased' }, joined, ...events]).state;
}

const running = after({ type: 'recorderStarted', at: 5_010, part: 1 });

describe('a source that changes in a followed talk', () => {
  test('has the recorder stopped, and a fresh one begin behind it', () => {
    const { state, effects } = decide(running, changed);
    expect(effects).toMatchObject([
      { type: 'stopRecorder', recording, part: 1 },
      { type: 'startRecorder', order: { recording, part: 2 } },
    ]);
    expect(state).toMatchObject({ kind: 'talking', recorder: { kind: 'requested' }, facts: { order: { part: 2 } } });
  });

  test('leaves one recording, from its first beginning, and tells since when it was paused', () => {
    const ended = decide(decide(running, changed).state, { type: 'recorderFinished', at: 7_000, part: 1 });
    expect(ended.state).toMatchObject({
      recorder: { kind: 'requested', resumes: { startedAt: 5_010, pausedAt: 7_000 } },
    });
    const again = decide(ended.state, { type: 'recorderStarted', at: 7_030, part: 2 });
    expect(again.state).toMatchObject({ recorder: { kind: 'running', startedAt: 5_010 } });
  });

  test('leaves what was recorded until then where the fresh one does not begin', () => {
    const { state } = decide(running, changed);
    const failed = decide(state, { type: 'stepFailed', step: 'startRecorder' });
    expect(failed.state).toMatchObject({ kind: 'talking', recorder: { kind: 'finished', startedAt: 5_010 } });
    const closing = decide(state, { type: 'callerLeft', at: 9_000 }).state;
    const late = decide(closing, { type: 'timeUp', timer: 'recorderFinish' });
    expect(late.state).toMatchObject({ kind: 'ended', outcome: { result: 'recorded' } });
  });

  test.each<[string, CallState]>([
    ['before the recorder runs', after()],
    [
      'with somebody there who was not told',
      decide(running, { type: 'thirdPartyJoined', channel: 'new' as ChannelId }).state,
    ],
    ['on hold', decide(running, { type: 'destinationHeld', at: 6_000 }).state],
    ['between two talks', decide(running, { type: 'parted', at: 6_000 }).state],
  ])('changes nothing %s', (_when, state) => {
    expect(decide(state, changed)).toEqual({ state, effects: [] });
  });

  test('stops a late recorder of the part before', () => {
    const { state } = decide(running, changed);
    expect(decide(state, { type: 'recorderStarted', at: 7_000, part: 1 }).effects).toEqual([
      { type: 'stopRecorder', recording, part: 1 },
    ]);
  });
});

describe('the end of a hold in a followed talk', () => {
  const held = decide(running, { type: 'destinationHeld', at: 6_000 }).state;
  const resumed: CallEvent = { type: 'destinationResumed', at: 8_000 };

  test('has the recording go on in a fresh part: the music may have made the one before deaf', () => {
    const { state, effects } = decide(held, resumed);
    expect(effects).toMatchObject([
      { type: 'stopRecorder', recording, part: 1 },
      { type: 'startRecorder', order: { recording, part: 2 } },
      { type: 'save' },
    ]);
    expect(state).toMatchObject({ holding: [], recorder: { kind: 'requested', resumes: { isHold: true } } });
    expect(decide(held, { type: 'holdsFound', holding: [] }).effects).toEqual(effects);
  });

  test('has it go on once both are back, and not with somebody who was not told', () => {
    const both = decide(held, { type: 'callerHeld', at: 7_000 }).state;
    const one = decide(both, resumed);
    expect(one.effects.map(({ type }) => type)).not.toContain('startRecorder');
    expect(decide(one.state, { type: 'callerResumed', at: 9_000 }).effects).toMatchObject([
      { type: 'stopRecorder' },
      { type: 'startRecorder' },
      { type: 'save' },
    ]);
    const strange = decide(held, { type: 'thirdPartyJoined', channel: 'new' as ChannelId }).state;
    expect(decide(strange, resumed).effects.map(({ type }) => type)).not.toContain('startRecorder');
  });
});

test('a party who is not heard keeps the recorder of a followed talk running: the two hear each other', () => {
  expect(decide(running, { type: 'partyUnheard' })).toEqual({ state: running, effects: [] });
});
