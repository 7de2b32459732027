import type { ChannelId } from '../core/ids.ts';
import { decide } from './decide.ts';
import type { CallEvent } from './events.ts';
import type { Unwatched } from './ports.ts';
import type { CallState, Facts } from './state.ts';

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
  const { order, callerChannel, startedAt } = state.facts;
  if ((state.kind !== 'talking' && state.kind !== 'closing') || order === undefined) return undefined;
  const ended = unseen.reduce((now: CallState, event) => decide(now, event).state, state);
  if (ended.kind !== 'ended' || ended.recorder.kind !== 'finished') return undefined;
  const from = Math.max(watchedUntil ?? startedAt, (state.kind === 'closing' ? state.endedAt : undefined) ?? 0);
  const parties = witnessed(state.facts, [callerChannel, order.destination]);

  return {
    ended,
    interval: { from, to: null, heardAgainAt: null, why: 'process_ended', bridge: order.bridge, parties },
  };
}

/** Who is behind a Local/ channel is not in the call's bridge: then nothing shows that only the told were there. */
export const witnessed = ({ farEnds }: Facts, parties: readonly ChannelId[]): readonly ChannelId[] =>
  farEnds === undefined ? parties : [];
