import type { ChannelId } from '../../core/ids.ts';
import { purposesToTell } from '../decide/marks.ts';
import type { Order } from '../decide/order.ts';
import type { CallState } from '../decide/state.ts';

/** What somebody knows of the recording by a call of their own: as its caller, or as who was called and heard it when they answered. */

/** Whether they have heard the notice of this call, whole, and have not refused, and nobody has taken their place. */
function knowsBy(channel: ChannelId, state: CallState): boolean {
  const { callerChannel, toldChannel } = state.facts;
  if (callerChannel !== channel || toldChannel !== undefined) return false;

  return (state.kind === 'following' || state.kind === 'talking') && !state.untold && state.answer.kind !== 'refused';
}

/** @param calls those of this channel */
export const wasTold = (channel: ChannelId, calls: readonly CallState[]): boolean =>
  calls.some((state) => knowsBy(channel, state));

/**
 * Whether a newcomer, on a line that tells them, has heard of all its purposes when they answered an outgoing call: nobody is told twice. Who may
 * refuse there is asked here as well, since a refusal holds for one call.
 *
 * @param calls those of the newcomer's channel
 * @param order of the call that they come into
 */
export function needsNoTelling(channel: ChannelId, calls: readonly CallState[], order: Order | undefined): boolean {
  if (order?.newcomers !== 'tell') return false;
  const heard = calls
    .filter((state) => state.facts.called !== undefined && knowsBy(channel, state))
    .flatMap(({ facts }) => (facts.order?.script.consent.mode === 'announce' ? purposesToTell(facts.order) : []));

  return purposesToTell(order).every((purpose) => heard.includes(purpose));
}
