import type { AriEvent } from '../../../../src/ari/events.ts';
import { decide } from '../../../../src/call/decide/decide.ts';
import type { CallState, Effect } from '../../../../src/call/decide/state.ts';
import { BridgeMap } from '../../../../src/call/watch/bridgeMap.ts';
import { FollowWatch } from '../../../../src/call/watch/followWatch.ts';
import type { TimelineEntry } from '../../../../src/call/watch/timeline.ts';
import type { BridgeId, ChannelId } from '../../../../src/core/ids.ts';
import { aFollowed, course, heardNotice } from '../../../support/call/calls.ts';

const facts = aFollowed();
const caller = facts.callerChannel;

/** A followed call whose caller the dialplan has, and the watch that tells it. */
function stage() {
  const effects: Effect[] = [];
  const kept: TimelineEntry[] = [];
  const met: string[] = [];
  const told = course(facts, [
    { type: 'planned', order: facts.order },
    { type: 'ready' },
    { type: 'callerAnswered' },
    ...heardNotice(facts.order),
    { type: 'callerReleased' },
  ]);
  const session = {
    state: told.state,
    isAbandoned: false,
    handle: (event: Parameters<typeof decide>[1]): void => {
      const step = decide(session.state, event);
      session.state = step.state;
      effects.push(...step.effects);
    },
    note: (entry: TimelineEntry): void => void kept.push(entry),
  };
  const map = new BridgeMap();
  const watch = new FollowWatch({
    map,
    isNeverRecorded: (channel) => channel === 'never',
    sessionOf: (channel) => (channel === caller ? session : undefined),
    met: () => undefined,
    areIn: (_call, channels) => void met.push(...channels),
  });
  const happens = (event: AriEvent): void => {
    map.handle(event);
    watch.handle(event);
  };
  const at = 5;
  const enters = (channel: string, bridge: string, more: { isHolding?: true } = {}): void => {
    happens({ type: 'bridgeEntered', at, bridgeId: bridge as BridgeId, channelId: channel as ChannelId, ...more });
  };
  const leaves = (channel: string, bridge: string): void => {
    happens({ type: 'bridgeLeft', at, bridgeId: bridge as BridgeId, channelId: channel as ChannelId });
  };
  const asked = (): Effect['type'][] => effects.map(({ type }) => type);

  return { session, kept, met, enters, leaves, asked };
}

const isUntold = (state: CallState): boolean | undefined => ('untold' in state ? state.untold : undefined);

test('a talk begins when both are in the bridge, whoever comes first', () => {
  for (const order of [
    [caller, 'agent'],
    ['agent', caller],
  ]) {
    const { session, enters, asked, met } = stage();
    for (const channel of order) enters(channel, 'b');
    expect(session.state).toMatchObject({ kind: 'talking', untold: false, recorder: { kind: 'requested' } });
    expect(session.state.facts.order).toMatchObject({ bridge: 'b', destination: 'agent', part: 1 });
    expect(asked()).toEqual(['startRecorder', 'watchHolds']);
    expect(met).toEqual(['agent']);
  }
});

test('a bridge in which everybody waits is none', () => {
  const { session, enters, asked } = stage();
  enters('somebody', 'lot', { isHolding: true });
  enters(caller, 'lot', { isHolding: true });
  expect(session.state.kind).toBe('following');
  expect(asked()).toEqual([]);
});

test('bridges of others are none of the call’s', () => {
  const { session, enters, leaves } = stage();
  enters('one', 'other');
  enters('another', 'other');
  leaves('one', 'other');
  expect(session.state.kind).toBe('following');
});

test('with the last other who leaves the talk is over, and the recorder is stopped', () => {
  const { session, enters, leaves, asked } = stage();
  enters(caller, 'b');
  enters('agent', 'b');
  leaves('agent', 'b');
  expect(session.state.kind).toBe('following');
  expect(asked().slice(2)).toEqual(['stopRecorder', 'save']);
  leaves(caller, 'b');
  expect(session.state.kind).toBe('following');
});

test('the same other in another bridge is a second part of the recording', () => {
  const { session, enters, leaves } = stage();
  enters(caller, 'b');
  enters('agent', 'b');
  leaves(caller, 'b');
  leaves('agent', 'b');
  enters('agent', 'c');
  enters(caller, 'c');
  expect(session.state).toMatchObject({ kind: 'talking', untold: false });
  expect(session.state.facts.order).toMatchObject({ bridge: 'c', part: 2 });
});

test('somebody else in another bridge was not told, and nothing more is recorded', () => {
  const { session, enters, leaves, asked, kept } = stage();
  enters(caller, 'b');
  enters('agent', 'b');
  leaves(caller, 'b');
  enters('stranger', 'c');
  enters(caller, 'c');
  expect(isUntold(session.state)).toBe(true);
  expect(asked().filter((type) => type === 'startRecorder')).toHaveLength(1);
  // What a recorder that was stopped too late has of them is made silent.
  const came = { kind: 'change', change: 'transferred', at: 5, party: 'destination', who: ['stranger'] };
  expect(kept).toEqual([came]);
  leaves(caller, 'c');
  enters('agent', 'd');
  enters(caller, 'd');
  expect(asked().filter((type) => type === 'startRecorder')).toHaveLength(1);
});

test('who joins a talk was not told: the recorder is stopped, and the receipt has it', () => {
  const { session, enters, asked, kept } = stage();
  enters(caller, 'b');
  enters('agent', 'b');
  enters('stranger', 'b');
  expect(session.state).toMatchObject({ kind: 'talking', untold: true, others: ['stranger'] });
  expect(asked().slice(2)).toEqual(['stopRecorder', 'save']);
  expect(kept).toEqual([{ kind: 'change', change: 'joined', at: 5, who: ['stranger'] }]);
});

test('two who are there already are one who was called and one who was not told', () => {
  const { session, enters, asked } = stage();
  enters('one', 'b');
  enters('another', 'b');
  enters(caller, 'b');
  expect(isUntold(session.state)).toBe(true);
  expect(asked()).not.toContain('startRecorder');
});

test('with somebody whose number is never recorded nothing is, and the receipt tells who came in', () => {
  const { session, enters, asked, kept } = stage();
  enters(caller, 'b');
  enters('never', 'b');
  expect(session.state).toMatchObject({ kind: 'talking', recorder: { kind: 'withheld', why: 'never_recorded' } });
  expect(asked()).toEqual(['save']);
  expect(kept).toEqual([{ kind: 'change', change: 'neverRecorded', at: 5 }]);
});

test('whose number is never recorded ends the recording of a talk that they come into', () => {
  const { session, enters, asked, kept } = stage();
  enters(caller, 'b');
  enters('agent', 'b');
  enters('never', 'b');
  expect(isUntold(session.state)).toBe(true);
  expect(asked()).toContain('stopRecorder');
  expect(kept.map((each) => (each.kind === 'change' ? each.change : each.kind))).toEqual(['joined', 'neverRecorded']);
});
