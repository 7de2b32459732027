import { recorderName, type Order } from '../../../src/call/decide/order.ts';
import type { CallState, Facts, In } from '../../../src/call/decide/state.ts';
import type { AriEvent } from '../../../src/ari/events.ts';
import type { NewcomerRule } from '../../../src/config/newcomers.ts';
import type { BridgeId, CallId, ChannelId, RecordingId } from '../../../src/core/ids.ts';
import { aFollowed, course, heardNotice } from './calls.ts';
import { stage } from './registryStage.ts';

/** Followed calls on a scripted Asterisk, in whose bridges the events come as of a real one. */

type FollowedFacts = Facts & { order: Order };

export const followed = (newcomers: NewcomerRule = 'stop', over: Partial<Facts> = {}): FollowedFacts => {
  const facts = aFollowed();

  return { ...facts, ...over, order: { ...facts.order, newcomers } };
};

/** A call beside that of `followed`. */
export const another = (newcomers: NewcomerRule = 'stop'): FollowedFacts => {
  const facts = followed(newcomers, { id: `${'0'.repeat(25)}Z` as CallId, callerChannel: 'caller-2' as ChannelId });
  const ids = { recording: `${'0'.repeat(25)}Y` as RecordingId, destination: 'nobody-2' as ChannelId };

  return { ...facts, order: { ...facts.order, ...ids, bridge: 'no-bridge-2' as BridgeId } };
};

/** The call whose caller was told and goes on in the dialplan, after these events. */
export function goneOn(facts: FollowedFacts, ...more: Parameters<typeof course>[1]): CallState {
  const { order } = facts;

  return course(facts, [
    { type: 'planned', order },
    { type: 'ready' },
    { type: 'callerAnswered' },
    ...heardNotice(order),
    { type: 'callerReleased' },
    ...more,
  ]).state;
}

export const firstBridge = 'bridge-1' as BridgeId;
export const agent = 'agent' as ChannelId;

/** It is recorded in this talk with the agent. */
export const recordedTalk = (facts: FollowedFacts): CallState =>
  goneOn(
    facts,
    { type: 'joined', bridge: firstBridge, others: [agent], at: 1 },
    { type: 'recorderStarted', at: 2, part: 1 },
  );

/** A process that takes up these calls; their snoops are there as soon as they are asked for. */
export async function followedStage(
  open: readonly CallState[],
  { members = [], options = {} }: { members?: readonly ChannelId[]; options?: Parameters<typeof stage>[0] } = {},
) {
  const set = stage({ ...options, open: [...open] });
  const { ari, registry } = set;
  const callers = open.map(({ facts }) => facts.callerChannel);
  for (const id of new Set([...callers, ...members])) ari.state.channels.push({ id, state: 'Up' });
  for (const state of open) {
    if (state.kind !== 'talking' || state.facts.order === undefined) continue;
    const { bridge, recording, part } = state.facts.order;
    ari.state.inBridge[bridge] = [state.facts.callerChannel, ...members];
    if (state.recorder.kind === 'running') ari.state.recording.push(recorderName(recording, part));
  }
  const arrives = (channelId: ChannelId): void => {
    setImmediate(() => {
      registry.handle({
        type: 'channelArrived',
        at: 1,
        channelId,
        args: [],
        callerNumber: '',
        language: 'en',
        replaces: undefined,
      });
    });
  };
  for (const kind of ['snoop', 'whisper'] as const) {
    const ask = ari[kind].bind(ari) as (...args: readonly unknown[]) => Promise<void>;
    ari[kind] = async (...args: readonly unknown[]) => {
      await ask(...args);
      arrives(args[1] as ChannelId);
    };
  }
  await registry.resync();
  const handle = (event: AriEvent): void => {
    registry.handle(event);
  };

  return {
    ...set,
    handle,
    enter: (
      bridgeId: BridgeId,
      channelId: ChannelId,
      at: number,
      more: { number?: string; endpoint?: string } = {},
    ) => {
      handle({ type: 'bridgeEntered', at, bridgeId, channelId, ...more });
    },
    leave: (bridgeId: BridgeId, channelId: ChannelId, at: number) => {
      handle({ type: 'bridgeLeft', at, bridgeId, channelId });
    },
    /** The talks, in the order of the calls. */
    talks: (): (In<'talking'> | undefined)[] =>
      registry.states.map((state) => (state.kind === 'talking' ? state : undefined)),
  };
}
