import type { AriEvent } from '../ari/events.ts';
import type { ChannelId } from '../core/ids.ts';
import type { CallEvent } from './events.ts';
import { sentencesOf } from './planner.ts';
import { recorderName } from './recorderName.ts';
import type { Facts } from './state.ts';

/** Which of Asterisk's ids belong to a call, and what an event of each means to it. */

export type Translate = (event: AriEvent) => CallEvent | undefined;

/** Every id under which Asterisk may speak of this call, and what its events mean to the call. */
export function ownersOf(facts: Facts): [string, Translate][] {
  const { order } = facts;
  const caller: [string, Translate] = [facts.callerChannel, translateCaller];
  if (order === undefined) return [caller];

  return [
    caller,
    [order.destination, translateDestination],
    [order.bridge, (event) => translateBridge(event, [facts.callerChannel, order.destination])],
    [recorderName(order.recording), translateRecorder],
    ...sentencesOf(order).map(({ playbackId }): [string, Translate] => [playbackId, translatePlayback]),
  ];
}

function translateBridge(event: AriEvent, parties: readonly ChannelId[]): CallEvent | undefined {
  if (event.type === 'bridgeGone') return { type: 'bridgeGone' };
  if (event.type !== 'bridgeEntered' || parties.includes(event.channelId)) return undefined;

  return { type: 'strangerJoined' };
}

export function translateCaller(event: AriEvent): CallEvent | undefined {
  if (event.type === 'digit') return { type: 'digit', digit: event.digit, at: event.at };
  if (event.type === 'channelHeld') return { type: 'callerHeld', at: event.at };
  if (event.type === 'channelResumed') return { type: 'callerResumed', at: event.at };
  const left = event.type === 'channelHangingUp' || event.type === 'channelLeft' || event.type === 'channelGone';

  return left ? { type: 'callerLeft', at: event.at } : undefined;
}

export function translateDestination(event: AriEvent): CallEvent | undefined {
  if (event.type === 'channelUp') return { type: 'destinationAnswered', at: event.at };
  if (event.type === 'channelRinging') return { type: 'destinationRinging' };
  if (event.type === 'channelHeld') return { type: 'destinationHeld', at: event.at };
  if (event.type === 'channelResumed') return { type: 'destinationResumed', at: event.at };
  // A 302: Dial() follows it, a channel of ARI does not.
  if (event.type === 'channelForwarded') return { type: 'stepFailed', step: 'dial' };
  if (event.type === 'channelHangingUp' || event.type === 'channelLeft') {
    return { type: 'destinationLeft', at: event.at, cause: undefined };
  }
  if (event.type === 'channelGone') return { type: 'destinationLeft', at: event.at, cause: event.cause };

  return undefined;
}

function translatePlayback(event: AriEvent): CallEvent | undefined {
  if (event.type === 'playbackStarted') return event;
  if (event.type === 'playbackFinished') return event;

  return undefined;
}

function translateRecorder(event: AriEvent): CallEvent | undefined {
  if (event.type === 'recorderStarted') return { type: 'recorderStarted', at: event.at };
  if (event.type === 'recorderFinished') return { type: 'recorderFinished', at: event.at };
  if (event.type === 'recorderFailed') return { type: 'recorderFailed' };

  return undefined;
}
