import type { CallEvent } from './events.ts';
import { stay } from './handlers.ts';
import { andSave, stopForGood } from './newcomers.ts';
import { isBridged, type Order } from './order.ts';
import { orderOf } from './parties.ts';
import type { CallState, Facts, In, Step } from './state.ts';

/**
 * For how long a followed call was recorded. A bridge of ours has one recorder, whose end is the end of the recording; of a followed call
 * each part has its own, so it is remembered what ended the recording as a whole: its time is over, or the disk is full.
 */

type Recorded = NonNullable<Facts['recorded']>;
type RecorderEvent = Extract<CallEvent, { type: 'recorderStarted' | 'recorderFinished' }>;

/** The times are Asterisk's. What was not seen to end does not count: too much recorded can be erased, too little is lost. */
function recordedAfter(recorded: Recorded, { type, part = 1, at }: RecorderEvent): Recorded {
  const { open, ms } = recorded;
  const ranMs = open === undefined || at === undefined ? 0 : Math.max(0, at - open.since);
  if (type === 'recorderStarted') {
    if (at === undefined || (open !== undefined && open.part >= part)) return recorded;
    return { ms: ms + ranMs, open: { part, since: at } };
  }
  if (open?.part !== part) return recorded;

  return { ms: ms + ranMs };
}

/** The call with the time for which it was recorded until this event. */
export function withRecordedTime(state: CallState, event: CallEvent): CallState {
  if (event.type !== 'recorderStarted' && event.type !== 'recorderFinished') return state;
  if (state.kind !== 'following' && state.kind !== 'talking' && state.kind !== 'closing') return state;
  const { facts } = state;
  if (isBridged(orderOf(facts))) return state;
  const before = facts.recorded ?? { ms: 0 };
  const recorded = recordedAfter(before, event);

  return recorded === before ? state : { ...state, facts: { ...facts, recorded } };
}

const leftSeconds = ({ recorded }: Facts, { maximumSeconds }: Order): number =>
  Math.floor(maximumSeconds - (recorded?.ms ?? 0) / 1_000);

/** For how long the next part may be recorded, s. */
export const secondsForPart = (facts: Facts, order: Order): number => Math.max(1, leftSeconds(facts, order));

/** Whether a further talk may be recorded. */
export const isTimeLeft = (facts: Facts): boolean => leftSeconds(facts, orderOf(facts)) >= 1;

/** The disk is nearly full: the recorder was stopped, and no other begins in this call. */
export const endForRoom = (state: In<'talking'>): Step =>
  isBridged(orderOf(state.facts)) ? stay(state) : andSave(stopForGood(state));
