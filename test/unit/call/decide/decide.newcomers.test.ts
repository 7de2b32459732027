/** What the enumeration of newcomers leaves out: who comes behind a Local/ channel, and staff. */
import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallEvent } from '../../../../src/call/decide/events.ts';
import type { NewcomerRule } from '../../../../src/config/newcomers.ts';
import type { ChannelId } from '../../../../src/core/ids.ts';
import { followed, recordedTalk } from '../../../support/call/followedStage.ts';
import { countingIds, someFacts, stateAt, stranger, typesOf } from '../../../support/call/calls.ts';

const agent = 'agent' as ChannelId;

/** A talk that is being recorded, with an agent behind the destination's Local/ channel. */
function talkWhere(newcomers: NewcomerRule) {
  const facts = someFacts(countingIds());
  const told = { ...facts, order: { ...facts.order, newcomers } };
  const events: CallEvent[] = [
    { type: 'recorderStarted', at: 2 },
    { type: 'farEndSeen', party: 'destination', channels: [agent], at: 3 },
  ];

  return events.reduce((state, event) => decide(state, event).state, stateAt('talking', told));
}

const comesBehind = (more: Partial<Extract<CallEvent, { type: 'farEndSeen' }>> = {}): CallEvent => ({
  type: 'farEndSeen',
  party: 'destination',
  channels: [agent, stranger],
  at: 4,
  ...more,
});

test('who comes behind the destination is told, and recorded once they were', () => {
  const { state, effects } = decide(talkWhere('tell'), comesBehind());
  expect(typesOf(effects)).toEqual(['hold', 'tellNewcomer', 'save']);
  expect(state).toMatchObject({ untold: false, telling: [stranger] });
  const told = { sentences: [], finishedAt: 5 } as unknown as Extract<CallEvent, { type: 'newcomerTold' }>['told'];
  const next = decide(state, { type: 'newcomerTold', channel: stranger, told });
  expect(next.effects).toMatchObject([{ type: 'save' }, { type: 'hold', recorder: { paused: false, at: 5 } }]);
});

test.each([
  ['behind the caller', comesBehind({ party: 'caller', channels: [stranger] })],
  ['while events were missed', comesBehind({ unwatched: true })],
  ['in the place of those who have left', { type: 'farEndLost', party: 'destination' } as const],
  ['with a number that is never recorded', comesBehind({ never: true })],
])('who comes %s is not told: recording ends', (_, event) => {
  const { state, effects } = decide(talkWhere('tell'), event);
  expect(typesOf(effects)).toEqual(['stopRecorder', 'save']);
  expect(state).toMatchObject({ untold: true, telling: [] });
});

test.each(['inside', 'tell'] as const)('staff who come are recorded at once where the line says %s', (rule) => {
  const { state, effects } = decide(talkWhere(rule), comesBehind({ staff: [stranger] }));
  expect(typesOf(effects)).toEqual(['save']);
  expect(state).toMatchObject({ untold: false, telling: [], facts: { aware: [stranger] } });
});

test.each(['inside', 'stop'] as const)('who is no staff ends the recording where the line says %s', (rule) => {
  expect(typesOf(decide(talkWhere(rule), comesBehind()).effects)).toEqual(['stopRecorder', 'save']);
});

test('whoever takes the place of the destination of a followed call is asked whether they hold', () => {
  const colleague = 'colleague' as ChannelId;
  const events: CallEvent[] = [
    { type: 'thirdPartyJoined', channel: colleague, at: 3, staff: [colleague] },
    { type: 'recorderStarted', at: 4, part: 2 },
    { type: 'destinationLeft', at: 5, cause: undefined },
  ];
  const { effects } = events.reduce(
    (step, event) => decide(step.state, event),
    decide(recordedTalk(followed('inside')), { type: 'recorderStarted', at: 2, part: 1 }),
  );
  expect(effects).toContainEqual({ type: 'watchHolds', channel: colleague });
});
