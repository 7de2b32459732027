import { decide } from '../decide/decide.ts';
import type { CallEvent } from '../decide/events.ts';
import type { Unwatched } from './timeline.ts';
import type { CallState } from '../decide/state.ts';
import { unwatchedSince } from './unwatchedInterval.ts';

/** Nobody heard keys since, or saw the recorder end, or who left. */
const unseen: readonly CallEvent[] = [
  { type: 'eventsMissed' },
  { type: 'recorderFinished', at: undefined },
  { type: 'bridgeGone', alone: [] },
];

type Ended = Extract<CallState, { kind: 'ended' }>;

/**
 * How a recorded talk ends whose serve died in it, and which no other one takes up; and since when nobody watched it. undefined where nothing
 * was recorded, as far as is known. Pure.
 *
 * @param watchedUntil until when everything was seen, by Asterisk's clock, ms
 */
export function endUnseen(
  state: CallState,
  watchedUntil: number | undefined,
): { ended: Ended; interval: Unwatched } | undefined {
  if (state.kind !== 'talking' && state.kind !== 'closing') return undefined;
  const interval = unwatchedSince(state, watchedUntil, 'process_ended');
  const ended = unseen.reduce((now: CallState, event) => decide(now, event).state, state);
  if (interval === undefined || ended.kind !== 'ended') return undefined;
  if (ended.recorder.kind !== 'finished' && ended.recorder.kind !== 'discarded') return undefined;

  return { ended, interval };
}
