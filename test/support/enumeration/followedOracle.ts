/** The oracle of a followed call: what its events tell from the moment when the caller goes on in the dialplan. */
import type { CallEvent } from '../../../src/call/decide/events.ts';
import type { BridgeId, ChannelId } from '../../../src/core/ids.ts';
import type { CallFacts, Monitor } from './oracle.ts';

/** A followed caller is in each of these once, in this order: more talks would be more of the same, without end. */
export const bridgesOfFollowed = ['bridge-1', 'bridge-2'] as BridgeId[];

export function witnessRelease(monitor: Monitor): Monitor {
  const { followed, asked, callerLeft } = monitor;
  if (asked.release === 0 || callerLeft || followed !== undefined || asked.returnToDialplan > 0) return monitor;

  // From here on keys are those of the dialplan, but for the feature code.
  return { ...monitor, talks: true, followed: { met: [], isTogether: false, talks: 0, hasChanged: false } };
}

/** Whom they meet first is whom they called. Everybody else was not told. */
export function witnessJoining(monitor: Monitor, bridge: BridgeId, others: readonly ChannelId[]): Monitor {
  const { followed, callerLeft } = monitor;
  const [first, ...more] = others;
  if (followed === undefined || bridgesOfFollowed[followed.talks] !== bridge) return monitor;
  if (followed.isTogether || callerLeft || first === undefined) return monitor;
  const met = followed.met.length === 0 ? [first] : followed.met;
  // Who was behind the same Local/ channel is behind it still.
  const isSame = monitor.replaced.destination === first;

  return {
    ...monitor,
    stranger: monitor.stranger || others.some((each) => !met.includes(each)),
    others: more,
    replaced: { destination: first },
    farEnds: isSame ? monitor.farEnds : { ...monitor.farEnds, destination: [] },
    holding: { caller: false, destination: false },
    paused: false,
    followed: { ...followed, met, isTogether: true, talks: followed.talks + 1 },
  };
}

/** Who came, if anybody did, has a number that is never recorded: so they are nobody of a talk that is. */
export function witnessNever(before: Monitor, after: Monitor, { never }: { never?: true }): Monitor {
  return never === true && after !== before ? { ...after, never: true, stranger: true } : after;
}

export function witnessParting(monitor: Monitor): Monitor {
  const { followed } = monitor;
  if (followed?.isTogether !== true) return monitor;

  return { ...monitor, others: [], followed: { ...followed, isTogether: false } };
}

export function witnessStranger(monitor: Monitor, channel: ChannelId): Monitor {
  const { followed, others, replaced, stranger } = monitor;
  if (followed?.isTogether !== true || others.includes(channel) || replaced.destination === channel) return monitor;

  return { ...monitor, stranger: true, others: stranger && others.includes(channel) ? others : [...others, channel] };
}

/** Between the talks a refusal may be among what is missed; in a talk they had their choice. */
export function witnessSilence(monitor: Monitor, isAsked: boolean): Monitor {
  const { followed, deaf, refused, callerLeft } = monitor;
  const matters = isAsked && followed?.isTogether === false && refused === 'no' && !callerLeft;

  return matters && !deaf ? { ...monitor, deaf: true } : monitor;
}

/** In a talk a source changes once: more of it would be more of the same. */
export function witnessChange(monitor: Monitor): Monitor {
  const { followed } = monitor;

  return followed?.isTogether === true && !followed.hasChanged
    ? { ...monitor, followed: { ...followed, hasChanged: true } }
    : monitor;
}

/**
 * Who is behind a Local/ channel. Behind the caller everybody is a stranger who did not hear the notice. Behind whom they met first, the
 * first who are seen to come are whom they met; everybody else is a stranger.
 */
export function witnessBehind(
  monitor: Monitor,
  { party, channels, unwatched }: Extract<CallEvent, { type: 'farEndSeen' }>,
): Monitor {
  const { followed, farEnds, replaced } = monitor;
  const known = farEnds[party];
  const all = [...known, ...channels.filter((each) => !known.includes(each))];
  if (followed === undefined || all.length === known.length) return monitor;
  if (party === 'destination' && !followed.isTogether) return monitor;
  const met = followed.met.join();
  const isWhomTheyMet = party === 'destination' && known.length === 0 && met === replaced.destination;
  const seen = { ...monitor, farEnds: { ...farEnds, [party]: all } };

  return isWhomTheyMet && unwatched !== true
    ? { ...seen, followed: { ...followed, met: [...followed.met, ...all] } }
    : { ...seen, stranger: true };
}

export function witnessRoom(monitor: Monitor): Monitor {
  const { followed, spent, callerLeft } = monitor;

  return followed === undefined || callerLeft || spent.room ? monitor : { ...monitor, spent: { ...spent, room: true } };
}

/** Whole seconds for which it was recorded, and the part that is being recorded. */
export type TimeUsed = { seconds: number; open: number | undefined };

/** Only of so short a recording the time is counted: each second of it multiplies the states. */
export const isCounted = ({ maximumSeconds }: CallFacts['order']): boolean => maximumSeconds === 1;

/** Every part of an enumeration lasts for a second, and all of them together at most for the time of the recording. */
export function witnessTime(monitor: Monitor, event: CallEvent, { order }: CallFacts): Monitor {
  const { followed, spent } = monitor;
  if (followed === undefined || !isCounted(order)) return monitor;
  if (event.type !== 'recorderStarted' && event.type !== 'recorderFinished') return monitor;
  const { part = 1, at } = event;
  const { seconds, open } = spent.time;
  const starts = event.type === 'recorderStarted' && at !== undefined && (open === undefined || part > open);
  if (starts) return { ...monitor, spent: { ...spent, time: { seconds, open: part } } };
  if (event.type === 'recorderStarted' || part !== open) return monitor;
  const time = { seconds: Math.min(order.maximumSeconds, seconds + 1), open: undefined };

  return { ...monitor, spent: { ...spent, time } };
}
