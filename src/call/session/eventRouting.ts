import type { AriEvent } from '../../ari/events.ts';
import type { ChannelId } from '../../core/ids.ts';
import type { CallEvent } from '../decide/events.ts';
import { isBridged, partOf, recorderName, sentencesOf } from '../decide/order.ts';
import { partyOf } from '../decide/parties.ts';
import type { CallState, Facts } from '../decide/state.ts';

/** Which of Asterisk's ids belong to a call, and what an event of each means to it. */

/**
 * Every id under which Asterisk may speak of this call alone. The bridges of a followed call, and who is in them, are the dialplan's: other
 * calls may be there, and the caller goes on to the next. Who dialled an outgoing one may be in a call of their own, and is not among them.
 */
export function keysOf({ callerChannel, called, order }: Facts): string[] {
  const channels = [callerChannel, ...(called === undefined ? [] : [called.noticeChannel])];
  if (order === undefined) return channels;

  return [
    ...channels,
    ...(isBridged(order) ? [order.destination, order.bridge] : []),
    recorderName(order.recording),
    ...sentencesOf(order).map(({ playbackId }) => playbackId),
  ];
}

/** These, and whom they talk with. */
export const idsOf = (facts: Facts): string[] => [
  ...keysOf(facts),
  ...(facts.order === undefined ? [] : [facts.order.destination]),
];

/** Which part of a followed call this recorder is of. */
function ofPart(name: string): { part?: number } {
  const part = partOf(name);

  return part === undefined ? {} : { part };
}

/** What an event under one of its ids means to a call; undefined for nothing. */
export function translate(event: AriEvent, { kind, facts }: CallState): CallEvent | undefined {
  switch (event.type) {
    case 'channelHangingUp':
    case 'channelLeft':
    case 'channelGone':
    case 'channelUp':
    case 'channelRinging':
    case 'channelForwarded':
    case 'channelHeld':
    case 'channelResumed':
    case 'digit':
      return translateChannel(event, kind, facts);
    case 'bridgeEntered':
    case 'bridgeLeft': {
      const { channelId: channel } = event;
      if (partyOf(channel, facts) !== undefined) return undefined;
      return { type: event.type === 'bridgeEntered' ? 'thirdPartyJoined' : 'thirdPartyLeft', channel, at: event.at };
    }
    case 'playbackStarted':
    case 'playbackFinished':
      return event;
    case 'recorderStarted':
    case 'recorderFinished':
      return { type: event.type, at: event.at, ...ofPart(event.name) };
    case 'recorderFailed':
      return { type: 'recorderFailed', ...ofPart(event.name) };
    case 'channelArrived':
    case 'bridgeGone':
    // Read by parking.ts.
    case 'blindTransfer':
    case 'talk':
    case 'channelDialled':
    case 'channelOffered':
    case 'applicationReplaced':
    // Read by Codes.
    case 'userEvent':
      return undefined;
  }
}

type ChannelEvent = Extract<AriEvent, { channelId: ChannelId }>;

type LeavingEvent = Extract<AriEvent, { type: 'channelHangingUp' | 'channelLeft' | 'channelGone' }>;

/** Whether a channel leaves the application by this, or is about to. */
export const leaves = (event: AriEvent): event is LeavingEvent =>
  event.type === 'channelHangingUp' || event.type === 'channelLeft' || event.type === 'channelGone';

function translateChannel(event: ChannelEvent, kind: CallState['kind'], facts: Facts): CallEvent | undefined {
  switch (partyOf(event.channelId, facts)) {
    case 'caller':
      return translateCaller(event, facts);
    case 'destination':
      return translateDestination(event);
    case undefined:
      if (isOfNotice(event.channelId, facts)) return translateNotice(event, kind, facts);
      return leaves(event) ? { type: 'thirdPartyLeft', channel: event.channelId, at: event.at } : undefined;
  }
}

const isOfNotice = (channel: ChannelId, { called }: Facts): boolean =>
  called !== undefined && (channel === called.noticeChannel || channel === called.dialler);

/** From then on the dialplan has who was called, and their own channel tells of them. */
const afterNotice: readonly CallState['kind'][] = ['following', 'talking', 'closing', 'ended'];

/** In an outgoing call: by what of the other channels the notice is over. Keys and holds are told of by the channel of who was called. */
function translateNotice(event: ChannelEvent, kind: CallState['kind'], { called }: Facts): CallEvent | undefined {
  if (!leaves(event) || afterNotice.includes(kind)) return undefined;
  const isSentOn = event.type === 'channelLeft' && event.channelId === called?.noticeChannel;

  return { type: isSentOn ? 'callerSentOn' : 'callerLeft', at: event.at };
}

function translateCaller(event: ChannelEvent, { toldChannel }: Facts): CallEvent | undefined {
  if (event.type === 'digit') {
    // The caller's consent is not for whom they were transferred to to give or to take back.
    return toldChannel === undefined ? { type: 'digit', digit: event.digit, at: event.at } : undefined;
  }
  if (event.type === 'channelHeld') return { type: 'callerHeld', at: event.at };
  if (event.type === 'channelResumed') return { type: 'callerResumed', at: event.at };
  if (event.type === 'channelLeft') return { type: 'callerSentOn', at: event.at };

  return leaves(event) ? { type: 'callerLeft', at: event.at } : undefined;
}

function translateDestination(event: ChannelEvent): CallEvent | undefined {
  if (event.type === 'channelUp') return { type: 'destinationAnswered', at: event.at };
  if (event.type === 'channelRinging') return { type: 'destinationRinging' };
  if (event.type === 'channelHeld') return { type: 'destinationHeld', at: event.at };
  if (event.type === 'channelResumed') return { type: 'destinationResumed', at: event.at };
  // A 302: Dial() follows it, a channel of ARI does not.
  if (event.type === 'channelForwarded') return { type: 'stepFailed', step: 'dial' };
  if (event.type === 'channelGone') return { type: 'destinationLeft', at: event.at, cause: event.cause };

  return leaves(event) ? { type: 'destinationLeft', at: event.at, cause: undefined } : undefined;
}
