import type { ChannelId } from '../../core/ids.ts';
import type { Unwatched } from './timeline.ts';
import type { CallState, Facts } from '../decide/state.ts';
import type { DeafReason } from './watch.ts';

/** Who is behind a Local/ channel is not in the call's bridge: then nothing shows that only the told were there. */
export const witnessed = ({ farEnds }: Facts, parties: readonly ChannelId[]): readonly ChannelId[] =>
  farEnds === undefined ? parties : [];

/**
 * The interval that begins for a call when nobody listens any more; undefined where nobody is in its bridge. Events come in order: what was
 * seen of its end was seen of all before it.
 *
 * @param watchedUntil until when everything was seen, by Asterisk's clock, ms
 */
export function unwatchedSince(
  state: CallState,
  watchedUntil: number | undefined,
  why: DeafReason,
): Unwatched | undefined {
  const { facts, kind } = state;
  const { order, callerChannel, startedAt } = facts;
  if (order === undefined || (kind !== 'dialling' && kind !== 'talking' && kind !== 'closing')) return undefined;
  const endedAt = kind === 'closing' ? state.endedAt : undefined;
  // What was last seen may be older than the call: it stands still while calls cannot be compared.
  const from = Math.max(watchedUntil ?? startedAt, startedAt, endedAt ?? 0);
  const parties = witnessed(facts, [callerChannel, order.destination]);

  return { from, to: null, heardAgainAt: null, why, bridge: order.bridge, parties };
}
