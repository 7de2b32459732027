import type { ChannelId } from '../../core/ids.ts';
import { isBridged } from '../decide/order.ts';
import { partyOf } from '../decide/parties.ts';
import type { CallState } from '../decide/state.ts';

/** What part a channel has in a call. */

/** Whether this is the caller of a call that the dialplan has, and that we follow. */
export function isFollowedBy({ facts: { order, callerChannel } }: CallState, channel: ChannelId): boolean {
  return order !== undefined && !isBridged(order) && callerChannel === channel;
}

/** Whom a call has talked with is elsewhere once that talk is over, perhaps in another. A followed caller stays its own between two. */
export const takesPart =
  (channel: ChannelId) =>
  ({ state }: { readonly state: CallState }): boolean => {
    const party = partyOf(channel, state.facts);
    if (state.kind === 'following') return party === 'caller';

    return party !== undefined || ('others' in state && state.others.includes(channel));
  };
