import type { ChannelId } from '../../core/ids.ts';
import type { Order, Party } from './order.ts';
import type { Facts } from './state.ts';

/** Who is who in a call that has its order. */

export function orderOf(facts: Facts): Order {
  if (facts.order === undefined) throw new TypeError('a call without an order has no further steps');
  return facts.order;
}

/** Which side of the call this channel is now. */
export function partyOf(channel: ChannelId, { callerChannel, order }: Facts): Party | undefined {
  if (channel === callerChannel) return 'caller';

  return channel === order?.destination ? 'destination' : undefined;
}

/** The channel that is this side of the call now. */
export const channelOf = (party: Party, facts: Facts): ChannelId =>
  party === 'caller' ? facts.callerChannel : orderOf(facts).destination;

/** The channel of who waits when this party holds. */
export const waitsFor = (party: Party, facts: Facts): ChannelId =>
  channelOf(party === 'caller' ? 'destination' : 'caller', facts);
